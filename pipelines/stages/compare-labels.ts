import { NOISE } from '../../numeric/cluster/algorithm.ts';
import { columnOf, type Matrix } from '../../numeric/matrix.ts';

// What labels alone say of clusters, some rows being in none (NOISE).

/** Clusters by their labels; those are 0, 1 … without gaps, as the algorithms promise. */
export function sizesOf(labels: Uint8Array): number[] {
  const sizes: number[] = [];
  for (const label of labels) if (label !== NOISE) sizes[label] = (sizes[label] ?? 0) + 1;
  return Array.from(sizes, (size) => size ?? 0);
}

export function countNoise(labels: Uint8Array): number {
  return labels.reduce((count, label) => count + (label === NOISE ? 1 : 0), 0);
}

export function pick(labels: Uint8Array, rows: Int32Array): Uint8Array {
  return Uint8Array.from(rows, (row) => labels[row]!);
}

/** Labels 0, 1 … without gaps, in their order: a small cluster may have no row among those looked at. */
export function withoutGaps(labels: Uint8Array): { compact: Uint8Array; k: number } {
  const used = [...new Set(labels)].filter((label) => label !== NOISE).sort((a, b) => a - b);
  const places = new Map(used.map((label, i) => [label, i]));
  return { compact: labels.map((label) => places.get(label) ?? NOISE), k: used.length };
}

/** Noise with the label of the nearest cluster mean. */
export function withNearest(X: Matrix, labels: Uint8Array, k: number): Uint8Array {
  if (!labels.includes(NOISE)) return labels;
  const means = clusterMeans(X, labels, k);
  return labels.map((label, i) => (label === NOISE ? nearest(rowAt(X, i), means) : label));
}

/** Share of the rows whose cluster is that of the nearest cluster mean. */
export function nearestMeanFidelity(X: Matrix, labels: Uint8Array, k: number): number {
  const means = clusterMeans(X, labels, k);
  const row = new Float64Array(X.columns);
  let same = 0;
  for (let i = 0; i < X.rows; i++) if (nearest(rowAt(X, i, row), means) === labels[i]) same += 1;
  return same / X.rows;
}

function rowAt(X: Matrix, i: number, row = new Float64Array(X.columns)): Float64Array {
  for (let j = 0; j < X.columns; j++) row[j] = X.data[j * X.rows + i]!;
  return row;
}

function nearest(row: Float64Array, means: readonly Float64Array[]): number {
  let best = 0;
  let least = Infinity;
  means.forEach((mean, c) => {
    let square = 0;
    for (let j = 0; j < row.length; j++) square += (row[j]! - mean[j]!) ** 2;
    if (square < least) {
      least = square;
      best = c;
    }
  });
  return best;
}

function clusterMeans(X: Matrix, labels: Uint8Array, k: number): Float64Array[] {
  const means = Array.from({ length: k }, () => new Float64Array(X.columns));
  const sizes = sizesOf(labels);
  for (let j = 0; j < X.columns; j++) {
    const column = columnOf(X, j);
    for (let i = 0; i < X.rows; i++) {
      if (labels[i] !== NOISE) means[labels[i]!]![j]! += column[i]! / sizes[labels[i]!]!;
    }
  }
  return means;
}
