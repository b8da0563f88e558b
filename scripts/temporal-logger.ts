import { DefaultLogger, type Logger } from '@temporalio/worker';
import type { Log } from './log.ts';

/** One of the two workers polls for activities alone, by design. */
const EXPECTED = ['No workflows registered'];

/** The SDK's words among ours: warnings and errors only, one line each, without payloads. */
export function createTemporalLogger(log: Log): Logger {
  return new DefaultLogger('WARN', ({ message, meta }) => {
    if (EXPECTED.some((words) => message.startsWith(words))) return;
    const about = ['workflowId', 'activityType', 'attempt'].flatMap((key) =>
      meta?.[key] ? [String(meta[key])] : [],
    );
    log.warn(`Temporal: ${firstLine(message)}${about.length > 0 ? ` (${about.join(', ')})` : ''}`);
  });
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}
