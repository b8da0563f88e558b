import { join } from 'node:path';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { DraftedRule } from '../../pipelines/init/draft-rules.ts';
import { type ColumnFacts, columnOf, type TableFacts } from '../../pipelines/init/facts.ts';
import type { MeasuredCustomers, MeasuredRows, Seen } from '../../pipelines/init/measured.ts';
import type { DraftedAttribute } from '../../pipelines/init/pipeline-text.ts';
import { CANONICAL_OF, type Role } from '../../pipelines/init/role-words.ts';
import type { Row } from '../../store/warehouse/duckdb.ts';
import { ident, literal, momentOf, numberOf } from './column-sql.ts';
import type { Looking } from './inspect.ts';

// What the rules of the contract would refuse, and how the customers that are left buy: counted on all rows, as a
// run will read them. The figures go into comments, limits and borders, all of them rounded; the run counts anew.

type Decided = Readonly<Partial<Record<Role, string>>>;

interface Reading {
  /** Relation with the columns of the file. */
  from: string;
  facts: TableFacts;
  roles: Decided;
  /** strptime formats of the times; none: ISO 8601. */
  times: readonly string[];
  decimal: '.' | ',';
  missing: readonly string[];
  /** ISO 4217: only its sign may stand with an amount. */
  currency: string;
  /** Further columns, taken as text. */
  attributes: readonly DraftedAttribute[];
}

const MOST_LISTED = { country: 60, channel: 30 };
const MONEY = 'DECIMAL(18,4)';

/**
 * The mapped columns of all rows under their canonical names.
 *
 * @returns relation to stand behind FROM
 */
export async function readCanonical(
  { warehouse, folder, signal }: Looking,
  reading: Reading,
): Promise<string> {
  const { facts, roles, from } = reading;
  const values: string[] = [];
  const faults: string[] = [];
  for (const [role, name] of Object.entries(roles) as [Role, string][]) {
    const column = columnOf(facts, name)!;
    const text = tidy(column, reading.missing);
    const canonical = CANONICAL_OF[role];
    const value = canonicalSql(role, column, { text, ...reading });
    values.push(`${value} AS ${canonical}`);
    if (MAY_FAIL.has(role))
      faults.push(`CASE WHEN ${text} IS NOT NULL AND (${value}) IS NULL THEN '${canonical}' END`);
  }
  for (const { name, column } of reading.attributes)
    values.push(`CAST(${tidy(columnOf(facts, column)!, reading.missing)} AS VARCHAR) AS ${ident(name)}`);
  const all = facts.columns.map(({ name }) => ident(name)).join(', ');
  const hasAmount = roles.amount !== undefined;
  const key =
    roles['line-id'] === undefined
      ? 'false'
      : 'line_id IS NOT NULL AND row_number() OVER (PARTITION BY line_id) > 1';
  const order = roles.order === undefined ? `, strftime(ordered_at, '%Y-%m-%dT%H:%M:%S') AS order_id` : '';
  const path = join(folder, 'canonical.parquet');
  await warehouse.copyToParquet(
    `SELECT *${order}, ${key} AS is_duplicate${hasAmount ? '' : `, TRY_CAST(quantity * unit_price AS ${MONEY}) AS amount`}
    FROM (SELECT ${values.join(', ')}, nullif(concat_ws('; ', ${faults.join(', ')}), '') AS malformed,
      hash(${all}) AS content FROM ${from})`,
    path,
    { signal },
  );
  return `read_parquet(${literal(path)})`;
}

const MAY_FAIL = new Set<Role>(['time', 'quantity', 'price', 'amount', 'discount', 'loaded-at']);

function tidy({ name, type }: ColumnFacts, missing: readonly string[]): string {
  const column = ident(name);
  if (type === 'DOUBLE' || type === 'FLOAT') return `CASE WHEN isnan(${column}) THEN NULL ELSE ${column} END`;
  if (type !== 'VARCHAR') return column;
  const text = `nullif(trim(${column}), '')`;
  if (missing.length === 0) return text;
  return `CASE WHEN upper(trim(${column})) IN (${missing.map(literal).join(', ')}) THEN NULL ELSE ${text} END`;
}

function canonicalSql(
  role: Role,
  { type }: ColumnFacts,
  { text, times, decimal, currency }: { text: string } & Pick<Reading, 'times' | 'decimal' | 'currency'>,
): string {
  const number = numberOf(text, { type, decimal, currency });
  switch (role) {
    case 'time':
    case 'loaded-at':
      return momentOf(text, { type, formats: times });
    case 'quantity':
      return `CASE WHEN ${number} = trunc(${number}) THEN TRY_CAST(${number} AS BIGINT) END`;
    case 'price':
    case 'amount':
    case 'discount':
      return `TRY_CAST(${number} AS ${MONEY})`;
    default:
      return `CAST(${text} AS VARCHAR)`;
  }
}

