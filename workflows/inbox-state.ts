import type {
  InboxRun,
  InboxView,
  MessageAnswer,
  Refusal,
  RunEnd,
  WaitingRun,
} from '../pipelines/contracts/inbox.ts';
import { type Message, refusedBy } from '../pipelines/contracts/inbox-message.ts';
import type { InboxSettings } from '../pipelines/contracts/inbox-settings.ts';
import type { RunKind } from '../pipelines/contracts/run.ts';

// Which messages make which run, and when: pure, so that it can be tested without a server. Times are milliseconds.

/** What an execution hands on: of bounded size, whatever is sent. */
export const KEPT = { waiting: 50, seen: 1_000, last: 10, refused: 20 } as const;

/** A run to come. Landings are gathered by as-of date until all is there; requests start by themselves. */
export interface Planned {
  number: number;
  kind: RunKind;
  asOf: string | null;
  extract: string | null;
  isRequest: boolean;
  landed: string[];
  messages: number;
  firstAt: number;
  /** When the last missing input landed; null: one is missing. */
  readyAt: number | null;
}

export interface Started extends Omit<InboxRun, 'startedAt'> {
  startedAt: number;
}

export interface InboxState {
  /** Number of the next run. */
  next: number;
  waiting: Planned[];
  running: Started | null;
  /** Newest first, as the refusals. */
  last: (Started & RunEnd & { endedAt: number })[];
  refused: { at: number; message: string; reason: string }[];
  /** Ids of messages with the number of their run, oldest first. */
  seen: [id: string, number: number][];
  counts: InboxView['counts'];
}

interface Now {
  settings: InboxSettings;
  now: number;
}

export function nothingYet(): InboxState {
  const counts = { taken: 0, repeated: 0, refused: 0, runs: 0 };
  return { next: 1, waiting: [], running: null, last: [], refused: [], seen: [], counts };
}

/** The state with a message in it, and the answer to who sent it; a refusal is its reason. */
export function take(
  state: InboxState,
  message: Message,
  { settings, now }: Now,
): [InboxState, MessageAnswer | string] {
  const known = message.id === null ? undefined : state.seen.find(([id]) => id === message.id);
  if (known) {
    const counts = { ...state.counts, repeated: state.counts.repeated + 1 };
    const says = `the message is in run ${known[1]} already`;
    return [
      { ...state, counts },
      { answer: 'repeated', number: known[1], says },
    ];
  }
  const reason = refusedBy(settings, message);
  if (reason !== null) return [refuse(state, { message: message.name, reason, at: now }), reason];
  const place = placeOf(state, message, settings);
  if (place === null && state.waiting.length >= KEPT.waiting) {
    const full = `${message.name}: ${KEPT.waiting} runs of other dates or files wait already; send it again when some have ended`;
    return [refuse(state, { message: message.name, reason: full, at: now }), full];
  }
  const planned = joined(place ?? planFor(state.next, message, { settings, now }), message, {
    settings,
    now,
  });
  const taken: InboxState = {
    ...state,
    next: place === null ? state.next + 1 : state.next,
    waiting: [...state.waiting.filter(({ number }) => number !== planned.number), planned],
    seen:
      message.id === null
        ? state.seen
        : [...state.seen, [message.id, planned.number] as [string, number]].slice(-KEPT.seen),
    counts: { ...state.counts, taken: state.counts.taken + 1 },
  };
  return [taken, { answer: 'taken', number: planned.number, says: saysOf(planned, settings) }];
}

export function refuse(
  state: InboxState,
  refusal: { message: string; reason: string; at: number },
): InboxState {
  const counts = { ...state.counts, refused: state.counts.refused + 1 };
  return { ...state, counts, refused: [refusal, ...state.refused].slice(0, KEPT.refused) };
}

/** The planned run that a message belongs to; null: it needs one of its own. */
function placeOf(state: InboxState, message: Message, settings: InboxSettings): Planned | null {
  const isRequest = message.name === 'requestRun';
  const kind = message.kind ?? settings.run;
  const found = state.waiting.find(
    (planned) =>
      planned.isRequest === isRequest &&
      planned.kind === kind &&
      planned.asOf === message.asOf &&
      // Of two files that land for one date the later is the one that counts; two that are asked for are two runs.
      (!isRequest || planned.extract === message.extract),
  );
  return found ?? null;
}

function planFor(number: number, { name, kind, asOf, extract }: Message, { settings, now }: Now): Planned {
  return {
    ...{ number, kind: kind ?? settings.run, asOf, extract, isRequest: name === 'requestRun' },
    ...{ landed: [], messages: 0, firstAt: now, readyAt: null },
  };
}

function joined(planned: Planned, { input, extract }: Message, { settings, now }: Now): Planned {
  const named = input ?? (settings.inputs.length === 1 ? settings.inputs[0]! : null);
  const isNew = named !== null && settings.inputs.includes(named) && !planned.landed.includes(named);
  const landed = isNew ? [...planned.landed, named] : planned.landed;
  const more = { ...planned, landed, extract: extract ?? planned.extract, messages: planned.messages + 1 };
  return { ...more, readyAt: more.readyAt ?? (missingOf(more, settings).length === 0 ? now : null) };
}

