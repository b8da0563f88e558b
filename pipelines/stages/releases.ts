import type { Contract } from '../contracts/contract.ts';
import { PipelineError } from '../contracts/errors.ts';
import { conditionNeeds } from '../contracts/odcs-condition.ts';
import { quoteName, quoteText } from '../contracts/sql-quote.ts';
import type { CheckedSql } from './validate.ts';

// Refused rows that a person has found good join the runs that come after. What a row is known by is all that
// the extract says of it; a number or a key would do only for sources that have one. Rows are kept with their
// multiplicity: a source may hold two equal lines, and both may be good.

export interface ExtractColumn {
  name: string;
  /** DuckDB's type. */
  type: string;
}

/** A Parquet file of rows. */
export interface RowsFile {
  /** Relation to stand behind FROM. */
  from: string;
  columns: readonly ExtractColumn[];
}

/** What the quarantine, validation and the customers' table say of a row; the rest is what the source says. */
const VERDICT_COLUMNS = ['refused_by', 'broken_rules', 'is_duplicate', 'is_known_customer', 'is_released'];

// Attributes have snake_case names: one with a blank in it can be none of them.
const COPIES = '"released copies"';
const REST = '"released rest"';
const CONTENT = '"released content"';
const PLACE = '"row place"';
const FOUND = '"found copies"';
const ORIGIN = '"row origin"';
const COPY = '"row copy"';
const RELEASED = '"released rows"';
const MISSING = '"missing rows"';
const SOURCE = '"source rows"';
const MATCHES = '"matching rows"';

/** The contract of a run with releases: a released row breaks none of the rules that refuse. Its warnings stand. */
export function withReleases(contract: Contract): Contract {
  return {
    ...contract,
    rules: contract.rules.map((rule) =>
      // The line break keeps a comment at the end of a check from swallowing the brackets.
      rule.severity === 'warn' ? rule : { ...rule, check: `(is_released OR (${rule.check}\n))` },
    ),
  };
}

/** The columns of a quarantine that make a released row. */
function contentColumns(columns: readonly ExtractColumn[]): ExtractColumn[] {
  return columns.filter(({ name }) => !VERDICT_COLUMNS.includes(name));
}

/** Why a chosen row is not released, in the order in which it is asked; the first that holds is told. */
export const HELD_BACK = {
  'unreadable-line': 'a line that could not be split into fields',
  'no-customer': 'without a customer',
  'no-time': 'without a readable ordered_at',
  'no-amount': 'without an amount',
  'other-rules': 'broken rules that were not named',
} as const;

export type HeldBack = keyof typeof HELD_BACK;

export interface Choice {
  quarantine: RowsFile;
  /** A row is chosen that breaks one of these, and released when it breaks no other. */
  rules: readonly string[];
  /** SQL over the quarantine's columns. */
  where: string | null;
}

/**
 * A condition is put between brackets of ours, out of which it must not get.
 *
 * @throws PipelineError INPUT_INVALID
 */
export function refuseCondition(where: string): void {
  const needed = conditionNeeds(where);
  if (needed !== null) throw new PipelineError('INPUT_INVALID', `--where needs ${needed}`);
}

/** One column, whose type the condition has. */
export function conditionSql({ from }: RowsFile, where: string): CheckedSql {
  refuseCondition(where);
  const sql = `SELECT (${where}\n) AS condition FROM ${from} LIMIT 0`;
  return { sql: `DESCRIBE ${sql}`, parts: [{ name: '--where', sql }] };
}

/** The chosen rows, with `held back`: NULL for those that are released. */
function chosenSql({ quarantine, rules, where }: Choice): string {
  const named = `[${rules.map(quoteText).join(', ')}]`;
  const barriers: Record<HeldBack, string> = {
    'unreadable-line': `starts_with(coalesce(malformed, ''), 'line ')`,
    'no-customer': 'customer_id IS NULL',
    'no-time': 'ordered_at IS NULL',
    'no-amount': 'amount IS NULL',
    'other-rules': `NOT list_has_all(${named}, broken_rules)`,
  };
  const cases = Object.entries(barriers).map(([name, test]) => `WHEN ${test} THEN ${quoteText(name)}`);
  if (where !== null) refuseCondition(where);
  const asked = where === null ? '' : ` AND ((${where}\n) IS TRUE)`;
  return `(SELECT *, CASE ${cases.join(' ')} END AS "held back" FROM ${quarantine.from}
  WHERE list_has_any(broken_rules, ${named})${asked})`;
}

/** Chosen rows by what holds them back, NULL first: those that are released. */
export function choiceCountsSql(choice: Choice): CheckedSql {
  const sql = `SELECT "held back" AS held_back, count(*) AS rows FROM ${chosenSql(choice)}
GROUP BY ALL ORDER BY held_back NULLS FIRST`;
  return checkedBy(sql, choice);
}

