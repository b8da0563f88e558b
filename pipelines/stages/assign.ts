import { assignNearest, nearestCenter } from '../../numeric/cluster/assign.ts';
import type { KernelPool, RunOptions } from '../../numeric/kernels/pool.ts';
import { nextTurn } from '../../numeric/kernels/turn.ts';
import { columnOf, createMatrix } from '../../numeric/matrix.ts';
import { PipelineError } from '../contracts/errors.ts';
import { createFeatureReader, nullRulesOf, transformed } from './assign-features.ts';
import { derivedFor } from './derive-tree.ts';
import { type Columns, deriveColumnsInTurns, type FeatureColumns } from './features.ts';
import { type ConfidenceTable, centersOf, type Model } from './model.ts';
import type { FittedColumn } from './transform.ts';

// New customers under a fitted model: its own transforms and centres, nothing refitted. In a batch and one at
// a time give the same bits. A missing (NaN) or infinite figure counts as
// what its null rule says, else 0, as in the fit.

/** The label of a customer who gets no cluster, since they stand too near to a border. */
export const ABSTAINED = 255;

/** About 20 ms of transforming, or of judging. */
const BLOCK_ROWS = 1 << 17;

export interface CustomerAssignment {
  /** Null: the customer stands too near to a border for the definition to say. */
  cluster: number | null;
  /** Euclidean, from the nearest centre, on the scale of the transformed features. */
  distance: number;
  /** (d2 - d1) / d2 for the nearest and second nearest centre, in [0, 1]. */
  margin: number;
  /** Share of bootstrap refits that gave customers of that margin the same cluster; null: not measured. */
  confidence: number | null;
  /** Whether the customer is unlike any segment; null: the model did not learn how far its clusters reach. */
  isNovel: boolean | null;
}

/** As {@link CustomerAssignment}, a value per customer. */
export interface CustomerAssignments {
  /** ABSTAINED where there is none. */
  clusters: Uint8Array;
  distance: Float32Array;
  margin: Float32Array;
  confidence: Float64Array | null;
  /** 1 = novel. */
  isNovel: Uint8Array | null;
  /** Features that were missing or infinite for some customers, and what was taken there. */
  replaced: FeatureColumns['replaced'];
}

export type AssignmentOptions = Pick<Model['assignment'], 'abstainBelowMargin' | 'abstainBelowConfidence'>;

/** @param features by name: the clustered ones, or the aggregates that they are derived from */
export type Assigner = (features: Readonly<Record<string, number>>) => CustomerAssignment;

/**
 * Assigns customers one at a time, at once and without threads; a call takes about a microsecond.
 *
 * @param options what the model says when not given
 * @throws PipelineError FEATURE_INVALID, here when an expression of the model cannot be read; from the
 *   assigner when a feature is missing, or a value is one that a transform cannot take
 */
export function createAssigner(model: Model, options: AssignmentOptions = model.assignment): Assigner {
  const read = createFeatureReader(model);
  const centers = centersOf(model);
  const judge = createJudge(model, options);
  return (features) => {
    const { label, distance, margin } = nearest(read(features), centers);
    const confidence = judge.confidence(margin);
    return {
      cluster: judge.abstains(margin, confidence) ? null : label,
      distance,
      margin,
      confidence,
      isNovel: judge.isNovel(label, distance),
    };
  };
}

/** One customer; for more than a few, compile once with {@link createAssigner}. */
export function assignCustomer(
  model: Model,
  features: Readonly<Record<string, number>>,
  options?: AssignmentOptions,
): CustomerAssignment {
  return createAssigner(model, options)(features);
}

/**
 * Assigns a batch of customers on the pool's threads.
 *
 * @param columns features by name, shape (n,) each: the clustered ones, or the aggregates they are derived from
 * @param options what the model says when not given; a signal and progress as for the kernels
 * @throws PipelineError FEATURE_INVALID when a feature is missing or without one finite value, when columns
 *   differ in length, or a transform cannot take a value; the signal's reason when aborted
 *
 * O(n * d * k); transforms run on the caller's thread, a column at a time.
 */
export async function assignCustomers(
  pool: KernelPool,
  model: Model,
  columns: Columns,
  options: RunOptions & Partial<AssignmentOptions> = {},
): Promise<CustomerAssignments> {
  const judge = createJudge(model, { ...model.assignment, ...definedOnly(options) });
  const { values, replaced } = await neededFeatures(model, columns);
  const rows = values[0]!.length;
  if (rows === 0) return { ...(await judgeAll(judge, noRows())), replaced };
  const matrix = createMatrix(rows, values.length);
  for (const [j, column] of model.transforms.entries()) {
    for (let first = 0; first < rows; first += BLOCK_ROWS) {
      transformInto(columnOf(matrix, j), values[j]!, { column, first });
      await nextTurn();
      options.signal?.throwIfAborted();
    }
  }
  const found = await assignNearest(pool, matrix, centersOf(model), options);
  return { ...(await judgeAll(judge, found)), replaced };
}

