import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcome } from '../../pipelines/contracts/run.ts';
import { describeCurrent } from '../current-execution.ts';
import { firstLine } from '../error-text.ts';
import { watchRun } from '../follow-run.ts';
import type { RunFacts } from './facts.ts';
import type { RunReader } from './reader.ts';
import type { Sight } from './sight.ts';
import { type RunView, viewOf } from './view.ts';

/** The record is closed a moment before or after the workflow is. */
const RECORD_WITHIN_MS = 5_000;
const RECORD_POLL_MS = 250;

interface Following {
  sight: Sight;
  reader: RunReader;
  /** What was known when the following began. */
  first: RunFacts;
  signal: AbortSignal;
  /** Told at each look, at which nothing need have changed. */
  onLook(facts: RunFacts): void;
}

/**
 * Looks at a run until it has ended or waits for a person. One that was reset is followed in the execution that goes on
 * for it.
 *
 * @throws PipelineError TEMPORAL_UNREACHABLE when the server stays away
 */
export async function followView({ sight, reader, first, signal, onLook }: Following): Promise<RunFacts> {
  const client = sight.temporal?.client;
  let facts = first;
  const isSettled = () => {
    const { isOver, state } = viewOf(facts, Date.now());
    return isOver || state === 'held' || state === 'lost';
  };
  let { workflow } = facts;
  onLook(facts);
  while (client && !isSettled()) {
    const settled = new AbortController();
    try {
      await watchRun(client.workflow.getHandle(workflow.id, workflow.runId), {
        signal: AbortSignal.any([signal, settled.signal]),
        async onLook(seen) {
          facts = await reader.read(seen);
          onLook(facts);
          // A worker that is gone cannot say that its run is held; Temporal and PostgreSQL can.
          if (viewOf(facts, Date.now()).state === 'held') settled.abort();
        },
      });
    } catch (error) {
      if (!settled.signal.aborted) throw error;
    }
    const next = await describeCurrent(client, workflow).catch(() => null);
    if (next === null || next.runId === workflow.runId) break;
    workflow = { id: workflow.id, runId: next.runId };
    facts = await reader.read();
  }
  return settledRecord(reader, facts, signal);
}

async function settledRecord(reader: RunReader, facts: RunFacts, signal: AbortSignal): Promise<RunFacts> {
  const deadline = performance.now() + RECORD_WITHIN_MS;
  let found = facts;
  while (
    viewOf(found, Date.now()).state !== 'held' &&
    found.record !== null &&
    found.record.closedAt === null
  ) {
    if (performance.now() > deadline || found.temporal !== 'answers') break;
    await sleep(RECORD_POLL_MS, undefined, { signal });
    found = await reader.read().catch((fault: unknown) => ({ ...found, notes: [firstLine(fault)] }));
  }
  return found;
}

/** Also of one that was lost: what became of it, nobody can say any more. */
export function outcomeOf({ state }: RunView): Outcome {
  return state === 'running' || state === 'lost' ? 'failed' : state;
}
