import { benjaminiHochberg } from '../statistics/false-discovery.ts';
import { type GTest, gTest, gTestOfCounts } from '../statistics/g-test.ts';
import { chiSquareShare } from '../statistics/gamma.ts';
import { type MigrationTable, totalsOfRows } from './migration.ts';

/** What flows are usually like, in the cells of the table it is compared with. */
export type BaselineFlow =
  /** Shares of each row, known without error: a plan, or the mean of many runs. */
  | { readonly shares: Float64Array }
  /** Customers of another run or several: as uncertain as they are few. */
  | { readonly customers: Float64Array };

export interface RowTest extends GTest {
  /** p-value that counts the other rows; NaN = not tested: no customers on one side. */
  readonly adjustedPValue: number;
  readonly isSignificant: boolean;
  /** Share of the row's customers that would have to go elsewhere to be as usual, in [0, 1]; NaN as above. */
  readonly shiftedShare: number;
}

/**
 * Whether the customers of each row go other ways than usual: a G-test per row, all rows judged together
 * (Benjamini-Hochberg), and how large the difference is, since among many customers every difference is
 * significant.
 *
 * @param options.alpha share of false finds among all finds, in (0, 1); default .05
 * @param options.dispersion how much more flows vary from run to run than chance would have it, at least 1:
 *   statistics are divided by it; default 1
 * @returns one per row of the table
 * @throws RangeError when the baseline has other cells, or a number in it is negative or not finite, or dispersion is below 1
 *
 * O(cells). Sources: see gTest and benjaminiHochberg. Same values as scipy.stats.power_divergence or
 * chi2_contingency, then scipy.stats.false_discovery_control.
 */
export function testFlows(
  { customers, rows, columns }: Pick<MigrationTable, 'customers' | 'rows' | 'columns'>,
  baseline: BaselineFlow,
  { alpha = 0.05, dispersion = 1 } = {},
): RowTest[] {
  if (!(dispersion >= 1)) throw new RangeError(`dispersion needs to be at least 1, found ${dispersion}`);
  const isCounted = 'customers' in baseline;
  const usual = isCounted ? baseline.customers : baseline.shares;
  if (usual.length !== customers.length)
    throw new RangeError(
      `a baseline needs the ${rows} x ${columns} cells of its table, found ${usual.length}`,
    );
  const totals = totalsOfRows(customers, columns);
  const usualTotals = totalsOfRows(usual, columns);
  const tests = Array.from(totals, (total, row) => {
    if (!(total > 0 && usualTotals[row]! > 0)) return null;
    const now = customers.subarray(row * columns, (row + 1) * columns);
    const then = usual.subarray(row * columns, (row + 1) * columns);
    return {
      ...scaled(isCounted ? gTestOfCounts(now, then) : gTest(now, then), dispersion),
      shiftedShare: shiftedShare(now, then, { total, usualTotal: usualTotals[row]! }),
    };
  });
  const adjusted = benjaminiHochberg(tests.map((test) => test?.pValue ?? Number.NaN));
  return tests.map((test, row): RowTest => {
    const adjustedPValue = adjusted[row]!;
    const untested = { statistic: Number.NaN, degrees: 0, pValue: Number.NaN, shiftedShare: Number.NaN };
    return { ...(test ?? untested), adjustedPValue, isSignificant: adjustedPValue < alpha };
  });
}

function scaled(test: GTest, dispersion: number): GTest {
  if (dispersion === 1 || test.degrees === 0) return test;
  const statistic = test.statistic / dispersion;
  return { ...test, statistic, pValue: Math.max(0, 1 - chiSquareShare(statistic, test.degrees)) };
}

function shiftedShare(
  now: Float64Array,
  then: Float64Array,
  { total, usualTotal }: { total: number; usualTotal: number },
): number {
  return now.reduce((sum, count, at) => sum + Math.abs(count / total - then[at]! / usualTotal), 0) / 2;
}
