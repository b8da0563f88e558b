import type { Contingency } from '../../numeric/compare/contingency.ts';

// How near the clusters of two runs are to each other, seen in two ways: by the people who are in both runs, and
// by what the two models make of the same figures.

/** What is known of the clusters of two runs. Rows of all tables: previous clusters, columns: current ones. */
export interface LineageEvidence {
  /** Customers of each previous cluster, shape (rows,), and of each current one, shape (columns,). */
  previousSizes: ArrayLike<number>;
  sizes: ArrayLike<number>;
  /** Customers of both runs, where they were by where they are; null when too few to say anything. */
  members: Contingency | null;
  /**
   * Customers of this run: where the last model puts them by where they are, without those beyond its reach; null
   * when it cannot read their figures.
   */
  now: Contingency | null;
  /** Customers of the last publication: where they were by where the new model puts them, likewise; null likewise. */
  past: Contingency | null;
}

/** Sizes and common parts of clusters, in customers or shares of them. */
export interface Kinship {
  rows: number;
  columns: number;
  /** Common to both over their union, in [0, 1]. */
  jaccard(previous: number, current: number): number;
  /** Share of the previous cluster that is in the current one. */
  containment(previous: number, current: number): number;
  /** Share of the current cluster that was in the previous one. */
  origin(previous: number, current: number): number;
}

/**
 * What both models make of the same figures: customers of both runs, each run counting as one. A customer beyond
 * the reach of the other run's model has no part in any pair and counts in their own cluster all the same, and what
 * a pair has in common has to be there in both runs: a place where nobody was, or where nobody is any more, is kin to
 * none.
 */
export function kinshipOfModels(evidence: LineageEvidence & { now: Contingency }): Kinship {
  const { now, past, previousSizes, sizes } = evidence;
  const { rows, columns } = now;
  const tables = [{ ...now, columnTotals: sizes, total: sumOf(sizes) }];
  if (past)
    tables.push({ ...past, rowTotals: Float64Array.from(previousSizes), total: sumOf(previousSizes) });
  return kinshipOf({
    ...{ rows, columns },
    common: (i, j) => {
      const shares = tables.map(({ counts, total }) => counts[i * columns + j]! / total);
      // The geometric mean of both runs in place of their mean: what one of them alone says counts for nothing.
      return shares.length * shares.reduce((product, share) => product * share, 1) ** (1 / shares.length);
    },
    previous: (i) => sumOver(tables, ({ rowTotals, total }) => rowTotals[i]! / total),
    current: (j) => sumOver(tables, ({ columnTotals, total }) => columnTotals[j]! / total),
  });
}

/** The same by the customers of both runs. */
export function kinshipOfMembers({ rows, columns, counts, rowTotals, columnTotals }: Contingency): Kinship {
  return kinshipOf({
    ...{ rows, columns },
    common: (i, j) => counts[i * columns + j]!,
    previous: (i) => rowTotals[i]!,
    current: (j) => columnTotals[j]!,
  });
}

/** Of a cluster's customers fewer than half as many as of all are seen in the other run: its people came, or went. */
const SEEN_AT_LEAST = 0.5;

/** Whether enough of a previous cluster's customers are still seen for them to say what became of it. */
export function isStillSeen({ members, previousSizes }: LineageEvidence, previous: number): boolean {
  if (!members) return false;
  const expected = (previousSizes[previous]! * members.total) / sumOf(previousSizes);
  return members.rowTotals[previous]! > 0 && members.rowTotals[previous]! >= SEEN_AT_LEAST * expected;
}

/** Whether enough of a current cluster's customers were seen before for them to say where it came from. */
export function wasSeenBefore({ members, sizes }: LineageEvidence, current: number): boolean {
  if (!members) return false;
  const expected = (sizes[current]! * members.total) / sumOf(sizes);
  return members.columnTotals[current]! > 0 && members.columnTotals[current]! >= SEEN_AT_LEAST * expected;
}

function kinshipOf(of: {
  rows: number;
  columns: number;
  common(previous: number, current: number): number;
  previous(cluster: number): number;
  current(cluster: number): number;
}): Kinship {
  const { rows, columns, common } = of;
  const share = (part: number, whole: number) => (whole > 0 ? part / whole : 0);
  return {
    ...{ rows, columns },
    jaccard: (i, j) => share(common(i, j), of.previous(i) + of.current(j) - common(i, j)),
    containment: (i, j) => share(common(i, j), of.previous(i)),
    origin: (i, j) => share(common(i, j), of.current(j)),
  };
}

function sumOver<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}
