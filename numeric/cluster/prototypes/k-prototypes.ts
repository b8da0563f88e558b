import { marginOf } from '../../kernels/margin.mjs';
import { nextTurn } from '../../kernels/turn.ts';
import { columnOf, type Matrix } from '../../matrix.ts';
import { createRandom } from '../../random/random.ts';
import { moments } from '../../statistics/moments.ts';
import type { Algorithm, Description, FitContext, Fitted } from '../algorithm.ts';
import { type Assignment, MAX_CLUSTERS, MAX_COLUMNS } from '../assign.ts';
import { fitSample } from '../mixture/fit-sample.ts';
import { checkFinite, rowBlocks, toRowMajor } from '../mixture/row-major.ts';
import { type MixedColumns, mixedColumns, nearestPrototypes, numbersFirst } from './mixed-rows.ts';
import { categoriesOf, type Descent, descend } from './prototype-descent.ts';
import { drawPrototypes } from './prototype-starts.ts';

export interface KPrototypesParameters {
  /** Number of clusters, 1 to 64. */
  readonly nClusters: number;
  /** Indices of the columns that hold integer codes of a category; the others are numbers. */
  readonly categorical: readonly number[];
  /**
   * What a different category costs, in squared units of the numbers; more than 0. null = half the mean standard
   * deviation of the numbers (kmodes' rule), or 1 when no number varies.
   */
  readonly gamma: number | null;
  readonly nInit: number;
  readonly maxIter: number;
  /** Fits on at most so many rows; the others are assigned. */
  readonly sampleRows: number;
}

export interface KPrototypesModel {
  /** As used: gamma is a number. */
  readonly parameters: KPrototypesParameters & { readonly gamma: number };
  /** Shape (clusters, columns): means of the numbers, modes of the categories; the largest cluster first. */
  readonly prototypes: readonly (readonly number[])[];
  readonly converged: boolean;
  readonly criteria: Readonly<Record<string, number>>;
}

const DEFAULTS: KPrototypesParameters = {
  nClusters: 4,
  categorical: [],
  gamma: null,
  nInit: 10,
  maxIter: 100,
  sampleRows: 20_000,
};

/** Single precision holds all integers up to here. */
const LARGEST_CODE = 2 ** 24;
/** Three roots and a division, in multiplications. */
const OPERATIONS_PER_MARGIN = 20;

/**
 * k-prototypes: clusters of rows with numbers and categories, each around means and modes.
 *
 * fit: the best of several greedy starts by Σ (x - c)² + gamma * (categories that differ), descended in batches;
 * a prototype that is nearest to no row is left out. assign: distance = square root of that cost, margin =
 * (d2 - d1) / d2; a code that the fit has not seen differs from every mode. describe: centers = prototypes, with codes
 * in the category columns; criteria: cost = sum over all the rows given to fit, iterations.
 *
 * O(rows * k * columns) per iteration and start. Source: Huang (1998), Extensions to the k-Means Algorithm for
 * Clustering Large Data Sets with Categorical Values. Same objective as kmodes' KPrototypes; a local optimum, as there.
 */
export const kPrototypes: Algorithm<KPrototypesParameters, KPrototypesModel> = {
  name: 'k-prototypes',
  takesClusters: true,
  defaults: DEFAULTS,
  fit,
  assign,
  describe: ({ parameters, prototypes, criteria }): Description => ({
    algorithm: 'k-prototypes',
    nClusters: prototypes.length,
    parameters: { ...parameters, categorical: parameters.categorical.join(',') },
    centers: prototypes,
    criteria,
  }),
};

async function fit(
  X: Matrix,
  given: Partial<KPrototypesParameters>,
  context: FitContext,
): Promise<Fitted<KPrototypesModel>> {
  const { seed, signal } = context;
  const asked = { ...DEFAULTS, ...given };
  checkParameters(X, asked);
  await checkFinite(X);
  checkCodes(X, asked.categorical);
  const sample = await fitSample(X, { ...asked, seed });
  const gamma = asked.gamma ?? defaultGamma(X, asked.categorical);
  const mixed = mixedColumns(X.columns, asked.categorical, gamma);
  const best = await bestDescent(await numbersFirst(sample, mixed), { ...asked, mixed }, context);
  const { prototypes, labels, cost } = await assignedLargestFirst(
    await numbersFirst(X, mixed),
    best.prototypes,
    { mixed, signal },
  );
  return {
    model: {
      parameters: { ...asked, gamma },
      prototypes: prototypes.map((values) => mixed.order.map((_, j) => values[mixed.order.indexOf(j)]!)),
      converged: best.converged,
      criteria: { cost, iterations: best.iterations },
    },
    labels,
    fittedOn: { rows: sample.rows, of: X.rows },
  };
}

async function assign(
  X: Matrix,
  { parameters, prototypes }: KPrototypesModel,
  { signal }: Pick<FitContext, 'signal'>,
): Promise<Assignment> {
  const columns = prototypes[0]!.length;
  if (X.columns !== columns)
    throw new RangeError(`the prototypes have ${columns} columns, found rows of ${X.columns}`);
  await checkFinite(X);
  checkCodes(X, parameters.categorical);
  const mixed = mixedColumns(columns, parameters.categorical, parameters.gamma);
  const flat = Float64Array.from(prototypes.flatMap((values) => mixed.order.map((j) => values[j]!)));
  const { labels, costs, seconds } = await nearestPrototypes(await numbersFirst(X, mixed), flat, {
    mixed,
    signal,
  });
  const distance = new Float32Array(X.rows);
  const margin = new Float32Array(X.rows);
  for (const [from, to] of rowBlocks(X.rows, OPERATIONS_PER_MARGIN)) {
    for (let i = from; i < to; i++) {
      distance[i] = Math.sqrt(costs[i]!);
      margin[i] = marginOf(costs[i]!, seconds[i]!);
    }
    await nextTurn();
  }
  return { labels, distance, margin };
}

