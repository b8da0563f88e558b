import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NOISE } from '../../../numeric/cluster/algorithm.ts';
import { CONTENDERS } from '../../../numeric/cluster/algorithms.ts';
import type { Contender } from '../../../numeric/cluster/contender.ts';
import { YARDSTICK } from '../../../numeric/cluster/random-groups.ts';
import { silhouette } from '../../../numeric/compare/silhouette.ts';
import { createKernelPool, type KernelPool } from '../../../numeric/kernels/pool.ts';
import { type Matrix, matrixFromRows } from '../../../numeric/matrix.ts';
import { measureFit } from '../../../pipelines/stages/compare-measure.ts';
import type { Measuring } from '../../../pipelines/stages/compare-stability.ts';
import { createTrials } from '../../../pipelines/stages/compare-trials.ts';
import { buildKernels } from '../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../../numeric/helpers/made-data.ts';

const PLAN = { bootstraps: 4, nullDraws: 4, sampleRows: 600, trialRows: 300 };

let pool: KernelPool;
let measuring: Measuring;
beforeAll(async () => {
  await buildKernels();
  pool = createKernelPool({ threads: 2 });
  let ms = 0;
  const now = () => {
    ms += 5;
    return ms;
  };
  measuring = { pool, seed: 1, plan: PLAN, now, onStep: () => undefined };
});
afterAll(() => pool.close());

const named = (name: string) => CONTENDERS.find((own) => own.name === name)!;
const trialsOf = (X: Matrix) => createTrials(X, { plan: PLAN, seed: 1, grid: null });

describe('a candidate, measured', () => {
  test('on plain groups it is found again, above data without groups, and assigns every customer again', async () => {
    const { X } = makeBlobs({ rows: 1_200, columns: 3, groups: 4 });
    const { record, labels } = await measureFit(
      named('k-means'),
      { trials: await trialsOf(X), askedK: 4 },
      measuring,
    );
    expect(record).toMatchObject({
      askedK: 4,
      k: 4,
      noiseShare: 0,
      assignedAgain: 1,
      fidelity: 1,
      nullDraws: 4,
      fitMs: 5,
    });
    expect(record.sizes.reduce((sum, size) => sum + size, 0)).toBe(1_200);
    expect(record.minJaccard).toBeGreaterThan(0.95);
    expect(record.scores!.silhouette).toBeGreaterThan(record.nullScores!.silhouette.mean + 0.2);
    expect(record.scores!.daviesBouldin).toBeLessThan(record.nullScores!.daviesBouldin.mean);
    expect(record.valley).toBeLessThan(0.3);
    expect(record.nullValleys).toHaveLength(PLAN.nullDraws);
    expect(labels).toHaveLength(1_200);
  });

  test('its silhouette is that of the scored customers', async () => {
    const { X } = makeBlobs({ rows: 600, columns: 2, groups: 3 });
    const { record, labels } = await measureFit(
      named('k-means'),
      { trials: await trialsOf(X), askedK: 3 },
      measuring,
    );
    expect(record.scores!.silhouette).toBe((await silhouette(pool, X, labels)).mean);
  });

  test('random groups score like what they are: nothing, on groups and without', async () => {
    const { X } = makeBlobs({ rows: 1_200, columns: 3, groups: 4 });
    const { record } = await measureFit(
      named(YARDSTICK),
      { trials: await trialsOf(X), askedK: 4 },
      measuring,
    );
    expect(Math.abs(record.scores!.silhouette)).toBeLessThan(0.1);
    expect(record.minJaccard).toBeLessThan(0.3);
    expect(record.assignedAgain).toBeLessThan(0.5);
    expect(record.fidelity).toBeLessThan(0.6);
  });

  test('without groups k-means scores what it scores on data without groups', async () => {
    const { record } = await measureFit(
      named('k-means'),
      { trials: await trialsOf(makeNoise(1_500, 3)), askedK: 4 },
      measuring,
    );
    expect(Math.abs(record.scores!.silhouette - record.nullScores!.silhouette.mean)).toBeLessThan(0.03);
    expect(record.valley).toBeGreaterThan(0.8);
  });

  test.each(CONTENDERS.map(({ name }) => name))('%s: the same twice, to the last figure', async (name) => {
    const { X } = makeBlobs({ rows: 400, columns: 2, groups: 3 });
    const candidate = named(name);
    const askedK = candidate.takesClusters ? 3 : null;
    const quick = { ...measuring, plan: { bootstraps: 1 }, now: () => 0 };
    const whole = await trialsOf(X);
    const trials = { ...whole, nulls: whole.nulls.slice(0, 1) };
    const first = await measureFit(candidate, { trials, askedK }, quick);
    expect(await measureFit(candidate, { trials, askedK }, quick)).toEqual(first);
    expect(first.record.k).toBeGreaterThanOrEqual(2);
  });

  test('steps are told one by one: the fit, each resample, each null draw', async () => {
    let steps = 0;
    const { X } = makeBlobs({ rows: 400, columns: 2, groups: 3 });
    await measureFit(
      named('k-means'),
      { trials: await trialsOf(X), askedK: 3 },
      { ...measuring, onStep: () => (steps += 1) },
    );
    expect(steps).toBe(1 + PLAN.bootstraps + PLAN.nullDraws);
  });
});

