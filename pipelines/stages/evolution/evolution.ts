import type { Definition } from '../../contracts/definition.ts';
import { counted, formatNumber, formatShare } from '../figures.ts';
import { compareDefinitions, type DefinitionChange } from './definition-changes.ts';
import { withoutProfiles } from './diff.ts';
import { type Flow, type FlowTotals, totalsOf } from './flows.ts';
import { fatesBetween, type IdentityStep, type LineageEdge, traceLine } from './lineage-line.ts';
import { type ChangeWords, changesOfSegment, type FeatureChange } from './profile-changes.ts';
import {
  dateWords,
  namesOverTime,
  type ProfiledRun,
  type PublishedRun,
  type SegmentState,
} from './published.ts';
import {
  CAUSE_SENTENCES,
  listed,
  quoted,
  tellBase,
  tellCauses,
  tellNames,
  tellSegments,
  tellSizes,
} from './words.ts';

/** All publications of a pipeline in their order; what `--json` writes. */
export interface EvolutionReport {
  pipeline: string;
  title: string;
  currency: string;
  /** What changed from the first to the last and why: five sentences. */
  sentences: string[];
  /** The same of the latest step, in three. */
  latest: string[];
  runs: PublishedRun[];
  /** One for each publication but the first. */
  steps: EvolutionStep[];
  /** In the order in which they came, which their colours follow. */
  segments: EvolvedSegment[];
  lineage: LineageEdge[];
}

export interface EvolutionStep {
  /** Places of both publications in `runs`. */
  from: number;
  to: number;
  flows: Flow[];
  totals: FlowTotals;
  /** What became of segments, in sentences without a full stop; empty where all went on. */
  events: string[];
  definitionChanges: DefinitionChange[];
}

export interface EvolvedSegment {
  segmentId: string;
  /** How it is called now, or was last, and told apart from others of that name. */
  name: string;
  isBorn: boolean;
  isRetired: boolean;
  /** In each publication; null where it is not there. */
  states: (SegmentState | null)[];
  /** Of its figures, from its first publication here to its last, and in the last step of the line. */
  changes: FeatureChange[];
  latestChanges: FeatureChange[];
  /** Names it had, oldest first. */
  names: NameInForce[];
}

export interface NameInForce {
  name: string;
  author: string;
  reason: string;
  /** When it was published or given. */
  validFrom: string;
}

export interface EvolutionInput {
  pipeline: string;
  /** In order, two or more. */
  runs: readonly ProfiledRun[];
  /** Of each run. */
  definitions: readonly Definition[];
  identities: readonly IdentityStep[];
  /** Of each step. */
  flows: readonly (readonly Flow[])[];
  /** Names in force, and all that ever were, by segment. */
  presentNames: ReadonlyMap<string, string>;
  nameHistory: ReadonlyMap<string, readonly NameInForce[]>;
  words: ChangeWords;
}

export function describeEvolution(input: EvolutionInput): EvolutionReport {
  const { runs, definitions, flows, words } = input;
  const names = namesOverTime(runs, input.presentNames);
  const last = definitions.at(-1)!;
  const told = { names, currency: last.currency };
  const { lives, edges } = traceLine(input.identities);
  const segments = lives.map(({ segmentId, places, isBorn, isRetired }): EvolvedSegment => {
    const at = (place: number) => clusterOf(runs[place]!, segmentId);
    const between = (from: number, to: number) =>
      from < to && at(from) >= 0 && at(to) >= 0
        ? changesOfSegment([runs[from]!.profiles, at(from)], [runs[to]!.profiles, at(to)], words)
        : [];
    return {
      segmentId,
      name: names.get(segmentId) ?? segmentId,
      ...{ isBorn, isRetired },
      states: runs.map((run) => run.segments[clusterOf(run, segmentId)] ?? null),
      changes: between(places[0]!, places.at(-1)!),
      latestChanges: between(runs.length - 2, runs.length - 1),
      names: [...(input.nameHistory.get(segmentId) ?? [])],
    };
  });
  const steps = flows.map(
    (own, i): EvolutionStep => ({
      ...{ from: i, to: i + 1, flows: [...own], totals: totalsOf(own) },
      events: eventsOf(i + 1, { runs, edges, told }),
      definitionChanges: compareDefinitions(definitions[i]!, definitions[i + 1]!),
    }),
  );
  const report = {
    pipeline: input.pipeline,
    title: last.title,
    currency: last.currency,
    runs: runs.map(withoutProfiles),
    ...{ steps, segments, lineage: edges },
  };
  const { pipeline, title, currency, ...rest } = report;
  const told5 = tellWhole(report, told);
  return { pipeline, title, currency, sentences: told5, latest: tellLatest(report, told), ...rest };
}

type Untold = Omit<EvolutionReport, 'sentences' | 'latest'>;
interface Told {
  names: ReadonlyMap<string, string>;
  currency: string;
}

function clusterOf({ segments }: PublishedRun, segmentId: string): number {
  return segments.findIndex((segment) => segment.segmentId === segmentId);
}

function idsOf({ segments }: PublishedRun): string[] {
  return segments.map(({ segmentId }) => segmentId);
}

