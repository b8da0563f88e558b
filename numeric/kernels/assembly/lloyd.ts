// The assignment half of a k-means iteration, over one partition of the rows.
//
// A tile is 16 rows stored column by column (x[j * 16 + i]), so that one vector holds four rows of one
// column and no horizontal sums are needed. A row's score for a centre is half the centre's squared norm
// minus their dot product: it orders centres as the distance does, at one multiply-add per column.
// Centres come negated and repeated over four lanes. Two centres share each load of a tile, which is as
// many as eight accumulators and sixteen vector registers allow.
//
// A tile is left alone while none of its labels can change: no row's nearest and second nearest centre have
// drifted by more than the row's distances to them differ (the bound of Hamerly 2010, one for 16 rows). Making
// bounds costs a fifth of an iteration, so it waits until centres move little enough for bounds to hold.
//
// Multiply and add stay separate (no relaxed SIMD): a fused one would round differently on some machines.

// biome-ignore lint/style/useImportType: AssemblyScript has no imports of types
import { Fit, firstTile } from './fit';
import { packLabels } from './labels';

const VECTOR: usize = 16;
// Bounds are made of rounded numbers.
const SAFETY: f64 = 0.999;
// Rows on two equal centres have a bound of 0, not of 0 / 0.
const TINY: f32 = 1e-30;

/**
 * Relabels the rows of a partition, and moves those that changed between the cluster sums.
 *
 * @returns the number of rows whose label changed
 *
 * Ties go to the lower centre.
 */
export function assignPartition(fit: Fit, partition: i32): i32 {
  const first = firstTile(fit, partition);
  const end = firstTile(fit, partition + 1);
  const tileBytes: usize = (<usize>fit.columns) << 6;
  const cells = partition * fit.k;
  const sums: usize = fit.sums + ((<usize>(cells * fit.columns)) << 3);
  const masses: usize = fit.masses + ((<usize>cells) << 3);
  const counts: usize = fit.counts + ((<usize>cells) << 2);
  const drift = load<f64>(fit.drift);
  let slacks: f64 = 0;
  let changed = 0;
  for (let tile = first; tile < end; tile++) {
    const limit: usize = fit.limits + ((<usize>tile) << 3);
    const left = load<f64>(limit) - drift;
    if (left > 0) {
      slacks += left;
      continue;
    }
    const row: usize = (<usize>tile) << 4;
    const values = fit.tiles + <usize>tile * tileBytes;
    let found: v128;
    if (fit.isBounding) {
      found = nearestLabels<Bounding>(fit, values, fit.norms + (row << 2));
      store<f64>(limit, drift + SAFETY * slack);
      slacks += slack;
    } else {
      found = nearestLabels<Plain>(fit, values, 0);
      store<f64>(limit, -1);
    }
    let rows = i8x16.bitmask(i8x16.ne(found, v128.load(fit.labels + row)));
    if (tile === fit.tileCount - 1) rows &= fit.lastMask;
    if (rows === 0) continue;
    changed += popcnt(rows);
    moveRows(fit, tile, rows, found, sums, masses, counts);
  }
  if (fit.isBounding) store<f64>(fit.slacks + ((<usize>partition) << 3), slacks);
  return changed;
}

// The two ways to assign a tile are one function, of which the compiler makes two: types are what it can tell
// them apart by.
type Bounding = i32;
type Plain = f32;

/** How much nearer the rows of the last tile are to their centre than to the second nearest, at least. */
let slack: f64 = 0;

