import { readConfig } from '../config.ts';
import { createLog } from '../log.ts';

/** Runs a command, in a span where traces are told. */
export async function tracedCommand<R>(name: string, work: () => Promise<R>): Promise<R> {
  const config = configOrNull();
  if (!config?.traces) return work();
  const { openTraces } = await import('./open-traces.ts');
  const traces = openTraces(config.traces, createLog({ level: config.logLevel }));
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
