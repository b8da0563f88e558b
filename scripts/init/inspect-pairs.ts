import type { ColumnFacts, TableFacts } from '../../pipelines/init/facts.ts';
import { ident, numberOf } from './column-sql.ts';
import type { Looking } from './inspect.ts';
import type { Tidied } from './inspect-columns.ts';

/** More columns than these are not compared with one another. */
const MOST = { keys: 10, numbers: 8 };
/** A cent, and what floating point makes of one. */
const ROUNDING = 0.0101;
const LEAST_SHARE = 0.5;

/** Of every column that may name something: the share of its values with one value of each other column. */
export async function determinations(
  { warehouse, signal }: Looking,
  { from }: Tidied,
  columns: readonly ColumnFacts[],
): Promise<TableFacts['determines']> {
  const keys = columns
    .filter(({ kind, filled, distinct, number }) => {
      const isWhole = !number || (number.wholeShare >= 0.999 && number.negativeShare < 0.01);
      return kind !== 'time' && kind !== 'boolean' && isWhole && distinct > 20 && filled > distinct;
    })
    .sort((left, right) => right.distinct - left.distinct || (left.name < right.name ? -1 : 1))
    .slice(0, MOST.keys);
  const found = [];
  for (const key of keys) {
    const others = columns.filter(({ name, filled }) => name !== key.name && filled > 0);
    const same = others.map((_, i) => `count_if(coalesce(min_${i} = max_${i}, true)) / count(*) AS "${i}"`);
    const ends = others.map(
      ({ name }, i) => `min(${ident(name)}) AS min_${i}, max(${ident(name)}) AS max_${i}`,
    );
    const [row] = await warehouse.rows(
      `SELECT ${same.join(', ')} FROM (SELECT ${ends.join(', ')} FROM ${from}
      WHERE ${ident(key.name)} IS NOT NULL GROUP BY ${ident(key.name)})`,
      { signal },
    );
    for (const [i, { name }] of others.entries()) {
      const share = Number(row![String(i)]);
      if (share >= LEAST_SHARE) found.push({ by: key.name, of: name, share });
    }
  }
  return found;
}

/** Columns whose product is a third one, in most rows that have all three. */
export async function products(
  { warehouse, signal }: Looking,
  { from, sample }: Tidied,
  columns: readonly ColumnFacts[],
): Promise<TableFacts['products']> {
  const numbers = columns
    .filter(({ number, distinct }) => number && distinct > 2)
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .slice(0, MOST.numbers);
  if (numbers.length < 3) return [];
  const triples = numbers.flatMap((a, i) =>
    numbers
      .slice(i + 1)
      .flatMap((b) =>
        numbers
          .filter((c) => c !== a && c !== b)
          .map((c) => ({ product: c.name, factors: [a.name, b.name] as const })),
      ),
  );
  const place = new Map(numbers.map(({ name }, i) => [name, `n${i}`]));
  const values = numbers.map(({ name, type, number }, i) => {
    const value = numberOf(ident(name), { type, decimal: number!.decimal });
    return `${value} AS n${i}`;
  });
  const shares = triples.map(({ product, factors: [a, b] }, i) => {
    const [left, right, third] = [a, b, product].map((name) => place.get(name)!);
    // A row in which a factor is 1, or all is 0, says nothing of a product.
    const telling = `${third} IS NOT NULL AND ${left} <> 1 AND ${right} <> 1 AND ${third} <> 0`;
    return `count_if(abs(${left} * ${right} - ${third}) <= ${ROUNDING}) FILTER (WHERE ${telling}) AS hits_${i},
      count_if(${telling} AND ${left} IS NOT NULL AND ${right} IS NOT NULL) AS rows_${i}`;
  });
  const [row] = await warehouse.rows(
    `SELECT ${shares.join(', ')} FROM (SELECT ${values.join(', ')} FROM ${from} ${sample})`,
    { signal },
  );
  return triples.flatMap(({ product, factors }, i) => {
    const rows = Number(row![`rows_${i}`]);
    const share = rows === 0 ? 0 : Number(row![`hits_${i}`]) / rows;
    return share >= LEAST_SHARE && rows >= 3 ? [{ product, factors, share }] : [];
  });
}