function nearestLabels<Way>(fit: Fit, tile: usize, norms: usize): v128 {
  const columns = fit.columns;
  const pairs = (fit.k + 1) >> 1;
  const centreBytes: usize = <usize>columns * VECTOR;
  let negated = fit.negated;
  let halfNorms = fit.halfNorms;
  let best0 = f32x4.splat(Infinity);
  let best1 = best0;
  let best2 = best0;
  let best3 = best0;
  let next0 = best0;
  let next1 = best0;
  let next2 = best0;
  let next3 = best0;
  let label0 = i32x4.splat(0);
  let label1 = label0;
  let label2 = label0;
  let label3 = label0;

  for (let pair = 0; pair < pairs; pair++) {
    let a0 = v128.load(halfNorms);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = v128.load(halfNorms, VECTOR);
    let b1 = b0;
    let b2 = b0;
    let b3 = b0;
    let x = tile;
    let centre = negated;
    for (let j = 0; j < columns; j++) {
      const a = v128.load(centre);
      const b = v128.load(centre + centreBytes);
      const x0 = v128.load(x);
      const x1 = v128.load(x, 16);
      const x2 = v128.load(x, 32);
      const x3 = v128.load(x, 48);
      a0 = f32x4.add(a0, f32x4.mul(x0, a));
      b0 = f32x4.add(b0, f32x4.mul(x0, b));
      a1 = f32x4.add(a1, f32x4.mul(x1, a));
      b1 = f32x4.add(b1, f32x4.mul(x1, b));
      a2 = f32x4.add(a2, f32x4.mul(x2, a));
      b2 = f32x4.add(b2, f32x4.mul(x2, b));
      a3 = f32x4.add(a3, f32x4.mul(x3, a));
      b3 = f32x4.add(b3, f32x4.mul(x3, b));
      x += 64;
      centre += VECTOR;
    }
    const labelA = i32x4.splat(pair << 1);
    const labelB = i32x4.splat((pair << 1) | 1);
    label0 = v128.bitselect(labelA, label0, f32x4.lt(a0, best0));
    label1 = v128.bitselect(labelA, label1, f32x4.lt(a1, best1));
    label2 = v128.bitselect(labelA, label2, f32x4.lt(a2, best2));
    label3 = v128.bitselect(labelA, label3, f32x4.lt(a3, best3));
    if (isInteger<Way>()) {
      next0 = f32x4.pmin(next0, f32x4.pmax(a0, best0));
      next1 = f32x4.pmin(next1, f32x4.pmax(a1, best1));
      next2 = f32x4.pmin(next2, f32x4.pmax(a2, best2));
      next3 = f32x4.pmin(next3, f32x4.pmax(a3, best3));
    }
    best0 = f32x4.pmin(best0, a0);
    best1 = f32x4.pmin(best1, a1);
    best2 = f32x4.pmin(best2, a2);
    best3 = f32x4.pmin(best3, a3);
    label0 = v128.bitselect(labelB, label0, f32x4.lt(b0, best0));
    label1 = v128.bitselect(labelB, label1, f32x4.lt(b1, best1));
    label2 = v128.bitselect(labelB, label2, f32x4.lt(b2, best2));
    label3 = v128.bitselect(labelB, label3, f32x4.lt(b3, best3));
    if (isInteger<Way>()) {
      next0 = f32x4.pmin(next0, f32x4.pmax(b0, best0));
      next1 = f32x4.pmin(next1, f32x4.pmax(b1, best1));
      next2 = f32x4.pmin(next2, f32x4.pmax(b2, best2));
      next3 = f32x4.pmin(next3, f32x4.pmax(b3, best3));
    }
    best0 = f32x4.pmin(best0, b0);
    best1 = f32x4.pmin(best1, b1);
    best2 = f32x4.pmin(best2, b2);
    best3 = f32x4.pmin(best3, b3);
    negated += centreBytes << 1;
    halfNorms += VECTOR << 1;
  }
  if (isInteger<Way>()) {
    // pmin is one instruction, min is eight; what it does to a NaN does not matter, since all are or none is.
    const four = f32x4.pmin(
      f32x4.pmin(
        squaredSlack(best0, next0, v128.load(norms)),
        squaredSlack(best1, next1, v128.load(norms, 16)),
      ),
      f32x4.pmin(
        squaredSlack(best2, next2, v128.load(norms, 32)),
        squaredSlack(best3, next3, v128.load(norms, 48)),
      ),
    );
    const two = f32x4.pmin(four, v128.shuffle<f32>(four, four, 2, 3, 0, 1));
    const one = f32x4.pmin(two, v128.shuffle<f32>(two, two, 1, 0, 3, 2));
    slack = sqrt(<f64>f32x4.extract_lane(one, 0));
  }
  return packLabels(label0, label1, label2, label3);
}

