import { checkView, type ModelView } from './move-causes.ts';

// Customers at a border change segments with every run although nothing has changed. So a customer keeps the
// segment they have until they are clearly in another one, or have been seen there twice.

/** No segment: a customer who had none before, or who waits for none. */
export const NO_SEGMENT = -1;

export interface HysteresisInput {
  /** Segment numbers of both runs; those that go on have one number. */
  segments: number;
  /** Segment that each customer had after the last run, shape (n,); NO_SEGMENT = new. */
  previousLabels: ArrayLike<number>;
  /** Where the last run saw them without letting them go there, shape (n,); null: nobody waits. */
  tentativeLabels: ArrayLike<number> | null;
  /** What this run's model says. */
  newModel: ModelView;
  /** Per segment whether it still exists, shape (segments,): nobody is kept in one that does not. */
  isCurrent: ArrayLike<boolean | number>;
}

export interface Hysteresis {
  /** Segment of each customer after this run, shape (n,). */
  labels: Int32Array;
  /** For the next run: where those were seen who were held back, shape (n,); NO_SEGMENT for all others. */
  tentativeLabels: Int32Array;
  /** Customers held back. */
  held: number;
}

/**
 * Lets a customer change segments only when the margin exceeds the noise band of the new segment, or when the
 * last run saw them in the same new one.
 *
 * @throws RangeError when lengths differ or a new label is not a number below `segments`
 *
 * O(n). A customer seen in one segment, then in another, waits anew.
 */
export function applyHysteresis(input: HysteresisInput): Hysteresis {
  const { previousLabels, tentativeLabels, newModel, isCurrent, segments } = input;
  const rows = previousLabels.length;
  checkView(newModel, { rows, segments });
  if ((tentativeLabels && tentativeLabels.length !== rows) || isCurrent.length !== segments)
    throw new RangeError(
      `hysteresis needs ${rows} tentative labels and ${segments} segments, ` +
        `found ${tentativeLabels?.length ?? rows} and ${isCurrent.length}`,
    );
  const labels = new Int32Array(rows);
  const waiting = new Int32Array(rows).fill(NO_SEGMENT);
  let held = 0;
  for (let row = 0; row < rows; row++) {
    const before = previousLabels[row]!;
    const now = newModel.labels[row]!;
    const canStay = before !== NO_SEGMENT && Boolean(isCurrent[before]);
    const isClear = newModel.margins[row]! > newModel.noiseBands[now]!;
    if (before === now || !canStay || isClear || tentativeLabels?.[row] === now) {
      labels[row] = now;
      continue;
    }
    labels[row] = before;
    waiting[row] = now;
    held++;
  }
  return { labels, tentativeLabels: waiting, held };
}
