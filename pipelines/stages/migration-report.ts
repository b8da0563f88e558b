import { describeMigration, tallyMigration } from '../../numeric/movement/migration.ts';
import type { CustomerJoin } from './match.ts';

/** Where the customers of one segment of the last publication are now. */
export interface MigrationRow {
  /** Segment id; null: those who were no customers then. */
  from: string | null;
  customers: number;
  /** Their spend; null where the pipeline has none. */
  spendCents: number | null;
  /** How evenly they spread, in [0, 1]: 0 = all went one way; null without customers. */
  entropy: number | null;
  cells: MigrationCell[];
}

export interface MigrationCell {
  /** Segment id; null: no customers any more. */
  to: string | null;
  customers: number;
  /** Of the row's customers, in [0, 1]; null without any. */
  share: number | null;
  /** Where the share lies with the report's probability, given counts as small as these. */
  low: number;
  high: number;
  spendCents: number | null;
  /** Of the row's spend; null where that is not above 0. */
  spendShare: number | null;
}

export interface MigrationReport {
  /** Probability of the intervals. */
  level: number;
  /** In [0, k / (k - 1)]: 0 = nobody moves between segments that go on; null with fewer than 2 of them. */
  mobility: number | null;
  /** Those who are new last. */
  rows: MigrationRow[];
}

interface Compared {
  join: CustomerJoin;
  previousIds: readonly string[];
  currentIds: readonly string[];
  previousLabels: Uint8Array;
  labels: Uint8Array;
  spendCents: Float64Array | null;
  previousSpendCents: Float64Array | null;
}

const LEVEL = 0.95;

/** The matrix of who went where, with those who are new or lost, in customers and in money. O(rows + cells). */
export function reportMigration(compared: Compared): MigrationReport {
  const { previousIds, currentIds } = compared;
  const table = tallyMigration({
    ...waysOf(compared),
    previousSegments: previousIds.length,
    currentSegments: currentIds.length,
    continuedBy: previousIds.map((id) => currentIds.indexOf(id)),
  });
  const told = describeMigration(table, { level: LEVEL });
  const { rows, columns, customers, cents } = table;
  return {
    level: LEVEL,
    mobility: finite(told.mobility),
    rows: Array.from({ length: rows }, (_, row): MigrationRow => {
      const isNew = row === previousIds.length;
      const cells = Array.from({ length: isNew ? columns - 1 : columns }, (__, column): MigrationCell => {
        const at = row * columns + column;
        return {
          to: currentIds[column] ?? null,
          customers: customers[at]!,
          share: finite(told.shares[at]!),
          low: told.low[at]!,
          high: told.high[at]!,
          spendCents: cents && cents[at]!,
          spendShare: told.centShares && finite(told.centShares[at]!),
        };
      });
      return {
        from: previousIds[row] ?? null,
        customers: told.totals[row]!,
        spendCents: cents && cells.reduce((sum, cell) => sum + cell.spendCents!, 0),
        entropy: finite(told.entropy[row]!),
        cells,
      };
    }),
  };
}

/** Segment and money of everyone in either run: this run's customers in their order, then the lost. */
function waysOf({ join, previousLabels, labels, spendCents, previousSpendCents }: Compared) {
  const rows = labels.length;
  const everyone = rows + join.lost.length;
  const from = new Int16Array(everyone).fill(-1);
  const to = new Int16Array(everyone).fill(-1);
  const cents = spendCents && new Float64Array(everyone);
  for (let row = 0; row < rows; row++) {
    const previousRow = join.previousRow[row]!;
    if (previousRow >= 0) from[row] = previousLabels[previousRow]!;
    to[row] = labels[row]!;
    if (cents) cents[row] = spendCents[row]!;
  }
  join.lost.forEach((previousRow, i) => {
    from[rows + i] = previousLabels[previousRow]!;
    if (cents) cents[rows + i] = previousSpendCents?.[previousRow] ?? 0;
  });
  return { from, to, cents };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
