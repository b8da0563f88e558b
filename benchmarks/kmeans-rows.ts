import { createMatrix, type Matrix } from '../numeric/matrix.ts';
import { createRandom } from '../numeric/random/random.ts';

export const COLUMNS = 12;
export const CLUSTERS = 8;

/**
 * Groups (eight, or as many as said) around normal centres (deviation 1.5), all with the same correlations between columns: a row is its
 * centre + 0.6 z + 0.8 M z for normal z and one matrix M of normal values / sqrt(columns). One row in twenty is noise
 * instead: normal around the origin, deviation 3.
 */
export function makeRows(
  rows: number,
  { seed, groups = CLUSTERS }: { seed: string; groups?: number },
): Matrix {
  const random = createRandom(seed);
  const X = createMatrix(rows, COLUMNS);
  const normals = (count: number, scale: number) =>
    Float64Array.from({ length: count }, () => random.normal() * scale);
  const mixing = normals(COLUMNS * COLUMNS, 0.8 / Math.sqrt(COLUMNS));
  for (let j = 0; j < COLUMNS; j++) mixing[j * COLUMNS + j]! += 0.6;
  const centers = normals(CLUSTERS * COLUMNS, 1.5);
  for (let i = 0; i < rows; i++) {
    const group = random.int(groups) * COLUMNS;
    const isNoise = random.float() < 0.05;
    const z = normals(COLUMNS, isNoise ? 3 : 1);
    for (let j = 0; j < COLUMNS; j++) {
      let value = centers[group + j]!;
      for (let l = 0; l < COLUMNS; l++) value += mixing[j * COLUMNS + l]! * z[l]!;
      X.data[j * rows + i] = isNoise ? z[j]! : value;
    }
  }
  return X;
}
