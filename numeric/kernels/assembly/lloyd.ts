// The assignment half of a k-means iteration, over one partition of the rows.
//
// A tile is 16 rows stored column by column (x[j * 16 + i]), so that one vector holds four rows of one
// column and no horizontal sums are needed. A row's score for a centre is half the centre's squared norm
// minus their dot product: it orders centres as the distance does, at one multiply-add per column.
// Centres come negated and repeated over four lanes. Two centres share each load of a tile, which is as
// many as eight accumulators and sixteen vector registers allow.
//
// Multiply and add stay separate (no relaxed SIMD): a fused one would round differently on some machines.

import { packLabels } from './labels';

const TILE: usize = 16;
const VECTOR: usize = 16;

/**
 * Relabels the rows of consecutive tiles, and moves those that changed between the cluster sums.
 *
 * @param tiles first tile, f32, tileCount * columns * 16 values
 * @param labels first label, one byte per row of the tiles; 255 = in no cluster yet
 * @param tileCount at least 1
 * @param lastMask bit i set = row i of the last tile is a row, not padding
 * @param columns at least 1
 * @param pairs half the number of centres, rounded up (an odd one is followed by one at infinity)
 * @param negated centres times -1, each value on four lanes: [centre][column][4] f32
 * @param halfNorms half the squared norm of each centre, on four lanes
 * @param sums [centre][column] f64, of this partition
 * @param counts [centre] i32, of this partition
 * @returns the number of rows whose label changed
 *
 * The parameters are plain numbers since they cross from JavaScript. Ties go to the lower centre.
 */
export function assignPartition(
  tiles: usize,
  labels: usize,
  tileCount: i32,
  lastMask: i32,
  columns: i32,
  pairs: i32,
  negated: usize,
  halfNorms: usize,
  sums: usize,
  counts: usize,
): i32 {
  const tileBytes: usize = <usize>columns * TILE * 4;
  let changed = 0;
  for (let tile = 0; tile < tileCount; tile++) {
    const found = nearestLabels(tiles, columns, pairs, negated, halfNorms);
    const differs = i8x16.ne(found, v128.load(labels));
    let rows = i8x16.bitmask(differs);
    if (tile === tileCount - 1) rows &= lastMask;
    if (rows !== 0) {
      changed += popcnt(rows);
      moveRows(tiles, labels, rows, columns, found, sums, counts);
    }
    tiles += tileBytes;
    labels += TILE;
  }
  return changed;
}

function nearestLabels(tile: usize, columns: i32, pairs: i32, negated: usize, halfNorms: usize): v128 {
  const centreBytes: usize = <usize>columns * VECTOR;
  let best0 = f32x4.splat(Infinity);
  let best1 = best0;
  let best2 = best0;
  let best3 = best0;
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
    best0 = f32x4.pmin(best0, a0);
    best1 = f32x4.pmin(best1, a1);
    best2 = f32x4.pmin(best2, a2);
    best3 = f32x4.pmin(best3, a3);
    label0 = v128.bitselect(labelB, label0, f32x4.lt(b0, best0));
    label1 = v128.bitselect(labelB, label1, f32x4.lt(b1, best1));
    label2 = v128.bitselect(labelB, label2, f32x4.lt(b2, best2));
    label3 = v128.bitselect(labelB, label3, f32x4.lt(b3, best3));
    best0 = f32x4.pmin(best0, b0);
    best1 = f32x4.pmin(best1, b1);
    best2 = f32x4.pmin(best2, b2);
    best3 = f32x4.pmin(best3, b3);
    negated += centreBytes << 1;
    halfNorms += VECTOR << 1;
  }
  return packLabels(label0, label1, label2, label3);
}

/** Moves the rows of one tile whose bit is set in `rows` from their old cluster's sums to the new one's. */
function moveRows(
  tile: usize,
  labels: usize,
  rows: i32,
  columns: i32,
  found: v128,
  sums: usize,
  counts: usize,
): void {
  const sumBytes: usize = (<usize>columns) << 3;
  const old = v128.load(labels);
  v128.store(labels, found);
  const isFirst = i8x16.bitmask(i8x16.eq(old, i8x16.splat(-1)));
  while (rows !== 0) {
    const i: usize = ctz(rows);
    rows &= rows - 1;
    const to: usize = load<u8>(labels + i);
    const toSum = sums + to * sumBytes;
    store<i32>(counts + (to << 2), load<i32>(counts + (to << 2)) + 1);
    const x = tile + (i << 2);
    if ((isFirst >> (i as i32)) & 1) {
      addRow(x, toSum, columns);
      continue;
    }
    const from: usize = byteAt(old, i);
    store<i32>(counts + (from << 2), load<i32>(counts + (from << 2)) - 1);
    transferRow(x, sums + from * sumBytes, toSum, columns);
  }
}

function addRow(x: usize, to: usize, columns: i32): void {
  for (let j = 0; j < columns; j++) {
    store<f64>(to, load<f64>(to) + <f64>load<f32>(x));
    x += 64;
    to += 8;
  }
}

function transferRow(x: usize, from: usize, to: usize, columns: i32): void {
  for (let j = 0; j < columns; j++) {
    const value = <f64>load<f32>(x);
    store<f64>(from, load<f64>(from) - value);
    store<f64>(to, load<f64>(to) + value);
    x += 64;
    from += 8;
    to += 8;
  }
}

/** Byte i of a vector: by shifting, as lanes can only be named by constants. */
function byteAt(vector: v128, i: usize): usize {
  const half = i < 8 ? i64x2.extract_lane(vector, 0) : i64x2.extract_lane(vector, 1);
  return <usize>((<u64>half >> ((i & 7) << 3)) & 255);
}
