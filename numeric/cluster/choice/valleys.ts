// Whether clusters are apart, or pieces of one heap: between two groups the density has a valley, between two
// halves of a heap it has none.
//
// For each pair of neighbouring clusters the density is looked at along the line through their centres, all rows
// counting by how near they are to that line (a Gaussian tube). A density that is log-concave stays so under
// such weights, and is then unimodal along the line (Prékopa 1973): a heap shows no valley however it is cut.
// Looking at the rows of the two clusters alone would find one, since cells get narrow where they meet.

import { nextTurn } from '../../kernels/turn.ts';
import { columnOf, type Matrix } from '../../matrix.ts';
import type { Random } from '../../random/random.ts';
import { spreadTies, tieWidth } from '../../statistics/spread-ties.ts';

/** Rows as points: row-major, values that repeat spread over their cells. */
export interface Points {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
  /** How far the values of each column lie apart where they repeat. */
  readonly tieWidths: Float64Array;
}

export async function pointsOf(X: Matrix, random: Random): Promise<Points> {
  const { rows, columns } = X;
  const values = new Float64Array(rows * columns);
  const tieWidths = new Float64Array(columns);
  for (let j = 0; j < columns; j++) {
    const column = spreadTies(columnOf(X, j), random.fork(j));
    for (let i = 0; i < rows; i++) values[i * columns + j] = column[i]!;
    tieWidths[j] = tieWidth(columnOf(X, j));
    await nextTurn();
  }
  return { rows, columns, values, tieWidths };
}

interface Cells {
  readonly centers: Float64Array;
  /** Mean variance per column within each cluster. */
  readonly spreads: Float64Array;
}

interface Pair {
  readonly from: number;
  readonly to: number;
  readonly distance: number;
}

// The tube's standard deviation, in those of the two clusters. Wider, it would see what lies beside the line;
// narrower, too few rows.
const TUBE_WIDTH = 1.5;
// Rows of less weight are left out: exp(-7).
const LEAST_WEIGHT = 1e-3;
// Half of them on the line from centre to centre, the others beyond either end.
const GRID = 81;
const BEYOND = 0.5;
const REACH = 3;

/**
 * How deep the valley is between the two least separated of neighbouring clusters: the density at its lowest
 * place over the lower of the two peaks.
 *
 * @param labels shape (rows,), 0 to k - 1, none empty
 * @param options.enough pairs are looked at, closest first, until one is as shallow as this
 * @returns 0 = nothing lies between any two clusters; 1 = somewhere there is no valley at all. Two equal spherical
 *   normal groups 4 standard deviations apart have about .3
 *
 * O(pairs * rows * columns); neighbours are those of the Gabriel graph of the centres.
 */
export async function shallowestValley(
  points: Points,
  labels: Uint8Array,
  k: number,
  { enough = 0.99, signal }: { enough?: number; signal?: AbortSignal | undefined } = {},
): Promise<number> {
  const cells = cellsOf(points, labels, k);
  let shallowest = 0;
  for (const pair of neighboursOf(cells, k, points.columns)) {
    shallowest = Math.max(shallowest, valleyBetween(points, cells, pair));
    if (shallowest >= enough) break;
    await nextTurn();
    signal?.throwIfAborted();
  }
  return shallowest;
}

function cellsOf({ rows, columns, values }: Points, labels: Uint8Array, k: number): Cells {
  const centers = new Float64Array(k * columns);
  const counts = new Float64Array(k);
  for (let i = 0; i < rows; i++) {
    counts[labels[i]!]! += 1;
    for (let j = 0; j < columns; j++) centers[labels[i]! * columns + j]! += values[i * columns + j]!;
  }
  for (let at = 0; at < centers.length; at++) centers[at]! /= counts[Math.floor(at / columns)]!;
  const spreads = new Float64Array(k);
  for (let i = 0; i < rows; i++) {
    const own = labels[i]!;
    for (let j = 0; j < columns; j++) {
      spreads[own]! +=
        (values[i * columns + j]! - centers[own * columns + j]!) ** 2 / (counts[own]! * columns);
    }
  }
  return { centers, spreads };
}

/** Pairs with no third centre in the ball between them (Gabriel & Sokal 1969), the least separated first. */
function neighboursOf({ centers, spreads }: Cells, k: number, columns: number): Pair[] {
  const center = (c: number) => centers.subarray(c * columns, (c + 1) * columns);
  const pairs: Pair[] = [];
  for (let from = 0; from < k; from++) {
    for (let to = from + 1; to < k; to++) {
      const middle = center(from).map((value, j) => (value + center(to)[j]!) / 2);
      const square = squaredDistance(center(from), center(to));
      const isBetween = (c: number) =>
        c !== from && c !== to && squaredDistance(center(c), middle) < square / 4;
      if (square > 0 && !Array.from({ length: k }, (_, c) => c).some(isBetween))
        pairs.push({ from, to, distance: Math.sqrt(square) });
    }
  }
  const apart = ({ from, to, distance }: Pair) => distance ** 2 / (spreads[from]! + spreads[to]!);
  return pairs.sort((a, b) => apart(a) - apart(b) || a.from - b.from || a.to - b.to);
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, j) => sum + (value - b[j]!) ** 2, 0);
}

