import type { Matrix } from '../matrix.ts';
import type { Description, FitContext, Fitted } from './algorithm.ts';
import { type Assignment, assignNearest } from './assign.ts';

/** The model of every algorithm whose clusters are centres: a row belongs to the nearest. */
export interface CentroidModel {
  readonly algorithm: string;
  readonly parameters: Description['parameters'];
  /** Shape (nClusters, columns), the largest cluster first. */
  readonly centers: readonly (readonly number[])[];
  /** Rows of the data given to `fit` that are nearest to each centre. */
  readonly sizes: readonly number[];
  /** `inertia` is always there: of all the rows given to `fit`, however few the centres were made from. */
  readonly criteria: Readonly<Record<string, number>>;
}

/**
 * Centres found by any means -> a model of all rows: each row goes to its nearest centre, the largest cluster
 * comes first, and a centre that no row is nearest to is left out.
 *
 * @param found.centers row-major, k * columns values, finite
 * @param found.rows the centres were made from so many rows
 */
export async function centroidModel(
  X: Matrix,
  found: {
    algorithm: string;
    parameters: CentroidModel['parameters'];
    centers: Float64Array;
    rows: number;
    criteria?: CentroidModel['criteria'];
  },
  { pool, signal }: Pick<FitContext, 'pool' | 'signal'>,
): Promise<Fitted<CentroidModel>> {
  const { algorithm, parameters, rows, criteria } = found;
  const { columns } = X;
  const { labels, inertia } = await assignNearest(pool, X, found.centers, { signal });
  const counts = new Uint32Array(found.centers.length / columns);
  for (const label of labels) counts[label]! += 1;
  const rowOf = (c: number) => Array.from(found.centers.subarray(c * columns, (c + 1) * columns));
  const order = Array.from(counts.keys())
    .filter((c) => counts[c]! > 0)
    .sort((a, b) => counts[b]! - counts[a]! || compareRows(rowOf(a), rowOf(b)));
  const place = new Uint8Array(counts.length);
  order.forEach((from, to) => {
    place[from] = to;
  });
  return {
    model: {
      algorithm,
      parameters,
      centers: order.map(rowOf),
      sizes: order.map((c) => counts[c]!),
      criteria: { ...criteria, inertia },
    },
    labels: labels.map((label) => place[label]!),
    fittedOn: { rows, of: X.rows },
  };
}

/** The nearest centre of every row. */
export async function assignToCenters(
  X: Matrix,
  { centers }: CentroidModel,
  { pool, signal }: Pick<FitContext, 'pool' | 'signal'>,
): Promise<Assignment> {
  const { labels, distance, margin } = await assignNearest(pool, X, Float64Array.from(centers.flat()), {
    signal,
  });
  return { labels, distance, margin };
}

export function describeCenters({ algorithm, parameters, centers, criteria }: CentroidModel): Description {
  return { algorithm, nClusters: centers.length, parameters, centers, criteria };
}

function compareRows(a: readonly number[], b: readonly number[]): number {
  const j = a.findIndex((value, at) => value !== b[at]);
  return j < 0 ? 0 : a[j]! - b[j]!;
}
