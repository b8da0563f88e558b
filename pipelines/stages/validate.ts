import type { Contract, Rule } from '../contracts/contract.ts';
import type { Definition } from '../contracts/definition.ts';
import { PipelineError } from '../contracts/errors.ts';
import type { RunCounts } from '../contracts/run.ts';

// Every rule of the contract is held against every row in one pass. A check that is NULL is broken: what
// cannot be decided is not accepted. A row is counted under the first rule it breaks, in the contract's
// order, and kept with all of them.

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
  /** In the contract's order. */
  rules: { name: string; severity: Rule['severity']; reason: string; broken: number; refused: number }[];
}

export interface Judgement {
  verdict: 'pass' | 'warn' | 'fail';
  /** Sentences with numbers and the way out; empty when all is well. */
  reasons: string[];
  counts: RunCounts;
}

/** Predicate over the extract: true for a row that no rule refuses, never NULL. */
export function acceptedSql(contract: Contract): string {
  const checks = rejecting(contract).map(checkSql);
  return checks.length === 0 ? 'true' : `(${checks.join(' AND ')})`;
}

/** One row of counts, for `readValidation`. */
export function validationSql({ from, contract }: { from: string; contract: Contract }): CheckedSql {
  const held = contract.rules.map((rule, i) => `${checkSql(rule)} AS held_${i}`);
  const counts = contract.rules.flatMap((rule, i) => [
    `count(*) FILTER (WHERE NOT held_${i}) AS broken_${i}`,
    `${rule.severity === 'reject' ? `count(*) FILTER (WHERE first_broken = ${i})` : '0'} AS refused_${i}`,
  ]);
  const iso = (moment: string) =>
    `strftime(${moment} FILTER (WHERE first_broken IS NULL), '%Y-%m-%dT%H:%M:%S')`;
  const sql = `SELECT count(*) AS rows, count(*) FILTER (WHERE first_broken IS NULL) AS accepted,
  count(DISTINCT customer_id) FILTER (WHERE first_broken IS NULL) AS customers,
  count(malformed) AS malformed, ${iso('min(ordered_at)')} AS first_ordered_at, ${iso('max(ordered_at)')} AS last_ordered_at,
  ${counts.join(',\n  ')}
FROM (SELECT *, ${firstBrokenSql(contract, (i) => String(i))} AS first_broken
  FROM (SELECT customer_id, ordered_at, malformed, ${held.join(', ')} FROM ${from}))`;
  return { sql, parts: rulePartsOf(from, contract) };
}

/**
 * Every refused row, in the extract's order, with the first rule it breaks and all of them.
 *
 * @param refused how many rows those are; the extract is not read again for none
 */
export function quarantineSql({
  from,
  contract,
  refused,
}: {
  from: string;
  contract: Contract;
  refused: number;
}): CheckedSql {
  const rules = rejecting(contract);
  const held = rules.map((rule, i) => `${checkSql(rule)} AS held_${i}`);
  const heldNames = rules.map((_, i) => `held_${i}`);
  const all = rules.map((rule, i) => `CASE WHEN NOT held_${i} THEN ${quote(rule.name)} END`);
  // A filter keeps the order of the extract, which is total.
  const sql = `SELECT CASE ${rules.map((rule, i) => `WHEN NOT held_${i} THEN ${quote(rule.name)}`).join(' ')} END AS refused_by,
  list_filter([${all.join(', ')}], rule -> rule IS NOT NULL) AS broken_rules,
  * EXCLUDE (${heldNames.join(', ')})
FROM (SELECT *, ${held.join(', ')} FROM ${from}) WHERE NOT (${heldNames.join(' AND ')})`;
  const empty = rules.length === 0 ? `SELECT * FROM ${from} WHERE false` : `${sql} LIMIT 0`;
  return {
    sql: refused === 0 ? empty : sql,
    parts: rulePartsOf(from, contract),
  };
}

/**
 * @throws PipelineError WAREHOUSE_FAILED when the counts do not add up: read = accepted + refused, always
 */
