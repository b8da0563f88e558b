import { type Rule, type TableContract, UNREADABLE_LINE } from '../contracts/contract.ts';
import { PipelineError } from '../contracts/errors.ts';
import { quoteName, quoteText } from '../contracts/sql-quote.ts';

// Every rule of the contract is held against every row in one pass. A check that is NULL is broken: what
// cannot be decided is not accepted. A row is counted under the first rule it breaks, in the contract's
// order, and kept with all of them. A line that could not be split has no values to judge: it breaks that rule alone.
//
// Nearly all rows break nothing: they are filtered out by one conjunction, and only the others get a mask with
// a bit for each broken rule, from which all that is told follows. Refused: a column and two counters for each
// rule (twice the time with twenty rules), a mask for every row (a third more).

// Attributes have snake_case names: one with a blank in it can be none of them.
const ROW = '"row number"';
const WHOLE = '"whole row"';

/** SQL, and the parts of a definition in it, so that a fault can be laid at the right one. */
export interface CheckedSql {
  sql: string;
  parts: { name: string; sql: string }[];
}

export interface ValidationCounts {
  rows: number;
  accepted: number;
  /** Distinct customers of accepted rows. */
  customers: number;
  /** Rows with a value that could not be read. */
  malformed: number;
  /** First and last accepted order, ISO with time. */
  firstOrderedAt: string | null;
  lastOrderedAt: string | null;
  /** Newest accepted moment in the column of the contract's freshness, ISO with time; absent without one. */
  newest?: string | null;
  /** In the contract's order. */
  rules: { name: string; severity: Rule['severity']; reason: string; broken: number; refused: number }[];
}

/** What of a contract validation reads; the second table has one, too. */
export type Checkable = TableContract & { freshness?: { column: string } | undefined };

export interface Validated {
  /** Relation of the frozen extract; like DuckDB's read_parquet it has `file_row_number`. */
  from: string;
  contract: Checkable;
  /** The table that `brokenRowsSql` made; absent: the rows are checked within the statement. */
  broken?: string;
  /** Customers have no times; absent: transactions. */
  table?: 'transactions' | 'customers';
}

/** Predicate over the extract: true for a row that no rule refuses, never NULL. */
export function acceptedSql({ rules }: Pick<TableContract, 'rules'>): string {
  const checks = rules.filter(isRefusing).map(checkSql);
  return checks.length === 0 ? 'true' : `(${checks.join(' AND ')})`;
}

/**
 * Makes a temporary table of the rows that break a rule, so that counting and keeping them need no second pass: a
 * mask for each, of refused ones all columns, too.
 */
export function brokenRowsSql({ from, contract, broken }: Validated & { broken: string }): CheckedSql {
  return {
    sql: `CREATE OR REPLACE TEMP TABLE ${broken} AS
SELECT * EXCLUDE (kept), CASE WHEN ${isRefused(contract.rules)} THEN kept END AS kept
FROM (${brokenSql(from, contract, `, ${WHOLE} AS kept`)})`,
    parts: rulePartsOf(from, contract),
  };
}

/** One row of counts, for `readValidation`. */
export function validationSql({ from, contract, broken, table }: Validated): CheckedSql {
  const { rules, freshness } = contract;
  const counts = rules.flatMap((rule, i) => [
    `coalesce(sum(n) FILTER (WHERE ${isBroken(i)}), 0) AS broken_${i}`,
    `${isRefusing(rule) ? `coalesce(sum(n) FILTER (WHERE ${isFirst(rules, i)}), 0)` : '0'} AS refused_${i}`,
  ]);
  const iso = (moment: string) => `strftime(${moment}, '%Y-%m-%dT%H:%M:%S')`;
  const [first, last] =
    table === 'customers' ? ['NULL', 'NULL'] : [iso('min(ordered_at)'), iso('max(ordered_at)')];
  const times = `${first} AS first_ordered_at, ${last} AS last_ordered_at`;
  const newest = freshness ? `, ${iso(`max(${quoteName(freshness.column)})`)} AS newest` : '';
  const masks = masksOf(rules).join(', ');
  const sql = `WITH ${broken === undefined ? `broken_rows AS MATERIALIZED (${brokenSql(from, contract)}), ` : ''}kinds AS (
  SELECT ${masks}, count(*) AS n FROM ${broken ?? 'broken_rows'} GROUP BY ALL
), found AS (
  SELECT ${counts.join(',\n    ')} FROM kinds
), kept AS (
  SELECT count(*) AS accepted, count(DISTINCT customer_id) AS customers, ${times}${newest}
  FROM ${from} AS ${WHOLE} ANTI JOIN (SELECT ${ROW} FROM ${broken ?? 'broken_rows'} WHERE ${isRefused(rules)}) AS refused
    ON ${WHOLE}.file_row_number = refused.${ROW}
), read AS (
  SELECT count(*) AS rows, count(malformed) AS malformed FROM ${from}
) SELECT * FROM read, kept, found`;
  return { sql, parts: rulePartsOf(from, contract) };
}

/**
 * Every refused row, in the extract's order, with the first rule it breaks and all of those that refuse it.
 *
 * @param refused how many rows those are; the extract is not read again for none
 */
