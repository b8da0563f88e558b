import { type Contingency, contingency } from './contingency.ts';

/**
 * Jaccard similarity of every group of the first partition with every group of the second: the share of
 * common items among those in either.
 *
 * @returns row-major, shape (rows, columns), in [0, 1]; 0 for groups without items
 */
export function jaccardTable({ counts, columns, rowTotals, columnTotals }: Contingency): Float64Array {
  return counts.map((common, at) => {
    const either = rowTotals[Math.floor(at / columns)]! + columnTotals[at % columns]! - common;
    return either > 0 ? common / either : 0;
  });
}

/**
 * For each group of `a` its largest Jaccard similarity with a group of `b`: how well the group is found
 * again.
 *
 * @param a, b labels of the same items, shape (n,), integers from 0
 * @param groups groups of `a`; those beyond its largest label get 0
 * @returns shape (groups,), in [0, 1]
 *
 * O(n + ka * kb). The inner step of clusterwise stability: Hennig (2007), Cluster-wise assessment of cluster
 * stability.
 */
export function bestJaccards(a: ArrayLike<number>, b: ArrayLike<number>, groups: number): Float64Array {
  const table = contingency(a, b);
  const similarities = jaccardTable(table);
  const best = new Float64Array(Math.max(groups, table.rows));
  similarities.forEach((similarity, at) => {
    const group = Math.floor(at / table.columns);
    if (similarity > best[group]!) best[group] = similarity;
  });
  return best;
}
