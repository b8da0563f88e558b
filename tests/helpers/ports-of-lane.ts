import { forgetVariablesOfWorkers } from './variables-of-workers.ts';

// Test files that run at once start servers of their own, kill them and wait for them on the same ports: each lane
// has a range to itself.
const LANE_PORTS = 100;
const lane = Number(process.env.VITEST_POOL_ID ?? 1);

process.env.STRATA_TEMPORAL_PORT = String(17_233 + lane * LANE_PORTS);
process.env.STRATA_POSTGRES_PORT = String(27_233 + lane * LANE_PORTS);
forgetVariablesOfWorkers();