/** Rules that were not named and hold chosen rows back, with how many each. */
export function otherRulesSql(choice: Choice): CheckedSql {
  const named = `[${choice.rules.map(quoteText).join(', ')}]`;
  const sql = `SELECT rule, count(*) AS rows
FROM (SELECT unnest(broken_rules) AS rule FROM ${chosenSql(choice)} WHERE "held back" = 'other-rules')
WHERE NOT list_contains(${named}, rule) GROUP BY rule ORDER BY rule`;
  return checkedBy(sql, choice);
}

/** The rows that are released, whatever run they were refused in: the same rows give the same bytes. */
export function releasedRowsSql(choice: Choice): CheckedSql {
  const columns = names(contentColumns(choice.quarantine.columns));
  const order = inOrder(columns).map(quoteName).join(', ');
  const sql = `SELECT ${columns.map(quoteName).join(', ')} FROM ${chosenSql(choice)}
WHERE "held back" IS NULL ORDER BY ${order}`;
  return checkedBy(sql, choice);
}

function checkedBy(sql: string, { quarantine, where }: Choice): CheckedSql {
  if (where === null) return { sql, parts: [] };
  const only = `SELECT count(*) FROM ${quarantine.from} WHERE ((${where}\n) IS TRUE)`;
  return { sql, parts: [{ name: '--where', sql: only }] };
}

/**
 * The rows of several releases as one relation: first the columns that rows are known by, those that every release
 * has; then how many equal rows there are, as many as the release with the most of them; then what only some
 * releases tell. A row that two releases hold is there once.
 */
export function mergedReleasesSql(releases: readonly RowsFile[]): string {
  const all = commonTypes(releases.flatMap(({ columns }) => contentColumns(columns)));
  const isKnown = ({ name }: ExtractColumn) => releases.every(({ columns }) => names(columns).includes(name));
  const known = all.filter(isKnown);
  const rest = all.filter((column) => !isKnown(column));
  const parts = releases.map(({ from, columns }) => {
    const value = ({ name, type }: ExtractColumn) =>
      `CAST(${names(columns).includes(name) ? quoteName(name) : 'NULL'} AS ${type})`;
    const select = known.map((column) => `${value(column)} AS ${quoteName(column.name)}`);
    return `SELECT ${[...select, `count(*) AS ${COPIES}`, ...packed(rest, value)].join(', ')} FROM ${from} GROUP BY ALL`;
  });
  const keys = names(known).map(quoteName);
  const order = inOrder(names(known)).map(quoteName).join(', ');
  return `SELECT ${[...keys, COPIES, ...unpacked(rest)].join(', ')}
FROM (SELECT ${[...keys, `max(${COPIES}) AS ${COPIES}`, ...(rest.length > 0 ? [`min(${REST}) AS ${REST}`] : [])].join(', ')}
  FROM (${parts.join('\n  UNION ALL\n  ')}) GROUP BY ${keys.join(', ')})
ORDER BY ${order}`;
}

/**
 * The extract with `is_released`, and with the released rows of the time before the as-of date that it lacks: an
 * incremental source does not bring them again. Of each it gets as many as were released; none where it has a row
 * of the same unique key, since then the source says what has become of it. In the extract's order, and of one
 * moment first the rows of the source.
 *
 * @param extract the frozen extract, a Parquet file
 * @param releases of `mergedReleasesSql`, a Parquet file
 * @param unique the contract's key
 * @param known relation of the frozen customers' table, where there is one
 * @param asOf ISO date
 */
