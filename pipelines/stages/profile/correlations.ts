import { nextTurn } from '../../../numeric/kernels/turn.ts';
import { correlation } from '../../../numeric/statistics/moments.ts';
import { midRanks, spearman } from '../../../numeric/statistics/ranks.ts';
import { quoteName } from '../../contracts/sql-quote.ts';
import type { Reader } from './relation.ts';
import { type Correlations, digits } from './report.ts';
import { SAMPLE } from './samples.ts';

/** More columns than these would make a heat map that nobody can read. */
const MOST_COLUMNS = 40;
const ROWS = 10_000;
const ROWS_OF_MANY = 4_000;
const MANY = 12;

/**
 * Spearman's between all pairs of columns, on the pairs of values where neither is missing. Ranks, so that no
 * extreme value decides; their sums are exact, so that the order of rows does not either.
 *
 * @param columns shape (n,) each, NaN = missing
 */
export async function rankCorrelations(
  columns: Readonly<Record<string, Float64Array>>,
): Promise<(number | null)[][]> {
  const values = Object.values(columns);
  const isWhole = values.map((column) => !column.some(Number.isNaN));
  const ranks = values.map((column, i) => (isWhole[i] ? midRanks(column) : column));
  const found = values.map(() => values.map((): number | null => 1));
  for (let i = 0; i < values.length; i++) {
    for (let j = 0; j < i; j++) {
      const pair =
        isWhole[i] && isWhole[j] ? correlationOf(ranks[i]!, ranks[j]!) : spearmanOf(values[i]!, values[j]!);
      found[i]![j] = pair;
      found[j]![i] = pair;
    }
    await nextTurn();
  }
  return found;
}

function correlationOf(a: Float64Array, b: Float64Array): number | null {
  const found = a.length < 2 ? Number.NaN : correlation(a, b);
  return Number.isNaN(found) ? null : digits(found, 4);
}

function spearmanOf(a: Float64Array, b: Float64Array): number | null {
  const pairs = a.reduce((count, value, i) => count + (Number.isNaN(value + b[i]!) ? 0 : 1), 0);
  const found = pairs < 2 ? Number.NaN : spearman(a, b);
  return Number.isNaN(found) ? null : digits(found, 4);
}

/** Of the figures of an extract, on rows of its sample; null with fewer than two figures. */
export async function measureCorrelations(
  reader: Reader,
  { figures, sampled }: { figures: readonly string[]; sampled: number },
): Promise<Correlations | null> {
  const columns = figures.slice(0, MOST_COLUMNS);
  if (columns.length < 2 || sampled < 2) return null;
  const every = Math.ceil(sampled / (columns.length > MANY ? ROWS_OF_MANY : ROWS));
  const selected = columns.map((name) => {
    const value = `CAST(${quoteName(name)} AS DOUBLE)`;
    return `CASE WHEN isfinite(${value}) THEN ${value} END AS ${quoteName(name)}`;
  });
  const found = await reader.numbers(
    `SELECT ${selected.join(', ')} FROM ${SAMPLE} WHERE rowid % ${every} = 0`,
  );
  return {
    columns,
    values: await rankCorrelations(Object.fromEntries(columns.map((name) => [name, found[name]!]))),
    rows: found[columns[0]!]!.length,
    leftOut: figures.length - columns.length,
  };
}
