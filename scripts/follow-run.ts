import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Outcome } from '../pipelines/contracts/run.ts';
import type { RunProgress } from '../pipelines/contracts/signatures.ts';
import type { Log, Step } from './log.ts';

const POLL_MS = 300;
const SETTLED = new Set<string>(['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT']);

export interface Followed {
  progress: RunProgress | null;
  outcome: Outcome;
  /** The failure's message, when the workflow failed. */
  message: string | null;
}

/**
 * Follows a run until it has ended or is held for a person, with one line for each stage.
 * A server that is away for a moment does not end the following.
 */
export async function followRun(handle: WorkflowHandle, log: Log, signal: AbortSignal): Promise<Followed> {
  const teller = stageTeller(log);
  let progress: RunProgress | null = null;
  while (!signal.aborted) {
    const status = await statusOf(handle);
    progress = (await progressOf(handle)) ?? progress;
    if (progress) teller.tell(progress);
    if (status && SETTLED.has(status)) return { progress, ...(await endOf(handle, progress)) };
    if (progress?.outcome === 'held') return { progress, outcome: 'held', message: null };
    if (progress?.stage) teller.howFar(await heartbeatOf(handle));
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  teller.stop();
  throw signal.reason;
}

function stageTeller(log: Log) {
  const told = new Set<string>();
  let waiting: Step | null = null;
  let current: { stage: string; step: Step } | null = null;
  const close = (stage: string, says: string) => {
    told.add(stage);
    const step = current?.stage === stage ? current.step : log.step(stage);
    step.done(says);
    if (current?.stage === stage) current = null;
  };
  return {
    tell({ done, stage, waitsFor }: RunProgress) {
      if (waitsFor && !waiting) waiting = log.step(`waiting for ${waitsFor}`);
      if (!waitsFor && waiting) {
        waiting.done();
        waiting = null;
      }
      for (const { stage: ended, says } of done) if (!told.has(ended)) close(ended, says);
      if (stage && current?.stage !== stage) current = { stage, step: log.step(stage) };
    },
    howFar(text: string) {
      if (current && text) current.step.update(text);
    },
    stop() {
      current?.step.skip();
      waiting?.skip();
    },
  };
}

async function statusOf(handle: WorkflowHandle): Promise<string | null> {
  return handle.describe().then(
    ({ status }) => status.name,
    () => null,
  );
}

function progressOf(handle: WorkflowHandle): Promise<RunProgress | null> {
  return handle.query<RunProgress>('progress').catch(() => null);
}

async function endOf(
  handle: WorkflowHandle,
  progress: RunProgress | null,
): Promise<{ outcome: Outcome; message: string | null }> {
  try {
    const summary = (await handle.result()) as { outcome: Outcome };
    return { outcome: summary.outcome, message: null };
  } catch (error) {
    const cancelled = progress?.outcome === 'cancelled';
    return { outcome: cancelled ? 'cancelled' : 'failed', message: innermostMessage(error) };
  }
}

/** How far the running activity says it is: `12 of 20`. */
async function heartbeatOf(handle: WorkflowHandle): Promise<string> {
  const description = await handle.describe().catch(() => null);
  const payload = description?.raw.pendingActivities?.[0]?.heartbeatDetails?.payloads?.[0];
  if (!payload) return '';
  const { done, of } = defaultPayloadConverter.fromPayload<{ done: number; of: number }>(payload);
  return of > 0 ? `${done} of ${of}` : '';
}

export function innermostMessage(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  const type = (cause as { type?: string }).type;
  const message = cause instanceof Error ? cause.message : String(cause);
  return type ? `${message} (${type})` : message;
}
