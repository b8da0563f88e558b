// First centres by greedy k-means++ (Arthur & Vassilvitskii 2007): rows far from the centres so far are drawn
// more often, and of several drawn the one that leaves the least inertia becomes the next centre.

// biome-ignore lint/style/useImportType: AssemblyScript has no imports of types
import { Fit } from './fit';

/** Where the parts of a seeding lie, after a Fit's; see seeding.mjs. */
@unmanaged
export class Seeding {
  /** [row] f32: squared distance to the nearest centre so far; 0 for padding. */
  closest: usize;
  /** [tile] f64: weighted sums of it. */
  tileSums: usize;
  /** [trial][row] f32 and [trial][tile] f64: the same if the trial's row became a centre. */
  trialClosest: usize;
  trialSums: usize;
  /** [trial][column] f32, [trial] f64: rows drawn, and the inertia that they would leave. */
  candidates: usize;
  potentials: usize;
}

/** Begins with every row at distance 1: what is drawn first is drawn by weight alone. @returns the potential */
export function beginSeeding(fit: Fit, seeding: Seeding): f64 {
  setClosest(fit, seeding, 1);
  let potential: f64 = 0;
  for (let tile = 0; tile < fit.tileCount; tile++) {
    const sum = tileSum(fit, tile, seeding.closest + ((<usize>tile) << 6));
    store<f64>(seeding.tileSums + ((<usize>tile) << 3), sum);
    potential += sum;
  }
  return potential;
}

/** All rows as far as can be from any centre, once the first row has been drawn. */
export function setClosest(fit: Fit, seeding: Seeding, distance: f32): void {
  const last: usize = (<usize>(fit.tileCount - 1)) << 6;
  for (let at: usize = 0; at < last; at += 16) v128.store(seeding.closest + at, f32x4.splat(distance));
  for (let i: usize = 0; i < 16; i++) {
    const isRow = (fit.lastMask >> (i as i32)) & 1;
    store<f32>(seeding.closest + last + (i << 2), isRow ? distance : 0);
  }
}

/**
 * Draws a row in proportion to its weighted squared distance, and makes it a trial's candidate.
 *
 * @param share in [0, 1) of the potential
 */
export function drawCandidate(fit: Fit, seeding: Seeding, trial: i32, share: f64): void {
  let potential: f64 = 0;
  for (let tile = 0; tile < fit.tileCount; tile++) {
    potential += load<f64>(seeding.tileSums + ((<usize>tile) << 3));
  }
  const wanted = share * potential;
  let before: f64 = 0;
  let chosen = 0;
  for (let tile = 0; tile < fit.tileCount; tile++) {
    const sum = load<f64>(seeding.tileSums + ((<usize>tile) << 3));
    if (sum > 0) chosen = tile;
    if (before + sum > wanted) break;
    before += sum;
  }
  const row = rowAt(fit, seeding, chosen, wanted - before);
  let x = fit.tiles + ((<usize>chosen * <usize>fit.columns) << 6) + (row << 2);
  let candidate = seeding.candidates + ((<usize>(trial * fit.columns)) << 2);
  for (let j = 0; j < fit.columns; j++) {
    store<f32>(candidate, load<f32>(x));
    x += 64;
    candidate += 4;
  }
}

/** The row of a tile where the running sum passes `wanted`; the last one of any weight when rounding hides it. */
function rowAt(fit: Fit, seeding: Seeding, tile: i32, wanted: f64): usize {
  let row: usize = 0;
  let sum: f64 = 0;
  for (let i: usize = 0; i < 16; i++) {
    const at: usize = ((<usize>tile) << 4) + i;
    const distance = <f64>load<f32>(seeding.closest + (at << 2));
    const value = fit.weights ? distance * load<f64>(fit.weights + (at << 3)) : distance;
    if (value > 0) row = i;
    sum += value;
    if (value > 0 && sum > wanted) break;
  }
  return row;
}

