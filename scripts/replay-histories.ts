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
  const underWay = new Map<number, Promise<{ lane: number; replayed: Replayed | null; isOver: boolean }>>();
  const next = async (lane: number) => {
    const { value, done } = await source.next();
    return { lane, replayed: done ? null : await replay(bundle, value), isOver: done === true };
  };
  for (let lane = 0; lane < lanes; lane++) underWay.set(lane, next(lane));
  while (underWay.size > 0) {
    const { lane, replayed, isOver } = await Promise.race(underWay.values());
    if (isOver) underWay.delete(lane);
    else underWay.set(lane, next(lane));
    if (replayed) yield replayed;
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

async function replay(bundle: WorkflowBundle, { name, read }: KeptHistory): Promise<Replayed | null> {
  const unknown = { name, workflow: null, events: 0, event: null };
  let history: History;
  try {
    const found = await read();
    if (found === null) return null;
    history = historyOf(found);
  } catch (error) {
    return { ...unknown, fault: faultOf(error as Error) };
  }
  const workflow = workflowOf(history);
  const about = { ...unknown, workflow, events: history.events?.length ?? 0 };
  try {
    // Before the first decision there is none that could be another.
    if (isDecided(history) || workflow === null) {
      // Under the id it had: an inbox finds its pipeline in it.
      await Worker.runReplayHistory({ workflowBundle: bundle }, history, workflow?.id ?? name);
    }
    return { ...about, fault: null };
  } catch (error) {
    return { ...about, fault: faultOf(error as Error), event: eventOf(error as Error, history) };
  }
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
