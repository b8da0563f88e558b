// Rows, column by column, -> tiles of 16 rows.

// biome-ignore lint/style/useImportType: AssemblyScript has no imports of types
import { Fit } from './fit';

// As MAX_VALUE in tiles.mjs.
const MAX_VALUE: f32 = 1e15;

/**
 * Writes consecutive tiles, and the squared norms of their rows: what scores lack to be distances.
 *
 * @param columns of the rows, f32, one after the other, `stride` bytes apart; padding holds the origin
 * @param firstTile the first tile to write
 * @param tiles how many
 * @param origin [column] f32: what is subtracted
 * @returns 1 when all values can be worked with, 0 when one is not finite or too large
 */
export function fillTiles(
  fit: Fit,
  firstTile: i32,
  tiles: i32,
  columns: usize,
  stride: usize,
  origin: usize,
): i32 {
  let to = fit.tiles + ((<usize>firstTile * <usize>fit.columns) << 6);
  let norm = fit.norms + ((<usize>firstTile) << 6);
  const most = f32x4.splat(MAX_VALUE);
  let isRight = i32x4.splat(-1);
  for (let tile = 0; tile < tiles; tile++) {
    let from = columns + ((<usize>tile) << 6);
    let n0 = f32x4.splat(0);
    let n1 = n0;
    let n2 = n0;
    let n3 = n0;
    for (let j: usize = 0; j < <usize>fit.columns; j++) {
      const middle = v128.load32_splat(origin + (j << 2));
      const x0 = v128.load(from);
      const x1 = v128.load(from, 16);
      const x2 = v128.load(from, 32);
      const x3 = v128.load(from, 48);
      // A maximum is NaN when a value is.
      const largest = f32x4.max(
        f32x4.max(f32x4.abs(x0), f32x4.abs(x1)),
        f32x4.max(f32x4.abs(x2), f32x4.abs(x3)),
      );
      isRight = v128.and(isRight, f32x4.le(largest, most));
      const d0 = f32x4.sub(x0, middle);
      const d1 = f32x4.sub(x1, middle);
      const d2 = f32x4.sub(x2, middle);
      const d3 = f32x4.sub(x3, middle);
      n0 = f32x4.add(n0, f32x4.mul(d0, d0));
      n1 = f32x4.add(n1, f32x4.mul(d1, d1));
      n2 = f32x4.add(n2, f32x4.mul(d2, d2));
      n3 = f32x4.add(n3, f32x4.mul(d3, d3));
      storeTile(to, d0, d1, d2, d3);
      from += stride;
      to += 64;
    }
    storeTile(norm, n0, n1, n2, n3);
    norm += 64;
  }
  return <i32>i32x4.all_true(isRight);
}

function storeTile(at: usize, first: v128, second: v128, third: v128, fourth: v128): void {
  v128.store(at, first);
  v128.store(at, second, 16);
  v128.store(at, third, 32);
  v128.store(at, fourth, 48);
}
