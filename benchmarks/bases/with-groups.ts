import { columnOf, createMatrix, type Matrix } from '../../numeric/matrix.ts';
import type { Random } from '../../numeric/random/random.ts';
import { mean } from '../../numeric/statistics/moments.ts';
import { exponential, gamma, standardise } from './draws.ts';

export interface GroupedBase {
  readonly X: Matrix;
  readonly groups: Uint8Array;
  readonly k: number;
}

const SMALLEST_SHARE = 0.06;

/**
 * Two to six groups in two to six columns, of 6 % or more each, normal or skewed, of different spread in each
 * column; after standardising, the centres of any two are at least `separation` times the larger of their largest
 * standard deviations apart.
 */
export function groupedBase(random: Random, options: { rows: number; separation: number }): GroupedBase {
  const { rows, separation } = options;
  const columns = 2 + random.int(5);
  const k = 2 + random.int(5);
  const places = Array.from({ length: k }, () => Array.from({ length: columns }, () => random.normal()));
  const shares = sharesOf(random, k);
  const isSkewed = random.int(2) === 1;
  const spreads = Array.from({ length: k }, () =>
    Array.from({ length: columns }, () => 0.6 + 0.4 * random.float()),
  );
  const groups = Uint8Array.from({ length: rows }, () => groupAt(random.float(), shares));
  const noise = Float64Array.from({ length: rows * columns }, (_, at) => {
    const e = isSkewed ? (gamma(random, 6) - 6) / Math.sqrt(6) : random.normal();
    return spreads[groups[at % rows]!]![Math.floor(at / rows)]! * e;
  });
  for (let apart = 1; ; apart *= 1.05) {
    const X = createMatrix(rows, columns);
    for (let at = 0; at < noise.length; at++)
      X.data[at] = apart * places[groups[at % rows]!]![Math.floor(at / rows)]! + noise[at]!;
    standardise(X);
    if (separationOf({ X, groups, k }) >= separation) return { X, groups, k };
  }
}

function sharesOf(random: Random, k: number): number[] {
  const raw = Array.from({ length: k }, () => exponential(random));
  const total = raw.reduce((sum, value) => sum + value, 0);
  return raw.map((value) => SMALLEST_SHARE + ((1 - SMALLEST_SHARE * k) * value) / total);
}

function groupAt(share: number, shares: readonly number[]): number {
  let left = share;
  let group = 0;
  while (group < shares.length - 1 && left >= shares[group]!) left -= shares[group++]!;
  return group;
}

/** Least distance of two centres over the larger of their groups' largest standard deviations. */
export function separationOf({ X, groups, k }: GroupedBase): number {
  const members = Array.from({ length: k }, (_, g) =>
    Array.from(groups.keys()).filter((i) => groups[i] === g),
  );
  const summaries = members.map((rows) => {
    const columns = Array.from({ length: X.columns }, (_, j) => rows.map((i) => columnOf(X, j)[i]!));
    const center = columns.map((column) => mean(column));
    return { center, deviation: largestDeviation(columns, center) };
  });
  let least = Infinity;
  for (const [g, one] of summaries.entries()) {
    for (const other of summaries.slice(0, g)) {
      const distance = Math.hypot(...one.center.map((value, j) => value - other.center[j]!));
      least = Math.min(least, distance / Math.max(one.deviation, other.deviation));
    }
  }
  return least;
}

/** Along the longest axis: the root of the covariance's first eigenvalue, by power iteration. */
function largestDeviation(columns: readonly (readonly number[])[], center: readonly number[]): number {
  const n = columns[0]!.length;
  const covariance = columns.map((a, j) =>
    columns.map(
      (b, l) => a.reduce((sum, value, i) => sum + (value - center[j]!) * (b[i]! - center[l]!), 0) / n,
    ),
  );
  let axis = columns.map(() => 1);
  let eigenvalue = 0;
  for (let step = 0; step < 50; step++) {
    const next = covariance.map((row) => row.reduce((sum, value, j) => sum + value * axis[j]!, 0));
    eigenvalue = Math.hypot(...next);
    axis = next.map((value) => value / eigenvalue);
  }
  return Math.sqrt(eigenvalue);
}
