import { adjustedMutualInformation } from '../../numeric/compare/adjusted-mutual-information.ts';
import { adjustedRand } from '../../numeric/compare/adjusted-rand.ts';
import { atOnce, inTurns } from '../../numeric/kernels/turn.ts';
import type { Definition } from '../contracts/definition.ts';
import type { SegmentSummary } from '../contracts/run.ts';
import type { Columns } from './features.ts';
import { formatNumber, formatShare } from './figures.ts';
import type { CustomerJoin } from './match.ts';
import type { FeatureReference } from './model.ts';
import type { MovementReport } from './movements.ts';
import { countLabels, type FrozenScale, measureCentroids, measureDrift } from './stability-drift.ts';
import type { CentroidReport, DriftReport, StabilityMetric, StabilityReport } from './stability-report.ts';

// Whether the segments are still the ones people know. A low agreement alone does not say whose doing it is,
// so the new model is also compared with the last one on the same figures: what differs there is the
// model's doing, the rest is the customers'.

export interface StabilityInput {
  settings: Definition['stability'];
  columns: Columns;
  labels: Uint8Array;
  /** Segment id of each cluster, in the order of the labels. */
  segmentIds: readonly string[];
  /** Of this run's names, one per segment. */
  nameStatuses: readonly SegmentSummary['nameStatus'][];
  /** Customers held back where they were; absent without hysteresis. */
  held?: number | undefined;
  previous: {
    join: CustomerJoin;
    labels: Uint8Array;
    segmentIds: readonly string[];
    /** Of the features the last model was fitted on; empty when they are made differently now. */
    references: readonly FeatureReference[];
    /** The untransformed features of its customers; null when they cannot be compared. */
    values: Columns | null;
    /** What centres are compared by; null when the last model cannot read the new figures. */
    frozen: FrozenScale | null;
    /** The last model's label of each customer of this run; null when it cannot read them. */
    relabelled: Uint8Array | null;
    /** This run's model's, where `labels` has some held back in another segment. */
    modelLabels?: Uint8Array | undefined;
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
  return atOnce(judging(input));
}

/** {@link judgeStability} with a turn of the event loop between the features; the same bits. */
export function judgeStabilityInTurns(input: StabilityInput, onTurn?: () => void): Promise<StabilityReport> {
  return inTurns(judging(input), onTurn);
}

function* judging(input: StabilityInput): Generator<void, StabilityReport> {
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
      centroids: null,
    };
  }
  const agreement = measureAgreement(input, previous);
  yield;
  const drift = yield* measureDrift({ columns: input.columns, previous });
  const { frozen } = previous;
  const centroids = frozen && (yield* measureCentroids({ ...input, previous: { ...previous, frozen } }));
  const { verdict, reasons } = judge({ agreement, drift, settings, previous });
  return {
    verdict,
    reasons,
    adjustedRand: agreement.all,
    movedShare: agreement.movedShare,
    metrics: [
      ...agreementMetrics(agreement, settings),
      ...drift.flatMap((found) => driftMetrics(found, settings)),
      ...(centroids ?? []).map(centroidMetric),
      ...movementMetrics(agreement, previous.movements),
      ...sizeMetrics(input, previous),
      questionableMetric(input),
      ...heldMetric(input),
    ],
    movements: previous.movements,
    drift,
    centroids,
  };
}

interface Agreement {
  common: number;
  /** Adjusted Rand index of both segmentations on the common customers; null without any. */
  all: number | null;
  /** Adjusted mutual information of the same, which small segments count more in; null as above. */
  information: number | null;
  movedShare: number | null;
  /** Of both models on this run's figures; null when the last one cannot read them. */
  ofModels: number | null;
  movedByModelShare: number | null;
  movedByBehaviourShare: number | null;
  newShare: number;
  lostShare: number;
}

function measureAgreement({ labels }: StabilityInput, previous: Previous): Agreement {
  const { join, movements, relabelled, modelLabels = labels } = previous;
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
    information: common > 0 ? adjustedMutualInformation(before, after) : null,
    movedShare: common > 0 ? 1 - movements.stayed.customers / common : null,
    ofModels: relabelled ? adjustedRand(relabelled, modelLabels) : null,
    movedByModelShare: shareOf(movements.model),
    movedByBehaviourShare: shareOf(movements.behaviour),
    newShare: movements.new.customers / labels.length,
    lostShare: movements.lost.customers / previous.labels.length,
  };
}

