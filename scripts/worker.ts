import { listDefinitions } from '../store/definitions.ts';
import { ClosingStack, endProcess } from './closing-stack.ts';
import { readConfig } from './config.ts';
import { errorText } from './error-text.ts';
import { openLog } from './log.ts';
import { openObserver } from './observe/open-observer.ts';
import { openWorker } from './open-strata.ts';
import { joinParts } from './parts.ts';
import { startServices } from './services/index.ts';

// The production process: polls until it is told to stop, on the services that the environment names.
const stack = new ClosingStack();
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort(signal));
let exitCode = 0;
let tellFault = (fault: unknown) => console.error(errorText(fault));

try {
  const config = readConfig();
  const log = openLog(config);
  tellFault = (fault) => log.error(errorText(fault), { code: (fault as { code?: string }).code });
  if (config.traces) {
    const traces = (await import('./traces/open-traces.ts')).openTraces(config.traces, log);
    stack.defer(() => traces.close());
  }
  const observer = await openObserver(config, log);
  stack.defer(() => observer.close());
  // Whoever sends work elsewhere learns of it before the first activity is stopped.
  stop.signal.addEventListener('abort', () => observer.drain());
  if (observer.url) log.info(`Metrics, health and readiness: ${observer.url}`);
  const services = await startServices({ home: config.home, log, signal: stop.signal });
  stack.defer(() => services.stop());
  const parts = await joinParts({ config, databaseUrl: services.databaseUrl, log });
  stack.defer(() => parts.close());
  const worker = await openWorker({ config, services, context: parts.context, log, observer }, stack);
  stop.signal.throwIfAborted();
  const { codeVersion: code, definitionFolders } = parts.context;
  const pipelines = () => listDefinitions(definitionFolders);
  observer.watch({ worker, knex: parts.knex, code, pipelines });
  log.info('Polling: press Ctrl-C to stop');
  await Promise.race([worker.ended, new Promise((done) => stop.signal.addEventListener('abort', done))]);
} catch (error) {
  if (!stop.signal.aborted) {
    tellFault(error);
    exitCode = 1;
  }
} finally {
  await stack.close();
  endProcess(exitCode);
}
