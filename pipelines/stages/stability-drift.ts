import { columnOf, type Matrix } from '../../numeric/matrix.ts';
import { centroidDrift, rmsRadii } from '../../numeric/movement/centroid-drift.ts';
import { type JensenShannon, jensenShannon } from '../../numeric/statistics/jensen-shannon.ts';
import { kolmogorovSmirnov } from '../../numeric/statistics/kolmogorov-smirnov.ts';
import { countsBetween, type PopulationStability, stabilityOfCounts } from '../../numeric/statistics/psi.ts';
import { sortSample } from '../../numeric/statistics/sorted-sample.ts';
import { wassersteinDistance } from '../../numeric/statistics/wasserstein.ts';
import type { Columns } from './features.ts';
import { centersOf, type FeatureReference, type Model } from './model.ts';
import type { CentroidReport, DriftReport } from './stability-report.ts';

// How far the customers have gone from those of the last publication: their figures, their mix, the centres of
// their segments. All by the last model's own measure, so that nothing of it is the new model's doing.

export interface DriftInput {
  columns: Columns;
  previous: {
    references: readonly FeatureReference[];
    /** Of the last publication; null when they cannot be compared. */
    values: Columns | null;
    labels: Uint8Array;
    segmentIds: readonly string[];
    relabelled: Uint8Array | null;
  };
}

/** PSI of every feature, with second opinions, and of the mix; pauses after each piece of work. O(n log n) each. */
export function* measureDrift({ columns, previous }: DriftInput): Generator<void, DriftReport[]> {
  const drift: DriftReport[] = [];
  for (const { feature, edges, counts } of previous.references) {
    const values = columns[feature];
    if (!values) continue;
    const psi = stabilityOfCounts(counts, countsBetween(values, edges));
    yield;
    const before = previous.values?.[feature];
    const opinions = before ? yield* compareValues(before, values) : NO_OPINIONS;
    drift.push({ subject: feature, psi, ...opinions, jensenShannon: null });
  }
  // By the last model on both sides: a segment that the new one split is no shift of the customers.
  const mix = previous.relabelled && measureMix({ ...previous, relabelled: previous.relabelled });
  if (mix) drift.push({ subject: '', ...NO_OPINIONS, ...mix });
  return drift;
}

const NO_OPINIONS = { wasserstein: null, kolmogorovSmirnov: null };

function* compareValues(
  before: Float64Array,
  now: Float64Array,
): Generator<void, Pick<DriftReport, 'wasserstein' | 'kolmogorovSmirnov'>> {
  const reference = sortSample(before);
  yield;
  const current = sortSample(now);
  yield;
  const { standardised, ...distance } = wassersteinDistance(reference, current);
  return {
    wasserstein: { ...distance, standardised: finite(standardised) },
    kolmogorovSmirnov: kolmogorovSmirnov(reference, current),
  };
}

function measureMix(previous: DriftInput['previous'] & { relabelled: Uint8Array }): {
  psi: PopulationStability;
  jensenShannon: JensenShannon;
} {
  const k = previous.segmentIds.length;
  const before = countLabels(previous.labels, k);
  const now = countLabels(previous.relabelled, k);
  return { psi: stabilityOfCounts(before, now), jensenShannon: jensenShannon(before, now) };
}

/** Customers with each label below k. */
export function countLabels(labels: Uint8Array, k: number): Float64Array {
  const counts = new Float64Array(k);
  for (let row = 0; row < labels.length; row++) counts[labels[row]!]!++;
  return counts;
}

export interface FrozenScale {
  model: Pick<Model, 'centers' | 'transforms'>;
  /** This run's customers by the last model's transforms, shape (rows, columns). */
  matrix: Matrix;
  /** Of the last publication's customers to their own centres, shape (previous rows,). */
  distance: Float32Array;
}

interface Segmented {
  labels: Uint8Array;
  segmentIds: readonly string[];
  previous: { labels: Uint8Array; segmentIds: readonly string[]; frozen: FrozenScale };
}

/** How far the centre of each segment that goes on has gone; pauses after each column. O(rows * columns). */
export function* measureCentroids({
  labels,
  segmentIds,
  previous,
}: Segmented): Generator<void, CentroidReport[]> {
  const { model, matrix, distance } = previous.frozen;
  const { columns } = matrix;
  const reference = {
    centers: centersOf(model),
    radii: rmsRadii({ labels: previous.labels, distance }, previous.segmentIds.length),
  };
  const current = yield* meansOf(matrix, labels, segmentIds.length);
  const continuedBy = previous.segmentIds.map((id) => segmentIds.indexOf(id));
  const drift = centroidDrift(reference, current, { continuedBy });
  return previous.segmentIds.flatMap((segmentId, i): CentroidReport[] => {
    if (continuedBy[i]! < 0) return [];
    const differences = model.transforms.map(({ feature }, j) => ({
      feature,
      difference: drift.differences[i * columns + j]!,
    }));
    return [{ segmentId, distance: drift.distance[i]!, delta: finite(drift.delta[i]!), differences }];
  });
}

function* meansOf(matrix: Matrix, labels: Uint8Array, k: number): Generator<void, Float64Array> {
  const { rows, columns } = matrix;
  const sizes = countLabels(labels, k);
  const means = new Float64Array(k * columns);
  for (let j = 0; j < columns; j++) {
    const column = columnOf(matrix, j);
    for (let row = 0; row < rows; row++) means[labels[row]! * columns + j]! += column[row]!;
    yield;
  }
  return means.map((sum, at) => sum / sizes[Math.floor(at / columns)]!);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
