import type { Definition } from '../../contracts/definition.ts';
import { formatNumber, formatShare } from '../figures.ts';
import type { StabilityReport } from '../stability-report.ts';
import { compareDefinitions, type DefinitionChange } from './definition-changes.ts';
import { type Flow, type FlowTotals, moneyShare, totalsOf } from './flows.ts';
import { fatesBetween, type LineageEdge, type SegmentFate } from './lineage-line.ts';
import type { ModelByData } from './model-by-data.ts';
import { type ChangeWords, changesOfAll, changesOfSegment, type FeatureChange } from './profile-changes.ts';
import {
  dateWords,
  namesOverTime,
  type ProfiledRun,
  type PublishedRun,
  type SegmentState,
} from './published.ts';
import { quoted, tellBase, tellCauses, tellNames, tellSegments, tellSizes } from './words.ts';

/** What changed between two publications; what `--json` writes. */
export interface DiffReport {
  pipeline: string;
  title: string;
  currency: string;
  before: PublishedRun;
  after: PublishedRun;
  /** Publications that lie between the two. */
  between: number;
  /** What makes the comparison doubtful, in sentences without a full stop; empty where nothing does. */
  doubts: string[];
  definitionChanges: DefinitionChange[];
  /** What changed and why: five sentences. */
  sentences: string[];
  segments: DiffSegment[];
  matrix: MatrixRow[];
  totals: FlowTotals;
  /** Moves whose cause is known, as asked of either model; null where the old model cannot read the new figures. */
  seen: { behaviour: number; model: number } | null;
  modelByData: ModelByData | null;
  agreement: {
    common: number;
    adjustedRand: number | null;
    adjustedMutualInformation: number | null;
    movedShare: number | null;
    adjustedRandOfModels: number | null;
  };
  verdict: StabilityReport['verdict'];
  reasons: string[];
  /** Of all customers, strongest first. */
  features: FeatureChange[];
  /** Population stability index of each feature the old model was fitted on, largest first. */
  drift: { feature: string; psi: number; criticalValue: number; isMajor: boolean }[];
}

export interface DiffSegment extends SegmentFate {
  /** How it is called now, and told apart from others of that name. */
  name: string;
  before: SegmentState | null;
  after: SegmentState | null;
  changes: FeatureChange[];
}

export interface MatrixRow {
  /** Segment id; null: those who were no customers then. */
  from: string | null;
  customers: number;
  cents: number | null;
  cells: MatrixCell[];
}

export interface MatrixCell {
  /** Segment id; null: no customers any more. */
  to: string | null;
  customers: number;
  /** Of the row's customers, with the interval of 95 % that counts as small as these leave. */
  share: number;
  low: number;
  high: number;
  /** After; of the lost before. */
  cents: number | null;
  moneyShare: { share: number; low: number; high: number } | null;
  causes: Flow['causes'];
}

export interface DiffInput {
  pipeline: string;
  before: ProfiledRun;
  after: ProfiledRun;
  between: number;
  definitions: { before: Definition; after: Definition };
  /** Of the publications after the earlier one, up to the later one. */
  edges: readonly LineageEdge[];
  /** Why the lineage between is not known whole; null where it is. */
  lineageGap: string | null;
  /** Names in force by segment. */
  presentNames: ReadonlyMap<string, string>;
  flows: readonly Flow[];
  stability: StabilityReport;
  modelByData: ModelByData | null;
  words: ChangeWords;
}

