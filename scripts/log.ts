export type { Log, LogLevel, Step } from './set-up/log.mjs';
export { clearSteps, createLog, formatDuration } from './set-up/log.mjs';