describe('what a candidate may do', () => {
  /** Clusters by the sign of the first column; rows near zero are noise. */
  const withNoise: Contender = {
    name: 'signs',
    title: 'Signs',
    takesClusters: false,
    async fit(X) {
      const labels = Uint8Array.from({ length: X.rows }, (_, i) =>
        Math.abs(X.data[i]!) < 0.5 ? NOISE : X.data[i]! > 0 ? 1 : 0,
      );
      const description = { algorithm: 'signs', nClusters: 2, parameters: {}, centers: null, criteria: {} };
      return {
        labels,
        fittedOn: { rows: X.rows, of: X.rows },
        description,
        assign: async (rows) => ({
          labels: (await withNoise.fit(rows, null, { pool, seed: 1 })).labels,
          distance: new Float32Array(rows.rows),
          margin: new Float32Array(rows.rows),
        }),
      };
    },
  };

  test('noise is left out of scores, is no cluster on resamples, and counts against assigning', async () => {
    const { record } = await measureFit(
      withNoise,
      { trials: await trialsOf(makeNoise(1_000, 2)), askedK: null },
      measuring,
    );
    expect(record.k).toBe(2);
    expect(record.noiseShare).toBeCloseTo(0.38, 1);
    expect(record.minJaccard).toBe(1);
    expect(record.assignedAgain).toBeCloseTo(1 - record.noiseShare, 1);
    expect(record.scores!.silhouette).toBeGreaterThan(0.2);
    // The gap between the two is where the noise is: no valley.
    expect(record.valley).toBeGreaterThan(0.8);
  });

  test('a single cluster has no scores, and all noise is refused', async () => {
    const one: Contender = {
      ...withNoise,
      fit: async (X, k, context) => {
        const fitted = await withNoise.fit(X, k, context);
        return { ...fitted, labels: new Uint8Array(X.rows) };
      },
    };
    const trials = await trialsOf(makeNoise(300, 2));
    const { record } = await measureFit(one, { trials, askedK: null }, measuring);
    expect(record).toMatchObject({ k: 1, scores: null, nullScores: null, nullDraws: 0 });
    const none: Contender = {
      ...one,
      fit: async (X, k, context) => ({
        ...(await one.fit(X, k, context)),
        labels: new Uint8Array(X.rows).fill(NOISE),
      }),
    };
    await expect(measureFit(none, { trials, askedK: null }, measuring)).rejects.toThrow(
      'all customers are noise',
    );
  });

  test('fewer different customers than clusters is a RangeError, for every candidate that takes a number', async () => {
    const X = matrixFromRows(Array.from({ length: 300 }, (_, i) => [i % 2, i % 2]));
    const trials = {
      all: X,
      scored: Int32Array.from({ length: 300 }, (_, i) => i),
      trial: Int32Array.of(0, 1, 2),
      nulls: [],
      points: {
        scored: { rows: 0, columns: 2, values: new Float64Array(0), tieWidths: new Float64Array(2) },
        nulls: [],
      },
    };
    for (const candidate of CONTENDERS.filter(({ takesClusters }) => takesClusters)) {
      await expect(measureFit(candidate, { trials, askedK: 5 }, measuring), candidate.name).rejects.toThrow(
        RangeError,
      );
    }
  });
});

describe('what all are tried on', () => {
  test('the same scored customers and null draws for equal inputs, of the sizes that were asked', async () => {
    const X = makeNoise(5_000, 3);
    const trials = await trialsOf(X);
    expect(await trialsOf(X)).toEqual(trials);
    expect(trials.scored.length).toBe(PLAN.sampleRows);
    expect(trials.trial.length).toBe(PLAN.trialRows);
    expect(trials.nulls.map(({ rows, columns }) => [rows, columns])).toEqual(new Array(4).fill([300, 3]));
    expect([...trials.trial].every((row) => trials.scored.includes(row))).toBe(true);
  });

  test('every cell of the grid has its share of the scored customers', async () => {
    const X = makeNoise(20_000, 2);
    const grid = {
      stage: { column: 0, cuts: [2], words: ['a', 'b'] },
      value: { column: 1, cuts: [], words: ['x'] },
      smallestShare: 0,
    };
    const { scored } = await createTrials(X, { plan: PLAN, seed: 1, grid });
    const rare = (rows: Iterable<number>) => [...rows].filter((row) => X.data[row]! >= 2).length;
    const share = rare(Array.from({ length: X.rows }, (_, i) => i)) / X.rows;
    expect(rare(scored)).toBe(Math.round(share * PLAN.sampleRows));
  });
});