export function missingOf({ isRequest, landed }: Planned, { inputs }: InboxSettings): string[] {
  return isRequest ? [] : inputs.filter((input) => !landed.includes(input));
}

/** When it starts at the latest; null: not before more has landed. */
function startsAt(
  { readyAt, firstAt }: Planned,
  { settleSeconds, deadlineMinutes }: InboxSettings,
): number | null {
  if (readyAt !== null) return readyAt + settleSeconds * 1_000;
  return deadlineMinutes === null ? null : firstAt + deadlineMinutes * 60_000;
}

/** After the definition has changed: what waited for an input that it names no more waits no longer. */
export function underSettings(state: InboxState, { settings, now }: Now): InboxState {
  const waiting = state.waiting.map((planned) =>
    planned.readyAt === null && missingOf(planned, settings).length === 0
      ? { ...planned, readyAt: now }
      : planned,
  );
  return { ...state, waiting };
}

/** How long nothing needs to be done; null: until a message comes or a run ends. */
export function restMs(state: InboxState, { settings, now }: Now): number | null {
  if (state.running !== null) return null;
  const starts = state.waiting.flatMap((planned) => startsAt(planned, settings) ?? []);
  return starts.length === 0 ? null : Math.max(0, Math.min(...starts) - now);
}

/** What is due, started, where nothing runs; with all that is ready and asks for the same. Null: nothing is due. */
export function startNext(
  state: InboxState,
  { settings, now, idOf }: Now & { idOf: (run: Pick<Planned, 'number' | 'kind' | 'asOf'>) => string },
): InboxState | null {
  if (state.running !== null) return null;
  const due = state.waiting.filter(
    (planned) => (startsAt(planned, settings) ?? Number.POSITIVE_INFINITY) <= now,
  );
  const [first] = due.sort(inOrder);
  if (first === undefined) return null;
  const { number, kind, asOf, extract } = first;
  const joins = (planned: Planned) =>
    planned.number === number ||
    (planned.readyAt !== null &&
      planned.kind === kind &&
      planned.asOf === asOf &&
      planned.extract === extract);
  const together = state.waiting.filter(joins);
  const numbers = new Set(together.map((planned) => planned.number));
  const running: Started = {
    ...{ number, kind, asOf, extract },
    messages: together.reduce((sum, { messages }) => sum + messages, 0),
    missing: missingOf(first, settings),
    workflowId: idOf(first),
    startedAt: now,
  };
  return {
    ...state,
    running,
    waiting: state.waiting.filter((planned) => !numbers.has(planned.number)),
    seen: state.seen.map(([id, at]) => [id, numbers.has(at) ? number : at]),
    counts: { ...state.counts, runs: state.counts.runs + 1 },
  };
}

/** Dates in their order, since a run older than what readers see is held; what is as of the newest row comes last. */
function inOrder(left: Planned, right: Planned): number {
  if (left.asOf !== right.asOf) {
    if (left.asOf === null) return 1;
    if (right.asOf === null) return -1;
    return left.asOf < right.asOf ? -1 : 1;
  }
  return left.number - right.number;
}

export function runEnded(state: InboxState, end: RunEnd, now: number): InboxState {
  if (state.running === null) return state;
  const ended = { ...state.running, ...end, endedAt: now };
  return { ...state, running: null, last: [ended, ...state.last].slice(0, KEPT.last) };
}

function saysOf(planned: Planned, settings: InboxSettings): string {
  const missing = missingOf(planned, settings);
  if (missing.length === 0) return `run ${planned.number} starts when no other of this inbox is going on`;
  const { deadlineMinutes } = settings;
  const atMost =
    deadlineMinutes === null ? '' : `, at most ${deadlineMinutes} minutes from its first message on`;
  return `run ${planned.number} waits for ${missing.join(', ')}${atMost}`;
}

const iso = (ms: number) => new Date(ms).toISOString();

/** What of the state is shown. */
export function viewOf(
  state: InboxState,
  about: Pick<InboxView, 'pipeline' | 'settings' | 'blocked' | 'unsorted'>,
): InboxView {
  const { running, last, refused, counts } = state;
  return {
    ...about,
    waiting:
      about.settings === null ? [] : state.waiting.map((planned) => waitingOf(planned, about.settings!)),
    running: running && runOf(running),
    last: last.map(({ outcome, runId, reason, endedAt, ...run }) => ({
      ...runOf(run),
      ...{ outcome, runId, reason, endedAt: iso(endedAt) },
    })),
    refused: refused.map(({ at, ...rest }): Refusal => ({ at: iso(at), ...rest })),
    counts,
  };
}

function runOf({ startedAt, ...run }: Started): InboxRun {
  return { ...run, startedAt: iso(startedAt) };
}

function waitingOf(planned: Planned, settings: InboxSettings): WaitingRun {
  const { number, kind, asOf, extract, messages, landed, firstAt } = planned;
  const starts = startsAt(planned, settings);
  return {
    ...{ number, kind, asOf, extract, messages, landed, missing: missingOf(planned, settings) },
    ...{ since: iso(firstAt), startsAt: starts === null ? null : iso(starts) },
  };
}
