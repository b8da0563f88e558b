import type { Algorithm } from '../../numeric/cluster/algorithm.ts';
import { columnOf, type Matrix } from '../../numeric/matrix.ts';
import type { NamingSettings } from '../contracts/definition.ts';
import { applyTransforms, type FittedTransforms } from './transform.ts';

// What marketers segment by without any algorithm: lifecycle stage x value tier, by the definition's own bands. The
// bands are absolute and the transforms keep order, so the cuts can be made on the matrix that all algorithms see:
// there the grid is measured like any of them.

/** As an entry of a comparison; it comes from the definition, all others from the list of algorithms. */
export const RULE_GRID = { name: 'rule-grid', title: 'Rule grid' };

/** The bands of one feature as cuts of a column of the matrix. */
export interface GridAxis {
  readonly column: number;
  /** Ascending, in single precision; interval i begins at cuts[i - 1]. */
  readonly cuts: readonly number[];
  /** One per interval. */
  readonly words: readonly string[];
}

export interface RuleGridParameters {
  readonly stage: GridAxis;
  readonly value: GridAxis;
  /** Cells with a smaller share are merged with the nearest of their stage. */
  readonly smallestShare: number;
}

export interface RuleGridModel {
  readonly parameters: RuleGridParameters;
  /** Cluster of each cell, stage by stage. */
  readonly clusterOfCell: readonly number[];
  readonly names: readonly string[];
  /** Means, shape (clusters, columns). */
  readonly centers: readonly (readonly number[])[];
}

/** Cells are labels of one byte, and the last of those is for noise. */
const MOST_CELLS = 255;

/** A band without words of its own. */
const OTHER = 'other';

/**
 * The definition's bands as cuts of the matrix.
 *
 * @returns null when the stage or the value feature is not among the clustered ones (the matrix does not have it), or
 *   when there are more than 255 cells
 */
export function gridParameters(
  naming: Pick<NamingSettings, 'stage' | 'value'>,
  transforms: FittedTransforms,
  smallestShare: number,
): RuleGridParameters | null {
  const stage = axisOf(naming.stage, transforms);
  const value = axisOf(naming.value, transforms);
  if (!stage || !value || stage.words.length * value.words.length > MOST_CELLS) return null;
  return { stage, value, smallestShare };
}

function axisOf({ feature, bands }: NamingSettings['stage'], transforms: FittedTransforms): GridAxis | null {
  const column = transforms.findIndex((fitted) => fitted.feature === feature);
  if (column < 0) return null;
  const edges = [...new Set(bands.flatMap(({ below, atLeast }) => [below ?? [], atLeast ?? []].flat()))];
  edges.sort((a, b) => a - b);
  const words = [-Infinity, ...edges].map((from, i) => {
    const to = edges[i] ?? Infinity;
    const own = bands.find(({ below = Infinity, atLeast = -Infinity }) => atLeast <= from && to <= below);
    return own?.word ?? OTHER;
  });
  const fitted = [transforms[column]!];
  const cuts =
    edges.length === 0 ? [] : applyTransforms({ [feature]: Float64Array.from(edges) }, fitted).data;
  return { column, cuts: Array.from(cuts), words };
}

/**
 * The grid of lifecycle stage and value tier; clusters are cells, or cells of one stage merged because too few
 * customers are in one of them. A stage that is too small as a whole stays as it is.
 *
 * `assign` gives margins of 1: a rule knows no doubt.
 */
export const ruleGrid: Algorithm<RuleGridParameters, RuleGridModel> = {
  name: 'rule-grid',
  takesClusters: false,
  defaults: {
    stage: { column: 0, cuts: [], words: [OTHER] },
    value: { column: 0, cuts: [], words: [OTHER] },
    smallestShare: 0.02,
  },

  async fit(X, parameters) {
    const settings = { ...this.defaults, ...parameters };
    const cells = cellsOf(X, settings);
    const groups = mergeCells(cells, settings);
    const sizes = groups.map(({ rows }) => rows);
    const order = groups.map((_, g) => g).sort((a, b) => sizes[b]! - sizes[a]! || a - b);
    const clusterOfCell = new Array<number>(settings.stage.words.length * settings.value.words.length).fill(
      0,
    );
    order.forEach((g, cluster) => {
      for (const cell of groups[g]!.cells) clusterOfCell[cell] = cluster;
    });
    const labels = cells.map((cell) => clusterOfCell[cell]!);
    const model = {
      parameters: settings,
      clusterOfCell,
      names: order.map((g) => nameOf(groups[g]!.cells, settings)),
      centers: meansOf(X, labels, order.length),
    };
    return { model, labels, fittedOn: { rows: X.rows, of: X.rows } };
  },

  async assign(X, { parameters, clusterOfCell, centers }) {
    const labels = cellsOf(X, parameters).map((cell) => clusterOfCell[cell]!);
    const distance = Float32Array.from(labels, (label, i) => {
      let square = 0;
      for (let j = 0; j < X.columns; j++) square += (columnOf(X, j)[i]! - centers[label]![j]!) ** 2;
      return Math.sqrt(square);
    });
    return { labels, distance, margin: new Float32Array(X.rows).fill(1) };
  },

  describe: ({ parameters, names, centers }) => ({
    algorithm: 'rule-grid',
    nClusters: names.length,
    parameters: { smallestShare: parameters.smallestShare, cells: names.join('; ') },
    centers,
    criteria: {},
  }),
};

