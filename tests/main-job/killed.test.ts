import { beforeAll, describe, expect, test } from 'vitest';
import type { Fault } from '../helpers/chaos-faults.ts';
import { disturbedRound, type Round, undisturbedRound } from '../helpers/chaos-round.ts';
import { canMount } from '../helpers/disk.ts';
import { findVersitygw } from '../helpers/versitygw.ts';

const MINUTES = 60_000;
/** Not those of the benchmark, which may be going on. */
const LANE = 10;
const gateway = await findVersitygw();

const fault = (kind: Fault['kind'], activity: string, forMs = 0): Fault => ({
  ...{ kind, activity, forMs },
  ...{ afterMs: 0, which: 0 },
});

/** The short version of `npm run bench -- chaos`, where they are drawn by the hundred. */
const HOMES = [
  {
    home: { lane: LANE },
    faults: [
      ...(canMount() ? [fault('disk', 'extractCustomers', 1_500)] : []),
      fault('temporal', 'validateExtract'),
      fault('worker', 'fitClusters'),
    ],
  },
  {
    home: { lane: LANE + 1, gateway },
    faults: [
      ...(gateway === null ? [] : [fault('s3', 'validateExtract', 1_000)]),
      fault('postgres', 'buildFeatures'),
      fault('sessions', 'persistRun'),
      fault('lines', 'measureStability', 1_000),
    ],
  },
];

let rounds: Round[];

beforeAll(async () => {
  // One thread there, all cores here: that makes no difference either.
  const usual = undisturbedRound({ dates: ['2026-06-01'], home: { threads: 1 } });
  rounds = await Promise.all(
    HOMES.map(({ home, faults }) => disturbedRound({ usual, home, faultsOf: () => faults })),
  );
}, 6 * MINUTES);

describe('worker, PostgreSQL, Temporal and the S3 gateway ended with kill -9, connections cut, a disk full, in the middle of runs', () => {
  test('all of it happened, and cost attempts', () => {
    for (const [i, { runs }] of rounds.entries()) {
      expect(runs[0]!.hits.map(({ kind }) => kind)).toEqual(HOMES[i]!.faults.map(({ kind }) => kind));
      expect(runs[0]!.attempts).toBeGreaterThan(runs[0]!.activities);
    }
  });

  test('the runs are published with the digests of an undisturbed one, no row is missing and none is there twice', () => {
    expect(rounds.flatMap(({ runs }) => runs.flatMap(({ wrong }) => wrong))).toEqual([]);
  });

  test('their histories replay, and neither processes nor files are left', () => {
    expect(rounds.flatMap(({ wrong }) => wrong)).toEqual([]);
  });
});
