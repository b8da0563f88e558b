import { DefaultLogger, type Logger, Runtime } from '@temporalio/worker';
import { isKeyMissing } from './codec/read-payload.ts';
import { firstLine } from './error-text.ts';
import type { Log } from './log.ts';

/** Workers that poll for activities alone do so by design. */
const EXPECTED = ['No workflows registered'];

/**
 * Must come before any worker or native connection. Left to itself the SDK's native part writes to the
 * terminal past every logger, with task tokens in its lines: here it speaks through the same one.
 */
export function installRuntime(logger: Logger): void {
  Runtime.install({
    logger,
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
    shutdownSignals: [],
  });
}

/**
 * The SDK's words among ours: warnings and errors only, one line each, without payloads. Those of its native
 * part are for `debug`: it complains of every attempt that was taken over or timed out, which the run tells.
 */
export function createTemporalLogger(log: Log): Logger {
  return new DefaultLogger('WARN', ({ message, meta }) => {
    if (EXPECTED.some((words) => message.startsWith(words))) return;
    const about = ['workflowId', 'activityType', 'service', 'operation', 'attempt'].flatMap((key) =>
      meta?.[key] ? [String(meta[key])] : [],
    );
    // Nothing goes on before somebody gives the key, and only these words say which.
    const why = isKeyMissing(meta?.error) ? `: ${meta.error.message} (${meta.error.code})` : '';
    const line = `Temporal: ${firstLine(message)}${about.length > 0 ? ` (${about.join(', ')})` : ''}${why}`;
    if (meta?.sdkComponent === 'core') log.debug(line);
    else log.warn(line);
  });
}
