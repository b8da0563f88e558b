import { adjustedRand } from '../../../numeric/compare/adjusted-rand.ts';
import type { CustomerJoin } from '../match.ts';

// Two models, two sets of figures, the same customers: which of the two made the difference. Along a row the model
// stays and the figures change, along a column the figures stay and the model changes.

/** How many of the common customers are in another segment, and how alike both segmentations are. */
export interface Difference {
  customers: number;
  /** Of the common customers, in [0, 1]. */
  share: number;
  /** Adjusted Rand index, which knows no ids: 1 = the same groups. */
  adjustedRand: number;
}

export interface ModelByData {
  /** Customers in both publications, whom all of it is about. */
  common: number;
  /** Customers of each segment by model and figures; null where the model cannot read the figures. */
  cells: {
    model: 'old' | 'new';
    figures: 'old' | 'new';
    sizes: { segmentId: string; customers: number }[] | null;
  }[];
  /** The old model on the old figures and on the new ones; null as above. */
  sameModelNewData: Difference | null;
  /** The old model and the new one on the new figures; null as above. */
  newModelSameData: Difference | null;
  /** The old model and the new one on the old figures; null as above. */
  newModelOldData: Difference | null;
  /** The new model on the old figures and on the new ones; null as above. */
  newModelNewData: Difference | null;
  /** Both changed: what readers saw. */
  both: Difference;
}

export interface ModelByDataInput {
  join: CustomerJoin;
  previousIds: readonly string[];
  currentIds: readonly string[];
  /** m0(x0), shape (previous rows,), and m1(x1), shape (rows,). */
  previousLabels: ArrayLike<number>;
  labels: ArrayLike<number>;
  /** m0(x1), shape (rows,), and m1(x0), shape (previous rows,); null where the model cannot read the figures. */
  relabelled: ArrayLike<number> | null;
  backLabelled: ArrayLike<number> | null;
}

/** @returns null when no customer is in both. O(rows). */
export function compareModelByData(input: ModelByDataInput): ModelByData | null {
  const { join, previousIds, currentIds, previousLabels, labels, relabelled, backLabelled } = input;
  if (join.common === 0) return null;
  const ids = [...new Set([...previousIds, ...currentIds])];
  const rows: number[] = [];
  for (let row = 0; row < join.previousRow.length; row++) if (join.previousRow[row]! >= 0) rows.push(row);
  const before = rows.map((row) => join.previousRow[row]!);
  const numbered = (at: readonly number[], of: ArrayLike<number> | null, names: readonly string[]) => {
    if (of === null) return null;
    const numbers = names.map((name) => ids.indexOf(name));
    return Int32Array.from(at, (row) => numbers[of[row]!]!);
  };
  const oldOld = numbered(before, previousLabels, previousIds)!;
  const oldNew = numbered(rows, relabelled, previousIds);
  const newOld = numbered(before, backLabelled, currentIds);
  const newNew = numbered(rows, labels, currentIds)!;
  return {
    common: join.common,
    cells: [
      { model: 'old', figures: 'old', sizes: sizesOf(oldOld, ids) },
      { model: 'old', figures: 'new', sizes: oldNew && sizesOf(oldNew, ids) },
      { model: 'new', figures: 'old', sizes: newOld && sizesOf(newOld, ids) },
      { model: 'new', figures: 'new', sizes: sizesOf(newNew, ids) },
    ],
    sameModelNewData: differenceOf(oldOld, oldNew),
    newModelSameData: differenceOf(oldNew, newNew),
    newModelOldData: differenceOf(oldOld, newOld),
    newModelNewData: differenceOf(newOld, newNew),
    both: differenceOf(oldOld, newNew)!,
  };
}

function sizesOf(labels: Int32Array, ids: readonly string[]): { segmentId: string; customers: number }[] {
  const counts = new Float64Array(ids.length);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  return ids
    .map((segmentId, i) => ({ segmentId, customers: counts[i]! }))
    .filter(({ customers }) => customers > 0);
}

function differenceOf(left: Int32Array | null, right: Int32Array | null): Difference | null {
  if (left === null || right === null) return null;
  let customers = 0;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) customers++;
  const adjusted = left.length < 2 ? 1 : adjustedRand(left, right);
  return { customers, share: customers / left.length, adjustedRand: adjusted };
}
