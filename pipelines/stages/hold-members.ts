import { applyHysteresis, NO_SEGMENT } from './hysteresis.ts';
import type { CustomerJoin } from './match.ts';

/** The label of a customer who waits for no other segment. */
export const NOT_WAITING = 255;

export interface HoldInput {
  join: CustomerJoin;
  /** Segment id of each cluster, in the order of the labels. */
  previousIds: readonly string[];
  currentIds: readonly string[];
  /** As published, shape (previous rows,). */
  previousLabels: Uint8Array;
  /** Where the last run saw those whom it held back, as a label of its own, shape (previous rows,); null: nobody. */
  previousWaiting: Uint8Array | null;
  /** What the new model says, shapes (rows,). */
  labels: Uint8Array;
  margins: ArrayLike<number>;
  /** Margin below which a segment is a matter of chance. */
  noiseBand: number;
}

export interface HeldMembers {
  /** Cluster of each customer, those held back where they were, shape (rows,). */
  labels: Uint8Array;
  /** The cluster that each of them waits for, NOT_WAITING for all others, shape (rows,). */
  waiting: Uint8Array;
  held: number;
}

/**
 * Keeps customers at a border in the segment they had, until they are clearly in another or are seen there in two
 * runs running. Only between segments that both runs have: nobody waits for a new one, or stays in one that is no more.
 *
 * O(rows). Where a segment would have no customers left, nobody is held back.
 */
export function holdMembers(input: HoldInput): HeldMembers {
  const { join, previousIds, currentIds, previousLabels, previousWaiting, labels, margins, noiseBand } =
    input;
  const ids = [...new Set([...currentIds, ...previousIds])];
  const numberOfPrevious = previousIds.map((id) => ids.indexOf(id));
  const numbers = (of: Uint8Array) => {
    const found = new Int32Array(join.previousRow.length).fill(NO_SEGMENT);
    for (let row = 0; row < found.length; row++) {
      const previous = join.previousRow[row]!;
      const label = previous < 0 ? NOT_WAITING : of[previous]!;
      if (label !== NOT_WAITING) found[row] = numberOfPrevious[label]!;
    }
    return found;
  };
  const before = numbers(previousLabels);
  // A segment that nobody was in before is nothing to wait for.
  const isNew = currentIds.map((id) => !previousIds.includes(id));
  for (let row = 0; row < labels.length; row++) if (isNew[labels[row]!]) before[row] = NO_SEGMENT;
  const settled = applyHysteresis({
    segments: ids.length,
    previousLabels: before,
    tentativeLabels: previousWaiting && numbers(previousWaiting),
    newModel: { labels, margins, noiseBands: new Float64Array(ids.length).fill(noiseBand) },
    isCurrent: ids.map((id) => currentIds.includes(id)),
  });
  const waiting = new Uint8Array(labels.length).fill(NOT_WAITING);
  const isUsed = new Uint8Array(ids.length);
  for (const label of settled.labels) isUsed[label] = 1;
  if (currentIds.some((_, cluster) => isUsed[cluster] === 0)) return { labels, waiting, held: 0 };
  settled.tentativeLabels.forEach((label, row) => {
    if (label !== NO_SEGMENT) waiting[row] = label;
  });
  return { labels: Uint8Array.from(settled.labels), waiting, held: settled.held };
}
