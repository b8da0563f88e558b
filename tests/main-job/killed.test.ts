import { beforeAll, describe, expect, test } from 'vitest';
import type { Fault } from '../helpers/chaos-faults.ts';
import { disturbedRound, type Round, undisturbedRound } from '../helpers/chaos-round.ts';
import { canMount } from '../helpers/disk.ts';

const MINUTES = 60_000;
const DATES = ['2026-05-01', '2026-06-01'];

const fault = (kind: Fault['kind'], activity: string, forMs = 0): Fault => ({
  ...{ kind, activity, forMs },
  afterMs: 0,
});

/** The short version of `npm run bench -- chaos`, where they are drawn by the hundred. */
const FAULTS: Record<string, Fault[]> = {
  '2026-05-01': [
    fault('temporal', 'validateExtract'),
    fault('postgres', 'buildFeatures'),
    fault('worker', 'fitClusters'),
    fault('lines', 'persistRun', 1_000),
  ],
  '2026-06-01': [
    ...(canMount() ? [fault('disk', 'extractCustomers', 1_500)] : []),
    fault('sessions', 'measureStability'),
    fault('postgres', 'publishRun'),
  ],
};

let round: Round;

beforeAll(async () => {
  const usual = await undisturbedRound(DATES);
  // Whoever takes the place of the killed worker has one thread: that makes no difference either.
  round = await disturbedRound({ usual, faultsOf: ({ asOf }) => FAULTS[asOf]!, restartThreads: 1 });
}, 4 * MINUTES);

describe('worker, PostgreSQL and Temporal are ended with kill -9, connections cut, a disk filled, in the middle of runs', () => {
  test('all of it happened', () => {
    expect(round.runs.map(({ hits }) => hits.map(({ kind }) => kind))).toEqual(
      DATES.map((asOf) => FAULTS[asOf]!.map(({ kind }) => kind)),
    );
    expect(Math.min(...round.runs.map(({ attempts, activities }) => attempts - activities))).toBeGreaterThan(
      0,
    );
  });

  test('each run is published with the digests of an undisturbed one, with no row missing and none twice', () => {
    expect(round.runs.flatMap(({ wrong }) => wrong)).toEqual([]);
  });

  test('their histories replay, and neither processes nor files are left', () => {
    expect(round.wrong).toEqual([]);
  });
});
