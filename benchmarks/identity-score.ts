import type { Month, PlantedEvent } from './bases/changing-shop.ts';
import type { SimulatedRun } from './identity-run.ts';

// What was planted beside what a run says. A segment stands for the planted group that most of its customers are of.

export const EVENT_KINDS = ['split', 'merge', 'birth', 'retirement', 'drift'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export interface EventScore {
  planted: number;
  right: number;
  /** What went wrong, in words, with the month. */
  wrong: string[];
}

export interface IdentityScore {
  events: Record<EventKind, EventScore>;
  /** Segments that nothing was planted for, and those of them that go on untold under their key. */
  quiet: { segments: number; right: number; wrong: string[] };
  renamed: string[];
  reused: string[];
}

/** Follows one shop; call `add` month by month. */
export function createScorer(): { score: IdentityScore; add(month: Month, run: SimulatedRun | null): void } {
  const events = Object.fromEntries(
    EVENT_KINDS.map((kind) => [kind, { planted: 0, right: 0, wrong: [] as string[] }]),
  ) as unknown as Record<EventKind, EventScore>;
  const score: IdentityScore = {
    events,
    quiet: { segments: 0, right: 0, wrong: [] },
    renamed: [],
    reused: [],
  };
  const everUsed = new Set<string>();
  const brokenDrifts = new Map<number, string>();
  let before: { run: SimulatedRun; keys: Map<number, string> } | null = null;
  return {
    score,
    add(month, run) {
      const keys = run ? keysOfGroups(month, run) : new Map<number, string>();
      if (before && run) {
        const context: Context = { before: before.keys, after: keys, run, everUsed };
        for (const event of month.events) judge(event, context, { score, brokenDrifts, at: month.month });
        judgeQuiet(month, context, score);
        score.renamed.push(...renamedBetween(before.run, run).map((text) => `month ${month.month}: ${text}`));
        score.reused.push(
          ...reusedIn(before.run, run, everUsed).map((text) => `month ${month.month}: ${text}`),
        );
      } else if (before)
        for (const { kind } of month.events) miss(events[kind], month.month, 'no segments at all');
      for (const id of run?.segmentIds ?? []) everUsed.add(id);
      if (run) before = { run, keys };
    },
  };
}

interface Context {
  /** Key of each planted group's segment. */
  before: ReadonlyMap<number, string>;
  after: ReadonlyMap<number, string>;
  run: SimulatedRun;
  everUsed: ReadonlySet<string>;
}

/** Groups and segments one to one, as far as they are: each segment goes to the group with most of its customers. */
function keysOfGroups({ customers }: Month, { labels, segmentIds }: SimulatedRun): Map<number, string> {
  const counts = segmentIds.map(() => new Map<number, number>());
  customers.forEach(({ group, between }, row) => {
    if (!between) counts[labels[row]!]!.set(group, (counts[labels[row]!]!.get(group) ?? 0) + 1);
  });
  const keys = new Map<number, string>();
  counts.forEach((of, cluster) => {
    const [group] = [...of].sort((a, b) => b[1] - a[1])[0] ?? [-1];
    if (!keys.has(group)) keys.set(group, segmentIds[cluster]!);
  });
  return keys;
}

function judge(
  event: PlantedEvent,
  context: Context,
  into: { score: IdentityScore; brokenDrifts: Map<number, string>; at: number },
): void {
  const { score, brokenDrifts, at } = into;
  const found = event.kind === 'drift' ? faultOfDrift(event.group, context) : faultOf(event, context);
  if (event.kind === 'drift') {
    if (event.first) brokenDrifts.delete(event.group);
    if (found) brokenDrifts.set(event.group, found);
    if (!event.last) return;
  }
  const fault = event.kind === 'drift' ? brokenDrifts.get(event.group) : found;
  if (fault) miss(score.events[event.kind], at, `${'how' in event ? `${event.how}: ` : ''}${fault}`);
  else {
    score.events[event.kind].planted++;
    score.events[event.kind].right++;
  }
}

function miss(score: EventScore, at: number, fault: string): void {
  score.planted++;
  score.wrong.push(`month ${at}: ${fault}`);
}

/** What a run says wrongly of an event; undefined: nothing. */
function faultOf(event: Exclude<PlantedEvent, { kind: 'drift' }>, context: Context): string | undefined {
  const { before, after } = context;
  if (event.kind === 'split') {
    const parent = before.get(event.parent);
    const [first, second] = event.children.map((group) => told(context, group));
    if (!parent || !first || !second) return 'a part has no segment of its own';
    if (event.hasHeir && first.segmentId !== parent) return 'the large part lost the key';
    if (event.hasHeir && first.event !== 'survived') return `the large part is told as ${first.event}`;
    const fresh = event.hasHeir ? [second] : [first, second];
    if (fresh.some(({ segmentId }) => context.everUsed.has(segmentId))) return 'a part has an old key';
    const odd = fresh.find(({ event: said, parents }) => said !== 'split' || parents.join() !== parent);
    if (odd) return `a part is told as ${odd.event} of ${odd.parents.length} parents`;
    const parts = fresh.map(({ segmentId }) => segmentId).sort();
    const isTold = event.hasHeir || retiredInto(context, parent)?.split(',').sort().join() === parts.join();
    return isTold ? undefined : 'the whole is not told to have gone into its parts';
  }
  if (event.kind === 'merge') {
    const [into, gone] = [before.get(event.into), before.get(event.gone)];
    const merged = told(context, event.into);
    if (!into || !gone || !merged) return 'the merged has no segment of its own';
    if (merged.segmentId !== into) return 'the merged lost its key';
    if (merged.event !== 'merged' || merged.parents.join() !== [into, gone].join())
      return `the merged is told as ${merged.event} of ${merged.parents.length} parents`;
    return retiredInto(context, gone) === into ? undefined : 'the other is not told to have gone there';
  }
  if (event.kind === 'birth') {
    const born = told(context, event.group);
    if (!born) return 'it has no segment of its own';
    return born.event === 'born' ? undefined : `it is told as ${born.event}`;
  }
  const gone = before.get(event.group);
  if (!gone) return 'it had no segment of its own';
  if ([...after.values()].includes(gone)) return 'its key went on';
  return retiredInto(context, gone) === '' ? undefined : 'it is told to have gone into another';
}

function faultOfDrift(group: number, context: Context): string | undefined {
  const key = context.before.get(group);
  const segment = told(context, group);
  if (!key || segment?.segmentId !== key) return 'it lost its key';
  if (segment.event !== 'survived') return `it is told as ${segment.event}`;
  const { transitions } = context.run.identities;
  const internal = transitions?.internal.find(({ segmentId }) => segmentId === key);
  return internal?.location === 'shifts' ? undefined : 'it is not told to shift';
}

function told({ after, run }: Context, group: number) {
  return run.identities.segments.find(({ segmentId }) => segmentId === after.get(group));
}

/** Undefined: not retired. */
function retiredInto({ run }: Context, segmentId: string): string | undefined {
  return run.identities.retired.find((retired) => retired.segmentId === segmentId)?.into.join();
}

function judgeQuiet({ month, places, events }: Month, context: Context, { quiet }: IdentityScore): void {
  const busy = new Set(
    events.flatMap((event) => {
      if (event.kind === 'split') return [event.parent, ...event.children];
      return event.kind === 'merge' ? [event.into, event.gone] : [event.group];
    }),
  );
  for (const group of places.keys()) {
    if (busy.has(group)) continue;
    quiet.segments++;
    const key = context.before.get(group);
    const segment = told(context, group);
    const shift = context.run.identities.transitions?.internal.find(({ segmentId }) => segmentId === key);
    if (!key || segment?.segmentId !== key) quiet.wrong.push(`month ${month}: a segment lost its key`);
    else if (segment.event !== 'survived') quiet.wrong.push(`month ${month}: told as ${segment.event}`);
    else if (shift?.location === 'shifts') quiet.wrong.push(`month ${month}: told to shift`);
    else quiet.right++;
  }
}

function renamedBetween(before: SimulatedRun, after: SimulatedRun): string[] {
  const names = new Map(before.names.map(({ segmentId, name }) => [segmentId, name]));
  return after.names.flatMap(({ segmentId, name }) => {
    const was = names.get(segmentId);
    return was === undefined || was === name ? [] : [`"${was}" became "${name}"`];
  });
}

/** Keys given to a new segment, or come back, that another one had before. */
function reusedIn(before: SimulatedRun, after: SimulatedRun, everUsed: ReadonlySet<string>): string[] {
  const current = new Set(before.segmentIds);
  const twice = after.segmentIds.filter((id, at) => after.segmentIds.indexOf(id) !== at);
  return [...twice, ...after.segmentIds.filter((id) => everUsed.has(id) && !current.has(id))];
}
