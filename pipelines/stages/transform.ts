import { atOnce, inTurns } from '../../numeric/kernels/turn.ts';
import { columnOf, createMatrix, type Matrix } from '../../numeric/matrix.ts';
import { applyTransform, type FittedTransform, fitTransform } from '../../numeric/statistics/transforms.ts';
import type { FeatureSettings } from '../contracts/definition.ts';
import { PipelineError } from '../contracts/errors.ts';
import type { Columns } from './features.ts';

/** One column of the matrix: a feature and what was learnt for it, in the order it is applied. Plain JSON. */
export interface FittedColumn {
  feature: string;
  steps: FittedTransform[];
}

export type FittedTransforms = FittedColumn[];

/** Yeo-Johnson's likelihood takes a power per value and pass; its estimate does not need a million of them. */
const YEO_JOHNSON_ROWS = 50_000;

/**
 * Learns the transforms of every clustered feature, each step on what the steps before it made.
 *
 * A constant column keeps its scale and becomes all 0 by `standard` and `robust`, so that it adds nothing to
 * any distance.
 *
 * @param columns finite features, shape (n,) each, n >= 1
 * @throws PipelineError FEATURE_INVALID naming the feature and the transform that cannot take its values
 */
export function fitTransforms(columns: Columns, settings: FeatureSettings['cluster']): FittedTransforms {
  return atOnce(fitting(columns, settings)).transforms;
}

/**
 * {@link fitTransforms} and {@link applyTransforms} to the same columns, each step made once: the same bits, with a turn
 * of the event loop after each step, at which `onTurn` may throw.
 */
export function fitAndApplyInTurns(
  columns: Columns,
  settings: FeatureSettings['cluster'],
  onTurn?: () => void,
): Promise<{ transforms: FittedTransforms; matrix: Matrix }> {
  return inTurns(fitting(columns, settings), onTurn);
}

function* fitting(
  columns: Columns,
  settings: FeatureSettings['cluster'],
): Generator<void, { transforms: FittedTransforms; matrix: Matrix }> {
  const transforms: FittedTransforms = [];
  const rows = settings[0] ? columnNamed(columns, settings[0].feature).length : 0;
  const matrix = createMatrix(rows, settings.length);
  for (const [j, { feature, transforms: kinds }] of settings.entries()) {
    let values = columnNamed(columns, feature);
    const steps: FittedTransform[] = [];
    for (const kind of kinds) {
      const step = guarded({ feature, kind }, () =>
        fitTransform(kind, kind === 'yeo-johnson' ? everyFew(values) : values),
      );
      yield;
      values = guarded({ feature, kind }, () => applyTransform(step, values));
      steps.push(step);
      yield;
    }
    columnOf(matrix, j).set(values);
    transforms.push({ feature, steps });
  }
  return { transforms, matrix };
}

/**
 * The matrix to cluster or to assign, column-major and in single precision. Nothing is fitted here: new
 * customers are measured by the model's own scale.
 *
 * @throws PipelineError FEATURE_INVALID when a feature is missing or a fitted step cannot take its values
 */
export function applyTransforms(columns: Columns, fitted: FittedTransforms): Matrix {
  return atOnce(applying(columns, fitted));
}

/** {@link applyTransforms} with a turn of the event loop after each step, at which `onTurn` may throw; the same bits. */
export function applyTransformsInTurns(
  columns: Columns,
  fitted: FittedTransforms,
  onTurn?: () => void,
): Promise<Matrix> {
  return inTurns(applying(columns, fitted), onTurn);
}

function* applying(columns: Columns, fitted: FittedTransforms): Generator<void, Matrix> {
  const rows = fitted[0] ? columnNamed(columns, fitted[0].feature).length : 0;
  const matrix = createMatrix(rows, fitted.length);
  for (const [j, column] of fitted.entries()) {
    columnOf(matrix, j).set(yield* transforming(columns, column));
  }
  return matrix;
}

/** The row of one customer, shape (d,): bit for bit what {@link applyTransforms} gives in a batch. */
export function applyTransformsToOne(
  features: Readonly<Record<string, number>>,
  fitted: FittedTransforms,
): Float32Array {
  const columns = Object.fromEntries(
    Object.entries(features).map(([feature, value]) => [feature, Float64Array.of(value)]),
  );
  return Float32Array.from(fitted, (column) => atOnce(transforming(columns, column))[0]!);
}

function* transforming(columns: Columns, { feature, steps }: FittedColumn): Generator<void, Float64Array> {
  let values = columnNamed(columns, feature);
  for (const step of steps) {
    values = guarded({ feature, kind: step.kind }, () => applyTransform(step, values));
    yield;
  }
  return values;
}

function columnNamed(columns: Columns, feature: string): Float64Array {
  const values = columns[feature];
  if (values) return values;
  throw new PipelineError(
    'FEATURE_INVALID',
    `the model needs feature ${feature}, found ${Object.keys(columns).join(', ')}`,
    { feature },
  );
}

function guarded<T>({ feature, kind }: { feature: string; kind: string }, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new PipelineError(
      'FEATURE_INVALID',
      `feature ${feature}, transform ${kind}: ${cause.message}`,
      { feature, transform: kind },
      { cause },
    );
  }
}

function everyFew(values: Float64Array): Float64Array {
  const step = Math.ceil(values.length / YEO_JOHNSON_ROWS);
  return step === 1 ? values : values.filter((_, row) => row % step === 0);
}