/** @param tomorrow ISO date: what is ordered from then on is in the future */
export async function measureRows(
  { warehouse, signal }: Looking,
  { from, roles, tomorrow }: { from: string; roles: Decided; tomorrow: string },
): Promise<Omit<MeasuredRows, 'unreadableLines'>> {
  const figures = ['quantity', 'unit_price', 'amount'].map((name) =>
    name === 'quantity' && roles.quantity === undefined
      ? 'NULL AS quantity'
      : name === 'unit_price' && roles.price === undefined
        ? 'NULL AS unit_price'
        : `{missing: count_if(${name} IS NULL), zeros: count_if(${name} = 0), negatives: count_if(${name} < 0), max: CAST(max(${name}) AS DOUBLE)} AS ${name}`,
  );
  const sane = `ordered_at < TIMESTAMP '${tomorrow} 00:00:00'`;
  const late = roles['loaded-at'] === undefined ? '0' : 'count_if(ordered_at > loaded_at)';
  const [row] = await warehouse.rows(
    `SELECT count(*) AS rows, count_if(customer_id IS NULL) AS without_customer, count_if(order_id IS NULL) AS without_order,
    count_if(ordered_at IS NULL AND malformed IS NULL) AS without_time, count_if(malformed IS NOT NULL) AS unreadable,
    count(*) - count(DISTINCT content) AS duplicates, count_if(is_duplicate) AS repeated_lines,
    count_if(ordered_at < TIMESTAMP '2000-01-01') AS ancient, count_if(NOT ${sane}) AS future,
    CAST(CAST(min(ordered_at) AS DATE) AS VARCHAR) AS oldest,
    CAST(CAST(max(ordered_at) FILTER (WHERE ${sane}) AS DATE) AS VARCHAR) AS newest,
    ${late} AS after_loading, ${figures.join(', ')} FROM ${from}`,
    { signal },
  );
  const found = row!;
  return {
    rows: Number(found.rows),
    withoutCustomer: Number(found.without_customer),
    withoutOrder: Number(found.without_order),
    withoutTime: Number(found.without_time),
    unreadable: Number(found.unreadable),
    duplicates: Number(found.duplicates),
    repeatedLines: Number(found.repeated_lines),
    ancient: Number(found.ancient),
    oldest: (found.oldest as string | null) ?? null,
    newest: (found.newest as string | null) ?? null,
    future: Number(found.future),
    afterLoading: Number(found.after_loading),
    quantity: seenOf(found.quantity),
    price: seenOf(found.unit_price),
    amount: seenOf(found.amount),
    prefixes: roles.order === undefined ? [] : await prefixesOf({ warehouse, signal }, from),
    countries: roles.country === undefined ? null : await listOf({ warehouse, signal }, from, 'country'),
    channels: roles.channel === undefined ? null : await listOf({ warehouse, signal }, from, 'channel'),
  };
}

function seenOf(value: unknown): Seen | null {
  if (value === null || value === undefined) return null;
  const { missing, zeros, negatives, max } = value as Record<keyof Seen, unknown>;
  return { missing: Number(missing), zeros: Number(zeros), negatives: Number(negatives), max: Number(max) };
}

type Asking = Pick<Looking, 'warehouse' | 'signal'>;

async function prefixesOf({ warehouse, signal }: Asking, from: string): Promise<MeasuredRows['prefixes']> {
  const rows = await warehouse.rows(
    `SELECT regexp_extract(order_id, '^([A-Za-z]{1,3})[-_ ]?\\d', 1) AS prefix, count(*) AS rows,
    count_if(amount < 0) / count(*) AS negative_share FROM ${from} GROUP BY 1 HAVING prefix <> ''
    ORDER BY rows DESC, prefix LIMIT 20`,
    { signal },
  );
  return rows.map((row) => ({
    prefix: String(row.prefix),
    rows: Number(row.rows),
    negativeShare: Number(row.negative_share),
  }));
}

async function listOf({ warehouse, signal }: Asking, from: string, column: 'country' | 'channel') {
  const most = MOST_LISTED[column];
  const rows = await warehouse.rows(
    `SELECT ${column} AS word FROM ${from} WHERE ${column} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT ${most + 1}`,
    { signal },
  );
  return rows.length > most ? null : rows.map(({ word }) => String(word));
}

