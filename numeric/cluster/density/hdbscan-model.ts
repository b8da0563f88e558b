import { nextTurn } from '../../kernels/turn.ts';
import type { Matrix } from '../../matrix.ts';
import { type Description, NOISE } from '../algorithm.ts';
import type { Assignment } from '../assign.ts';
import { type Points, readPoints } from '../hierarchy/points.ts';
import { buildNeighbourTree, nearestRows, type Search, searchNear } from './neighbour-tree.ts';
import { blockOf, type WorkOptions } from './reachability-tree.ts';
import { strengthAt } from './select-clusters.ts';

export interface DensityCluster {
  /** Mean of its rows, of all those given to `fit`. */
  readonly center: readonly number[];
  readonly rows: number;
  /** Distance within which a row belongs to it: where it parts from the other clusters. */
  readonly reach: number;
  /** Distance at which a membership has full strength. */
  readonly fullStrength: number;
  /** In [0, 1]: see DensityClusters. */
  readonly persistence: number;
}

/**
 * The sampled rows with what is known of each: about (columns + 3) numbers of ten digits a row, some 600 kB as
 * JSON for 4,000 rows of 12 columns.
 */
export interface HdbscanModel {
  readonly parameters: Description['parameters'];
  /** Rows whose nearness makes a dense place: of `parameters`, as a number. */
  readonly minSamples: number;
  /** The largest first. */
  readonly clusters: readonly DensityCluster[];
  /** Shape (sampled rows, columns), in digits enough for single precision. */
  readonly points: readonly (readonly number[])[];
  /** Per sampled row: index of its cluster, or NOISE. */
  readonly labels: readonly number[];
  readonly coreDistances: readonly number[];
  /** Distance at which the row leaves its cluster. */
  readonly rowDistances: readonly number[];
  readonly criteria: Readonly<Record<string, number>>;
}

/**
 * Rows -> the cluster of the sampled row at the least mutual reachability distance, the nearer one of equals;
 * NOISE when that row is noise, or lies beyond the reach of its cluster.
 *
 * @returns distance: the mutual reachability distance, NaN when the model has no cluster; margin: the strength of
 *   the membership, 0 for noise. A sampled row gets its own label and strength again.
 * @throws RangeError when the columns are not those of the fit, or a value is not finite
 *
 * O(rows * sampled rows * columns) at worst, far less in few columns: with 4,000 sampled rows a million rows take
 * some 20 s in 3 columns and minutes in 12.
 */
export async function assignByDensity(
  X: Matrix,
  model: HdbscanModel,
  { signal, onProgress }: WorkOptions = {},
): Promise<Assignment> {
  const nearest = sampledRows(model);
  const rows = model.points.length;
  const columns = model.points[0]!.length;
  if (X.columns !== columns)
    throw new RangeError(`assigning needs rows of ${columns} columns, found ${X.columns}`);
  const labels = new Uint8Array(X.rows).fill(NOISE);
  const distance = new Float32Array(X.rows).fill(NaN);
  const margin = new Float32Array(X.rows);
  const block = blockOf(rows, columns);
  for (let from = 0; from < X.rows; from += block) {
    const some = Int32Array.from({ length: Math.min(block, X.rows - from) }, (_, i) => from + i);
    const { values } = readPoints(X, some);
    for (const row of model.clusters.length > 0 ? some : []) {
      const { sampled, mutual } = nearest(values, (row - from) * columns);
      distance[row] = mutual;
      const label = model.labels[sampled]!;
      if (label === NOISE || mutual > model.clusters[label]!.reach) continue;
      labels[row] = label;
      // No row is a firmer member than the one through which it belongs.
      const leaves = Math.max(mutual, model.rowDistances[sampled]!);
      margin[row] = strengthAt(leaves, model.clusters[label]!.fullStrength);
    }
    onProgress?.(from + some.length, X.rows);
    await nextTurn();
    signal?.throwIfAborted();
  }
  return { labels, distance, margin };
}

interface Nearest {
  readonly sampled: number;
  /** Mutual reachability distance. */
  readonly mutual: number;
  readonly distance: number;
}

/** The sampled rows of a model, ready to be searched for the one at the least mutual reachability distance. */
function sampledRows(model: HdbscanModel): (values: Float64Array, at: number) => Nearest {
  const rows = model.points.length;
  // The matrix holds single precision: a sampled row that comes again has to be at distance 0.
  const values = Float64Array.from(model.points.flat(), Math.fround);
  const tree = buildNeighbourTree({ rows, columns: values.length / rows, values });
  const nearest = nearestRows(model.minSamples);
  const least = leastReachability(Float64Array.from(model.coreDistances));
  return (row, at) => {
    nearest.reset();
    searchNear(tree, { values: row, at }, nearest);
    const own = nearest.limit;
    least.reset(own);
    nearest.rows.forEach((near, i) => {
      least.visit(near, nearest.distances[i]!);
    });
    // None can be less than the row's own core distance, and those as far as that are not all among the nearest.
    const isLeast = least.found.mutual === own && least.found.distance < own;
    if (!isLeast) searchNear(tree, { values: row, at }, least);
    return least.found;
  };
}

/** Looks for the least mutual reachability distance; the nearer one of equals, then the first. */
function leastReachability(core: Float64Array): Search & { found: Nearest; reset(own: number): void } {
  let ownCore = 0;
  const search = {
    limit: Infinity,
    found: { sampled: 0, mutual: Infinity, distance: Infinity },
    reset(own: number) {
      ownCore = own;
      search.limit = Infinity;
      search.found = { sampled: 0, mutual: Infinity, distance: Infinity };
    },
    visit(row: number, distance: number) {
      const { found } = search;
      const mutual = Math.max(ownCore, core[row]!, distance);
      const order = mutual - found.mutual || distance - found.distance || row - found.sampled;
      if (!(order < 0)) return;
      search.found = { sampled: row, mutual, distance };
      search.limit = mutual > ownCore ? mutual : distance;
    },
  };
  return search;
}

/** Values in digits enough for single precision: half as many as a double needs. */
export function inSinglePrecision({ rows, columns, values }: Points): number[][] {
  return Array.from({ length: rows }, (_, i) =>
    Array.from(values.subarray(i * columns, (i + 1) * columns), (value) => Number(value.toPrecision(9))),
  );
}

export function describeDensity(algorithm: string, model: HdbscanModel): Description {
  return {
    algorithm,
    nClusters: model.clusters.length,
    parameters: model.parameters,
    centers: model.clusters.map(({ center }) => center),
    criteria: model.criteria,
  };
}
