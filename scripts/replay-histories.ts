import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';

/** A history: a file of Temporal's JSON, or what the server has of a workflow. */
export interface KeptHistory {
  name: string;
  /** As `temporal workflow show --output json` prints it, or as the server gives it; null: it is not there any more. */
  read(): Promise<string | History | null>;
}

export type History = ReturnType<typeof historyFromJSON>;
type HistoryEvent = NonNullable<History['events']>[number];

export interface Replayed {
  name: string;
  /** Null where the history does not tell. */
  workflow: { id: string; runId: string; type: string } | null;
  events: number;
  /** Why it does not replay; null when it does. */
  fault: string | null;
  /** Where it does not: `34 ActivityTaskScheduled`; null where that is not known. */
  event: string | null;
}

/** Every history in a folder, its sub-folders too, in the order of their paths; none when there is no such folder. */
export async function* historiesIn(folder: string, label: string): AsyncGenerator<KeptHistory> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  for (const entry of entries.filter((name) => name.endsWith('.json')).sort()) {
    yield {
      name: `${label} ${basename(entry, '.json').slice(0, 16)}`,
      read: () => readFile(join(folder, entry), 'utf8'),
    };
  }
}

/**
 * Replays each history against the given workflow code; a file that is no history is a fault, too, and one that is gone
 * by now is left out.
 *
 * @param lanes so many at a time, each held in memory; results come as they are there
 */
export async function* replayHistories(
  bundle: WorkflowBundle,
  histories: AsyncIterable<KeptHistory>,
  { lanes = 1 }: { lanes?: number } = {},
): AsyncGenerator<Replayed> {
  const source = histories[Symbol.asyncIterator]();
  const results: Replayed[] = [];
  let wake = () => {};
  let isOver = false;
  const next = async () => {
    const { value, done } = isOver ? { value: null, done: true } : await source.next();
    return done ? null : (value as KeptHistory);
  };
  const tell = (replayed: Replayed) => {
    results.push(replayed);
    wake();
  };
  const working = Promise.all(Array.from({ length: lanes }, () => replayLane(bundle, { next, tell })));
  const end = () => {
    isOver = true;
    wake();
  };
  working.then(end, end);
  try {
    for (;;) {
      yield* results.splice(0);
      if (isOver) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (results.length > 0 || isOver) resolve();
      });
    }
    await working;
  } finally {
    isOver = true;
  }
}

interface Lane {
  /** Null: there are no more. */
  next(): Promise<KeptHistory | null>;
  tell(replayed: Replayed): void;
}

/** One worker for all: to make one costs more than to replay a run. */
async function replayLane(bundle: WorkflowBundle, { next, tell }: Lane): Promise<void> {
  for (let kept = await next(); kept !== null; ) {
    let current: Read | null = null;
    async function* feed(): AsyncGenerator<{ workflowId: string; history: History }> {
      for (; kept !== null; kept = await next()) {
        current = await readHistory(kept);
        if (current === null) continue;
        if (current.history) yield { workflowId: current.workflowId, history: current.history };
        else tell(current.about);
      }
    }
    try {
      for await (const { error } of Worker.runReplayHistories({ workflowBundle: bundle }, feed()))
        tell(outcomeOf(current!, error));
    } catch (error) {
      // What the SDK does not take in is a fault of that history; the worker is gone with it.
      if (kept === null) throw error;
      tell(outcomeOf(current!, error as Error));
      kept = await next();
    }
  }
}

/** What a history says of its own workflow. */
export function workflowOf({ events }: History): Replayed['workflow'] {
  const started = events?.[0]?.workflowExecutionStartedEventAttributes;
  if (!started?.workflowId) return null;
  return {
    id: started.workflowId,
    // The one it was started with, which a reset does not change.
    runId: started.originalExecutionRunId ?? '',
    type: started.workflowType?.name ?? '',
  };
}

/** @throws TypeError when it is none */
export function historyOf(found: string | History): History {
  return typeof found === 'string' ? historyFromJSON(JSON.parse(found)) : found;
}

interface Read {
  about: Replayed;
  /** Under the id it had: an inbox finds its pipeline in it. */
  workflowId: string;
  /** Null: there is nothing to replay, `about` says it all. */
  history: History | null;
}

/** Null: it is gone. */
async function readHistory({ name, read }: KeptHistory): Promise<Read | null> {
  const unknown = { name, workflow: null, events: 0, fault: null, event: null };
  try {
    const found = await read();
    if (found === null) return null;
    const history = historyOf(found);
    const workflow = workflowOf(history);
    const about = { ...unknown, workflow, events: history.events?.length ?? 0 };
    if (workflow === null)
      return nothing({ ...about, fault: 'a history begins with the start of its workflow' });
    // Before the first decision there is none that could be another.
    return { about, workflowId: workflow.id, history: isDecided(history) ? history : null };
  } catch (error) {
    return nothing({ ...unknown, fault: faultOf(error as Error) });
  }
}

function nothing(about: Replayed): Read {
  return { about, workflowId: '', history: null };
}

function outcomeOf({ about, history }: Read, error: Error | undefined): Replayed {
  return error ? { ...about, fault: faultOf(error), event: eventOf(error, history!) } : about;
}

function isDecided({ events }: History): boolean {
  return (events ?? []).some((event) => event.workflowTaskCompletedEventAttributes);
}

function faultOf(error: Error): string {
  const kind =
    error instanceof DeterminismViolationError ? 'the workflow code now decides otherwise' : error.name;
  return `${kind}: ${detailsOf(error)}`;
}

/** Without the sentence that the SDK puts before every one. */
function detailsOf({ message }: Error): string {
  const [, details] = /\bDetails: ([\s\S]*)$/.exec(message) ?? [];
  return (details ?? message).split('\n', 1)[0]!;
}

/** The event that the fault speaks of; of one that it names by its activity alone, the first of that. */
function eventOf({ message }: Error, { events }: History): string | null {
  const [, id] = /HistoryEvent\(id: (\d+)/.exec(message) ?? [];
  const [, activity] = /activity type of scheduled event '([^']+)'/i.exec(message) ?? [];
  const found = (events ?? []).find((event) =>
    id === undefined
      ? activity !== undefined && event.activityTaskScheduledEventAttributes?.activityType?.name === activity
      : String(event.eventId) === id,
  );
  return found ? `${found.eventId} ${typeOf(found)}` : (id ?? null);
}

/** `ActivityTaskScheduled`, by the attributes that it has. */
function typeOf(event: HistoryEvent): string {
  const attributes = Object.entries(event).find(([key, value]) => key.endsWith('EventAttributes') && value);
  const name = attributes?.[0].replace('EventAttributes', '') ?? '';
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}
