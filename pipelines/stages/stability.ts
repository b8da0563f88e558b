import { adjustedRand } from '../../numeric/compare/adjusted-rand.ts';
import { countsBetween, type PopulationStability, stabilityOfCounts } from '../../numeric/statistics/psi.ts';
import type { Definition } from '../contracts/definition.ts';
import type { Stability } from '../contracts/stages.ts';
import type { Columns } from './features.ts';
import { formatNumber, formatShare } from './figures.ts';
import type { CustomerJoin } from './match.ts';
import type { FeatureReference } from './model.ts';
import type { MovementReport } from './movements.ts';

// Whether the segments are still the ones people know. A low agreement alone does not say whose doing it is,
// so the new model is also compared with the last one on the same figures: what differs there is the
// model's doing, the rest is the customers'.

export interface StabilityMetric {
  metric: string;
  /** A feature or a segment id; empty for the run as a whole. */
  subject: string;
  /** Null where it cannot be computed. */
  value: number | null;
  threshold: number | null;
  verdict: 'within' | 'beyond' | 'told';
}

export interface StabilityReport
  extends Pick<Stability, 'verdict' | 'reasons' | 'adjustedRand' | 'movedShare'> {
  metrics: StabilityMetric[];
  movements: MovementReport | null;
  /** PSI with its bins, so that it can be checked by hand. */
  drift: { subject: string; psi: PopulationStability }[];
}

export interface StabilityInput {
  settings: Definition['stability'];
  columns: Columns;
  labels: Uint8Array;
  /** Segment id of each cluster, in the order of the labels. */
  segmentIds: readonly string[];
  previous: {
    join: CustomerJoin;
    labels: Uint8Array;
    segmentIds: readonly string[];
    /** Of the features the last model was fitted on; empty when they are made differently now. */
    references: readonly FeatureReference[];
    /** The last model's label of each customer of this run; null when it cannot read them. */
    relabelled: Uint8Array | null;
    movements: MovementReport;
  } | null;
}

type Previous = NonNullable<StabilityInput['previous']>;

/**
 * Compares a run with the last publication.
 *
 * - `unstable`: the model's doing; on the same figures the new model agrees too little with the last one or
 *   moves too many customers. Without a model to compare with, any such disagreement counts as this.
 * - `drifted`: the customers' doing; too many moved, or figures or the mix of segments shifted both more than
 *   chance explains (chi-square, 5 %) and in a major way.
 * - `stable`: neither. `first`: nothing is published.
 */
export function judgeStability(input: StabilityInput): StabilityReport {
  const { previous, settings } = input;
  if (!previous) {
    const reasons = ['nothing is published yet that this run could be compared with'];
    return {
      verdict: 'first',
      reasons,
      adjustedRand: null,
      movedShare: null,
      metrics: [],
      movements: null,
      drift: [],
    };
  }
  const agreement = measureAgreement(input, previous);
  const drift = measureDrift(input, previous);
  const { verdict, reasons } = judge({ agreement, drift, settings, previous });
  return {
    verdict,
    reasons,
    adjustedRand: agreement.all,
    movedShare: agreement.movedShare,
    metrics: [
      ...agreementMetrics(agreement, settings),
      ...drift.flatMap((found) => driftMetrics(found, settings)),
      ...sizeMetrics(input, previous),
    ],
    movements: previous.movements,
    drift: drift.map(({ subject, psi }) => ({ subject, psi })),
  };
}

interface Agreement {
  common: number;
  /** Adjusted Rand index of both segmentations on the common customers; null without any. */
  all: number | null;
  movedShare: number | null;
  /** Of both models on this run's figures; null when the last one cannot read them. */
  ofModels: number | null;
  movedByModelShare: number | null;
  movedByBehaviourShare: number | null;
  newShare: number;
  lostShare: number;
}

function measureAgreement({ labels }: StabilityInput, previous: Previous): Agreement {
  const { join, movements, relabelled } = previous;
  const before = new Uint8Array(join.common);
  const after = new Uint8Array(join.common);
  let next = 0;
  for (let row = 0; row < labels.length; row++) {
    const previousRow = join.previousRow[row]!;
    if (previousRow < 0) continue;
    before[next] = previous.labels[previousRow]!;
    after[next++] = labels[row]!;
  }
  const { common } = join;
  const shareOf = (tally: { customers: number } | null) =>
    tally && common > 0 ? tally.customers / common : null;
  return {
    common,
    all: common > 0 ? adjustedRand(before, after) : null,
    movedShare: common > 0 ? 1 - movements.stayed.customers / common : null,
    ofModels: relabelled ? adjustedRand(relabelled, labels) : null,
    movedByModelShare: shareOf(movements.model),
    movedByBehaviourShare: shareOf(movements.behaviour),
    newShare: movements.new.customers / labels.length,
    lostShare: movements.lost.customers / previous.labels.length,
  };
}

interface Drift {
  metric: 'psi' | 'psi-mix';
  subject: string;
  psi: PopulationStability;
}

