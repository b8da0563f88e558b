import type { About, Log, LogLevel, Step } from '../set-up/log.mjs';
import { currentActivity } from './activity-scope.ts';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/**
 * What a line may tell beside its words, in this order; all else that is given is left out. Whoever adds a field
 * says by that that it never holds a customer, a row's value or a credential.
 */
export const LOG_FIELDS = [
  ...['pipeline', 'run', 'workflow', 'workflowRun', 'stage', 'activity', 'queue', 'attempt'],
  ...['code', 'outcome', 'seconds', 'rows', 'component', 'text'],
  ...['trace_id', 'span_id'],
] as const;

/** One JSON object a line, for what collects logs: time, level, message, then what it is about. */
export function createJsonLog(options: {
  level: LogLevel;
  stream?: { write(text: string): unknown };
  now?: () => Date;
}): Log {
  const { level, stream = process.stderr, now = () => new Date() } = options;
  const say = (of: LogLevel) => (message: string, about?: About) => {
    if (LEVELS.indexOf(of) < LEVELS.indexOf(level)) return;
    stream.write(`${jsonLine({ time: now(), level: of, message, about })}\n`);
  };
  const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  return { ...log, step: (name) => beginStep(name, log, now) };
}

export function jsonLine(line: { time: Date; level: LogLevel; message: string; about?: About }): string {
  const { time, level, message } = line;
  const about: About = { ...currentActivity(), ...line.about };
  const told = LOG_FIELDS.flatMap((field) => {
    const value = about[field];
    return isTold(value) ? [[field, value] as const] : [];
  });
  return JSON.stringify({ time: time.toISOString(), level, message, ...Object.fromEntries(told) });
}

const isTold = (value: unknown) =>
  typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);

/** Only ends are told: lines that come and go are for a terminal. */
function beginStep(name: string, log: Omit<Log, 'step'>, now: () => Date): Step {
  const startMs = now().getTime();
  let isOver = false;
  const end = (tell: Log['info'], detail: string) => {
    if (isOver) return;
    isOver = true;
    tell(detail ? `${name}: ${detail}` : name, { seconds: (now().getTime() - startMs) / 1_000 });
  };
  return {
    update: () => undefined,
    done: (detail = '') => end(log.info, detail),
    fail: (detail = '') => end(log.error, detail),
    skip: () => {
      isOver = true;
    },
  };
}
