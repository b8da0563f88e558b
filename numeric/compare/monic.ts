import type { Contingency } from './contingency.ts';

/** What became of a previous cluster. */
export type Transition =
  /** Most of its members are together in one cluster, and of no other are most in that one. */
  | { readonly kind: 'survives'; readonly into: number; readonly overlap: number }
  /** Most of its members are together in one cluster, as are most of another. */
  | { readonly kind: 'absorbed'; readonly into: number; readonly overlap: number }
  /** Most of its members are in several clusters, a good part in each; largest part first. */
  | { readonly kind: 'split'; readonly into: readonly number[]; readonly overlap: number }
  | { readonly kind: 'disappears' };

export interface Transitions {
  /** One per previous cluster, in the order of the rows. */
  readonly previous: readonly Transition[];
  /** Current clusters that no transition leads to, ascending. */
  readonly emerged: readonly number[];
}

export interface TransitionOptions {
  /** Share of a cluster's members that have to stay together, in (0.5, 1], so that one place alone can have it. @default 0.7 */
  readonly survival?: number;
  /** Share of them that makes a part of a split, in (0, survival]. @default 0.3 */
  readonly split?: number;
}

/**
 * What became of each cluster, from the share of its members that each current cluster has: the external
 * transitions of MONIC. A one-to-one matching cannot tell a split from a birth, nor a merger from an end.
 *
 * @param table rows: previous clusters, columns: current ones, counted on the items common to both
 * @throws RangeError when a threshold is out of range
 *
 * O(rows * columns). Clusters without common items disappear, or emerge. A current cluster may be part of one
 * cluster's split and the survivor of another. Source: Spiliopoulou, Ntoutsi, Theodoridis & Schult (2006), MONIC:
 * modeling and monitoring cluster transitions; thresholds are the defaults of R's clusTransition.
 */
export function traceTransitions(
  table: Contingency,
  { survival = 0.7, split = 0.3 }: TransitionOptions = {},
): Transitions {
  if (!(survival > 0.5 && survival <= 1))
    throw new RangeError(`survival needs a share above 0.5 and up to 1, found ${survival}`);
  if (!(split > 0 && split <= survival))
    throw new RangeError(`a part of a split needs a share above 0 and up to ${survival}, found ${split}`);
  const found = Array.from({ length: table.rows }, (_, row) => transitionOf(table, row, { survival, split }));
  const heirs = new Float64Array(table.columns);
  for (const transition of found) if (transition.kind === 'survives') heirs[transition.into]! += 1;
  const previous = found.map(
    (transition): Transition =>
      transition.kind === 'survives' && heirs[transition.into]! > 1
        ? { ...transition, kind: 'absorbed' }
        : transition,
  );
  const reached = new Set(previous.flatMap((transition) => ('into' in transition ? transition.into : [])));
  const emerged = Array.from({ length: table.columns }, (_, column) => column).filter(
    (column) => !reached.has(column),
  );
  return { previous, emerged };
}

function transitionOf(
  { counts, columns, rowTotals }: Contingency,
  row: number,
  { survival, split }: Required<TransitionOptions>,
): Transition {
  const size = rowTotals[row]!;
  if (size === 0) return { kind: 'disappears' };
  const countOf = (column: number) => counts[row * columns + column]!;
  const large = Array.from({ length: columns }, (_, column) => column)
    .filter((column) => countOf(column) / size >= split)
    .sort((left, right) => countOf(right) - countOf(left) || left - right);
  const first = large[0];
  if (first === undefined) return { kind: 'disappears' };
  const overlap = countOf(first) / size;
  if (overlap >= survival) return { kind: 'survives', into: first, overlap };
  const together = large.reduce((sum, column) => sum + countOf(column), 0) / size;
  // One part alone has been found too small.
  if (together >= survival) return { kind: 'split', into: large, overlap: together };
  return { kind: 'disappears' };
}

/** What a cluster is like, beside its members' names. */
export interface ClusterForm {
  /** Members, or their share of all. */
  readonly size: number;
  /** Root mean square distance to the centre, in a scaler common to both runs. */
  readonly radius: number;
}

export interface InternalTransition {
  readonly size: 'same' | 'grows' | 'shrinks';
  readonly compactness: 'same' | 'tighter' | 'looser';
  readonly location: 'same' | 'shifts';
}

/**
 * How a cluster that survives changed by itself: the internal transitions of MONIC.
 *
 * @param change.distance between the centres, in the scaler of the radii
 * @param threshold share of size or radius from which on a change is told, and distance over the smaller radius;
 *   default .3, that of R's clusTransition
 *
 * A cluster of one item has radius 0: any other radius, any distance is a change.
 */
export function traceInternal(
  change: { readonly before: ClusterForm; readonly after: ClusterForm; readonly distance: number },
  threshold = 0.3,
): InternalTransition {
  const { before, after, distance } = change;
  const [larger, smaller] = isChanged(before.size, after.size, threshold);
  const [looser, tighter] = isChanged(before.radius, after.radius, threshold);
  const isShifted = distance > threshold * Math.min(before.radius, after.radius);
  return {
    size: larger ? 'grows' : smaller ? 'shrinks' : 'same',
    compactness: looser ? 'looser' : tighter ? 'tighter' : 'same',
    location: isShifted ? 'shifts' : 'same',
  };
}

function isChanged(before: number, after: number, threshold: number): [more: boolean, less: boolean] {
  return [after - before > threshold * before, before - after > threshold * before];
}
