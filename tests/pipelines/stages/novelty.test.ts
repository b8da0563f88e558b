import { describe, expect, test } from 'vitest';
import { nearestCenter } from '../../../numeric/cluster/assign.ts';
import { createRandom, type Random } from '../../../numeric/random/random.ts';
import { learnReaches } from '../../../pipelines/stages/novelty.ts';

const CENTERS = Float64Array.of(0, 0, 0, 14, 0, 0, 0, 14, 0);
type Draw = (random: Random) => number;

const normal: Draw = (random) => random.normal();
// Double exponential: far ones are far more common than among normal figures.
const laplace: Draw = (random) => (random.float() < 0.5 ? -1 : 1) * -Math.log(1 - random.float());
// Lognormal, centred: one long tail.
const lognormal: Draw = (random) => Math.exp(0.5 * random.normal()) - Math.exp(0.125);

function members(rows: number, { seed, draw }: { seed: number; draw: Draw }) {
  const random = createRandom(seed);
  const found = Array.from({ length: rows }, () => {
    const group = random.int(3);
    return nearestCenter(
      [0, 1, 2].map((j) => CENTERS[group * 3 + j]! + draw(random)),
      CENTERS,
    );
  });
  return {
    labels: Uint8Array.from(found, ({ label }) => label),
    distance: Float32Array.from(found, ({ distance }) => distance),
  };
}

const learn = (of: { labels: ArrayLike<number>; distance: ArrayLike<number> }, share = 0.999) =>
  learnReaches(of, { k: 3, share })!;

function flagged(reaches: Float64Array, { labels, distance }: ReturnType<typeof members>): number {
  return labels.reduce((count, label, row) => count + (distance[row]! > reaches[label]! ? 1 : 0), 0);
}

describe('the reach of a cluster', () => {
  test.each([
    ['normal', 30_000, 0.0004, 0.002, normal],
    ['double exponential', 30_000, 0.0004, 0.002, laplace],
    ['lognormal', 30_000, 0.0004, 0.002, lognormal],
    ['normal, few', 1_500, 0.0001, 0.002, normal],
    ['double exponential, few', 1_500, 0.0001, 0.004, laplace],
  ])('%s: of %d members, about one in a thousand later ones lies beyond', (_, rows, low, high, draw) => {
    const later = members(60_000, { seed: 99, draw });
    for (const seed of [1, 2, 3]) {
      const share = flagged(learn(members(rows, { seed, draw })), later) / 60_000;
      expect(share).toBeGreaterThanOrEqual(low);
      expect(share).toBeLessThanOrEqual(high);
    }
  });

  test('strangers far away and in the middle between the clusters lie beyond', () => {
    const reaches = learn(members(5_000, { seed: 1, draw: normal }));
    const isNovel = (row: number[]) => {
      const { label, distance } = nearestCenter(row, CENTERS);
      return distance > reaches[label]!;
    };
    expect(isNovel([7, 0, 0])).toBe(true);
    expect(isNovel([7, 7, 0])).toBe(true);
    expect(isNovel([0, 0, 40])).toBe(true);
    expect(isNovel([1, -1, 1])).toBe(false);
  });

  test('giants among the members do not stretch it', () => {
    const clean = members(3_000, { seed: 1, draw: normal });
    const giants = 20;
    const spoilt = {
      labels: [...clean.labels, ...new Array(giants).fill(1)],
      distance: [...clean.distance, ...Array.from({ length: giants }, (_, i) => 1_000 + i)],
    };
    const [before, after] = [learn(clean), learn(spoilt)];
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBeGreaterThan(before[1]! / 2);
    expect(after[1]).toBeLessThan(9);
  });

  test('a cluster of few members, or of equal ones, reaches as far as all together', () => {
    const { labels, distance } = members(3_000, { seed: 1, draw: normal });
    const others = labels.map((label) => Math.min(label, 1));
    const withFew = { labels: [...others, 2, 2], distance: [...distance, 0.1, 50] };
    const withEqual = {
      labels: [...others, ...new Array(500).fill(2)],
      distance: [...distance, ...new Array(500).fill(0)],
    };
    for (const [, second, third] of [learn(withFew), learn(withEqual)]) {
      expect(third).toBeGreaterThan(2);
      expect(third! / second!).toBeGreaterThan(0.7);
      expect(third! / second!).toBeLessThan(1.4);
    }
  });

  test('customers who are all the same leave no room, and no NaN', () => {
    const same = { labels: new Uint8Array(100), distance: new Float32Array(100) };
    expect([...learnReaches(same, { k: 1, share: 0.999 })!]).toEqual([0]);
    expect([...learnReaches({ labels: [], distance: [] }, { k: 2, share: 0.999 })!]).toEqual([0, 0]);
    expect([...learnReaches({ labels: [0], distance: [3] }, { k: 1, share: 0.999 })!]).toEqual([3]);
  });

  test('grows with the share that it takes in, up to nobody left outside', () => {
    const of = members(5_000, { seed: 1, draw: normal });
    const [half, most, nearly] = [0.5, 0.99, 0.9999].map((share) => learn(of, share)[0]!);
    expect(half).toBeLessThan(most!);
    expect(most).toBeLessThan(nearly!);
    expect(learnReaches(of, { k: 3, share: 1 })).toBeNull();
  });

  test('customers of no cluster are refused', () => {
    expect(() => learnReaches({ labels: [0, 255], distance: [1, 1] }, { k: 2, share: 0.999 })).toThrow(
      'needs labels below it, found 255',
    );
  });

  test('is the same in whatever order the members come', () => {
    const { labels, distance } = members(2_000, { seed: 1, draw: laplace });
    const order = createRandom(5).shuffle(Array.from(labels.keys()));
    const shuffled = {
      labels: order.map((row) => labels[row]!),
      distance: order.map((row) => distance[row]!),
    };
    expect(learn(shuffled)).toEqual(learn({ labels, distance }));
  });
});