export function quarantineSql({
  from,
  contract,
  refused,
  broken,
}: Validated & { refused: number }): CheckedSql {
  const { rules } = contract;
  const names = rules.flatMap((rule, i) =>
    isRefusing(rule) ? [`CASE WHEN ${isBroken(i)} THEN ${quoteText(rule.name)} END`] : [],
  );
  const all = `list_filter([${names.join(', ')}], rule -> rule IS NOT NULL)`;
  const rows = broken ?? `(${brokenSql(from, contract, `, ${WHOLE} AS kept`)})`;
  const sql = `SELECT broken_rules[1] AS refused_by, broken_rules, unnest(kept)
FROM (SELECT ${ROW}, kept, ${all} AS broken_rules FROM ${rows} WHERE ${isRefused(rules)}) ORDER BY ${ROW}`;
  const empty = names.length === 0 ? `SELECT * FROM ${from} WHERE false` : `${sql} LIMIT 0`;
  return { sql: refused === 0 ? empty : sql, parts: rulePartsOf(from, contract) };
}

/**
 * @throws PipelineError WAREHOUSE_FAILED when the counts do not add up: read = accepted + refused, always
 */
export function readValidation(
  row: Readonly<Record<string, unknown>>,
  contract: Pick<TableContract, 'rules'>,
): ValidationCounts {
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  const counts: ValidationCounts = {
    rows: Number(row.rows),
    accepted: Number(row.accepted),
    customers: Number(row.customers),
    malformed: Number(row.malformed),
    firstOrderedAt: text(row.first_ordered_at),
    lastOrderedAt: text(row.last_ordered_at),
    ...('newest' in row && { newest: text(row.newest) }),
    rules: contract.rules.map(({ name, severity, reason }, i) => ({
      name,
      severity,
      reason,
      broken: Number(row[`broken_${i}`]),
      refused: Number(row[`refused_${i}`]),
    })),
  };
  const refused = counts.rules.reduce((sum, rule) => sum + rule.refused, 0);
  if (counts.rows !== counts.accepted + refused) {
    throw new PipelineError(
      'WAREHOUSE_FAILED',
      `validation needs rows read = accepted + refused, found ${counts.rows} = ${counts.accepted} + ${refused}`,
    );
  }
  return counts;
}

export function isRefusing({ severity }: Pick<Rule, 'severity'>): boolean {
  return severity !== 'warn';
}

/** Where the rule about lines that could not be split stands: such a row breaks no other. -1: there is none. */
export function lineRule(rules: readonly Pick<Rule, 'name' | 'severity'>[]): number {
  return rules.findIndex((rule) => rule.name === UNREADABLE_LINE.name && isRefusing(rule));
}

/** Bits of a BIGINT that a mask uses; a contract may have more rules. */
const BITS = 60;

/**
 * The rows that break a rule: `ROW`, their number in the file, and masks with a bit for each broken rule.
 *
 * @param more further columns; `WHOLE` is the whole row
 */
function brokenSql(from: string, { rules }: Pick<TableContract, 'rules'>, more = ''): string {
  const line = lineRule(rules);
  const masks = masksOf(rules).map((mask, word) => {
    const bits = rules
      .slice(word * BITS, (word + 1) * BITS)
      .map((rule, bit) => `CASE WHEN ${checkSql(rule)} THEN 0 ELSE ${2n ** BigInt(bit)} END`);
    const all = bits.join(' + ') || '0';
    const alone = Math.floor(line / BITS) === word ? 2n ** BigInt(line % BITS) : 0n;
    const sum = line < 0 ? all : `CASE WHEN ${checkSql(rules[line]!)} THEN ${all} ELSE ${alone} END`;
    return `CAST(${sum} AS BIGINT) AS ${mask}`;
  });
  const isGood = rules.map(checkSql).join(' AND ') || 'true';
  return `SELECT file_row_number AS ${ROW}, ${masks.join(', ')}${more} FROM ${from} AS ${WHOLE} WHERE NOT (${isGood})`;
}

function masksOf(rules: readonly unknown[]): string[] {
  return Array.from({ length: Math.max(1, Math.ceil(rules.length / BITS)) }, (_, word) => `mask_${word}`);
}

function isBroken(rule: number): string {
  return `mask_${Math.floor(rule / BITS)} & ${2n ** BigInt(rule % BITS)} <> 0`;
}

/** Whether the rule is the first of those that refuse the row: no bit of an earlier one is set. */
function isFirst(rules: readonly Rule[], rule: number): string {
  const earlier = refusingMasks(rules.slice(0, rule)).map(([mask, bits]) => `${mask} & ${bits} = 0`);
  return [isBroken(rule), ...earlier].join(' AND ');
}

function isRefused(rules: readonly Rule[]): string {
  return (
    refusingMasks(rules)
      .map(([mask, bits]) => `${mask} & ${bits} <> 0`)
      .join(' OR ') || 'false'
  );
}

/** Of each mask the bits of the rules that refuse; without masks that have none. */
function refusingMasks(rules: readonly Rule[]): [mask: string, bits: bigint][] {
  const bits = new Map<string, bigint>();
  rules.forEach((rule, i) => {
    if (!isRefusing(rule)) return;
    const mask = `mask_${Math.floor(i / BITS)}`;
    bits.set(mask, (bits.get(mask) ?? 0n) + 2n ** BigInt(i % BITS));
  });
  return [...bits];
}

// The line break keeps a comment at the end of a check from swallowing the bracket.
function checkSql({ check }: Rule): string {
  return `((${check}\n) IS TRUE)`;
}

export function rulePartsOf(from: string, { rules }: Pick<TableContract, 'rules'>): CheckedSql['parts'] {
  return rules.map((rule) => ({
    name: `rule ${rule.name} of contract.yaml`,
    sql: `SELECT count(*) FROM ${from} WHERE ${checkSql(rule)}`,
  }));
}