function defaultGamma(X: Matrix, categorical: readonly number[]): number {
  const numbers = Array.from({ length: X.columns }, (_, j) => j).filter((j) => !categorical.includes(j));
  const sum = numbers.reduce((total, j) => total + moments(columnOf(X, j)).deviation, 0);
  return sum === 0 ? 1 : sum / numbers.length / 2;
}

/** @param sample numbers first */
async function bestDescent(
  sample: Matrix,
  { nClusters, nInit, maxIter, mixed }: KPrototypesParameters & { mixed: MixedColumns },
  { seed, signal, onProgress }: FitContext,
): Promise<Descent> {
  const data = await toRowMajor(sample);
  const categories = categoriesOf(data, mixed);
  const of = nInit * maxIter;
  let best: Descent | undefined;
  for (let start = 0; start < nInit; start++) {
    const random = createRandom(seed).fork('start').fork(start);
    const drawn = await drawPrototypes(data, { k: nClusters, mixed, random, signal });
    const onIteration = (done: number) => onProgress?.(start * maxIter + done, of);
    const found = await descend(data, drawn, { mixed, categories, maxIter, signal, onIteration });
    if (best === undefined || found.cost < best.cost) best = found;
  }
  onProgress?.(of, of);
  return best!;
}

/**
 * Prototypes that have rows, the largest cluster first, equal ones by their values: which start won does not show.
 *
 * @param X numbers first
 */
async function assignedLargestFirst(
  X: Matrix,
  found: Float64Array,
  options: { mixed: MixedColumns; signal: AbortSignal | undefined },
): Promise<{ prototypes: number[][]; labels: Uint8Array; cost: number }> {
  const { columns } = X;
  let prototypes = found;
  for (let turn = 0; ; turn++) {
    const { labels, costs } = await nearestPrototypes(X, prototypes, options);
    const sizes = new Uint32Array(prototypes.length / columns);
    for (const label of labels) sizes[label]! += 1;
    const rows = Array.from(sizes, (_, c) => Array.from(prototypes.subarray(c * columns, (c + 1) * columns)));
    const order = Array.from(sizes.keys())
      .filter((c) => sizes[c]! > 0)
      .sort((a, b) => sizes[b]! - sizes[a]! || compareRows(rows[a]!, rows[b]!));
    const isInOrder = order.length === sizes.length && order.every((c, place) => c === place);
    if (isInOrder || turn === 2 * MAX_CLUSTERS)
      return { prototypes: rows, labels, cost: costs.reduce((sum, own) => sum + own, 0) };
    // Assigned again, not renumbered: of prototypes that are equally near, as is common among categories, the first
    // takes the row, which may leave the last of them without any.
    prototypes = Float64Array.from(order.flatMap((c) => rows[c]!));
  }
}

function compareRows(a: readonly number[], b: readonly number[]): number {
  const j = a.findIndex((value, at) => value !== b[at]);
  return j < 0 ? 0 : a[j]! - b[j]!;
}

/** Categories must be codes, lest a number is taken for one. */
function checkCodes(X: Matrix, categorical: readonly number[]): void {
  for (const j of categorical) {
    const row = columnOf(X, j).findIndex((code) => !Number.isInteger(code) || Math.abs(code) > LARGEST_CODE);
    if (row >= 0)
      throw new RangeError(
        `category column ${j} needs integer codes, found ${X.data[j * X.rows + row]} in row ${row}`,
      );
  }
}

function checkParameters(X: Matrix, parameters: KPrototypesParameters): void {
  const { nClusters, categorical, gamma, nInit, maxIter, sampleRows } = parameters;
  if (!Number.isInteger(nClusters) || nClusters < 1 || nClusters > MAX_CLUSTERS)
    throw new RangeError(`k-prototypes needs 1 to ${MAX_CLUSTERS} clusters, found ${nClusters}`);
  if (X.rows < nClusters)
    throw new RangeError(`${nClusters} clusters need at least ${nClusters} rows, found ${X.rows}`);
  if (X.columns > MAX_COLUMNS)
    throw new RangeError(`k-prototypes takes at most ${MAX_COLUMNS} columns, found ${X.columns}`);
  const isColumn = (j: number) => Number.isInteger(j) && j >= 0 && j < X.columns;
  if (!categorical.every(isColumn) || new Set(categorical).size < categorical.length) {
    throw new RangeError(
      `categorical needs different columns from 0 to ${X.columns - 1}, found ${categorical.join(', ')}`,
    );
  }
  if (gamma !== null && !(gamma > 0 && gamma < Infinity))
    throw new RangeError(`gamma needs to be more than 0, found ${gamma}`);
  for (const [name, count] of Object.entries({ nInit, maxIter })) {
    if (!Number.isInteger(count) || count < 1)
      throw new RangeError(`${name} needs to be at least 1, found ${count}`);
  }
  if (!Number.isInteger(sampleRows) || sampleRows < nClusters)
    throw new RangeError(`sampleRows needs to be at least the ${nClusters} clusters, found ${sampleRows}`);
}