/** The cell of every row, before any are merged. */
export function ruleGridLabels(X: Matrix, parameters: RuleGridParameters): Uint8Array {
  return cellsOf(X, parameters);
}

/** Names of the clusters of a described grid. */
export function cellNames(cells: unknown): string[] | null {
  return typeof cells === 'string' ? cells.split('; ') : null;
}

function cellsOf(X: Matrix, { stage, value }: RuleGridParameters): Uint8Array {
  const stages = columnOf(X, stage.column);
  const values = columnOf(X, value.column);
  const tiers = value.words.length;
  return Uint8Array.from(
    stages,
    (x, i) => intervalOf(x, stage.cuts) * tiers + intervalOf(values[i]!, value.cuts),
  );
}

function intervalOf(x: number, cuts: readonly number[]): number {
  let interval = 0;
  while (interval < cuts.length && x >= cuts[interval]!) interval += 1;
  return interval;
}

interface Group {
  /** Cells of one stage, adjacent. */
  cells: number[];
  rows: number;
}

/** Cells without rows go with their neighbour too: later customers may be in them. */
function mergeCells(cells: Uint8Array, { stage, value, smallestShare }: RuleGridParameters): Group[] {
  const tiers = value.words.length;
  const counts = new Array<number>(stage.words.length * tiers).fill(0);
  for (const cell of cells) counts[cell]! += 1;
  const least = Math.max(1, smallestShare * cells.length);
  const merged = stage.words.map((_, s) => {
    const groups = value.words.map(
      (_, v): Group => ({ cells: [s * tiers + v], rows: counts[s * tiers + v]! }),
    );
    while (groups.length > 1) {
      const at = groups.reduce((small, { rows }, g) => (rows < groups[small]!.rows ? g : small), 0);
      if (groups[at]!.rows >= least) break;
      // The smaller neighbour, so that one large cell does not swallow all.
      const [left, right] = [groups[at - 1], groups[at + 1]];
      const from = right && (!left || right.rows < left.rows) ? at : at - 1;
      const [first, second] = groups.slice(from, from + 2) as [Group, Group];
      groups.splice(from, 2, {
        cells: [...first.cells, ...second.cells],
        rows: first.rows + second.rows,
      });
    }
    return groups;
  });
  return withoutEmptyStages(merged);
}

/** A stage that no one is in is no cluster; its cells go with the stage before it, or else the one after. */
function withoutEmptyStages(stages: Group[][]): Group[] {
  const filled = stages.filter((groups) => groups.some(({ rows }) => rows > 0));
  stages.forEach((groups, s) => {
    if (filled.includes(groups)) return;
    const home = stages.slice(0, s).findLast((other) => filled.includes(other)) ?? filled[0]!;
    home[0]!.cells.push(...groups.flatMap(({ cells }) => cells));
  });
  return filled.flat();
}

/** Named after the stage of its first cell and all its tiers in order. */
function nameOf(cells: readonly number[], { stage, value }: RuleGridParameters): string {
  const tiers = value.words.length;
  const own = Math.floor(cells[0]! / tiers);
  const words = cells
    .filter((cell) => Math.floor(cell / tiers) === own)
    .map((cell) => value.words[cell % tiers]);
  const all = words.length === tiers && tiers > 1;
  return all ? stage.words[own]! : `${stage.words[own]} ${words.join(' or ')}`;
}

function meansOf(X: Matrix, labels: Uint8Array, k: number): number[][] {
  const sums = Array.from({ length: k }, () => new Array<number>(X.columns).fill(0));
  const sizes = new Array<number>(k).fill(0);
  for (const label of labels) sizes[label]! += 1;
  for (let j = 0; j < X.columns; j++) {
    const column = columnOf(X, j);
    for (let i = 0; i < X.rows; i++) sums[labels[i]!]![j]! += column[i]!;
  }
  return sums.map((sum, c) => sum.map((total) => total / Math.max(1, sizes[c]!)));
}
