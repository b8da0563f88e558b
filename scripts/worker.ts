import { ClosingStack, endProcess } from './closing-stack.ts';
import { readConfig } from './config.ts';
import { errorText } from './error-text.ts';
import { createLog } from './log.ts';
import { openWorker } from './open-strata.ts';
import { joinParts } from './parts.ts';
import { startServices } from './services/index.ts';

// The production process: polls until it is told to stop, on the services that the environment names.
const stack = new ClosingStack();
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort(signal));
let exitCode = 0;

try {
  const config = readConfig();
  const log = createLog({ level: config.logLevel });
  const services = await startServices({ home: config.home, log, signal: stop.signal });
  stack.defer(() => services.stop());
  const parts = await joinParts({ config, databaseUrl: services.databaseUrl, log });
  stack.defer(() => parts.close());
  const worker = await openWorker({ config, services, context: parts.context, log }, stack);
  stop.signal.throwIfAborted();
  log.info('Polling: press Ctrl-C to stop');
  await Promise.race([worker.ended, new Promise((done) => stop.signal.addEventListener('abort', done))]);
} catch (error) {
  if (!stop.signal.aborted) {
    console.error(errorText(error));
    exitCode = 1;
  }
} finally {
  await stack.close();
  endProcess(exitCode);
}
