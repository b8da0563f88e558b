import { createLog, type Log, type LogLevel } from '../log.ts';

/** A log that says what is wrong alone, and not over a block that is being drawn. */
export function quietLog(level: LogLevel): {
  log: Log;
  /** Where it goes from now on; null: to stderr as ever. */
  divert(print: ((text: string) => void) | null): void;
} {
  let elsewhere: ((text: string) => void) | null = null;
  const write = (text: string) => {
    if (elsewhere) elsewhere(text.trimEnd());
    else process.stderr.write(text);
    return true;
  };
  const stream = { write } as unknown as NodeJS.WritableStream;
  return {
    log: createLog({ stream, level: level === 'info' ? 'warn' : level }),
    divert(print) {
      elsewhere = print;
    },
  };
}
