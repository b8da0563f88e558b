import { readConfig } from '../config.ts';
import { createLog } from '../log.ts';

/** A person waits for the end of a command. */
const CLOSE_WITHIN_MS = 1_000;

/** Runs a command, in a span where traces are told. */
export async function tracedCommand<R>(name: string, work: () => Promise<R>): Promise<R> {
  const config = configOrNull();
  if (config === null) return work();
  const log = createLog({ level: config.logLevel });
  for (const warning of config.warnings) log.warn(warning);
  if (!config.traces) return work();
  const { openTraces } = await import('./open-traces.ts');
  const traces = openTraces(config.traces, log, { closeWithinMs: CLOSE_WITHIN_MS });
  try {
    return await traces.command(name, work);
  } finally {
    await traces.close();
  }
}

/** What is wrong with it, the command itself tells. */
function configOrNull() {
  try {
    return readConfig();
  } catch {
    return null;
  }
}
