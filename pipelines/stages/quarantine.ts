import { quoteName, quoteText } from '../contracts/sql-quote.ts';
import type { ExtractColumn, RowsFile } from './releases.ts';

// What is asked of a run's quarantine: how many rows by which rule, and rows to look at or to take away.

/** Refused rows of a rule. */
export interface RuleCount {
  rule: string;
  /** Rows of which it is the first rule they break: these add up to the quarantine. */
  first: number;
  /** Rows that break it, be it the first or not. */
  all: number;
}

/** Column of `examplesSql`; no attribute has a name with a blank. */
export const EXAMPLE_OF = 'example of';

/** For `readRuleCounts`. */
export function ruleCountsSql({ from }: RowsFile): string {
  return `SELECT rule, count(*) FILTER (WHERE rule = refused_by) AS first_rows, count(*) AS all_rows
FROM (SELECT refused_by, unnest(broken_rules) AS rule FROM ${from}) GROUP BY rule
ORDER BY first_rows DESC, all_rows DESC, rule`;
}

export function readRuleCounts(rows: readonly Readonly<Record<string, unknown>>[]): RuleCount[] {
  return rows.map((row) => ({
    rule: String(row.rule),
    first: Number(row.first_rows),
    all: Number(row.all_rows),
  }));
}

/**
 * The first rows of a quarantine by each rule, in the extract's order, all values as text; `EXAMPLE_OF` says of
 * which rule. A query for each rule stops at its limit; one with row numbers by rule would read all.
 *
 * @param given.rules at least one; their rows are those of which it is the first rule
 * @param given.broken the rows that break it at all, in place of these
 */
export function examplesSql(
  quarantine: RowsFile,
  { rules, limit, broken = false }: { rules: readonly string[]; limit: number; broken?: boolean },
): string {
  const values = quarantine.columns.map((column) => `${asText(column)} AS ${quoteName(column.name)}`);
  const examples = rules.map((rule) => {
    const where = broken ? ofRule(rule) : ` WHERE refused_by = ${quoteText(rule)}`;
    return `(SELECT ${quoteText(rule)} AS "${EXAMPLE_OF}", ${values.join(', ')} FROM ${quarantine.from}${where} LIMIT ${limit})`;
  });
  return examples.join('\nUNION ALL\n');
}

/**
 * The quarantine's rows, or those that break one rule, in the extract's order.
 *
 * @param flat lists as text, for a file that holds no lists
 */
export function quarantinedRowsSql(
  quarantine: RowsFile,
  { rule, flat }: { rule?: string; flat: boolean },
): string {
  const columns = quarantine.columns.map(({ name, type }) =>
    flat && isList(type) ? `${asText({ name, type })} AS ${quoteName(name)}` : quoteName(name),
  );
  return `SELECT ${columns.join(', ')} FROM ${quarantine.from}${ofRule(rule)}`;
}

function asText({ name, type }: ExtractColumn): string {
  return isList(type) ? `array_to_string(${quoteName(name)}, ', ')` : `CAST(${quoteName(name)} AS VARCHAR)`;
}

function isList(type: string): boolean {
  return type.endsWith('[]');
}

function ofRule(rule: string | undefined): string {
  return rule === undefined ? '' : ` WHERE list_contains(broken_rules, ${quoteText(rule)})`;
}