function eventsOf(
  at: number,
  { runs, edges, told }: { runs: readonly PublishedRun[]; edges: readonly LineageEdge[]; told: Told },
): string[] {
  const own = edges.filter((edge) => edge.at === at);
  const fates = fatesBetween(idsOf(runs[at - 1]!), idsOf(runs[at]!), own);
  const name = (id: string) => quoted(id, told.names);
  return fates.flatMap(({ segmentId, became, from, into }) => {
    if (became === 'born') return [`${name(segmentId)} was born`];
    if (became === 'split') return [`${name(segmentId)} came out of ${name(from[0]!)}`];
    if (became === 'merged') return [`${listed(from.map(name))} went into ${name(segmentId)}`];
    return became === 'gone' && into.length === 0 ? [`${name(segmentId)} retired`] : [];
  });
}

function sumOf(steps: readonly EvolutionStep[]): Pick<FlowTotals, 'new' | 'lost'> {
  const customers = (which: 'new' | 'lost') =>
    steps.reduce((sum, { totals }) => sum + totals[which].customers, 0);
  return {
    new: { customers: customers('new'), cents: null },
    lost: { customers: customers('lost'), cents: null },
  };
}

function tellWhole(report: Untold, told: Told): string[] {
  const { runs, steps, segments, lineage } = report;
  const [first, last] = [runs[0]!, runs.at(-1)!];
  const ends = segments.map(({ segmentId, states, changes }) => ({
    segmentId,
    before: states[0]!,
    after: states.at(-1)!,
    changes: states[0] && states.at(-1) ? changes : [],
  }));
  return [
    tellBase(first, last, { totals: sumOf(steps), currency: told.currency }),
    tellSegments(fatesBetween(idsOf(first), idsOf(last), lineage), told),
    tellSizes(ends, told),
    tellMoves(report),
    tellTrust(report),
  ];
}

function tellLatest({ runs, steps, segments }: Untold, told: Told): string[] {
  const step = steps.at(-1)!;
  const [before, after] = [runs.at(-2)!, runs.at(-1)!];
  const ends = segments.map(({ segmentId, states, latestChanges }) => ({
    segmentId,
    before: states.at(-2)!,
    after: states.at(-1)!,
    changes: latestChanges,
  }));
  const { totals } = step;
  const share = totals.common > 0 ? formatShare(totals.moved / totals.common) : 'none';
  const causes = totals.causes && totals.moved > 0 ? `: ${tellCauses(totals.causes)}` : '';
  const ways = step.flows.filter(({ from, to }) => from !== null && to !== null && from !== to);
  const [way] = ways.toSorted((left, right) => right.customers - left.customers);
  const largest = way
    ? `; most went from ${quoted(way.from!, told.names)} to ${quoted(way.to!, told.names)} (${formatNumber(way.customers)})`
    : '';
  return [
    tellBase(before, after, { totals, currency: told.currency }),
    ...(step.events.length === 0 ? [] : [`${step.events.join('; ')}.`]),
    tellSizes(ends, told),
    `${share} of the customers in both are in another segment${causes}${largest}.`,
  ];
}

function tellMoves({ runs, steps }: Untold): string {
  const moved = steps.reduce((sum, { totals }) => sum + totals.moved, 0);
  if (moved === 0) return 'No customer went from one segment to another.';
  const causes = { behaviour: 0, model: 0, border: 0 };
  for (const { totals } of steps)
    for (const cause of ['behaviour', 'model', 'border'] as const)
      causes[cause] += totals.causes?.[cause] ?? 0;
  const shareOf = ({ totals }: EvolutionStep) => (totals.common > 0 ? totals.moved / totals.common : 0);
  const most = steps.toSorted((left, right) => shareOf(right) - shareOf(left))[0]!;
  const why = tellCauses(causes);
  const when =
    steps.length > 1
      ? `; the most moved up to ${dateWords(runs[most.to]!.asOf)}, ${formatShare(shareOf(most))} of the customers there before`
      : '';
  return `Customers changed segment ${formatNumber(moved)} times${why ? `: ${why}` : ''}${when}.`;
}

const VERDICT_WORDS = {
  stable: 'stable',
  drifted: 'drifted (the customers changed)',
  unstable: 'unstable (the model did: read its moves with care)',
} as const;

function tellTrust({ runs, steps, segments }: Untold): string {
  const verdicts = Object.entries(VERDICT_WORDS).flatMap(([verdict, words]) => {
    const count = steps.filter(({ to }) => runs[to]!.verdict === verdict).length;
    return count === 0 ? [] : [`${formatNumber(count)} ${words}`];
  });
  const judged =
    verdicts.length === 0 ? '' : `Of ${counted(steps.length, 'step')} the audit called ${listed(verdicts)}; `;
  const doubtful = steps.filter(({ definitionChanges }) =>
    definitionChanges.some(({ isDoubtful }) => isDoubtful),
  );
  const redefined =
    doubtful.length === 0
      ? ''
      : `the definition changed at ${listed(doubtful.map(({ to }) => dateWords(runs[to]!.asOf)))}; `;
  const names = tellNames(
    segments.flatMap(({ name, states }) => {
      const state = states.at(-1);
      return state ? [{ name, nameStatus: state.nameStatus }] : [];
    }),
  );
  const whole = `${judged}${redefined}${names}.`;
  return whole.charAt(0).toUpperCase() + whole.slice(1);
}

/** Why customers moved, as one text with numbers; empty without causes. */
export function causesText({ causes, moved }: FlowTotals): string {
  if (causes === null || moved === 0) return '';
  return (['behaviour', 'model', 'border'] as const)
    .filter((cause) => causes[cause] > 0)
    .map((cause) => `${formatNumber(causes[cause])} ${CAUSE_SENTENCES[cause]}`)
    .join(', ');
}