export function compareRuns(input: DiffInput): DiffReport {
  const { before, after, definitions, flows, stability, words } = input;
  const names = namesOverTime([before, after], input.presentNames);
  const { currency } = definitions.after;
  const told = { names, currency };
  const ids = (run: PublishedRun) => run.segments.map(({ segmentId }) => segmentId);
  const fates = fatesBetween(ids(before), ids(after), input.edges);
  const segments = fates.map((fate) => segmentOf(fate, { before, after, words, names }));
  const totals = totalsOf(flows);
  const definitionChanges = compareDefinitions(definitions.before, definitions.after);
  const metric = (name: string) => stability.metrics.find(({ metric: own }) => own === name)?.value ?? null;
  const report: Omit<DiffReport, 'sentences' | 'doubts'> = {
    pipeline: input.pipeline,
    title: definitions.after.title,
    currency,
    before: withoutProfiles(before),
    after: withoutProfiles(after),
    between: input.between,
    definitionChanges,
    segments,
    matrix: matrixOf(input),
    totals,
    seen: seenOf(stability),
    modelByData: input.modelByData,
    agreement: {
      common: totals.common,
      adjustedRand: stability.adjustedRand,
      adjustedMutualInformation: metric('adjusted-mutual-information'),
      movedShare: totals.common > 0 ? totals.moved / totals.common : null,
      adjustedRandOfModels: metric('adjusted-rand-of-models'),
    },
    verdict: stability.verdict,
    reasons: stability.reasons,
    features: changesOfAll(before.profiles, after.profiles, words),
    drift: driftOf(stability, definitions.after),
  };
  const doubts = doubtsOf(report, input);
  const sentences = [
    tellBase(before, after, { totals, currency }),
    tellSegments(fates, told),
    tellSizes(segments, told),
    tellMoves(report, names),
    tellTrust(report, doubts),
  ];
  const { pipeline, title, ...rest } = report;
  return { pipeline, title, doubts, sentences, ...rest };
}

/** Figures of every feature in every segment would be most of a report, and are in the run's own. */
export function withoutProfiles({ profiles: _, ...run }: ProfiledRun): PublishedRun {
  return run;
}

function segmentOf(
  fate: SegmentFate,
  given: { before: ProfiledRun; after: ProfiledRun; words: ChangeWords; names: ReadonlyMap<string, string> },
): DiffSegment {
  const { before, after, words, names } = given;
  const clusterIn = (run: PublishedRun) =>
    run.segments.findIndex(({ segmentId }) => segmentId === fate.segmentId);
  const [then, now] = [clusterIn(before), clusterIn(after)];
  const inBoth = then >= 0 && now >= 0;
  return {
    name: names.get(fate.segmentId)!,
    ...fate,
    before: before.segments[then] ?? null,
    after: after.segments[now] ?? null,
    changes: inBoth ? changesOfSegment([before.profiles, then], [after.profiles, now], words) : [],
  };
}

function matrixOf({ flows, stability }: DiffInput): MatrixRow[] {
  const rows = stability.movements?.migration?.rows ?? [];
  return rows.map(({ from, cells, customers }): MatrixRow => {
    const own = flows.filter((flow) => flow.from === from);
    const centsOf = (flow: Flow) => (flow.to === null ? flow.centsBefore : flow.centsAfter);
    const sum = (values: (number | null)[]) =>
      values.reduce<number | null>((total, x) => (total === null || x === null ? null : total + x), 0);
    const row = {
      cents: sum(own.map(centsOf)),
      squaredCents: sum(own.map(({ squaredCents }) => squaredCents)),
    };
    return {
      ...{ from, customers, cents: row.cents },
      cells: cells.map(({ to, share, low, high, customers: count }): MatrixCell => {
        const flow = own.find((one) => one.to === to);
        const cents = flow ? centsOf(flow) : row.cents === null ? null : 0;
        const squaredCents = flow?.squaredCents ?? 0;
        return {
          ...{ to, customers: count, share: share ?? 0, low, high, cents },
          moneyShare: moneyShare({ cents, squaredCents }, row),
          causes: flow?.causes ?? null,
        };
      }),
    };
  });
}

function seenOf({ movements }: StabilityReport): DiffReport['seen'] {
  if (!movements?.behaviour || !movements.model) return null;
  return { behaviour: movements.behaviour.customers, model: movements.model.customers };
}

