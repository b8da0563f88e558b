import { createMatrix, type Matrix } from '../../../numeric/matrix.ts';
import { createRandom } from '../../../numeric/random/random.ts';

/** Rows around `groups` well separated centres, with the group of each row. */
export function makeBlobs(options: {
  rows: number;
  columns: number;
  groups: number;
  seed?: number;
  spread?: number;
}): { X: Matrix; groups: Uint8Array } {
  const { rows, columns, seed = 1, spread = 0.5 } = options;
  const random = createRandom(seed);
  const X = createMatrix(rows, columns);
  const groups = Uint8Array.from({ length: rows }, () => random.int(options.groups));
  for (let j = 0; j < columns; j++) {
    const place = createRandom(seed).fork(j);
    const centers = Float64Array.from({ length: options.groups }, () => place.normal() * 5);
    for (let i = 0; i < rows; i++) X.data[j * rows + i] = centers[groups[i]!]! + random.normal() * spread;
  }
  return { X, groups };
}

/** Rows without groups. */
export function makeNoise(rows: number, columns: number, seed = 1): Matrix {
  const random = createRandom(seed);
  const X = createMatrix(rows, columns);
  for (let at = 0; at < X.data.length; at++) X.data[at] = random.normal();
  return X;
}

/** Rows spread evenly over the unit cube. */
export function makeUniform(rows: number, columns: number, seed = 1): Matrix {
  const random = createRandom(seed);
  const X = createMatrix(rows, columns);
  for (let at = 0; at < X.data.length; at++) X.data[at] = random.float();
  return X;
}
