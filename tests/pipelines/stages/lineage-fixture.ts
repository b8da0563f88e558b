import { contingencyOf } from '../../../numeric/compare/contingency.ts';
import type { Lineage } from '../../../pipelines/stages/lineage.ts';

/** Rows: previous clusters; columns: current ones. */
export const tableOf = (counts: number[][]) =>
  contingencyOf(Float64Array.from(counts.flat()), counts.length, counts[0]!.length);

export const told = (lineage: Lineage) =>
  lineage.clusters.map(({ event, heirOf, parents }) => [event, heirOf, parents]);
