import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildKernels } from '../../scripts/build-kernels.mjs';
import { createLog } from '../../scripts/log.ts';
import { startServices } from '../../scripts/services/index.ts';
import { forgetVariablesOfWorkers } from './variables-of-workers.ts';

/** A real Temporal server and PostgreSQL for all tests, in a folder of their own that goes with them. */
export default async function setUp(): Promise<() => Promise<void>> {
  // Vitest calls this for each of its projects; they share the servers of the first.
  if (process.env.STRATA_TEST_TEMPORAL_ADDRESS) return async () => undefined;
  forgetVariablesOfWorkers();
  const home = await mkdtemp(join(tmpdir(), 'strata-tests-'));
  // PostgreSQL does not run as root: its own user has to get in.
  await chmod(home, 0o755);
  const log = createLog({ level: 'warn' });
  await buildKernels();
  const services = await startServices({ home, log });
  process.env.STRATA_TEST_TEMPORAL_ADDRESS = services.temporal.address;
  // A variable that is given undefined holds the word.
  if (services.temporal.uiUrl) process.env.STRATA_TEST_TEMPORAL_UI = services.temporal.uiUrl;
  process.env.STRATA_TEST_DATABASE_URL = services.databaseUrl;
  return async () => {
    await services.stop();
    await rm(home, { recursive: true, force: true });
  };
}
