import { createMatrix, type Matrix } from '../../../../numeric/matrix.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { makeBlobs } from '../../helpers/made-data.ts';

export interface Grouped {
  X: Matrix;
  groups: Uint8Array;
}

/** What the reference values of the fixtures were computed on, by name. */
export const MADE: Record<string, () => Grouped> = {
  blobs: () => makeBlobs({ rows: 600, columns: 3, groups: 3, seed: 4, spread: 0.7 }),
  stretched: () => makeStretched(600),
  overlapping: () => makeOverlapping(600),
};

/** Three groups in the plane, each long in a direction of its own. */
function makeStretched(rows: number): Grouped {
  const shapes = [
    { center: [0, 0], axes: [1.5, 1.3, -0.6, 0.5] },
    { center: [4, -1], axes: [0.4, 0, 0.3, 1.6] },
    { center: [-3, 3], axes: [1.2, -0.9, 0.2, 0.3] },
  ];
  const random = createRandom('stretched');
  const X = createMatrix(rows, 2);
  const groups = Uint8Array.from({ length: rows }, (_, i) => {
    const group = random.int(3);
    const { center, axes } = shapes[group]!;
    const u = random.normal();
    const v = random.normal();
    X.data[i] = center[0]! + axes[0]! * u + axes[2]! * v;
    X.data[rows + i] = center[1]! + axes[1]! * u + axes[3]! * v;
    return group;
  });
  return { X, groups };
}

/** As Fisher's irises: one group apart, two that overlap, columns that vary together. */
function makeOverlapping(rows: number): Grouped {
  const centers = [
    [5, 3.4, 1.5, 0.2],
    [5.9, 2.8, 4.3, 1.3],
    [6.6, 3, 5.6, 2],
  ];
  const random = createRandom('overlapping');
  const X = createMatrix(rows, 4);
  const groups = Uint8Array.from({ length: rows }, (_, i) => {
    const group = random.int(3);
    const size = random.normal() * 0.35;
    centers[group]!.forEach((center, j) => {
      X.data[j * rows + i] = center + size * [1, 0.4, 0.7, 0.3][j]! + random.normal() * 0.2;
    });
    return group;
  });
  return { X, groups };
}

/**
 * Three groups in three columns, and how often a customer has ordered (log, scaled) as a fourth: a third has ordered
 * once, a sixth twice, whatever the group.
 */
export function makeWithPointMass(rows: number, seed: number): Grouped {
  const centers = [
    [0, 0, 0],
    [2.2, 0, 1.5],
    [0, 2.4, -1],
  ];
  const again = [0.65, 0.55, 0.45];
  const random = createRandom(seed);
  const X = createMatrix(rows, 4);
  const groups = Uint8Array.from({ length: rows }, (_, i) => {
    const group = random.int(3);
    centers[group]!.forEach((center, j) => {
      X.data[j * rows + i] = center + random.normal() * 0.8;
    });
    let orders = 1;
    while (random.float() < again[group]! && orders < 60) orders++;
    X.data[3 * rows + i] = (Math.log1p(orders) - 1) / 0.45;
    return group;
  });
  return { X, groups };
}
