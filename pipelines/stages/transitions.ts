import type { Contingency } from '../../numeric/compare/contingency.ts';
import {
  type ClusterForm,
  type InternalTransition,
  traceInternal,
  traceTransitions,
} from '../../numeric/compare/monic.ts';
import { columnOf, type Matrix } from '../../numeric/matrix.ts';
import type { LineageEvidence } from './kinship.ts';

// What became of every segment in the words of MONIC, with its shares, for reports: identities follow rules of
// their own (lineage.ts), and a reader may want the textbook's answer beside them.

/** What became of a segment of the last publication. */
export interface SegmentTransition {
  segmentId: string;
  kind: 'survives' | 'absorbed' | 'split' | 'disappears';
  /** Customers of the last publication, and those of them that are compared. */
  customers: number;
  compared: number;
  /** Every segment that at least 1 % of the compared are in now, largest part first. */
  into: { segmentId: string; share: number }[];
}

/** How a segment that goes on is another one than before, by the last model's scale. */
export interface InternalChange extends InternalTransition {
  segmentId: string;
  /** Share of all customers. */
  share: { before: number; after: number };
  /** Root mean square distance of its customers to their mean. */
  radius: { before: number; after: number };
  /** How far the mean went, in units of the scale. */
  distance: number;
}

export interface Transitions {
  /** Whom the shares are of: the customers of both runs, or this run's by the last model's labels. */
  of: 'members' | 'model';
  previous: SegmentTransition[];
  /** Segments that no transition leads to. */
  emerged: string[];
  /** Of the segments that go on; empty when the last model cannot read the new figures. */
  internal: InternalChange[];
}

/** Where clusters are in one scale. */
export interface ClusterForms {
  /** Row-major, shape (k, d). */
  centers: Float64Array;
  /** Shape (k,). */
  radii: Float64Array;
}

const TOLD_FROM = 0.01;

/** Null when nothing can be compared. */
export function traceSegments(
  evidence: LineageEvidence,
  ids: { previous: readonly string[]; current: readonly string[] },
  forms: { before: ClusterForms; after: ClusterForms } | null,
): Transitions | null {
  const table = evidence.members ?? evidence.now;
  if (!table) return null;
  const { previous, emerged } = traceTransitions(table);
  return {
    of: evidence.members ? 'members' : 'model',
    previous: previous.map(({ kind }, i) => ({
      segmentId: ids.previous[i]!,
      kind,
      customers: evidence.previousSizes[i]!,
      compared: table.rowTotals[i]!,
      into: partsOf(table, i, ids.current),
    })),
    emerged: emerged.map((j) => ids.current[j]!),
    internal: forms ? internalChanges(evidence, ids, forms) : [],
  };
}

function partsOf({ counts, columns, rowTotals }: Contingency, row: number, current: readonly string[]) {
  return current
    .map((segmentId, j) => ({ segmentId, share: counts[row * columns + j]! / rowTotals[row]! }))
    .filter(({ share }) => share >= TOLD_FROM)
    .sort((a, b) => b.share - a.share);
}

function internalChanges(
  { previousSizes, sizes }: LineageEvidence,
  ids: { previous: readonly string[]; current: readonly string[] },
  { before, after }: { before: ClusterForms; after: ClusterForms },
): InternalChange[] {
  const columns = before.centers.length / ids.previous.length;
  const [allBefore, allAfter] = [totalOf(previousSizes), totalOf(sizes)];
  return ids.previous.flatMap((segmentId, i): InternalChange[] => {
    const j = ids.current.indexOf(segmentId);
    if (j < 0) return [];
    const was: ClusterForm = { size: previousSizes[i]! / allBefore, radius: before.radii[i]! };
    const is: ClusterForm = { size: sizes[j]! / allAfter, radius: after.radii[j]! };
    const distance = Math.hypot(
      ...Array.from(
        { length: columns },
        (_, c) => after.centers[j * columns + c]! - before.centers[i * columns + c]!,
      ),
    );
    return [
      {
        segmentId,
        ...traceInternal({ before: was, after: is, distance }),
        share: { before: was.size, after: is.size },
        radius: { before: was.radius, after: is.radius },
        distance,
      },
    ];
  });
}

/**
 * Mean and radius of every cluster; pauses after each column. O(rows * columns).
 *
 * @param labels shape (rows,), below k; every label at least once
 */
export function* formsOf(matrix: Matrix, labels: Uint8Array, k: number): Generator<void, ClusterForms> {
  const { rows, columns } = matrix;
  const sizes = new Float64Array(k);
  for (let row = 0; row < rows; row++) sizes[labels[row]!]!++;
  const centers = new Float64Array(k * columns);
  const squares = new Float64Array(k);
  for (let j = 0; j < columns; j++) {
    const column = columnOf(matrix, j);
    const sums = new Float64Array(k);
    for (let row = 0; row < rows; row++) sums[labels[row]!]! += column[row]!;
    for (let c = 0; c < k; c++) centers[c * columns + j] = sums[c]! / sizes[c]!;
    yield;
    for (let row = 0; row < rows; row++)
      squares[labels[row]!]! += (column[row]! - centers[labels[row]! * columns + j]!) ** 2;
    yield;
  }
  return { centers, radii: squares.map((square, c) => Math.sqrt(square / sizes[c]!)) };
}

function totalOf(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