/**
 * Lower bound of the squared difference of the distances behind two scores: d2 - d1 = (d2² - d1²) / (d2 + d1) is
 * at least (next - best) / d2, with d² = 2 score + norm; close to a border, where it matters, they are equal.
 * NaN where there is no second centre: such a bound never holds.
 */
function squaredSlack(best: v128, next: v128, norm: v128): v128 {
  const difference = f32x4.sub(next, best);
  const second = f32x4.pmax(f32x4.splat(TINY), f32x4.add(f32x4.add(next, next), norm));
  return f32x4.div(f32x4.mul(difference, difference), second);
}

/** Moves the rows of one tile whose bit is set in `rows` from their old cluster's sums to the new one's. */
function moveRows(
  fit: Fit,
  tile: i32,
  rows: i32,
  found: v128,
  sums: usize,
  masses: usize,
  counts: usize,
): void {
  const columns = fit.columns;
  const sumBytes: usize = (<usize>columns) << 3;
  const firstRow: usize = (<usize>tile) << 4;
  const labels = fit.labels + firstRow;
  const weights = fit.weights;
  const values = fit.tiles + ((<usize>tile * <usize>columns) << 6);
  const old = v128.load(labels);
  v128.store(labels, found);
  const isFirst = i8x16.bitmask(i8x16.eq(old, i8x16.splat(-1)));
  while (rows !== 0) {
    const i: usize = ctz(rows);
    rows &= rows - 1;
    const weight: f64 = weights ? load<f64>(weights + ((firstRow + i) << 3)) : 1;
    const to: usize = load<u8>(labels + i);
    const toSum = sums + to * sumBytes;
    const x = values + (i << 2);
    store<i32>(counts + (to << 2), load<i32>(counts + (to << 2)) + 1);
    store<f64>(masses + (to << 3), load<f64>(masses + (to << 3)) + weight);
    if ((isFirst >> (i as i32)) & 1) {
      addRow(x, weight, toSum, columns);
      continue;
    }
    const from: usize = byteAt(old, i);
    store<i32>(counts + (from << 2), load<i32>(counts + (from << 2)) - 1);
    store<f64>(masses + (from << 3), load<f64>(masses + (from << 3)) - weight);
    transferRow(x, weight, sums + from * sumBytes, toSum, columns);
  }
}

function addRow(x: usize, weight: f64, to: usize, columns: i32): void {
  const weights = f64x2.splat(weight);
  for (let left = columns; left > 1; left -= 2) {
    v128.store(to, f64x2.add(v128.load(to), f64x2.mul(weights, nextTwo(x))));
    x += 128;
    to += 16;
  }
  if (columns & 1) store<f64>(to, load<f64>(to) + weight * <f64>load<f32>(x));
}

function transferRow(x: usize, weight: f64, from: usize, to: usize, columns: i32): void {
  const weights = f64x2.splat(weight);
  for (let left = columns; left > 1; left -= 2) {
    const values = f64x2.mul(weights, nextTwo(x));
    v128.store(from, f64x2.sub(v128.load(from), values));
    v128.store(to, f64x2.add(v128.load(to), values));
    x += 128;
    from += 16;
    to += 16;
  }
  if ((columns & 1) === 0) return;
  const value = weight * <f64>load<f32>(x);
  store<f64>(from, load<f64>(from) - value);
  store<f64>(to, load<f64>(to) + value);
}

/** A row's values in two neighbouring columns, as doubles. */
function nextTwo(x: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load_lane<f32>(x + 64, v128.load_zero<f32>(x), 1));
}

/** Byte i of a vector: by shifting, as lanes can only be named by constants. */
function byteAt(vector: v128, i: usize): usize {
  const half = i < 8 ? i64x2.extract_lane(vector, 0) : i64x2.extract_lane(vector, 1);
  return <usize>((<u64>half >> ((i & 7) << 3)) & 255);
}
