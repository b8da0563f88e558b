import { beforeAll, describe, expect, test } from 'vitest';
import type { Fault } from '../helpers/chaos-faults.ts';
import { disturbedRound, type Round, undisturbedRound } from '../helpers/chaos-round.ts';
import { canMount } from '../helpers/disk.ts';

const MINUTES = 60_000;

const fault = (kind: Fault['kind'], activity: string, forMs = 0): Fault => ({
  ...{ kind, activity, forMs },
  afterMs: 0,
});

/** The short version of `npm run bench -- chaos`, where they are drawn by the hundred. */
const FAULTS = [
  ...(canMount() ? [fault('disk', 'extractCustomers', 1_500)] : []),
  fault('temporal', 'validateExtract'),
  fault('postgres', 'buildFeatures'),
  fault('worker', 'fitClusters'),
  fault('lines', 'measureStability', 1_000),
  fault('sessions', 'persistRun'),
];

let round: Round;

beforeAll(async () => {
  // One thread there, all cores here: that makes no difference either.
  const usual = await undisturbedRound({ dates: ['2026-06-01'], threads: 1 });
  round = await disturbedRound({ usual, faultsOf: () => FAULTS });
}, 6 * MINUTES);

describe('worker, PostgreSQL and Temporal ended with kill -9, connections cut, a disk full, in the middle of a run', () => {
  test('all of it happened, and cost attempts', () => {
    const [run] = round.runs;
    expect(run!.hits.map(({ kind }) => kind)).toEqual(FAULTS.map(({ kind }) => kind));
    expect(run!.attempts).toBeGreaterThan(run!.activities);
  });

  test('the run is published with the digests of an undisturbed one, no row is missing and none is there twice', () => {
    expect(round.runs.flatMap(({ wrong }) => wrong)).toEqual([]);
  });

  test('its history replays, and neither processes nor files are left', () => {
    expect(round.wrong).toEqual([]);
  });
});
