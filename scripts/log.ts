export type { Log, LogLevel, Step } from './set-up/log.mjs';
export { createLog, formatDuration } from './set-up/log.mjs';
