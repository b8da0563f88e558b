import { createMatrix, type Matrix } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';

/**
 * Groups in two columns of numbers (0 and 2) and two of categories (1 and 3): a row has its group's own code with that
 * chance, else any of five.
 */
export function makeMixed(options: {
  rows: number;
  groups: number;
  spread: number;
  faithful: number;
  seed: number;
}): {
  X: Matrix;
  groups: Uint8Array;
} {
  const { rows, groups: count, spread, faithful, seed } = options;
  const random = createRandom(seed);
  const centers = Array.from({ length: count }, () => [random.normal() * 2, random.normal() * 2]);
  const X = createMatrix(rows, 4);
  const groups = Uint8Array.from({ length: rows }, (_, i) => {
    const group = random.int(count);
    for (const [at, j] of [0, 2].entries())
      X.data[j * rows + i] = centers[group]![at]! + random.normal() * spread;
    for (const j of [1, 3])
      X.data[j * rows + i] = random.float() < faithful ? (group * j) % 5 : random.int(5);
    return group;
  });
  return { X, groups };
}

/** What the reference values of the fixture were computed on. */
export const MIXED = {
  clear: () => makeMixed({ rows: 400, groups: 4, spread: 0.4, faithful: 0.9, seed: 8 }),
  blurred: () => makeMixed({ rows: 400, groups: 4, spread: 1.2, faithful: 0.6, seed: 3 }),
};