/** What each candidate would leave of the distances. */
export function tryCandidates(fit: Fit, seeding: Seeding, trials: i32): void {
  memory.fill(seeding.potentials, 0, (<usize>trials) << 3);
  const tileBytes: usize = (<usize>fit.columns) << 6;
  const rowsBytes: usize = (<usize>fit.tileCount) << 6;
  const sumsBytes: usize = (<usize>fit.tileCount) << 3;
  for (let tile = 0; tile < fit.tileCount; tile++) {
    const x = fit.tiles + <usize>tile * tileBytes;
    const closest = seeding.closest + ((<usize>tile) << 6);
    let left = seeding.trialClosest + ((<usize>tile) << 6);
    for (let trial: usize = 0; trial < <usize>trials; trial++) {
      const candidate = seeding.candidates + ((trial * <usize>fit.columns) << 2);
      leaveDistances(x, fit.columns, candidate, closest, left);
      const sum = tileSum(fit, tile, left);
      store<f64>(seeding.trialSums + trial * sumsBytes + ((<usize>tile) << 3), sum);
      const potential = seeding.potentials + (trial << 3);
      store<f64>(potential, load<f64>(potential) + sum);
      left += rowsBytes;
    }
  }
}

function leaveDistances(x: usize, columns: i32, candidate: usize, closest: usize, left: usize): void {
  let d0 = f32x4.splat(0);
  let d1 = d0;
  let d2 = d0;
  let d3 = d0;
  for (let j = 0; j < columns; j++) {
    const center = v128.load32_splat(candidate);
    const e0 = f32x4.sub(v128.load(x), center);
    const e1 = f32x4.sub(v128.load(x, 16), center);
    const e2 = f32x4.sub(v128.load(x, 32), center);
    const e3 = f32x4.sub(v128.load(x, 48), center);
    d0 = f32x4.add(d0, f32x4.mul(e0, e0));
    d1 = f32x4.add(d1, f32x4.mul(e1, e1));
    d2 = f32x4.add(d2, f32x4.mul(e2, e2));
    d3 = f32x4.add(d3, f32x4.mul(e3, e3));
    x += 64;
    candidate += 4;
  }
  v128.store(left, f32x4.pmin(v128.load(closest), d0));
  v128.store(left, f32x4.pmin(v128.load(closest, 16), d1), 16);
  v128.store(left, f32x4.pmin(v128.load(closest, 32), d2), 32);
  v128.store(left, f32x4.pmin(v128.load(closest, 48), d3), 48);
}

/** The candidate that leaves least becomes centre c, the first of them when equal. @returns what it leaves */
export function keepCandidate(fit: Fit, seeding: Seeding, trials: i32, c: i32): f64 {
  let best = 0;
  for (let trial = 1; trial < trials; trial++) {
    const potential = load<f64>(seeding.potentials + ((<usize>trial) << 3));
    if (potential < load<f64>(seeding.potentials + ((<usize>best) << 3))) best = trial;
  }
  const rowsBytes: usize = (<usize>fit.tileCount) << 6;
  const sumsBytes: usize = (<usize>fit.tileCount) << 3;
  memory.copy(seeding.closest, seeding.trialClosest + <usize>best * rowsBytes, rowsBytes);
  memory.copy(seeding.tileSums, seeding.trialSums + <usize>best * sumsBytes, sumsBytes);
  const columns: usize = <usize>fit.columns;
  for (let j: usize = 0; j < columns; j++) {
    const value = load<f32>(seeding.candidates + ((<usize>best * columns + j) << 2));
    store<f64>(fit.centers + ((<usize>c * columns + j) << 3), <f64>value);
  }
  return load<f64>(seeding.potentials + ((<usize>best) << 3));
}

/** Weighted sum over the 16 rows of a tile. */
function tileSum(fit: Fit, tile: i32, distances: usize): f64 {
  let low = f64x2.splat(0);
  let high = low;
  const weights = fit.weights ? fit.weights + ((<usize>tile) << 7) : 0;
  for (let i: usize = 0; i < 64; i += 16) {
    const four = v128.load(distances + i);
    let first = f64x2.promote_low_f32x4(four);
    let second = f64x2.promote_low_f32x4(v128.shuffle<f32>(four, four, 2, 3, 0, 1));
    if (weights) {
      first = f64x2.mul(first, v128.load(weights + (i << 1)));
      second = f64x2.mul(second, v128.load(weights + (i << 1), 16));
    }
    low = f64x2.add(low, first);
    high = f64x2.add(high, second);
  }
  const both = f64x2.add(low, high);
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}
