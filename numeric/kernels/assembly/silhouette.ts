// Sums of Euclidean distances from one row to every row of each cluster: what a silhouette is made of.

/**
 * @param row the row, f32, `columns` values
 * @param columns at least 1
 * @param tiles rows ordered by cluster, in tiles of 16 stored column by column; each cluster starts a tile
 * @param sizes [cluster] i32, rows in each cluster; the rest of its last tile is padding
 * @param count number of clusters
 * @param sums [cluster] f64, receives the sum of distances
 */
export function distanceSums(
  row: usize,
  columns: i32,
  tiles: usize,
  sizes: usize,
  count: i32,
  sums: usize,
): void {
  const tileBytes: usize = (<usize>columns) << 6;
  for (let c = 0; c < count; c++) {
    let left = load<i32>(sizes + ((<usize>c) << 2));
    let low = f64x2.splat(0);
    let high = f64x2.splat(0);
    while (left > 0) {
      let d0 = f32x4.splat(0);
      let d1 = d0;
      let d2 = d0;
      let d3 = d0;
      let x = tiles;
      let value = row;
      for (let j = 0; j < columns; j++) {
        const own = v128.load32_splat(value);
        const e0 = f32x4.sub(v128.load(x), own);
        const e1 = f32x4.sub(v128.load(x, 16), own);
        const e2 = f32x4.sub(v128.load(x, 32), own);
        const e3 = f32x4.sub(v128.load(x, 48), own);
        d0 = f32x4.add(d0, f32x4.mul(e0, e0));
        d1 = f32x4.add(d1, f32x4.mul(e1, e1));
        d2 = f32x4.add(d2, f32x4.mul(e2, e2));
        d3 = f32x4.add(d3, f32x4.mul(e3, e3));
        x += 64;
        value += 4;
      }
      if (left < 16) {
        d0 = keepRows(d0, left);
        d1 = keepRows(d1, left - 4);
        d2 = keepRows(d2, left - 8);
        d3 = keepRows(d3, left - 12);
      }
      const total = f32x4.add(
        f32x4.add(f32x4.sqrt(d0), f32x4.sqrt(d1)),
        f32x4.add(f32x4.sqrt(d2), f32x4.sqrt(d3)),
      );
      low = f64x2.add(low, f64x2.promote_low_f32x4(total));
      high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<f32>(total, total, 2, 3, 0, 1)));
      tiles += tileBytes;
      left -= 16;
    }
    const both = f64x2.add(low, high);
    store<f64>(sums + ((<usize>c) << 3), f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1));
  }
}

/** Zeroes the lanes from `rows` on: padding. */
function keepRows(squares: v128, rows: i32): v128 {
  return v128.and(squares, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(rows)));
}
