import { type Contingency, contingencyOf } from '../../numeric/compare/contingency.ts';
import { type CustomerIds, compareIds, customerCount } from '../contracts/customers.ts';
import { PipelineError } from '../contracts/errors.ts';

export interface CustomerJoin {
  /** Row of the same customer in the previous run, shape (current rows,); -1 = new. */
  previousRow: Int32Array;
  /** Rows of the previous run whose customers are gone, rising. */
  lost: Int32Array;
  /** Customers in both runs. */
  common: number;
}

/**
 * Finds the customers of one run in another: a merge of two sorted lists, without making text of an id.
 *
 * @param previous, current ids in byte order, each once
 * @throws PipelineError ARTIFACT_CORRUPT when the current ids are not in order
 *
 * O(n + m) comparisons.
 */
export function joinCustomers(previous: CustomerIds, current: CustomerIds): CustomerJoin {
  const currentRows = customerCount(current);
  const previousRows = customerCount(previous);
  const previousRow = new Int32Array(currentRows).fill(-1);
  const lost = new Int32Array(previousRows);
  let common = 0;
  let lostCount = 0;
  let at = 0;
  for (let row = 0; row < currentRows; row++) {
    if (row > 0 && compareIds(current, row - 1, current, row) >= 0) throw outOfOrder(row);
    let order = at < previousRows ? compareIds(previous, at, current, row) : 1;
    while (order < 0) {
      lost[lostCount++] = at++;
      order = at < previousRows ? compareIds(previous, at, current, row) : 1;
    }
    if (order === 0) {
      previousRow[row] = at++;
      common++;
    }
  }
  while (at < previousRows) lost[lostCount++] = at++;
  return { previousRow, lost: lost.slice(0, lostCount), common };
}

/** Where there is no earlier run. */
export function nobodyBefore(rows: number): CustomerJoin {
  return { previousRow: new Int32Array(rows).fill(-1), lost: new Int32Array(0), common: 0 };
}

function outOfOrder(row: number): PipelineError {
  return new PipelineError(
    'ARTIFACT_CORRUPT',
    `customer ids need to rise in byte order, each once; row ${row} does not follow row ${row - 1}`,
    { row },
  );
}

/**
 * The contingency table of two segmentations on their common customers: previous clusters by current ones.
 *
 * @param previousLabels shape (previous rows,), below previousK; labels shape (current rows,), below k
 */
export function countOverlaps(input: {
  join: CustomerJoin;
  previousLabels: Uint8Array;
  previousK: number;
  labels: Uint8Array;
  k: number;
}): Contingency {
  const { join, previousLabels, previousK, labels, k } = input;
  const counts = new Float64Array(previousK * k);
  for (let row = 0; row < labels.length; row++) {
    const previous = join.previousRow[row]!;
    if (previous >= 0) counts[previousLabels[previous]! * k + labels[row]!]!++;
  }
  return contingencyOf(counts, previousK, k);
}

/** The label of a customer whom a model cannot place: farther from every centre than any of its own customers. */
export const BEYOND_REACH = 255;

/** A model's labels, with BEYOND_REACH for customers unlike any of its clusters. Reaches that are null have no end. */
export function withinReach(
  { labels, distance }: { labels: Uint8Array; distance: ArrayLike<number> },
  reaches: readonly number[] | null,
): Uint8Array {
  if (!reaches) return labels;
  const placed = new Uint8Array(labels.length);
  for (let row = 0; row < placed.length; row++)
    placed[row] = distance[row]! > reaches[labels[row]!]! ? BEYOND_REACH : labels[row]!;
  return placed;
}

/**
 * The same of two segmentations of the same customers, of those whom both place.
 *
 * @param previousLabels, labels shape (rows,), below previousK and k, or BEYOND_REACH
 */
export function countAgreements(input: {
  previousLabels: Uint8Array;
  previousK: number;
  labels: Uint8Array;
  k: number;
}): Contingency {
  const { previousLabels, previousK, labels, k } = input;
  const counts = new Float64Array(previousK * k);
  for (let row = 0; row < labels.length; row++) {
    const [previous, current] = [previousLabels[row]!, labels[row]!];
    if (previous !== BEYOND_REACH && current !== BEYOND_REACH) counts[previous * k + current]!++;
  }
  return contingencyOf(counts, previousK, k);
}