export function readValidation(row: Readonly<Record<string, unknown>>, contract: Contract): ValidationCounts {
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  const counts: ValidationCounts = {
    rows: Number(row.rows),
    accepted: Number(row.accepted),
    customers: Number(row.customers),
    malformed: Number(row.malformed),
    firstOrderedAt: text(row.first_ordered_at),
    lastOrderedAt: text(row.last_ordered_at),
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

/** What the contract says of an extract with these counts. */
export function judge(
  counts: ValidationCounts,
  { contract, clustering }: Pick<Definition, 'contract' | 'clustering'>,
): Judgement {
  const refused = counts.rows - counts.accepted;
  const share = counts.rows === 0 ? 1 : refused / counts.rows;
  const needed = customersNeeded({ contract, clustering });
  const { warnRefusedShare, failRefusedShare } = contract.thresholds;
  const failures: string[] = [];
  const warnings: string[] = [];
  const refusals = `${refused} of ${counts.rows} rows were refused (${percent(share)}), most by ${mostRefusing(counts)}`;
  if (counts.accepted === 0) {
    failures.push(
      counts.rows === 0
        ? 'The extract has no rows; check the source and the as-of date.'
        : `No row satisfies the contract: ${refusals}; look at the quarantine and mend the source.`,
    );
  } else if (share > failRefusedShare) {
    failures.push(
      `${refusals}; the contract allows ${percent(failRefusedShare)}. Look at the quarantine, mend the source, or raise failRefusedShare in contract.yaml.`,
    );
  } else if (share > warnRefusedShare) {
    warnings.push(`${refusals}; the contract warns above ${percent(warnRefusedShare)}.`);
  }
  if (counts.accepted > 0 && counts.customers < needed) {
    failures.push(
      `The accepted rows have ${counts.customers} customers, at least ${needed} are needed; take a longer extract, or lower minimumCustomers in contract.yaml and clustering.k.min or smallestShare in pipeline.yaml.`,
    );
  }
  for (const rule of counts.rules) {
    if (rule.severity === 'warn' && rule.broken > 0)
      warnings.push(`${rule.broken} rows are odd by rule ${rule.name}: ${rule.reason}.`);
  }
  return {
    verdict: failures.length > 0 ? 'fail' : warnings.length > 0 ? 'warn' : 'pass',
    reasons: [...failures, ...warnings],
    counts: {
      rowsRead: counts.rows,
      rowsAccepted: counts.accepted,
      rowsQuarantined: refused,
      quarantinedBy: counts.rules
        .filter(({ severity }) => severity === 'reject')
        .map(({ name, refused: rows }) => ({ rule: name, rows })),
      customers: counts.customers,
    },
  };
}

/** As many as the contract asks, one per segment, and enough for the smallest share to be one customer. */
function customersNeeded({ contract, clustering }: Pick<Definition, 'contract' | 'clustering'>): number {
  const { k, smallestShare } = clustering;
  const forShare = smallestShare > 0 ? Math.ceil(1 / smallestShare) : 0;
  return Math.max(contract.thresholds.minimumCustomers, k.min, forShare);
}

/** The report artifact. The same counts and contract give the same report. */
export function validationReport(counts: ValidationCounts, judgement: Judgement, contract: Contract) {
  return {
    verdict: judgement.verdict,
    reasons: judgement.reasons,
    counts: judgement.counts,
    contract: { version: contract.version, thresholds: contract.thresholds, unique: contract.unique ?? null },
    rules: counts.rules.map((rule, i) => ({ ...rule, check: contract.rules[i]!.check })),
    malformedRows: counts.malformed,
    acceptedFrom: counts.firstOrderedAt,
    acceptedTo: counts.lastOrderedAt,
  };
}

function rejecting(contract: Contract): Rule[] {
  return contract.rules.filter(({ severity }) => severity === 'reject');
}

// The line break keeps a comment at the end of a check from swallowing the bracket.
function checkSql({ check }: Rule): string {
  return `((${check}\n) IS TRUE)`;
}

function firstBrokenSql(contract: Contract, label: (rule: number) => string): string {
  const cases = contract.rules.flatMap(({ severity }, i) =>
    severity === 'reject' ? [`WHEN NOT held_${i} THEN ${label(i)}`] : [],
  );
  return cases.length === 0 ? 'NULL' : `CASE ${cases.join(' ')} END`;
}

function rulePartsOf(from: string, contract: Contract): CheckedSql['parts'] {
  return contract.rules.map((rule) => ({
    name: `rule ${rule.name} of contract.yaml`,
    sql: `SELECT count(*) FROM ${from} WHERE ${checkSql(rule)}`,
  }));
}

function mostRefusing(counts: ValidationCounts): string {
  const most = counts.rules.reduce<{ name: string; refused: number }>(
    (left, right) => (right.refused > left.refused ? right : left),
    { name: 'none', refused: 0 },
  );
  return `rule ${most.name} (${most.refused})`;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
