import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chooseK } from '../../../../numeric/cluster/choice/choose-k.ts';
import { createKernelPool, type KernelPool } from '../../../../numeric/kernels/pool.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { buildKernels } from '../../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../../helpers/made-data.ts';

let pool: KernelPool;
beforeAll(async () => {
  await buildKernels();
  pool = createKernelPool({ threads: 2 });
});
afterAll(() => pool.close());

// Enough for what has nothing to do with how sure the evidence is
const QUICK = { seed: 1, bootstraps: 4, nullDraws: 1 };

describe('a k that a person fixed', () => {
  test('is chosen although the evidence is for another, which is said', async () => {
    const { X } = makeBlobs({ rows: 1000, columns: 4, groups: 4, seed: 4 });
    const choice = await chooseK(pool, X, { seed: 1, kMax: 6, fixedK: 3, bootstraps: 10, nullDraws: 19 });
    expect([choice.k, choice.decidedBy]).toEqual([3, 'person']);
    expect(choice.verdict).toBe(choice.candidates[0]!.verdict);
    expect(choice.candidates.find(({ rank }) => rank === 1)!.k).toBe(4);
    expect(choice.reasons[0]).toBe(
      'k = 3 was fixed by a person; the evidence would choose k = 4, which is natural',
    );
    expect([...choice.confidences.keys()]).toEqual([3, 4, 5, 6]);
  });

  test('may lie outside the range, which is tried all the same', async () => {
    const { X } = makeBlobs({ rows: 600, columns: 4, groups: 4, seed: 4 });
    const over = await chooseK(pool, X, { ...QUICK, kMin: 3, kMax: 4, fixedK: 7 });
    expect(over.candidates.map(({ k }) => k)).toEqual([3, 4, 7]);
    expect([over.k, over.decidedBy]).toEqual([7, 'person']);
    const under = await chooseK(pool, X, { ...QUICK, kMin: 3, kMax: 4, fixedK: 2 });
    expect(under.candidates.map(({ k }) => k)).toEqual([2, 3, 4]);
    expect(under.k).toBe(2);
  });

  test('that the evidence chooses too is said to be', async () => {
    const { X } = makeBlobs({ rows: 600, columns: 4, groups: 4, seed: 4 });
    const choice = await chooseK(pool, X, { seed: 1, kMax: 5, fixedK: 4, bootstraps: 10, nullDraws: 19 });
    expect([choice.k, choice.verdict, choice.decidedBy]).toEqual([4, 'natural', 'person']);
    expect(choice.reasons[0]).toBe('k = 4 was fixed by a person; the evidence chooses it too');
  });

  test('without any evidence for it is constructed, never none', async () => {
    const options = { seed: 1, kMin: 6, kMax: 8, fixedK: 7, bootstraps: 20, nullDraws: 1 };
    const choice = await chooseK(pool, makeNoise(1000, 8), options);
    expect([choice.k, choice.verdict, choice.decidedBy]).toEqual([7, 'constructed', 'person']);
    expect(choice.candidates[1]!.verdict).toBe('none');
    expect(choice.reasons[0]).toBe('k = 7 was fixed by a person; by the evidence there would be no segments');
  });
});

describe('a later outcome', () => {
  test('that follows three groups is told apart best by three clusters', async () => {
    const { X, groups } = makeBlobs({ rows: 900, columns: 4, groups: 3 });
    const random = createRandom('outcome');
    const outcome = Float64Array.from(groups, (group) => Math.max(0, group * 10 + 5 * random.normal()));
    const choice = await chooseK(pool, X, { seed: 1, kMax: 5, bootstraps: 5, outcome });
    const [three, four, five] = choice.candidates.map(({ outcomeSeparation }) => outcomeSeparation!);
    expect(three).toBeGreaterThan(0.5);
    expect(three).toBeGreaterThanOrEqual(Math.max(four!, five!) - 0.01);
    expect(choice.reasons).toContain(
      `it explains ${(three! * 100).toFixed(1)} % of the ranks of the later outcome, beyond chance`,
    );
  });

  test('that has nothing to do with the rows is about 0, and changes neither fits nor stabilities', async () => {
    const { X } = makeBlobs({ rows: 900, columns: 4, groups: 3 });
    const random = createRandom('outcome');
    const outcome = Float64Array.from({ length: 900 }, () => random.float());
    const options = { ...QUICK, kMax: 5, sampleRows: 700 };
    const [blind, told] = [await chooseK(pool, X, options), await chooseK(pool, X, { ...options, outcome })];
    for (const [i, candidate] of told.candidates.entries()) {
      expect(Math.abs(candidate.outcomeSeparation!)).toBeLessThan(0.02);
      const other = blind.candidates[i]!;
      expect(other.outcomeSeparation).toBeNull();
      expect([candidate.centers, candidate.jaccards, candidate.null]).toEqual([
        other.centers,
        other.jaccards,
        other.null,
      ]);
    }
  });

  test('that is the same for all counts less than nothing: what chance would tell apart is taken off', async () => {
    const options = { ...QUICK, kMax: 5, outcome: new Float64Array(101).fill(7) };
    const { candidates } = await chooseK(pool, makeNoise(101, 3), options);
    for (const { k, outcomeSeparation } of candidates)
      expect(outcomeSeparation).toBeCloseTo(-(k - 1) / 100, 12);
  });

  test('goes with its row when only a sample is scored', async () => {
    const { X, groups } = makeBlobs({ rows: 2000, columns: 4, groups: 3 });
    const outcome = Float64Array.from(groups);
    const { candidates } = await chooseK(pool, X, { ...QUICK, kMax: 3, sampleRows: 500, outcome });
    expect(candidates[0]!.outcomeSeparation).toBeGreaterThan(0.99);
  });
});
