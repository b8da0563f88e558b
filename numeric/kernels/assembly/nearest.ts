// Nearest and second nearest centre of 16 rows, by true differences: unlike the score of lloyd.ts this
// keeps its precision close to a centre and far from the origin, and a row's result depends on nothing but
// the row and the centres.

import { packLabels } from './labels';

/**
 * @param rows f32, column j lies `stride` bytes after column j - 1; up to the next multiple of 16 rows is read
 * @param stride bytes between columns
 * @param columns at least 1
 * @param count rows
 * @param centers [centre][column] f32
 * @param k number of centres, 1 to 64
 * @param labels receives a byte per row; a tie goes to the lower centre
 * @param nearest receives squared distances to the nearest centre, then the distances, f32
 * @param second receives squared distances to the second nearest, infinite when k is 1; then the margins, f32
 * @param weights of the rows, f64; null pointer = every row weighs 1
 * @returns the weighted sum of the squared distances, in the order of the rows; not finite when some distance is not
 */
export function nearestRows(
  rows: usize,
  stride: usize,
  columns: i32,
  count: i32,
  centers: usize,
  k: i32,
  labels: usize,
  nearest: usize,
  second: usize,
  weights: usize,
): f64 {
  for (let i: usize = 0; i < <usize>count; i += 16) {
    nearestTile(
      rows + (i << 2),
      stride,
      columns,
      centers,
      k,
      labels + i,
      nearest + (i << 2),
      second + (i << 2),
    );
  }
  let inertia: f64 = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    const own = <f64>load<f32>(nearest + (i << 2));
    const next = <f64>load<f32>(second + (i << 2));
    inertia += weights ? load<f64>(weights + (i << 3)) * own : own;
    const distance = sqrt(own);
    store<f32>(nearest + (i << 2), <f32>distance);
    store<f32>(second + (i << 2), <f32>marginOf(distance, next));
  }
  return inertia;
}

/** As in margin.mjs, to the last bit. */
function marginOf(distance: f64, second: f64): f64 {
  if (second === Infinity) return 1;
  if (second === 0) return 0;
  return 1 - distance / sqrt(second);
}

function nearestTile(
  rows: usize,
  stride: usize,
  columns: i32,
  centers: usize,
  count: i32,
  labels: usize,
  nearest: usize,
  second: usize,
): void {
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
  for (let c = 0; c < count; c++) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let x = rows;
    for (let j = 0; j < columns; j++) {
      const centre = v128.load32_splat(centers);
      const e0 = f32x4.sub(v128.load(x), centre);
      const e1 = f32x4.sub(v128.load(x, 16), centre);
      const e2 = f32x4.sub(v128.load(x, 32), centre);
      const e3 = f32x4.sub(v128.load(x, 48), centre);
      s0 = f32x4.add(s0, f32x4.mul(e0, e0));
      s1 = f32x4.add(s1, f32x4.mul(e1, e1));
      s2 = f32x4.add(s2, f32x4.mul(e2, e2));
      s3 = f32x4.add(s3, f32x4.mul(e3, e3));
      x += stride;
      centers += 4;
    }
    const own = i32x4.splat(c);
    label0 = v128.bitselect(own, label0, f32x4.lt(s0, best0));
    label1 = v128.bitselect(own, label1, f32x4.lt(s1, best1));
    label2 = v128.bitselect(own, label2, f32x4.lt(s2, best2));
    label3 = v128.bitselect(own, label3, f32x4.lt(s3, best3));
    next0 = f32x4.pmin(next0, f32x4.pmax(s0, best0));
    next1 = f32x4.pmin(next1, f32x4.pmax(s1, best1));
    next2 = f32x4.pmin(next2, f32x4.pmax(s2, best2));
    next3 = f32x4.pmin(next3, f32x4.pmax(s3, best3));
    best0 = f32x4.pmin(best0, s0);
    best1 = f32x4.pmin(best1, s1);
    best2 = f32x4.pmin(best2, s2);
    best3 = f32x4.pmin(best3, s3);
  }
  storeTile(nearest, best0, best1, best2, best3);
  storeTile(second, next0, next1, next2, next3);
  v128.store(labels, packLabels(label0, label1, label2, label3));
}

function storeTile(at: usize, first: v128, second: v128, third: v128, fourth: v128): void {
  v128.store(at, first);
  v128.store(at, second, 16);
  v128.store(at, third, 32);
  v128.store(at, fourth, 48);
}
