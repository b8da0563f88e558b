import { nextTurn } from '../../kernels/turn.ts';
import { type RowMajor, rowBlocks } from '../mixture/row-major.ts';
import { emptyNearest, findNearest, type MixedColumns, type NearestPrototypes } from './mixed-rows.ts';

export interface Descent {
  /** Row-major, k * columns: means of the numbers, modes of the categories. */
  readonly prototypes: Float64Array;
  /** Of all rows under the prototypes. */
  readonly cost: number;
  readonly iterations: number;
  /** False when the iterations were used up. */
  readonly converged: boolean;
}

export interface DescentOptions {
  readonly mixed: MixedColumns;
  readonly maxIter: number;
  readonly signal?: AbortSignal | undefined;
  readonly onIteration?: ((done: number) => void) | undefined;
}

/** The codes of the categories, so numbered that they can be counted. */
export interface Categories {
  /** Per category its codes, ascending. */
  readonly codes: readonly Float64Array[];
  /** Per category the place of each row's code among them. */
  readonly places: readonly Int32Array[];
}

/** @param data numbers first */
export function categoriesOf({ rows, columns, values }: RowMajor, { numbers }: MixedColumns): Categories {
  const codes: Float64Array[] = [];
  const places: Int32Array[] = [];
  for (let j = numbers; j < columns; j++) {
    const column = Float64Array.from({ length: rows }, (_, i) => values[i * columns + j]!);
    const own = Float64Array.from(new Set(column)).sort();
    const placeOf = new Map(Array.from(own, (code, place) => [code, place]));
    codes.push(own);
    places.push(Int32Array.from(column, (code) => placeOf.get(code)!));
  }
  return { codes, places };
}

/**
 * Assigns all rows and moves all prototypes in turn, until no row changes its cluster. A cluster that runs empty starts
 * again at the row that costs most.
 *
 * @param data numbers first
 * @param categories of the data
 *
 * O(rows * k * columns) per iteration.
 */
export async function descend(
  data: RowMajor,
  start: Float64Array,
  { categories, ...options }: DescentOptions & { categories: Categories },
): Promise<Descent> {
  const { maxIter, signal, onIteration } = options;
  const prototypes = Float64Array.from(start);
  const nearest = emptyNearest(data.rows);
  let before: Uint8Array | undefined;
  let iterations = 0;
  let converged = false;
  for (;;) {
    await assignAll(data, prototypes, { ...options, into: nearest });
    converged = before?.every((label, i) => label === nearest.labels[i]) ?? false;
    if (converged || iterations === maxIter) break;
    before = Uint8Array.from(nearest.labels);
    const sizes = fillEmpty(nearest, prototypes.length / data.columns);
    moveToMeans(data, prototypes, { ...options, labels: nearest.labels, sizes });
    await nextTurn();
    moveToModes(categories, prototypes, { ...options, labels: nearest.labels, k: sizes.length });
    await nextTurn();
    signal?.throwIfAborted();
    iterations++;
    onIteration?.(iterations);
  }
  return { prototypes, cost: nearest.costs.reduce((sum, cost) => sum + cost, 0), iterations, converged };
}

async function assignAll(
  data: RowMajor,
  prototypes: Float64Array,
  { mixed, signal, into }: DescentOptions & { into: NearestPrototypes },
): Promise<void> {
  for (const block of rowBlocks(data.rows, prototypes.length)) {
    findNearest(data, block, { mixed, prototypes, into });
    await nextTurn();
    signal?.throwIfAborted();
  }
}

/** Gives each cluster without rows the row that costs most, of a cluster that keeps another. */
function fillEmpty({ labels, costs }: NearestPrototypes, k: number): Uint32Array {
  const sizes = new Uint32Array(k);
  for (const label of labels) sizes[label]! += 1;
  for (let c = 0; c < k; c++) {
    if (sizes[c]! > 0) continue;
    let worst = -1;
    for (let i = 0; i < labels.length; i++)
      if (sizes[labels[i]!]! > 1 && (worst < 0 || costs[i]! > costs[worst]!)) worst = i;
    sizes[labels[worst]!]! -= 1;
    sizes[c] = 1;
    labels[worst] = c;
    costs[worst] = 0;
  }
  return sizes;
}

function moveToMeans(
  { rows, columns, values }: RowMajor,
  prototypes: Float64Array,
  { mixed: { numbers }, labels, sizes }: DescentOptions & { labels: Uint8Array; sizes: Uint32Array },
): void {
  const sums = new Float64Array(prototypes.length);
  for (let i = 0; i < rows; i++) {
    const cluster = labels[i]! * columns;
    for (let j = 0; j < numbers; j++) sums[cluster + j]! += values[i * columns + j]!;
  }
  for (let c = 0; c < sizes.length; c++)
    for (let j = c * columns; j < c * columns + numbers; j++) prototypes[j] = sums[j]! / sizes[c]!;
}

/** The most frequent code per cluster and category, the lowest of equally frequent ones. */
function moveToModes(
  { codes, places }: Categories,
  prototypes: Float64Array,
  { mixed: { numbers }, labels, k }: DescentOptions & { labels: Uint8Array; k: number },
): void {
  const columns = prototypes.length / k;
  codes.forEach((own, category) => {
    const place = places[category]!;
    const counts = new Uint32Array(k * own.length);
    for (let i = 0; i < place.length; i++) counts[labels[i]! * own.length + place[i]!]! += 1;
    for (let c = 0; c < k; c++) {
      const first = c * own.length;
      let mode = first;
      for (let at = first; at < first + own.length; at++) if (counts[at]! > counts[mode]!) mode = at;
      prototypes[c * columns + numbers + category] = own[mode - first]!;
    }
  });
}
