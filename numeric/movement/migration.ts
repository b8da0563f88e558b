import { entropy } from '../compare/adjusted-mutual-information.ts';
import { betaQuantile } from '../statistics/beta.ts';

/**
 * Who went where. Rows: the previous segments, and last those who were no customers then (*new*). Columns: the
 * current segments, and last those who are no customers any more (*lost*). Nobody is in the last cell.
 */
export interface MigrationTable {
  readonly rows: number;
  readonly columns: number;
  /** Row-major, shape (rows, columns). */
  readonly customers: Float64Array;
  /** Their money, in the same cells; null where there is none. */
  readonly cents: Float64Array | null;
  /** Number of the current segment that each previous one goes on as, shape (rows - 1,); -1 = in none. */
  readonly continuedBy: Int32Array;
}

export interface MigrationInput {
  /** Segment of each customer of either run, shape (n,): before, -1 = new, and now, -1 = lost. */
  readonly from: ArrayLike<number>;
  readonly to: ArrayLike<number>;
  /** Shape (n,), whole cents, so that their sums do not depend on the order of the customers. */
  readonly cents?: ArrayLike<number> | null;
  readonly previousSegments: number;
  readonly currentSegments: number;
  readonly continuedBy: ArrayLike<number>;
}

/**
 * Counts the customers of each way.
 *
 * @throws RangeError when lengths differ, a segment is not below its number, or somebody is neither before nor now
 *
 * O(n + cells).
 */
export function tallyMigration(input: MigrationInput): MigrationTable {
  const { from, to, cents = null, previousSegments, currentSegments } = input;
  if (from.length !== to.length || (cents && cents.length !== from.length))
    throw new RangeError(
      `a migration needs a segment before and now for each customer, found ${from.length} and ${to.length}`,
    );
  const rows = previousSegments + 1;
  const columns = currentSegments + 1;
  const customers = new Float64Array(rows * columns);
  const money = cents && new Float64Array(rows * columns);
  for (let i = 0; i < from.length; i++) {
    const row = placeOf(from[i]!, previousSegments);
    const column = placeOf(to[i]!, currentSegments);
    if (row === previousSegments && column === currentSegments)
      throw new RangeError(`a migration needs customers of one run at least, found one of neither`);
    customers[row * columns + column]! += 1;
    if (money) money[row * columns + column]! += cents![i]!;
  }
  return { rows, columns, customers, cents: money, continuedBy: checkedHeirs(input) };
}

function placeOf(segment: number, segments: number): number {
  if (!(Number.isInteger(segment) && segment >= -1 && segment < segments))
    throw new RangeError(`a segment needs to be a number from -1 to ${segments - 1}, found ${segment}`);
  return segment < 0 ? segments : segment;
}

function checkedHeirs({ continuedBy, previousSegments, currentSegments }: MigrationInput): Int32Array {
  const heirs = Int32Array.from(continuedBy);
  const taken = heirs.filter((heir) => heir >= 0);
  if (heirs.length !== previousSegments || new Set(taken).size !== taken.length)
    throw new RangeError(`each of ${previousSegments} segments needs an heir of its own or none`);
  for (const heir of heirs) placeOf(heir, currentSegments);
  return heirs;
}

export interface Migration {
  /** Customers of each row, shape (rows,). */
  readonly totals: Float64Array;
  /** Share of a row's customers in each cell, shape (rows, columns); NaN in rows without any. */
  readonly shares: Float64Array;
  /** The same of their money; NaN where a row's money is not above 0; null without money. */
  readonly centShares: Float64Array | null;
  /** Where the share lies with probability `level`, given these counts; shape (rows, columns), in [0, 1]. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly level: number;
  /** How evenly a row spreads, shape (rows,), in [0, 1]: 0 = all go one way; NaN in rows without customers. */
  readonly entropy: Float64Array;
  /** In [0, k / (k - 1)]: 0 = nobody moves; NaN with fewer than 2 segments to move between. */
  readonly mobility: number;
}

/**
 * What a migration table says, with the uncertainty of its rows.
 *
 * - intervals: each row is drawn from unknown shares with a Dirichlet(1/2) prior (Jeffreys), a cell's share then
 *   from Beta(count + 1/2, rest + half the other cells); equal-tailed. Of customers alone: money is not drawn
 *   cent by cent.
 * - entropy: Shannon's, over the logarithm of the number of cells a row can reach: one fewer for *new*, who
 *   cannot be lost.
 * - mobility: (k - trace P) / (k - 1) over the k segments that exist on both sides and have customers who stayed
 *   among them; P are shares of those (Shorrocks 1978, The measurement of mobility).
 *
 * @param options.level in (0, 1); default .95
 * @throws RangeError when the level is out of range
 *
 * O(cells), some ten evaluations of the beta distribution each. Same values as scipy.stats.beta.ppf.
 */
export function describeMigration(table: MigrationTable, { level = 0.95 } = {}): Migration {
  if (!(level > 0 && level < 1)) throw new RangeError(`an interval needs a level in (0, 1), found ${level}`);
  const { rows, columns, customers, cents } = table;
  const totals = totalsOfRows(customers, columns);
  const low = new Float64Array(rows * columns);
  const high = new Float64Array(rows * columns);
  const evenness = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const reachable = row === rows - 1 ? columns - 1 : columns;
    const counts = customers.subarray(row * columns, row * columns + reachable);
    evenness[row] = evennessOf(counts, totals[row]!);
    for (let column = 0; column < reachable; column++) {
      const at = row * columns + column;
      [low[at], high[at]] = intervalOf(customers[at]!, { total: totals[row]!, cells: reachable, level }) as [
        number,
        number,
      ];
    }
  }
  return {
    totals,
    shares: sharesOfRows(customers, columns),
    centShares: cents && sharesOfRows(cents, columns),
    ...{ low, high, level, entropy: evenness, mobility: mobilityOf(table) },
  };
}

/** Sum of each row, shape (rows,). */
export function totalsOfRows(weights: Float64Array, columns: number): Float64Array {
  return Float64Array.from({ length: weights.length / columns }, (_, row) =>
    weights.subarray(row * columns, (row + 1) * columns).reduce((sum, weight) => sum + weight, 0),
  );
}

function sharesOfRows(weights: Float64Array, columns: number): Float64Array {
  const totals = totalsOfRows(weights, columns);
  return weights.map((weight, at) => {
    const total = totals[Math.floor(at / columns)]!;
    return total > 0 ? weight / total : Number.NaN;
  });
}

function evennessOf(counts: Float64Array, total: number): number {
  if (total === 0) return Number.NaN;
  return counts.length > 1 ? Math.min(1, entropy(counts, total) / Math.log(counts.length)) : 0;
}

function intervalOf(
  count: number,
  { total, cells, level }: { total: number; cells: number; level: number },
): readonly [low: number, high: number] {
  // A row with one way out has no share to be unsure of.
  if (cells === 1) return [1, 1];
  const a = count + 0.5;
  const b = total - count + (cells - 1) / 2;
  return [betaQuantile((1 - level) / 2, a, b), betaQuantile((1 + level) / 2, a, b)];
}

function mobilityOf({ customers, columns, continuedBy }: MigrationTable): number {
  const heirs = [...continuedBy].filter((heir) => heir >= 0);
  let k = 0;
  let trace = 0;
  continuedBy.forEach((heir, row) => {
    if (heir < 0) return;
    const among = heirs.reduce((sum, column) => sum + customers[row * columns + column]!, 0);
    if (among === 0) return;
    k++;
    trace += customers[row * columns + heir]! / among;
  });
  return k > 1 ? (k - trace) / (k - 1) : Number.NaN;
}
