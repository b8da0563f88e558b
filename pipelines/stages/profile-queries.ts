import type { Contract } from '../contracts/contract.ts';

// What is looked at in an extract before anything is made of it. Only figures that do not depend on the order
// of rows or on threads: counts, extremes, sums of DECIMAL, and quantiles from the counts of equal values. A
// shop has few different prices, so that 10M rows leave some 12,000 values to sort; t-digests and sums of
// doubles were refused, since two runs of them differ.

export const IDENTIFIERS = ['customer_id', 'order_id', 'line_id'] as const;
export const TIMES = ['ordered_at', 'loaded_at'] as const;
export const FIGURES = ['quantity', 'unit_price', 'amount'] as const;
export const WORDS = ['category', 'channel', 'country'] as const;

/** Percentages of the quantiles. */
export const QUANTILES = [1, 5, 25, 50, 75, 95, 99] as const;

/** Of the words of a column so many are shown; the rest is summed up. */
const TOP_WORDS = 12;

/** Roughly equal steps on a log scale (ISO 3, R10); pieces are counted one by one at first. */
const PREFERRED_NUMBERS = [1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8];
const PIECES = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 75];

export interface ProfileQuery {
  name: 'days' | 'hours' | 'figures' | 'bins' | 'distinct' | 'words' | 'unreadable';
  sql: string;
}

/**
 * The queries whose answers `buildProfile` reads, by name. Each scans a few columns once.
 *
 * @param from relation of the frozen extract
 * @param columns its columns
 */
export function profileQueries({
  from,
  columns,
  contract,
}: {
  from: string;
  columns: readonly string[];
  contract: Contract;
}): ProfileQuery[] {
  const among = <T extends string>(names: readonly T[]) => names.filter((name) => columns.includes(name));
  const words = among(WORDS);
  const queries: ProfileQuery[] = [
    { name: 'days', sql: daysSql({ from, columns: profiledColumns(columns), contract }) },
    {
      name: 'hours',
      sql: `SELECT isodow(ordered_at) AS weekday, hour(ordered_at) AS hour, count(*) AS rows
FROM ${from} WHERE ordered_at IS NOT NULL GROUP BY ALL ORDER BY ALL`,
    },
    { name: 'figures', sql: figuresSql(from) },
    { name: 'bins', sql: binsSql(from) },
    {
      name: 'distinct',
      // Millions of texts would fill the memory; two orders share a 64-bit hash once in a million extracts.
      // HyperLogLog was refused: DuckDB's has 64 registers and was off by a fifth.
      sql: `SELECT count(DISTINCT customer_id) AS customer_id,
  count(DISTINCT hash(order_id)) FILTER (WHERE order_id IS NOT NULL) AS order_id FROM ${from}`,
    },
  ];
  if (words.length > 0)
    queries.push({ name: 'words', sql: words.map((word) => wordsSql(from, word)).join('\nUNION ALL\n') });
  if (columns.includes('malformed')) {
    queries.push({
      name: 'unreadable',
      sql: `SELECT split_part(malformed, '=', 1) AS "column", count(*) AS rows
FROM ${from} WHERE malformed IS NOT NULL GROUP BY ALL ORDER BY ALL`,
    });
  }
  return queries;
}

/** Columns of an extract that have a profile, in the order of the report. */
export function profiledColumns(columns: readonly string[]): string[] {
  return [...IDENTIFIERS, ...TIMES, ...FIGURES, ...WORDS].filter((name) => columns.includes(name));
}

/**
 * One row per day of ordering (NULL: it cannot be read): days make months and weekdays, and grouping by days
 * is three times as fast as by months.
 */
