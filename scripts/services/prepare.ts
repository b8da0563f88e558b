/** Run by `npm test`: makes sure, before any test, that PostgreSQL and Temporal can be had on this machine. */
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { readConfig } from '../config.ts';
import { createLog } from '../log.ts';
import { preparePostgres } from './postgres-installation.ts';
import { ensureTemporalBinary } from './temporal-binary.ts';

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(name, () => interrupted.abort(name));

try {
  const { home, tools, temporal, databaseUrl, logLevel } = readConfig();
  const log = createLog({ level: logLevel });
  if (databaseUrl === undefined) await preparePostgres(home, log);
  if (temporal.address === undefined) {
    const { path, source } = await ensureTemporalBinary({ tools, log, signal: interrupted.signal });
    log.info(`Temporal CLI: ${path}, from ${source}`);
  }
} catch (error) {
  if (!interrupted.signal.aborted)
    console.error(error instanceof PipelineError ? `${error.code}: ${error.message}` : error);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
}
