import type { Rule } from '../../contracts/contract.ts';
import { lineRule } from '../validate.ts';
import type { DayCount } from './coverage.ts';
import type { Reader, Relation } from './relation.ts';
import { type RuleFinding, roundCents } from './report.ts';

// All that needs the contract's checks of every row is found in one pass: which rules a row breaks and which of
// the asked predicates hold for it become bits, rows are counted by day and bits, and the few groups are added up
// afterwards. A count for each question would cost three times as much.

/** Bits of a BIGINT that are used for rules. */
const BITS = 50;
/** With many independent predicates there would be nearly as many groups as rows. */
const MOST_PREDICATES = 14;
/** Days further back than this are one: a single wild date, centuries off, must not make thousands of them. */
const MOST_DAYS = 3_700;
const GROUPS = 'profile_days';

/** Predicates on a row, to be counted; the first so many of them. */
export class Questions {
  readonly predicates = new Map<string, string>();

  ask(key: string, predicate: string): void {
    if (this.predicates.size < MOST_PREDICATES) this.predicates.set(key, predicate);
  }
}

/** Rows for which a predicate holds, and those of them that the contract accepts. */
export type Answers = ReadonlyMap<string, { rows: number; accepted: number }>;

export interface Judged {
  /** Days with rows, ascending; rows without a readable time are in none. */
  days: DayCount[];
  /** Of all rows, those without a readable time too. */
  accepted: number;
  acceptedAmount: number;
  /** Each rule for itself, whatever other rules the row breaks; a line that could not be split breaks one alone. */
  rules: RuleFinding[];
  /** Rows of days too far back to be told apart. */
  rowsBefore: number;
  answers: Answers;
}

export async function measureJudged(
  reader: Reader,
  relation: Relation,
  { predicates }: Questions,
): Promise<Judged> {
  await reader.rows(
    `CREATE OR REPLACE TEMP TABLE ${GROUPS} AS ${groupsSql(relation, [...predicates.values()])}`,
  );
  const { rules } = relation.contract;
  const broken = rules.map(
    (_, i) =>
      `coalesce(sum(rows) FILTER (WHERE (rules_${Math.floor(i / BITS)} >> ${i % BITS}) & 1 = 0), 0) AS broken_${i}`,
  );
  const held = [...predicates.keys()].flatMap((_, i) => [
    `coalesce(sum(rows) FILTER (WHERE (asked >> ${i}) & 1 = 1), 0) AS asked_${i}`,
    `coalesce(sum(rows) FILTER (WHERE (asked >> ${i}) & 1 = 1 AND accepted), 0) AS accepted_${i}`,
  ]);
  const accepted = `coalesce(sum(rows) FILTER (WHERE accepted), 0) AS accepted, coalesce(sum(amount) FILTER (WHERE accepted), 0) AS accepted_amount`;
  const [total] = await reader.rows(
    `SELECT ${[accepted, `coalesce(sum(rows) FILTER (WHERE is_before), 0) AS rows_before`, ...broken, ...held].join(',\n  ')} FROM ${GROUPS}`,
  );
  const days = await reader.rows(
    `SELECT CAST(day AS VARCHAR) AS day, sum(rows) AS rows, ${accepted} FROM ${GROUPS}
WHERE day IS NOT NULL AND NOT is_before GROUP BY ALL ORDER BY day`,
  );
  return {
    days: days.map((row) => ({
      day: String(row.day),
      rows: Number(row.rows),
      accepted: Number(row.accepted),
      acceptedAmount: Number(row.accepted_amount),
    })),
    accepted: Number(total!.accepted),
    acceptedAmount: roundCents(Number(total!.accepted_amount)),
    rules: rules.map(({ name, severity, reason }, i) => ({
      ...{ name, severity, reason },
      rows: Number(total![`broken_${i}`]),
    })),
    rowsBefore: Number(total!.rows_before),
    answers: new Map(
      [...predicates.keys()].map((key, i) => [
        key,
        { rows: Number(total![`asked_${i}`]), accepted: Number(total![`accepted_${i}`]) },
      ]),
    ),
  };
}

/** One row per day of ordering (NULL: it cannot be read), verdict and bits. */
function groupsSql({ from, contract, asOf }: Relation, predicates: readonly string[]): string {
  const { rules } = contract;
  const floor = `DATE '${asOf}' - ${MOST_DAYS}`;
  const day = `CASE WHEN ordered_at IS NOT NULL THEN greatest(CAST(ordered_at AS DATE), ${floor}) END`;
  // The line break keeps a comment at the end of a check from swallowing the bracket.
  const checks = rules.map(({ check }) => `((${check}\n) IS TRUE)`);
  const line = lineRule(rules);
  const masks = partsOf(rules).map((part) => {
    const own = checks.slice(part * BITS, (part + 1) * BITS);
    if (line < 0) return `${bits(own)} AS rules_${part}`;
    const others = own.reduce((mask, _, i) => mask + (part * BITS + i === line ? 0 : 2 ** i), 0);
    return `CASE WHEN ${checks[line]} THEN ${bits(own)} ELSE ${others} END AS rules_${part}`;
  });
  const groups = `SELECT ${[`${day} AS day`, ...masks, `${bits(predicates)} AS asked`].join(',\n  ')},
  count(*) AS rows, sum(amount) AS amount
FROM ${from} GROUP BY ALL`;
  return `SELECT *, coalesce(day = ${floor}, false) AS is_before, ${acceptedOf(rules)} AS accepted FROM (${groups})`;
}

/** What `acceptedSql` says of a row, from its bits: no check is decided twice. */
function acceptedOf(rules: readonly Rule[]): string {
  const refusing = partsOf(rules).map((part) =>
    rules
      .slice(part * BITS, (part + 1) * BITS)
      .reduce((mask, { severity }, i) => mask + (severity === 'warn' ? 0 : 2 ** i), 0),
  );
  return ['true', ...refusing.map((mask, i) => `rules_${i} & ${mask} = ${mask}`)].join(' AND ');
}

function partsOf(rules: readonly Rule[]): number[] {
  return Array.from({ length: Math.ceil(rules.length / BITS) }, (_, i) => i);
}

function bits(predicates: readonly string[]): string {
  if (predicates.length === 0) return 'CAST(0 AS BIGINT)';
  return `(${predicates.map((predicate, i) => `CASE WHEN ${predicate} THEN ${2 ** i} ELSE CAST(0 AS BIGINT) END`).join(' | ')})`;
}