export function joinReleasesSql(join: {
  extract: RowsFile;
  releases: RowsFile;
  unique: readonly string[];
  known?: string | undefined;
  asOf: string;
}): string {
  const { extract, known, asOf } = join;
  const told = contentColumns(extract.columns);
  const { compared, rest } = split(told, join.releases);
  const given = names([...compared, ...rest]);
  // A key that the releases do not tell, since the definition was another then, decides nothing.
  const unique = join.unique.every((name) => given.includes(name)) ? join.unique : [];
  const key = names(compared).map(quoteName);
  const value = ({ name, type }: ExtractColumn) => `TRY_CAST(${quoteName(name)} AS ${type})`;
  const isSame = key
    .map((name) => `${SOURCE}.${name} IS NOT DISTINCT FROM ${RELEASED}.${name}`)
    .join(' AND ');
  const columns = names(extract.columns).map(quoteName).join(', ');
  const before = [`ordered_at < TIMESTAMP '${asOf} 00:00:00'`];
  if (names(told).includes('loaded_at'))
    before.push(`coalesce(loaded_at < TIMESTAMP '${asOf} 00:00:00', true)`);
  if (unique.length > 0) {
    const isThere = unique.map((name) => `${SOURCE}.${quoteName(name)} = ${MISSING}.${quoteName(name)}`);
    before.push(`NOT EXISTS (SELECT 1 FROM ${extract.from} AS ${SOURCE} WHERE ${isThere.join(' AND ')})`);
  }
  return `WITH ${RELEASED} AS MATERIALIZED (
  SELECT *, row_number() OVER (ORDER BY ${key.join(', ')}) AS ${CONTENT}
  FROM (SELECT ${[
    ...compared.map((column) => `${value(column)} AS ${quoteName(column.name)}`),
    `CAST(sum(${COPIES}) AS BIGINT) AS ${COPIES}`,
    ...packed(rest, value),
  ].join(', ')}
    FROM ${join.releases.from} GROUP BY ${compared.map(value).join(', ')})
), ${MATCHES} AS MATERIALIZED (
  SELECT ${SOURCE}.file_row_number AS ${PLACE}, ${CONTENT} FROM ${extract.from} AS ${SOURCE} JOIN ${RELEASED} ON ${isSame}
), ${MISSING} AS MATERIALIZED (
  SELECT ${[...key, ...unpacked(rest), CONTENT].join(', ')}, unnest(range(${COPIES} - coalesce(${FOUND}, 0))) AS ${COPY}
  FROM ${RELEASED} LEFT JOIN (SELECT ${CONTENT}, count(*) AS ${FOUND} FROM ${MATCHES} GROUP BY ${CONTENT}) USING (${CONTENT})
)
SELECT ${columns}, is_released FROM (
  SELECT ${columns}, ${MATCHES}.${PLACE} IS NOT NULL AS is_released, 0 AS ${ORIGIN}, ${SOURCE}.file_row_number AS ${PLACE}, 0 AS ${COPY}
  FROM ${extract.from} AS ${SOURCE} LEFT JOIN ${MATCHES} ON ${SOURCE}.file_row_number = ${MATCHES}.${PLACE}
  UNION ALL
  SELECT ${extract.columns.map((column) => addedValue(column, { given, unique, known })).join(', ')}, true, 1, ${CONTENT}, ${COPY}
  FROM ${MISSING} WHERE ${before.join(' AND ')})
ORDER BY customer_id, ordered_at, ${ORIGIN}, ${PLACE}, ${COPY}`;
}

/** Rows are compared over what both sides tell; of the rest, what the releases know is given to the rows added. */
function split(told: readonly ExtractColumn[], releases: RowsFile) {
  const order = names(releases.columns);
  const copies = order.indexOf(COPIES.slice(1, -1));
  const isKnown = (name: string) => order.indexOf(name) >= 0 && order.indexOf(name) < copies;
  return {
    compared: told.filter(({ name }) => isKnown(name)),
    rest: told.filter(({ name }) => order.indexOf(name) > copies),
  };
}

/** Rows added are copies of one another where they share a key; of the extract's own rows none has it. */
function addedValue(
  { name, type }: ExtractColumn,
  {
    given,
    unique,
    known,
  }: { given: readonly string[]; unique: readonly string[]; known?: string | undefined },
): string {
  if (name === 'is_known_customer' && known !== undefined)
    return `coalesce(customer_id IN (SELECT customer_id FROM ${known}), false)`;
  if (name === 'is_duplicate') {
    if (unique.length === 0) return 'false';
    const key = unique.map(quoteName);
    const isWhole = key.map((column) => `${column} IS NOT NULL`).join(' AND ');
    return `${isWhole} AND row_number() OVER (PARTITION BY ${key.join(', ')} ORDER BY ${CONTENT}, ${COPY}) > 1`;
  }
  return given.includes(name) ? quoteName(name) : `CAST(NULL AS ${type})`;
}

/** Of several equal rows one, whole, whichever is least: columns taken one by one would make a row that never was. */
function packed(columns: readonly ExtractColumn[], value: (column: ExtractColumn) => string): string[] {
  if (columns.length === 0) return [];
  const fields = columns.map((column) => `${quoteName(column.name)} := ${value(column)}`);
  return [`min(struct_pack(${fields.join(', ')})) AS ${REST}`];
}

function unpacked(columns: readonly ExtractColumn[]): string[] {
  return columns.map(({ name }) => `${REST}.${quoteName(name)} AS ${quoteName(name)}`);
}

/** Each name once; a column that had another type in another run is compared as text. */
function commonTypes(columns: readonly ExtractColumn[]): ExtractColumn[] {
  const types = new Map<string, string>();
  for (const { name, type } of columns)
    types.set(name, (types.get(name) ?? type) === type ? type : 'VARCHAR');
  return [...types].map(([name, type]) => ({ name, type }));
}

/** As the extract is ordered, then by all that is left. */
function inOrder(columns: readonly string[]): string[] {
  return [...new Set(['customer_id', 'ordered_at', ...columns])];
}

function names(columns: readonly ExtractColumn[]): string[] {
  return columns.map(({ name }) => name);
}