function judge(found: {
  agreement: Agreement;
  drift: readonly DriftReport[];
  settings: Definition['stability'];
  previous: Previous;
}): Pick<StabilityReport, 'verdict' | 'reasons'> {
  const { agreement, drift, settings } = found;
  const { minimumAdjustedRand, maximumMovedShare } = settings;
  if (agreement.all === null || agreement.movedShare === null) return judgeWithoutCommon(found);
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

/** Strangers alone: who moved cannot be told, what the models say of the same figures can. */
function judgeWithoutCommon({
  agreement: { ofModels },
  drift,
  settings,
}: {
  agreement: Agreement;
  drift: readonly DriftReport[];
  settings: Definition['stability'];
}): Pick<StabilityReport, 'verdict' | 'reasons'> {
  const strangers = 'no customer is in both runs, so nobody can be said to have moved';
  const models =
    ofModels === null
      ? 'the last model cannot read the new figures, so no segment can be recognised'
      : `on the same figures both models agree at ${ofModels.toFixed(2)} (adjusted Rand index, at least ${settings.minimumAdjustedRand})`;
  const shifts = drift.filter((shift) => isDrift(shift, settings)).map(describeShift);
  return { verdict: 'unstable', reasons: [strangers, models, ...shifts] };
}

function isDrift({ psi }: DriftReport, { majorPsi }: Definition['stability']): boolean {
  return psi.isSignificant && psi.psi > majorPsi;
}

function describeShift({ subject, psi }: DriftReport): string {
  const what = subject === '' ? 'the mix of segments' : `the customers' ${subject}`;
  return `${what} shifted: PSI ${psi.psi.toFixed(2)}, by chance below ${psi.criticalValue.toFixed(3)}`;
}

function agreementMetrics(agreement: Agreement, settings: Definition['stability']): StabilityMetric[] {
  const { minimumAdjustedRand: least, maximumMovedShare: most } = settings;
  return [
    metric('adjusted-rand', agreement.all, { least }),
    metric('adjusted-mutual-information', agreement.information),
    metric('adjusted-rand-of-models', agreement.ofModels, { least }),
    metric('moved-share', agreement.movedShare, { most }),
    metric('moved-by-model-share', agreement.movedByModelShare, { most }),
    metric('moved-by-behaviour-share', agreement.movedByBehaviourShare, { most }),
    metric('new-share', agreement.newShare),
    metric('lost-share', agreement.lostShare),
  ];
}

/**
 * Magnitude against the rule of thumb, and the same value against chance: either alone misleads. The second
 * opinions are told: none of them has a threshold that is as widely agreed on.
 */
function driftMetrics(
  { subject, psi, wasserstein, kolmogorovSmirnov, jensenShannon }: DriftReport,
  settings: Definition['stability'],
): StabilityMetric[] {
  const name = subject === '' ? 'psi-mix' : 'psi';
  const found = [
    metric(name, psi.psi, { most: settings.majorPsi }),
    metric(`${name}-significance`, psi.psi, { most: psi.criticalValue }),
    ...(wasserstein ? [metric('wasserstein', wasserstein.standardised)] : []),
    ...(kolmogorovSmirnov ? [metric('kolmogorov-smirnov', kolmogorovSmirnov.statistic)] : []),
    ...(jensenShannon ? [metric('jensen-shannon-mix', jensenShannon.divergence)] : []),
  ];
  return found.map((one) => ({ ...one, subject }));
}

/** Told without a threshold: how far a centre goes by chance alone is not kept of a run. */
function centroidMetric({ segmentId, delta }: CentroidReport): StabilityMetric {
  return { ...metric('centroid-drift', delta), subject: segmentId };
}

function movementMetrics({ common }: Agreement, { moved, migration }: MovementReport): StabilityMetric[] {
  const atBorder = moved && common > 0 ? moved.border.customers / common : null;
  const rows = (migration?.rows ?? []).filter(({ from }) => from !== null);
  return [
    metric('moved-at-border-share', atBorder),
    metric('mobility', migration?.mobility ?? null),
    ...rows.map(({ from, entropy }) => ({ ...metric('migration-entropy', entropy), subject: from! })),
  ];
}

function questionableMetric({ nameStatuses }: StabilityInput): StabilityMetric {
  const questionable = nameStatuses.filter((status) => status === 'questionable').length;
  return metric('questionable-name-share', questionable / nameStatuses.length);
}

/** Of all customers: it says how many moves the hysteresis put off. */
function heldMetric({ held, labels }: StabilityInput): StabilityMetric[] {
  return held === undefined ? [] : [metric('held-share', held / labels.length)];
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