function daysSql({
  from,
  columns,
  contract,
}: {
  from: string;
  columns: string[];
  contract: Contract;
}): string {
  const { rules } = contract;
  // The line break keeps a comment at the end of a check from swallowing the bracket.
  const held = rules.map(({ check }, i) => `((${check}\n) IS TRUE) AS held_${i}`);
  const refusing = rules.flatMap(({ severity }, i) => (severity !== 'warn' ? [`held_${i}`] : []));
  const accepted = refusing.length === 0 ? 'true' : refusing.join(' AND ');
  const times = TIMES.filter((name) => columns.includes(name));
  const text = (moment: string) => `strftime(${moment}, '%Y-%m-%dT%H:%M:%S')`;
  const counts = [
    'count(*) AS rows',
    'count(*) FILTER (WHERE accepted) AS accepted',
    'coalesce(sum(amount) FILTER (WHERE accepted), 0) AS accepted_amount',
    ...columns.map((name) => `count(*) - count(${name}) AS missing_${name}`),
    ...times.flatMap((name) => [
      `${text(`min(${name})`)} AS first_${name}`,
      `${text(`max(${name})`)} AS last_${name}`,
    ]),
    ...rules.map((_, i) => `count(*) FILTER (WHERE NOT held_${i}) AS broken_${i}`),
  ];
  return `SELECT CAST(CAST(ordered_at AS DATE) AS VARCHAR) AS day,
  ${counts.join(',\n  ')}
FROM (SELECT *, ${accepted} AS accepted FROM (SELECT ${[...columns, ...held].join(', ')} FROM ${from}))
GROUP BY CAST(ordered_at AS DATE) ORDER BY day`;
}

/** Rows of each value of each figure: one pass over the pairs that make all three. */
function valuesCte(from: string): string {
  const values = FIGURES.map(
    (
      name,
    ) => `SELECT '${name}' AS figure, CAST(${name} AS DECIMAL(24,4)) AS value, CAST(sum(rows) AS INTEGER) AS rows
  FROM pairs WHERE ${name} IS NOT NULL GROUP BY ALL`,
  );
  return `WITH pairs AS MATERIALIZED (
  SELECT quantity, unit_price, min(amount) AS amount, count(*) AS rows FROM ${from} GROUP BY quantity, unit_price
), figure_values AS MATERIALIZED (
  ${values.join('\n  UNION ALL\n  ')}
)`;
}

/** Quantiles are values of the extract: the least one that so many rows do not exceed (Hyndman & Fan's type 1). */
function figuresSql(from: string): string {
  const quantiles = QUANTILES.map((p) => `min(value) FILTER (WHERE 100 * reached >= ${p} * total) AS q${p}`);
  return `${valuesCte(from)}
SELECT figure, sum(rows) AS rows, count(*) AS distinct_values, min(value) AS least, max(value) AS most,
  sum(value * rows) AS total, coalesce(sum(rows) FILTER (WHERE value < 0), 0) AS negative, coalesce(sum(rows) FILTER (WHERE value = 0), 0) AS zero,
  ${quantiles.join(', ')}
FROM (SELECT *, sum(rows) OVER (PARTITION BY figure ORDER BY value) AS reached, sum(rows) OVER (PARTITION BY figure) AS total
  FROM figure_values)
GROUP BY figure ORDER BY figure`;
}

function binsSql(from: string): string {
  const edges = FIGURES.flatMap((name) => binEdges(name).map((edge) => `('${name}', ${edge})`));
  return `${valuesCte(from)}, edges(figure, edge) AS (
  SELECT figure, CAST(edge AS DECIMAL(24,4)) FROM (VALUES ${edges.join(', ')}) AS given(figure, edge)
)
SELECT figure_values.figure, edge, sum(rows) AS rows
FROM figure_values ASOF JOIN edges ON figure_values.figure = edges.figure AND figure_values.value >= edges.edge
GROUP BY ALL ORDER BY figure, edge`;
}

/** No value lies below the first edge; those above the last share its bin. */
export const FIRST_EDGE = -1e16;

/** Lower edges of the bins, ascending; the same for every extract, so that two reports can be compared. */
export function binEdges(figure: (typeof FIGURES)[number]): number[] {
  const [steps, decades] =
    figure === 'quantity' ? [PIECES, [0, 2, 4]] : [PREFERRED_NUMBERS, [-1, 0, 1, 2, 3, 4, 5, 6]];
  const positive = decades.flatMap((decade) => steps.map((step) => Number((step * 10 ** decade).toFixed(4))));
  return [FIRST_EDGE, ...positive.map((edge) => -edge).reverse(), 0, ...positive];
}

/** Ties are broken by the word itself. */
function wordsSql(from: string, column: string): string {
  return `SELECT * FROM (
  SELECT '${column}' AS "column", ${column} AS word, count(*) AS rows, count(*) OVER () AS distinct_words, sum(count(*)) OVER () AS all_rows
  FROM ${from} WHERE ${column} IS NOT NULL GROUP BY ${column} ORDER BY rows DESC, word LIMIT ${TOP_WORDS}
)`;
}
