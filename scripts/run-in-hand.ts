import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Client,
  Connection,
  isGrpcServiceError,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { isErrorCode, PipelineError } from '../pipelines/contracts/errors.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import { HANDLERS } from '../pipelines/contracts/signatures.ts';
import type { Repositories } from '../store/postgres/repositories.ts';
import type { RunRecord } from '../store/postgres/run-records.ts';
import { ClosingStack } from './closing-stack.ts';
import { dataConverterOf } from './codec/data-converter.ts';
import { isKeyMissing } from './codec/read-payload.ts';
import type { Config } from './config.ts';
import { currentExecution } from './current-execution.ts';
import { findNamedRun } from './find-run.ts';
import { hasClosed } from './follow-run.ts';
import { createLog, type Log } from './log.ts';
import { openWorker } from './open-strata.ts';
import { joinParts } from './parts.ts';
import { startServices } from './services/index.ts';
import { startsTraced } from './traces/starts-traced.ts';

const ANSWER_WITHIN_MS = 5_000;
const UPDATED_WITHIN_MS = 30_000;
const ASK_AGAIN_MS = 100;
/** Of gRPC. */
const FAILED_PRECONDITION = 9;

/** A run that a person wants to do something with. */
export interface RunInHand {
  readonly client: Client;
  readonly repositories: Repositories;
  readonly log: Log;
  readonly record: RunRecord;
  readonly execution: Run['workflow'];
  readonly isOpen: boolean;
  /** Ends with the person, or with the worker of this command. */
  readonly signal: AbortSignal;
  handleOf(execution: Run['workflow']): WorkflowHandle;
  /** Who does what is asked of a run: a worker that answers for it, else one that lives as long as this command. */
  needWorker(execution: Run['workflow']): Promise<void>;
  addressOf(execution: Run['workflow']): string;
}

/**
 * Services, stores and the run; no worker where there is one, since it would take heavy work from the others for the
 * moment that it is there.
 *
 * @param options.asked id of a run, or its beginning
 * @throws PipelineError RUN_UNKNOWN
 */
export async function withRun<R>(
  { config, asked, signal }: { config: Config; asked: string; signal: AbortSignal },
  work: (run: RunInHand) => Promise<R>,
): Promise<R> {
  const stack = new ClosingStack();
  const broken = new AbortController();
  try {
    const log = createLog({ level: config.logLevel });
    const services = await startServices({ home: config.home, log, signal });
    stack.defer(() => services.stop());
    const { context, close } = await joinParts({ config, databaseUrl: services.databaseUrl, log });
    stack.defer(close);
    const { connectionOptions, namespace, uiUrl, started } = services.temporal;
    const connection = await Connection.connect(connectionOptions);
    stack.defer(() => connection.close());
    const dataConverter = dataConverterOf(config);
    const client = new Client({ connection, namespace, dataConverter, ...(await startsTraced(config)) });
    const { repositories } = context;
    const record = await findNamedRun(repositories, asked);
    const { execution, description } = await currentExecution(client, record.workflow);
    const handleOf = ({ id, runId }: Run['workflow']) => client.workflow.getHandle(id, runId);
    return await work({
      ...{ client, repositories, log, record, execution, handleOf },
      isOpen: isRunOpen(record, description),
      signal: AbortSignal.any([signal, broken.signal]),
      async needWorker(execution) {
        if (await answers(client, handleOf(execution))) return;
        log.info('no worker answers: this command is one as long as it takes');
        const worker = await openWorker({ config, services, context, log }, stack);
        worker.ended.catch((fault: unknown) => broken.abort(fault));
      },
      addressOf: ({ id, runId }) =>
        uiUrl === undefined || started
          ? `workflow ${id}, run ${runId}`
          : `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(id)}/${runId}/history`,
    });
  } finally {
    await stack.close();
  }
}

/** A record may say so a moment longer than Temporal. */
export function isRunOpen(
  { closedAt }: Pick<RunRecord, 'closedAt'>,
  description: Pick<WorkflowExecutionDescription, 'status'>,
): boolean {
  return closedAt === null && !hasClosed(description);
}

async function answers(client: Client, handle: WorkflowHandle): Promise<boolean> {
  try {
    await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () => handle.query(HANDLERS.progress));
    return true;
  } catch (fault) {
    if (isKeyMissing(fault)) throw fault;
    return false;
  }
}

/**
 * What a run says to what it is asked; its refusal is an error of ours. One whose workflow code fails answers nothing.
 *
 * @throws PipelineError the refusal; WORKER_FAILED when no answer comes; the signal's reason
 */
export async function ask(
  handle: WorkflowHandle,
  update: string,
  sent: object,
  signal: AbortSignal,
): Promise<string> {
  const { client, workflowId } = handle;
  const deadline = Date.now() + UPDATED_WITHIN_MS;
  // The same update however often it is sent.
  const options = { args: [sent] as [object], updateId: randomUUID() };
  const send = async (): Promise<string> => {
    try {
      return await handle.executeUpdate<string, [object]>(update, options);
    } catch (error) {
      if (!isUnheard(error) || Date.now() >= deadline) throw error;
      await sleep(ASK_AGAIN_MS, undefined, { signal });
      return send();
    }
  };
  try {
    return await client.withAbortSignal(AbortSignal.any([signal]), () => client.withDeadline(deadline, send));
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof WorkflowUpdateFailedError ? error.cause : null;
    if (cause instanceof ApplicationFailure && isErrorCode(cause.type))
      throw new PipelineError(cause.type, cause.message, {}, { cause });
    if (!(error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)) throw error;
    throw new PipelineError(
      'WORKER_FAILED',
      `${update} needs a run that answers, ${workflowId} has not within ${UPDATED_WITHIN_MS / 1_000} s: npm run strata -- show ${workflowId} says why; it can be cancelled`,
      { workflowId },
      { cause: error },
    );
  }
}

/** A run that was about to end when another message came looks at that one first; what else it had been asked is lost. */
function isUnheard(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  return isGrpcServiceError(cause) && cause.code === FAILED_PRECONDITION;
}

type InState = Pick<RunInHand, 'isOpen'> & { record: Pick<RunRecord, 'runId' | 'outcome' | 'closedAt'> };

/** Nothing can be done with a run that has ended. @throws PipelineError INPUT_INVALID, with how it ended */
export function requireOpen(what: string, { record: { runId, outcome, closedAt }, isOpen }: InState): void {
  if (isOpen) return;
  const ended =
    closedAt === null ? 'ended in Temporal; a worker closes its record within seconds' : `${outcome}`;
  throw new PipelineError('INPUT_INVALID', `${what} needs a run that has not ended, ${runId} is ${ended}`, {
    runId,
  });
}

/** @throws PipelineError INPUT_INVALID for a run that has ended, with how it did, and for one that is not held */
export function requireHeld(run: InState): void {
  requireOpen('a review', run);
  const { runId, outcome } = run.record;
  if (outcome === 'held') return;
  throw new PipelineError('INPUT_INVALID', `a review needs a run that is held, ${runId} is still running`, {
    runId,
  });
}
