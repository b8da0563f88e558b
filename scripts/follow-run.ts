import { setTimeout as sleep } from 'node:timers/promises';
import {
  type WorkflowExecutionDescription,
  WorkflowFailedError,
  type WorkflowHandle,
} from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Outcome, RunSummary } from '../pipelines/contracts/run.ts';
import type { RunProgress } from '../pipelines/contracts/signatures.ts';
import { isKeyMissing, nullUnlessKeyMissing, readPayload } from './codec/read-payload.ts';
import { firstLine, innermostMessage } from './error-text.ts';
import type { Log, Step } from './log.ts';

const POLL_MS = 300;
/** A server that hangs would never refuse a question. */
const ASK_WITHIN_MS = 10_000;
const UNREACHABLE_AFTER_MS = 60_000;
const CLOSED = new Set<string>([
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'TERMINATED',
  'TIMED_OUT',
  'CONTINUED_AS_NEW',
]);

export interface Followed {
  progress: RunProgress | null;
  outcome: Outcome;
  /** The failure's message, when the workflow failed. */
  message: string | null;
}

/** What was seen of a run when it was asked last. */
export interface Look {
  description: WorkflowExecutionDescription;
  /** Null until the run has answered once. */
  progress: RunProgress | null;
}

interface WatchOptions {
  onLook(look: Look): void | Promise<void>;
  /** Ends the following with its reason. */
  signal: AbortSignal;
  /** How long the server may be away; default a minute. */
  unreachableAfterMs?: number;
}

type FollowOptions = Omit<WatchOptions, 'onLook'> & { log: Log };

/**
 * Follows a run until it has ended or is held for a person, with one line for each stage.
 * A server that is away for a moment does not end the following.
 *
 * @throws PipelineError TEMPORAL_UNREACHABLE when it stays away, CODEC_KEY_MISSING when its answers cannot be read
 */
export async function followRun(
  handle: WorkflowHandle,
  { log, ...options }: FollowOptions,
): Promise<Followed> {
  const teller = stageTeller(log);
  const onLook = async ({ description, progress }: Look) => {
    if (progress) teller.tell(progress);
    const parts = progress?.parts;
    if (parts) teller.howFar(`${parts.done} of ${parts.of} parts`);
    else if (progress?.stage) teller.howFar(await heartbeatOf(handle, description));
  };
  try {
    return await watchRun(handle, { ...options, onLook });
  } finally {
    teller.stop();
  }
}

/** The same, told to whoever draws it. @throws PipelineError the same */
export async function watchRun(handle: WorkflowHandle, options: WatchOptions): Promise<Followed> {
  const { onLook, signal, unreachableAfterMs = UNREACHABLE_AFTER_MS } = options;
  const ask = askingWithin(handle, { signal, withinMs: Math.min(ASK_WITHIN_MS, unreachableAfterMs) });
  let progress: RunProgress | null = null;
  let answeredAtMs = performance.now();
  for (;;) {
    signal.throwIfAborted();
    let description: WorkflowExecutionDescription | null = null;
    let end: Omit<Followed, 'progress'> | null = null;
    try {
      description = await ask(() => handle.describe());
      answeredAtMs = performance.now();
      if (hasBegun(description)) progress = (await progressOf(handle, ask)) ?? progress;
      if (hasClosed(description)) end = await endOf(handle, ask);
    } catch (fault) {
      if (isKeyMissing(fault)) throw fault;
      if (performance.now() - answeredAtMs > unreachableAfterMs)
        throw unreachable(handle, fault, unreachableAfterMs);
    }
    // Not within the try: what the drawer cannot draw is no fault of the server's, and would be drawn again for ever.
    if (description) await onLook({ description, progress });
    if (end) return { progress, ...end };
    if (description && progress?.outcome === 'held') return { progress, outcome: 'held', message: null };
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Whatever is not closed still holds its workflow id, a paused one too. */
export function hasClosed({ status }: Pick<WorkflowExecutionDescription, 'status'>): boolean {
  return CLOSED.has(status.name);
}

/** Started, and its first task scheduled. */
const UNSEEN_EVENTS = 2;

/** Whether its code has run: before that a question to it would wait for a worker. */
export function hasBegun({ historyLength }: Pick<WorkflowExecutionDescription, 'historyLength'>): boolean {
  return historyLength > UNSEEN_EVENTS;
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
    tell(progress: RunProgress) {
      const { done, stage } = progress;
      const why = whyItWaits(progress);
      if (why && !waiting) waiting = log.step(why);
      if (!why && waiting) {
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

function whyItWaits({ runId, waitsFor, paused }: RunProgress): string | null {
  if (waitsFor) return `waiting for ${waitsFor}`;
  return paused?.standsBefore
    ? `paused before ${paused.standsBefore}: npm run strata -- resume ${runId}`
    : null;
}

type Ask = <T>(question: () => Promise<T>) => Promise<T>;

/** Every question has an end: answered, refused, too late, or not wanted any more. */
function askingWithin(
  { client }: WorkflowHandle,
  { signal, withinMs }: { signal: AbortSignal; withinMs: number },
): Ask {
  // A signal for each, since the client never takes its listener off again.
  return (question) =>
    client.withAbortSignal(AbortSignal.any([signal]), () =>
      client.withDeadline(Date.now() + withinMs, question),
    );
}

/** Null where no worker is there to answer: that alone is no fault of the server's. */
function progressOf(handle: WorkflowHandle, ask: Ask): Promise<RunProgress | null> {
  return ask(() => handle.query<RunProgress>('progress')).catch(nullUnlessKeyMissing);
}

/** @throws what kept the server from answering: a run is failed only where it says so */
async function endOf(handle: WorkflowHandle, ask: Ask): Promise<Omit<Followed, 'progress'>> {
  try {
    const { outcome } = (await ask(() => handle.result())) as RunSummary;
    return { outcome, message: null };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const isCancelled = error.cause instanceof CancelledFailure;
    return { outcome: isCancelled ? 'cancelled' : 'failed', message: innermostMessage(error) };
  }
}

/** How far the running activity says it is: `12 of 20`. */
async function heartbeatOf(
  { client }: WorkflowHandle,
  { raw }: WorkflowExecutionDescription,
): Promise<string> {
  const payload = raw.pendingActivities?.[0]?.heartbeatDetails?.payloads?.[0];
  const told = await readPayload<{ done: number; of: number }>(client, payload);
  return told && told.of > 0 ? `${told.done} of ${told.of}` : '';
}

function unreachable({ workflowId }: WorkflowHandle, fault: unknown, afterMs: number): PipelineError {
  return new PipelineError(
    'TEMPORAL_UNREACHABLE',
    `Temporal needs to answer what became of ${workflowId}, for ${Math.round(afterMs / 1000)} s found: ${firstLine(fault)}; ` +
      'the run is not lost: start again with the same options once the server answers, and it is followed further',
    { workflowId },
    { cause: fault },
  );
}