function measureDrift({ columns }: StabilityInput, previous: Previous): Drift[] {
  const drift = previous.references.flatMap(({ feature, edges, counts }): Drift[] => {
    const values = columns[feature];
    if (!values) return [];
    return [
      { metric: 'psi', subject: feature, psi: stabilityOfCounts(counts, countsBetween(values, edges)) },
    ];
  });
  // By the last model on both sides: a segment that the new one split is no shift of the customers.
  if (previous.relabelled) {
    const k = previous.segmentIds.length;
    const psi = stabilityOfCounts(countLabels(previous.labels, k), countLabels(previous.relabelled, k));
    drift.push({ metric: 'psi-mix', subject: '', psi });
  }
  return drift;
}

function countLabels(labels: Uint8Array, k: number): Float64Array {
  const counts = new Float64Array(k);
  for (let row = 0; row < labels.length; row++) counts[labels[row]!]!++;
  return counts;
}

function judge(found: {
  agreement: Agreement;
  drift: readonly Drift[];
  settings: Definition['stability'];
  previous: Previous;
}): Pick<StabilityReport, 'verdict' | 'reasons'> {
  const { agreement, drift, settings } = found;
  const { minimumAdjustedRand, maximumMovedShare } = settings;
  if (agreement.all === null || agreement.movedShare === null) {
    return { verdict: 'unstable', reasons: ['no customer is in both runs, so no segment can be recognised'] };
  }
  const overall = [
    `agreement with the last publication is ${agreement.all.toFixed(2)} (adjusted Rand index, at least ${minimumAdjustedRand}) on ${formatNumber(agreement.common)} common customers`,
    `${formatShare(agreement.movedShare)} of them are in another segment (at most ${formatShare(maximumMovedShare)})`,
  ];
  const isApart = agreement.all < minimumAdjustedRand || agreement.movedShare > maximumMovedShare;
  if (agreement.ofModels === null || agreement.movedByModelShare === null) {
    if (!isApart) return { verdict: 'stable', reasons: overall };
    const why = 'the features are made differently now, so that the model cannot be told from the customers';
    return { verdict: 'unstable', reasons: [...overall, why] };
  }
  const models = `on the same figures both models agree at ${agreement.ofModels.toFixed(2)} and ${formatShare(agreement.movedByModelShare)} of the common customers change segment by the model alone`;
  if (agreement.ofModels < minimumAdjustedRand || agreement.movedByModelShare > maximumMovedShare) {
    return { verdict: 'unstable', reasons: [models, ...overall] };
  }
  const shifts = drift.filter((shift) => isDrift(shift, settings)).map(describeShift);
  if (isApart || shifts.length > 0) return { verdict: 'drifted', reasons: [...shifts, ...overall, models] };
  return { verdict: 'stable', reasons: overall };
}

function isDrift({ psi }: Drift, { majorPsi }: Definition['stability']): boolean {
  return psi.isSignificant && psi.psi > majorPsi;
}

function describeShift({ metric, subject, psi }: Drift): string {
  const what = metric === 'psi' ? `the customers' ${subject}` : 'the mix of segments';
  return `${what} shifted: PSI ${psi.psi.toFixed(2)}, by chance below ${psi.criticalValue.toFixed(3)}`;
}

function agreementMetrics(agreement: Agreement, settings: Definition['stability']): StabilityMetric[] {
  const { minimumAdjustedRand: least, maximumMovedShare: most } = settings;
  return [
    metric('adjusted-rand', agreement.all, { least }),
    metric('adjusted-rand-of-models', agreement.ofModels, { least }),
    metric('moved-share', agreement.movedShare, { most }),
    metric('moved-by-model-share', agreement.movedByModelShare, { most }),
    metric('moved-by-behaviour-share', agreement.movedByBehaviourShare, { most }),
    metric('new-share', agreement.newShare),
    metric('lost-share', agreement.lostShare),
  ];
}

/** Magnitude against the rule of thumb, and the same value against chance: either alone misleads. */
function driftMetrics(
  { metric: name, subject, psi }: Drift,
  settings: Definition['stability'],
): StabilityMetric[] {
  return [
    { ...metric(name, psi.psi, { most: settings.majorPsi }), subject },
    { ...metric(`${name}-significance`, psi.psi, { most: psi.criticalValue }), subject },
  ];
}

/** How much larger or smaller each segment became: 0.1 = a tenth more of the customers than before. */
function sizeMetrics({ labels, segmentIds }: StabilityInput, previous: Previous): StabilityMetric[] {
  const before = countLabels(previous.labels, previous.segmentIds.length);
  const after = countLabels(labels, segmentIds.length);
  return segmentIds.map((subject, cluster) => {
    const was = previous.segmentIds.indexOf(subject);
    const then = was < 0 ? 0 : before[was]! / previous.labels.length;
    const now = after[cluster]! / labels.length;
    return { ...metric('size-change', then > 0 ? now / then - 1 : null), subject };
  });
}

function metric(
  name: string,
  value: number | null,
  limit: { least?: number; most?: number } = {},
): StabilityMetric {
  const { least, most } = limit;
  const threshold = least ?? most ?? null;
  if (value === null || threshold === null) {
    return { metric: name, subject: '', value, threshold, verdict: 'told' };
  }
  const isBeyond = (least !== undefined && value < least) || (most !== undefined && value > most);
  return { metric: name, subject: '', value, threshold, verdict: isBeyond ? 'beyond' : 'within' };
}