/** The rules, each with the rows that it is the first to refuse; one that only warns, with the accepted rows it tells of. */
export async function countBroken(
  { warehouse, signal }: Looking,
  from: string,
  rules: readonly DraftedRule[],
): Promise<(DraftedRule & { brokenRows: number })[]> {
  const refusing = rules.filter(({ severity }) => severity === 'reject');
  const isBroken = ({ broken }: DraftedRule) => `(${broken}) IS TRUE`;
  const first = refusing.map((rule, i) => `WHEN ${isBroken(rule)} THEN ${i}`);
  const counts = rules.map((rule, i) => {
    const place = refusing.indexOf(rule);
    return place >= 0
      ? `count_if(first_broken = ${place}) AS r${i}`
      : `count_if(first_broken IS NULL AND ${isBroken(rule)}) AS r${i}`;
  });
  const [row] = await warehouse.rows(
    `SELECT ${counts.join(', ')} FROM (SELECT *, CASE ${first.join(' ')} END AS first_broken FROM ${from})`,
    { signal },
  );
  return rules.map((rule, i) => ({ ...rule, brokenRows: Number((row as Row)[`r${i}`]) }));
}

/**
 * How the customers buy whose rows the rules let through.
 *
 * @throws PipelineError INPUT_INVALID when fewer than two are left, with what refused most
 */
export async function measureCustomers(
  { warehouse, signal }: Looking,
  {
    from,
    rules,
    asOf,
  }: { from: string; rules: readonly (DraftedRule & { brokenRows: number })[]; asOf: string },
): Promise<MeasuredCustomers> {
  const refusing = rules.filter(({ severity }) => severity === 'reject');
  const accepted = `(FROM ${from} WHERE ${refusing.map(({ broken }) => `(${broken}) IS NOT TRUE`).join(' AND ')}
    AND ordered_at < TIMESTAMP '${asOf} 00:00:00')`;
  const quantiles = (value: string, names: Record<string, number>) =>
    Object.entries(names)
      .map(([name, share]) => `CAST(quantile_cont(${value}, ${share}) AS DOUBLE) AS ${name}`)
      .join(', ');
  const [customers] = await warehouse.rows(
    `SELECT count(*) AS customers, coalesce(sum(rows), 0) AS rows, coalesce(max(tenure), 0) AS history,
    ${quantiles('spend', { spend_half: 0.5, spend_four: 0.8 })},
    ${quantiles('recency', { recency_quarter: 0.25, recency_half: 0.5, recency_three: 0.75 })}
    FROM (SELECT count(*) AS rows, CAST(sum(amount) AS DOUBLE) AS spend,
      date_diff('day', CAST(max(ordered_at) AS DATE), DATE '${asOf}') AS recency,
      date_diff('day', CAST(min(ordered_at) AS DATE), DATE '${asOf}') AS tenure
      FROM ${accepted} GROUP BY customer_id)`,
    { signal },
  );
  const found = customers!;
  if (Number(found.customers) < 2) throw tooFew(Number(found.customers), rules);
  const [gaps] = await warehouse.rows(
    `SELECT count(gap) AS gaps, ${quantiles('gap', { gap_half: 0.5, gap_four: 0.8, gap_most: 0.95 })}
    FROM (SELECT day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap
      FROM (SELECT DISTINCT customer_id, CAST(ordered_at AS DATE) AS day FROM ${accepted}))`,
    { signal },
  );
  const number = (row: Row, name: string) => Number(row[name] ?? 0);
  return {
    rows: number(found, 'rows'),
    customers: number(found, 'customers'),
    historyDays: number(found, 'history'),
    gaps: {
      count: number(gaps!, 'gaps'),
      median: number(gaps!, 'gap_half'),
      upper: number(gaps!, 'gap_four'),
      long: number(gaps!, 'gap_most'),
    },
    recency: {
      quarter: number(found, 'recency_quarter'),
      half: number(found, 'recency_half'),
      threeQuarters: number(found, 'recency_three'),
    },
    spend: { half: number(found, 'spend_half'), fourFifths: number(found, 'spend_four') },
  };
}

function tooFew(customers: number, rules: readonly (DraftedRule & { brokenRows: number })[]): PipelineError {
  const worst = rules
    .filter(({ severity }) => severity === 'reject')
    .sort((a, b) => b.brokenRows - a.brokenRows)[0];
  const refused =
    worst && worst.brokenRows > 0 ? `; most rows are refused by ${worst.name}: ${worst.reason}` : '';
  return new PipelineError(
    'INPUT_INVALID',
    `segments need at least 2 customers with accepted rows, found ${customers}${refused}; name other columns, or keep returns with --returns keep`,
  );
}
