import { simplifiedSilhouette } from '../../numeric/compare/simplified-silhouette.ts';
import type { AssignedQuality } from '../contracts/run.ts';
import { confidenceAt } from './assign.ts';
import type { Model } from './model.ts';
import { countLabels } from './stability-drift.ts';

// What can be said of a model on customers it was not fitted on. The scores of a choice of k are not among it: there is
// no choice, and no resample was fitted.

/** Everybody in the nearest segment, shapes (n,). */
export interface NearestSegments {
  labels: Uint8Array;
  distance: Float32Array;
  margin: Float32Array;
}

/**
 * @param isNovel 1 = unlike any segment, shape (n,); null where the model does not tell
 * @param fitted the customers of the fit; null where they are not kept
 *
 * O(n).
 */
export function measureAssigned(
  model: Pick<Model, 'assignment' | 'confidence'>,
  found: NearestSegments & { isNovel: Uint8Array | null },
  fitted: NearestSegments | null,
): AssignedQuality {
  const customers = found.labels.length;
  return {
    customers,
    ...fitOf(found),
    whenFitted: fitted && { customers: fitted.labels.length, ...fitOf(fitted) },
    novelShare: found.isNovel && found.isNovel.reduce((sum, flag) => sum + flag, 0) / customers,
    abstainedShare: countAbstained(model, found.margin) / customers,
  };
}

/** Clusters that nobody is in: published, their segments would be empty, and what they are could not be told. */
export function emptyClusters(labels: Uint8Array, k: number): number[] {
  return [...countLabels(labels, k)].flatMap((size, cluster) => (size === 0 ? [cluster] : []));
}

function fitOf({ labels, distance, margin }: NearestSegments) {
  let squares = 0;
  for (let row = 0; row < distance.length; row++) squares += distance[row]! ** 2;
  return {
    simplifiedSilhouette: simplifiedSilhouette({ labels, margin }).mean,
    distance: Math.sqrt(squares / distance.length),
  };
}

function countAbstained(
  { assignment, confidence }: Pick<Model, 'assignment' | 'confidence'>,
  margin: Float32Array,
): number {
  const { abstainBelowMargin, abstainBelowConfidence } = assignment;
  let count = 0;
  for (let row = 0; row < margin.length; row++) {
    const isUnsure = confidence !== null && confidenceAt(confidence, margin[row]!) < abstainBelowConfidence;
    if (margin[row]! < abstainBelowMargin || isUnsure) count++;
  }
  return count;
}