interface Line {
  /** Places along the line, 0 at the first centre. */
  readonly places: Float64Array;
  readonly weights: Float64Array;
  readonly count: number;
}

function valleyBetween(points: Points, cells: Cells, pair: Pair): number {
  const line = alongTheLine(points, cells, pair);
  const sides = [
    sideOf(line, (place) => place < pair.distance / 2),
    sideOf(line, (place) => place >= pair.distance / 2),
  ];
  // Nothing near the line on one side: there is no heap to be a piece of.
  if (sides.some(({ rows }) => rows === 0)) return 0;
  // Silverman's rule for each side, the wider of the two for both alike; never so narrow that it tells the steps of
  // counts apart: columns that repeat each other have gaps there whatever their cells are filled with.
  const silverman = 0.9 * Math.max(...sides.map(({ rows, deviation }) => deviation * rows ** -0.2));
  const bandwidth = Math.max(silverman, tieWidthAlong(points, cells, pair) / 2);
  const density = densityOn(line, { distance: pair.distance, bandwidth });
  const middle = (GRID - 1) / 2;
  let left = 0;
  for (let g = 0; g <= middle; g++) if (density[g]! > density[left]!) left = g;
  let right = GRID - 1;
  for (let g = GRID - 1; g >= middle; g--) if (density[g]! > density[right]!) right = g;
  const lowest = density.subarray(left, right + 1).reduce((low, value) => Math.min(low, value), Infinity);
  const peak = Math.min(density[left]!, density[right]!);
  return peak > 0 ? lowest / peak : 0;
}

/** How far apart along the line points come to lie that differ by a step in every column. */
function tieWidthAlong(
  { columns, tieWidths }: Points,
  { centers }: Cells,
  { from, to, distance }: Pair,
): number {
  return tieWidths.reduce((width, own, j) => {
    const slope = (centers[to * columns + j]! - centers[from * columns + j]!) / distance;
    return width + Math.abs(slope) * own;
  }, 0);
}

function alongTheLine({ rows, columns, values }: Points, { centers, spreads }: Cells, pair: Pair): Line {
  const { from, to, distance } = pair;
  const start = centers.subarray(from * columns, (from + 1) * columns);
  const axis = start.map((value, j) => (centers[to * columns + j]! - value) / distance);
  const variance = (TUBE_WIDTH ** 2 * (spreads[from]! + spreads[to]!)) / 2;
  const places = new Float64Array(rows);
  const weights = new Float64Array(rows);
  let count = 0;
  for (let i = 0; i < rows; i++) {
    let place = 0;
    let square = 0;
    for (let j = 0; j < columns; j++) {
      const difference = values[i * columns + j]! - start[j]!;
      place += difference * axis[j]!;
      square += difference * difference;
    }
    if (place < -distance || place > 2 * distance) continue;
    const beside = Math.max(0, square - place * place);
    const weight = variance > 0 ? Math.exp(-beside / (2 * variance)) : 1;
    if (weight < LEAST_WEIGHT) continue;
    places[count] = place;
    weights[count++] = weight;
  }
  return { places, weights, count };
}

/** How many rows one side is worth (Kish's effective size), and how far they spread. */
function sideOf({ places, weights, count }: Line, isOn: (place: number) => boolean) {
  let total = 0;
  let squares = 0;
  let mean = 0;
  for (let i = 0; i < count; i++) {
    if (!isOn(places[i]!)) continue;
    total += weights[i]!;
    squares += weights[i]! ** 2;
    mean += weights[i]! * places[i]!;
  }
  if (total === 0) return { rows: 0, deviation: 0 };
  mean /= total;
  let spread = 0;
  for (let i = 0; i < count; i++) if (isOn(places[i]!)) spread += weights[i]! * (places[i]! - mean) ** 2;
  return { rows: total ** 2 / squares, deviation: Math.sqrt(spread / total) };
}

/** Kernel density at the grid's places, from half a distance before the first centre to half beyond the other. */
function densityOn(
  { places, weights, count }: Line,
  { distance, bandwidth }: { distance: number; bandwidth: number },
): Float64Array {
  const density = new Float64Array(GRID);
  const first = -BEYOND * distance;
  const step = ((1 + 2 * BEYOND) * distance) / (GRID - 1);
  // Rows that all lie on their centres have no spread of their own.
  const width = Math.max(bandwidth, step / 2);
  for (let i = 0; i < count; i++) {
    const at = (places[i]! - first) / step;
    const low = Math.max(0, Math.ceil(at - (REACH * width) / step));
    const high = Math.min(GRID - 1, Math.floor(at + (REACH * width) / step));
    for (let g = low; g <= high; g++) {
      const z = ((g - at) * step) / width;
      density[g]! += weights[i]! * Math.exp((-z * z) / 2);
    }
  }
  return density;
}