/** Confidence at a margin: straight lines between the table's points, level outside them. */
export function confidenceAt({ margins, shares }: ConfidenceTable, margin: number): number {
  let above = 0;
  while (above < margins.length && margin > margins[above]!) above++;
  if (above === 0) return shares[0]!;
  if (above === margins.length) return shares[above - 1]!;
  const [low, high] = [shares[above - 1]!, shares[above]!];
  const [from, to] = [margins[above - 1]!, margins[above]!];
  return low + ((high - low) * (margin - from)) / (to - from);
}

function transformInto(
  into: Float32Array,
  values: Float64Array,
  { column, first }: { column: FittedColumn; first: number },
): void {
  const end = Math.min(first + BLOCK_ROWS, values.length);
  for (let row = first; row < end; row++) into[row] = transformed(values[row]!, column);
}

interface Judge {
  hasConfidence: boolean;
  hasReaches: boolean;
  confidence(margin: number): number | null;
  abstains(margin: number, confidence: number | null): boolean;
  isNovel(label: number, distance: number): boolean | null;
}

function createJudge({ confidence, reaches }: Model, options: AssignmentOptions): Judge {
  const { abstainBelowMargin, abstainBelowConfidence } = options;
  return {
    hasConfidence: confidence !== null,
    hasReaches: reaches !== null,
    confidence: (margin) => (confidence === null ? null : confidenceAt(confidence, margin)),
    abstains: (margin, share) =>
      margin < abstainBelowMargin || (share !== null && share < abstainBelowConfidence),
    isNovel: (label, distance) => (reaches === null ? null : distance > reaches[label]!),
  };
}

type Found = Pick<Awaited<ReturnType<typeof assignNearest>>, 'labels' | 'distance' | 'margin'>;

async function judgeAll(
  judge: Judge,
  { labels, distance, margin }: Found,
): Promise<Omit<CustomerAssignments, 'replaced'>> {
  const rows = labels.length;
  const clusters = new Uint8Array(rows);
  const confidence = judge.hasConfidence ? new Float64Array(rows) : null;
  const isNovel = judge.hasReaches ? new Uint8Array(rows) : null;
  for (let row = 0; row < rows; row++) {
    const label = labels[row]!;
    const share = judge.confidence(margin[row]!);
    clusters[row] = judge.abstains(margin[row]!, share) ? ABSTAINED : label;
    if (confidence) confidence[row] = share!;
    if (isNovel) isNovel[row] = judge.isNovel(label, distance[row]!) ? 1 : 0;
    if ((row + 1) % BLOCK_ROWS === 0) await nextTurn();
  }
  return { clusters, distance, margin, confidence, isNovel };
}

async function neededFeatures(
  model: Model,
  columns: Columns,
): Promise<{ values: Float64Array[]; replaced: FeatureColumns['replaced'] }> {
  const derived = derivedFor(model, new Set(Object.keys(columns)));
  const made = new Set(derived.map(({ name }) => name));
  const wanted = [
    ...new Set([...derived.flatMap(({ inputs }) => inputs), ...model.transforms.map((t) => t.feature)]),
  ].filter((name) => !made.has(name));
  const given: Columns = {};
  for (const name of wanted) given[name] = columnNamed(columns, name);
  checkLengths(given);
  await nextTurn();
  const about = { unit: '', why: '' };
  const settings = derived.map(({ name, expression }) => ({ name, expression, ...about }));
  const filled = await deriveColumnsInTurns(given, settings, { whenMissing: nullRulesOf(model) });
  return { values: model.transforms.map((t) => filled.columns[t.feature]!), replaced: filled.replaced };
}

function columnNamed(columns: Columns, name: string): Float64Array {
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
  if (column) return column;
  const found = Object.keys(columns).join(', ') || 'none';
  throw new PipelineError('FEATURE_INVALID', `the model needs feature ${name}, found ${found}`, {
    feature: name,
  });
}

function checkLengths(columns: Columns): void {
  const [first, ...others] = Object.entries(columns);
  const odd = others.find(([, values]) => values.length !== first![1].length);
  if (!odd) return;
  throw new PipelineError(
    'FEATURE_INVALID',
    `feature ${odd[0]} needs ${first![1].length} values as ${first![0]} has, found ${odd[1].length}`,
    { feature: odd[0] },
  );
}

function nearest(row: Float32Array, centers: Float64Array) {
  try {
    return nearestCenter(row, centers);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const message = `the customer's transformed features need to be finite and within reach: ${cause.message}`;
    throw new PipelineError('FEATURE_INVALID', message, {}, { cause });
  }
}

function noRows(): Found {
  return { labels: new Uint8Array(0), distance: new Float32Array(0), margin: new Float32Array(0) };
}

function definedOnly({ abstainBelowMargin, abstainBelowConfidence }: Partial<AssignmentOptions>) {
  return {
    ...(abstainBelowMargin !== undefined && { abstainBelowMargin }),
    ...(abstainBelowConfidence !== undefined && { abstainBelowConfidence }),
  };
}
