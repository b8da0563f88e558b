import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';

/** A kept history: a file of Temporal's JSON. */
export interface KeptHistory {
  name: string;
  /** The file's text, as `temporal workflow show --output json` prints it. */
  text: string;
}

export interface Replayed {
  name: string;
  events: number;
  /** Why it does not replay; null when it does. */
  fault: string | null;
}

/** Every history in a folder, its sub-folders too, in the order of their paths; none when there is no such folder. */
export async function* historiesIn(folder: string, label: string): AsyncGenerator<KeptHistory> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  for (const entry of entries.filter((name) => name.endsWith('.json')).sort()) {
    yield {
      name: `${label} ${basename(entry, '.json').slice(0, 16)}`,
      text: await readFile(join(folder, entry), 'utf8'),
    };
  }
}

/** Replays each history against the given workflow code, one by one; a file that is no history is a fault, too. */
export async function* replayHistories(
  bundle: WorkflowBundle,
  histories: AsyncIterable<KeptHistory>,
): AsyncGenerator<Replayed> {
  for await (const { name, text } of histories) {
    yield { name, ...(await replay(bundle, name, text)) };
  }
}

interface HistoryEvent {
  workflowExecutionStartedEventAttributes?: { workflowId?: string };
}

async function replay(bundle: WorkflowBundle, name: string, text: string): Promise<Omit<Replayed, 'name'>> {
  let events = 0;
  try {
    const history = JSON.parse(text) as { events?: HistoryEvent[] };
    events = history.events?.length ?? 0;
    // Under the id it had: an inbox finds its pipeline in it.
    const workflowId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? name;
    await Worker.runReplayHistory({ workflowBundle: bundle }, history, workflowId);
    return { events, fault: null };
  } catch (error) {
    return { events, fault: faultOf(error as Error) };
  }
}

function faultOf(error: Error): string {
  const kind =
    error instanceof DeterminismViolationError ? 'the workflow code now decides otherwise' : error.name;
  return `${kind}: ${error.message.split('\n', 1)[0]}`;
}