function driftOf({ drift }: StabilityReport, { stability }: Definition): DiffReport['drift'] {
  return drift
    .filter(({ subject }) => subject !== '')
    .map(({ subject, psi }) => ({
      feature: subject,
      psi: psi.psi,
      criticalValue: psi.criticalValue,
      isMajor: psi.isSignificant && psi.psi > stability.majorPsi,
    }))
    .sort((left, right) => right.psi - left.psi || (left.feature < right.feature ? -1 : 1));
}

/** Below this share of the smaller run in common, moves are those of a minority. */
const FEW_COMMON = 0.3;

function doubtsOf(
  { definitionChanges, totals, seen, before, after }: Omit<DiffReport, 'sentences' | 'doubts'>,
  { stability, lineageGap }: DiffInput,
): string[] {
  const smaller = Math.min(before.customers, after.customers);
  const common = totals.common / smaller;
  const doubts = definitionChanges.filter(({ isDoubtful }) => isDoubtful).map(({ what }) => what);
  if (before.asOf === after.asOf)
    doubts.push(`both runs are as of ${dateWords(after.asOf)}: no time lies between them`);
  if (totals.common === 0)
    doubts.push('no customer is in both: nobody can be followed from one to the other');
  else if (common < FEW_COMMON)
    doubts.push(
      `only ${formatNumber(totals.common)} customers are in both, ${formatShare(common)} of the smaller run: moves are told of them alone`,
    );
  if (totals.common > 0 && seen === null)
    doubts.push('the old model cannot read the new figures: whose doing a move is cannot be told');
  if (stability.verdict === 'unstable' && seen !== null)
    doubts.push(
      "the two models draw other borders on the same figures: many moves are the new model's, not the customers'",
    );
  for (const run of [before, after])
    if (run.quality === 'constructed')
      doubts.push(
        `the segments of ${dateWords(run.asOf)} are constructed: their borders move from sample to sample`,
      );
  if (
    stability.movements?.noiseBands &&
    Object.values(stability.movements.noiseBands).some((band) => band === null)
  )
    doubts.push(
      'how far a border moves by chance was not measured of both models: moves at a border are too few or none',
    );
  if (lineageGap !== null) doubts.push(lineageGap);
  return doubts;
}

function tellMoves(
  { totals, matrix }: Pick<DiffReport, 'totals' | 'matrix'>,
  names: ReadonlyMap<string, string>,
): string {
  if (totals.common === 0) return 'No customer is in both, so nobody can have moved.';
  const share = formatShare(totals.moved / totals.common);
  if (totals.moved === 0)
    return `None of the ${formatNumber(totals.common)} customers in both is in another segment.`;
  const causes = totals.causes === null ? '' : `: ${tellCauses(totals.causes)}`;
  const ways = matrix.flatMap(({ from, cells }) =>
    cells.flatMap(({ to, customers }) =>
      from !== null && to !== null && from !== to ? [{ from, to, customers }] : [],
    ),
  );
  const [way] = ways.toSorted((left, right) => right.customers - left.customers);
  const largest = way
    ? `; most went from ${quoted(way.from, names)} to ${quoted(way.to, names)} (${formatNumber(way.customers)})`
    : '';
  return `${share} of the ${formatNumber(totals.common)} customers in both are in another segment${causes}${largest}.`;
}

function tellTrust(
  { verdict, modelByData, segments }: Pick<DiffReport, 'verdict' | 'modelByData' | 'segments'>,
  doubts: readonly string[],
): string {
  const models =
    modelByData?.newModelSameData == null
      ? ''
      : ` (on the same figures both models agree at ${modelByData.newModelSameData.adjustedRand.toFixed(2)} of 1)`;
  const read = {
    first: 'There is nothing to compare with',
    stable: `The segments mean what they meant${models}`,
    drifted: `The segments mean what they meant, the customers changed${models}`,
    unstable: `The model changed what segments mean${models}: do not read the moves as behaviour`,
  }[verdict];
  const names = tellNames(
    segments.flatMap(({ name, after }) => (after ? [{ name, nameStatus: after.nameStatus }] : [])),
  );
  const care = doubts.length === 0 ? '' : '; read it with the care said above';
  return `${read}; ${names}${care}.`;
}
