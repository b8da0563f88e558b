// The other half of a k-means iteration: new centres from the sums of the partitions, always in their order.

// biome-ignore lint/style/useImportType: AssemblyScript has no imports of types
import { Fit } from './fit';

const TILE: usize = 16;
// About a seventh of the tiles have bounds of twice the mean.
const MOST_STEPS: f64 = 2;

/** Adds up sums, masses, counts of all partitions. @returns the number of rows that changed their label */
export function addPartitions(fit: Fit): i32 {
  const k = fit.k;
  const values = k * fit.columns;
  memory.fill(fit.totalSums, 0, (<usize>values) << 3);
  memory.fill(fit.totalMasses, 0, (<usize>k) << 3);
  memory.fill(fit.totalCounts, 0, (<usize>k) << 2);
  let changed = 0;
  let sums = fit.sums;
  let masses = fit.masses;
  let counts = fit.counts;
  for (let p = 0; p < fit.partitions; p++) {
    changed += load<i32>(fit.changed + ((<usize>p) << 2));
    for (let at: usize = 0; at < (<usize>values) << 3; at += 8) {
      store<f64>(fit.totalSums + at, load<f64>(fit.totalSums + at) + load<f64>(sums + at));
    }
    for (let c: usize = 0; c < <usize>k; c++) {
      const mass = fit.totalMasses + (c << 3);
      const count = fit.totalCounts + (c << 2);
      store<f64>(mass, load<f64>(mass) + load<f64>(masses + (c << 3)));
      store<i32>(count, load<i32>(count) + load<i32>(counts + (c << 2)));
    }
    sums += (<usize>values) << 3;
    masses += (<usize>k) << 3;
    counts += (<usize>k) << 2;
  }
  return changed;
}

/**
 * Moves every centre to the mean of its rows; one without rows stays.
 *
 * @returns the sum of the centres' squared movements
 */
export function moveCenters(fit: Fit): f64 {
  let total: f64 = 0;
  let farthest: f64 = 0;
  let second: f64 = 0;
  let sum = fit.totalSums;
  let center = fit.centers;
  const rowBytes: usize = (<usize>fit.columns) << 3;
  for (let c: usize = 0; c < <usize>fit.k; c++) {
    if (load<i32>(fit.totalCounts + (c << 2)) === 0) {
      sum += rowBytes;
      center += rowBytes;
      continue;
    }
    const mass = load<f64>(fit.totalMasses + (c << 3));
    let square: f64 = 0;
    for (let j = 0; j < fit.columns; j++) {
      const value = load<f64>(sum) / mass;
      const step = value - load<f64>(center);
      square += step * step;
      store<f64>(center, value);
      sum += 8;
      center += 8;
    }
    total += square;
    second = max(second, min(square, farthest));
    farthest = max(farthest, square);
  }
  const step = sqrt(farthest) + sqrt(second);
  store<f64>(fit.drift, load<f64>(fit.drift) + step);
  fit.isBounding = willHold(fit, step) ? 1 : 0;
  spreadCenters(fit);
  return total;
}

/**
 * Whether bounds made now are likely to hold for some tiles in the next iteration, in which centres will move no
 * more than they just did.
 */
function willHold(fit: Fit, step: f64): bool {
  let slack: f64 = 0;
  for (let p: usize = 0; p < <usize>fit.partitions; p++) slack += load<f64>(fit.slacks + (p << 3));
  return step * <f64>fit.tileCount < MOST_STEPS * slack;
}

/** Writes the centres the way the assignment reads them. */
export function spreadCenters(fit: Fit): void {
  let center = fit.centers;
  let negated = fit.negated;
  let halfNorm = fit.halfNorms;
  for (let c = 0; c < fit.k; c++) {
    let norm: f64 = 0;
    for (let j = 0; j < fit.columns; j++) {
      const value = <f32>load<f64>(center);
      norm += <f64>value * <f64>value;
      v128.store(negated, f32x4.splat(-value));
      center += 8;
      negated += 16;
    }
    v128.store(halfNorm, f32x4.splat(<f32>(norm / 2)));
    halfNorm += 16;
  }
  if (fit.k & 1) {
    memory.fill(negated, 0, (<usize>fit.columns) << 4);
    v128.store(halfNorm, f32x4.splat(Infinity));
  }
}

/** Weighted sum of squared distances of rows to the centres of their labels, in the order of the rows. */
export function inertiaOf(fit: Fit, rows: i32): f64 {
  const rowBytes: usize = (<usize>fit.columns) << 3;
  let inertia: f64 = 0;
  for (let i: usize = 0; i < <usize>rows; i++) {
    let x = fit.tiles + (((i >> 4) * <usize>fit.columns) << 6) + ((i & (TILE - 1)) << 2);
    let center = fit.centers + <usize>load<u8>(fit.labels + i) * rowBytes;
    let square: f64 = 0;
    for (let j = 0; j < fit.columns; j++) {
      const difference = <f64>load<f32>(x) - load<f64>(center);
      square += difference * difference;
      x += 64;
      center += 8;
    }
    inertia += fit.weights ? load<f64>(fit.weights + (i << 3)) * square : square;
  }
  return inertia;
}
