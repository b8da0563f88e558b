/**
 * A k-means fit in memory: where its parts lie. JavaScript writes it (layout.mjs, in the same order), all
 * kernels of a fit read it.
 */
@unmanaged
export class Fit {
  columns: i32;
  k: i32;
  /** Of 16 rows each. */
  tileCount: i32;
  /** Groups of consecutive tiles, each with sums of its own. */
  partitions: i32;
  /** Bit i set = row i of the last tile is a row, not padding. */
  lastMask: i32;
  /** [tile][column][16] f32: rows less the origin; padding is 0. */
  tiles: usize;
  /** [row] f32: squared norms of the rows in the tiles. */
  norms: usize;
  /** [row] f64, 0 for padding; null pointer = every row weighs 1. */
  weights: usize;
  /** [row] u8; 255 = in no cluster yet. */
  labels: usize;
  /** [tile] f64: labels of the tile hold until the centres have drifted so far. */
  limits: usize;
  /** [centre][column] f64. */
  centers: usize;
  /** Centres times -1, each value on four lanes: [centre][column][4] f32. An odd k gets one more. */
  negated: usize;
  /** Half the squared norm of each centre, on four lanes: [centre][4] f32; infinite for the one more. */
  halfNorms: usize;
  /** [partition][centre][column] f64: weighted sums of rows. */
  sums: usize;
  /** [partition][centre] f64: sums of weights. */
  masses: usize;
  /** [partition][centre] i32: rows. */
  counts: usize;
  /** [partition] i32: rows that changed their label. */
  changed: usize;
  /** [centre][column] f64, [centre] f64, [centre] i32: the same over all partitions. */
  totalSums: usize;
  totalMasses: usize;
  totalCounts: usize;
  /** [partition] f64: sums of the tiles' bounds, as of the last iteration that made bounds. */
  slacks: usize;
  /** 1 when the next iteration makes bounds: later ones may then leave tiles alone. */
  isBounding: i32;
  /** One f64: how far any centre can have moved towards or away from a row, relative to another centre. */
  drift: usize;
}

/** First tile of a partition; that of partition + 1 is where it ends. */
export function firstTile(fit: Fit, partition: i32): i32 {
  return <i32>((<i64>partition * <i64>fit.tileCount) / <i64>fit.partitions);
}
