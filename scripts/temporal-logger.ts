import {
  DefaultLogger,
  type Logger,
  type LogMetadata,
  type MetricsBuffer,
  Runtime,
} from '@temporalio/worker';
import { isErrorCode } from '../pipelines/contracts/errors.ts';
import { stageOfActivity } from '../pipelines/contracts/stage-activities.ts';
import { isKeyMissing } from './codec/read-payload.ts';
import { firstLine } from './error-text.ts';
import type { About, Log } from './log.ts';

const ATTEMPT_FAILED = 'Activity failed';
/** Workers that poll for activities alone do so by design. */
const EXPECTED = ['No workflows registered'];

/**
 * Must come before any worker or native connection. Left to itself the SDK's native part writes to the
 * terminal past every logger, with task tokens in its lines: here it speaks through the same one.
 */
export function installRuntime(logger: Logger, metrics?: MetricsBuffer): void {
  Runtime.install({
    logger,
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
      ...(metrics && { metrics: { buffer: metrics, attachServiceName: false } }),
    },
    shutdownSignals: [],
  });
}

/**
 * The SDK's words among ours: warnings and errors only, one line each, without payloads. Those of its native
 * part are for `debug`: it complains of every attempt that was taken over or timed out, which the run tells.
 *
 * @param options.tellsActivities false where somebody else tells of each attempt that failed
 */
export function createTemporalLogger(log: Log, { tellsActivities = true } = {}): Logger {
  return new DefaultLogger('WARN', ({ message, meta }) => {
    if (EXPECTED.some((words) => message.startsWith(words))) return;
    if (!tellsActivities && message.startsWith(ATTEMPT_FAILED)) return;
    const about = ['workflowId', 'activityType', 'service', 'operation', 'attempt'].flatMap((key) =>
      meta?.[key] ? [String(meta[key])] : [],
    );
    // Nothing goes on before somebody gives the key, and only these words say which.
    const why = isKeyMissing(meta?.error) ? `: ${meta.error.message} (${meta.error.code})` : '';
    const line = `Temporal: ${firstLine(message)}${about.length > 0 ? ` (${about.join(', ')})` : ''}${why}`;
    if (meta?.sdkComponent === 'core') log.debug(line, fieldsOf(meta));
    else log.warn(line, fieldsOf(meta));
  });
}

/** By the names that our own lines have. */
function fieldsOf(meta: LogMetadata | undefined): About {
  const { workflowId, workflowRunId, runId, activityType, taskQueue, attempt, error } = meta ?? {};
  const { code, type } = (error ?? {}) as { code?: string; type?: string };
  return {
    component: `temporal-${meta?.sdkComponent ?? 'sdk'}`,
    workflow: workflowId,
    workflowRun: workflowRunId ?? runId,
    activity: activityType,
    stage: stageOfActivity(String(activityType)),
    queue: taskQueue,
    attempt,
    code: [code, type].find((word) => isErrorCode(word)),
  };
}
