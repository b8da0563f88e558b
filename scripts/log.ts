import type { Config } from './config.ts';
import { createJsonLog } from './observe/json-log.ts';
import { createLog, type Log } from './set-up/log.mjs';

export type { About, Log, LogLevel, Step } from './set-up/log.mjs';
export { clearSteps, createLog, formatDuration } from './set-up/log.mjs';

export type LogFormat = 'text' | 'json';

/** Of a process that nobody may be looking at: in the format that the environment asks for. What that warns of comes first. */
export function openLog({
  logFormat,
  logLevel,
  warnings,
}: Pick<Config, 'logFormat' | 'logLevel' | 'warnings'>): Log {
  const log = logFormat === 'json' ? createJsonLog({ level: logLevel }) : createLog({ level: logLevel });
  for (const warning of warnings) log.warn(warning);
  return log;
}
