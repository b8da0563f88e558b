import type { Contract, Limit, Rule, Volume } from '../contracts/contract.ts';
import type { Definition } from '../contracts/definition.ts';
import { PipelineError } from '../contracts/errors.ts';
import type { RunCounts } from '../contracts/run.ts';
import { counted, formatNumber } from './figures.ts';
import { isRefusing, type ValidationCounts } from './validate.ts';

// What a contract says of an extract with these counts: sentences with numbers and the way out.

export interface Judgement {
  verdict: 'pass' | 'warn' | 'fail';
  /** Sentences with numbers and the way out; empty when all is well. */
  reasons: string[];
  counts: RunCounts;
}

/** A sentence for each broken rule would not fit into what Temporal carries; the report artifact keeps all of them. */
const MOST_REASONS = 20;
/** Some hold the contract's own text, which may be of any length. */
const MOST_CHARACTERS = 500;

/** The reasons as they are told outside of the report: the first ones, each of bounded length. */
export function toldReasons(reasons: readonly string[]): string[] {
  const told = reasons
    .slice(0, MOST_REASONS)
    .map((reason) => (reason.length > MOST_CHARACTERS ? `${reason.slice(0, MOST_CHARACTERS - 1)}…` : reason));
  const more = reasons.length - told.length;
  return more === 0 ? told : [...told, `and ${more} more, in the validation report`];
}

export interface Findings {
  failures: string[];
  warnings: string[];
}

/**
 * @param asOf ISO date; needed where the contract has a freshness
 */
export function judge(
  counts: ValidationCounts,
  { contract, clustering }: Pick<Definition, 'contract' | 'clustering'>,
  asOf?: string,
): Judgement {
  const findings = judgeTable(counts, contract);
  const needed = customersNeeded({ contract, clustering });
  if (counts.accepted > 0 && counts.customers < needed) {
    findings.failures.push(
      `The accepted rows have ${counted(counts.customers, 'customer')}, at least ${formatNumber(needed)} are needed; take a longer extract, or lower strataMinimumCustomers in contract.yaml and clustering.k.min or smallestShare in pipeline.yaml.`,
    );
  }
  judgeFreshness(counts, { contract, asOf }, findings);
  const { failures, warnings } = findings;
  return {
    verdict: failures.length > 0 ? 'fail' : warnings.length > 0 ? 'warn' : 'pass',
    reasons: [...failures, ...warnings],
    counts: {
      rowsRead: counts.rows,
      rowsAccepted: counts.accepted,
      rowsQuarantined: counts.rows - counts.accepted,
      quarantinedBy: counts.rules.filter(isRefusing).map(({ name, refused: rows }) => ({ rule: name, rows })),
      customers: counts.customers,
    },
  };
}

/** What every table is judged by: the share of refused rows, the limits of its rules, how many rows it has. */
export function judgeTable(counts: ValidationCounts, contract: Contract): Findings {
  const findings: Findings = { failures: [], warnings: [] };
  judgeShare(counts, contract, findings);
  counts.rules.forEach((rule, i) => {
    judgeRule({ ...rule, limit: contract.rules[i]!.limit }, counts.rows, findings);
  });
  for (const volume of contract.volume ?? []) judgeVolume(volume, counts.rows, findings);
  return findings;
}

/** As many as the contract asks, one per segment, and enough for the smallest share to be one customer. */
function customersNeeded({ contract, clustering }: Pick<Definition, 'contract' | 'clustering'>): number {
  const { k, smallestShare } = clustering;
  const forShare = smallestShare > 0 ? Math.ceil(1 / smallestShare) : 0;
  return Math.max(contract.thresholds.minimumCustomers, k.min, forShare);
}

function judgeShare(
  counts: ValidationCounts,
  { thresholds }: Contract,
  { failures, warnings }: Findings,
): void {
  const refused = counts.rows - counts.accepted;
  const share = counts.rows === 0 ? 1 : refused / counts.rows;
  const { warnRefusedShare, failRefusedShare } = thresholds;
  const refusals = `${formatNumber(refused)} of ${counted(counts.rows, 'row')} were refused (${percent(share)}), most by ${mostRefusing(counts)}`;
  if (counts.rows === 0) {
    failures.push('The extract has no rows; check the source and the as-of date.');
  } else if (counts.accepted === 0) {
    failures.push(`No row satisfies the contract: ${refusals}; look at the quarantine and mend the source.`);
  } else if (share > failRefusedShare) {
    failures.push(
      `${refusals}; the contract allows ${percent(failRefusedShare)}. Look at the quarantine, mend the source, or raise strataFailRefusedShare in contract.yaml.`,
    );
  } else if (share > warnRefusedShare) {
    warnings.push(`${refusals}; the contract warns above ${percent(warnRefusedShare)}.`);
  }
}

type FoundRule = ValidationCounts['rules'][number] & { limit: Limit | undefined };

function judgeRule(
  { name, severity, reason, broken, limit }: FoundRule,
  rows: number,
  findings: Findings,
): void {
  const most = limit ?? (severity === 'reject' ? undefined : { rows: 0 });
  if (most === undefined || !isBeyond(most, broken, rows)) return;
  const allowed = allowedWords(most);
  if (severity === 'warn') {
    const beyond = allowed === 'none' ? '' : ` (the contract allows ${allowed})`;
    findings.warnings.push(
      `${counted(broken, 'row')} ${broken === 1 ? 'is' : 'are'} odd by rule ${name}: ${reason}${beyond}.`,
    );
    return;
  }
  findings.failures.push(
    `${formatNumber(broken)} of ${counted(rows, 'row')} (${percent(broken / rows)}) break rule ${name}, the contract allows ${allowed}: ${reason}. Look at the quarantine and mend the source, or change the rule in contract.yaml.`,
  );
}

function isBeyond(limit: Limit, broken: number, rows: number): boolean {
  if ('rows' in limit) return broken > limit.rows;
  const share = rows === 0 ? 0 : broken / rows;
  return limit.below ? share >= limit.share && broken > 0 : share > limit.share;
}

function allowedWords(limit: Limit): string {
  if ('rows' in limit) return limit.rows === 0 ? 'none' : `at most ${formatNumber(limit.rows)}`;
  if (limit.below) return `less than ${percent(limit.share)}`;
  return limit.share === 0 ? 'none' : `at most ${percent(limit.share)}`;
}

const VOLUMES: Readonly<Record<Volume['operator'], (rows: number, low: number, high: number) => boolean>> = {
  mustBe: (rows, value) => rows === value,
  mustNotBe: (rows, value) => rows !== value,
  mustBeGreaterThan: (rows, value) => rows > value,
  mustBeGreaterOrEqualTo: (rows, value) => rows >= value,
  mustBeLessThan: (rows, value) => rows < value,
  mustBeLessOrEqualTo: (rows, value) => rows <= value,
  mustBeBetween: (rows, low, high) => rows >= low && rows <= high,
  mustNotBeBetween: (rows, low, high) => rows < low || rows > high,
};

const VOLUME_WORDS: Readonly<Record<Volume['operator'], string>> = {
  mustBe: '',
  mustNotBe: 'any number but ',
  mustBeGreaterThan: 'more than ',
  mustBeGreaterOrEqualTo: 'at least ',
  mustBeLessThan: 'fewer than ',
  mustBeLessOrEqualTo: 'at most ',
  mustBeBetween: 'between ',
  mustNotBeBetween: 'a number outside ',
};

function judgeVolume({ name, operator, value, severity }: Volume, rows: number, findings: Findings): void {
  const [low, high] = [value].flat() as [number, number?];
  if (VOLUMES[operator](rows, low, high ?? low)) return;
  const allowed = `${VOLUME_WORDS[operator]}${high === undefined ? formatNumber(low) : `${formatNumber(low)} and ${formatNumber(high)}`}`;
  const told = `The extract has ${counted(rows, 'row')}, ${name} of the contract needs ${allowed}; check whether the source is complete, or change the check in contract.yaml.`;
  (severity === 'warn' ? findings.warnings : findings.failures).push(told);
}

const HOUR_MS = 3_600_000;
const HOURS_A_DAY = 24;

/**
 * At the as-of date, for a stage has no clock: of a run that was given none it is the day after the newest row, and
 * such a run is hardly ever too old.
 */
function judgeFreshness(
  { newest, accepted }: ValidationCounts,
  { contract: { freshness }, asOf }: { contract: Contract; asOf: string | undefined },
  { failures, warnings }: Findings,
): void {
  if (freshness === undefined || accepted === 0) return;
  if (asOf === undefined) {
    throw new PipelineError(
      'VALUE_REFUSED',
      'freshness needs the as-of date that it is judged at, found none',
    );
  }
  const age =
    newest == null
      ? Number.POSITIVE_INFINITY
      : (Date.parse(`${asOf}T00:00:00Z`) - Date.parse(`${newest}Z`)) / HOUR_MS;
  if (age <= freshness.hours) return;
  const found =
    newest == null
      ? `No accepted row has a ${freshness.column}`
      : `The newest accepted row is ${duration(age)} old at ${asOf} (${freshness.column} ${newest})`;
  const told = `${found}, the contract allows ${duration(freshness.hours)}; load what is missing, or choose an earlier as-of date.`;
  (freshness.severity === 'warn' ? warnings : failures).push(told);
}

function duration(hours: number): string {
  const days = hours / HOURS_A_DAY;
  return days >= 2 ? `${Number(days.toFixed(1))} days` : `${Number(hours.toFixed(1))} hours`;
}

/** The report artifact. The same counts and contract give the same report. */
export function validationReport(counts: ValidationCounts, judgement: Judgement, contract: Contract) {
  const { id, version, thresholds, unique, freshness, volume, notChecked } = contract;
  return {
    verdict: judgement.verdict,
    reasons: judgement.reasons,
    counts: judgement.counts,
    contract: { ...(id !== undefined && { id }), version, thresholds, unique: unique ?? null },
    rules: counts.rules.map((rule, i) => ({
      ...rule,
      ...limitOf(contract.rules[i]!),
      check: contract.rules[i]!.check,
    })),
    ...(freshness && { freshness: { ...freshness, newest: counts.newest ?? null } }),
    ...(volume && { volume }),
    notChecked: notChecked ?? [],
    malformedRows: counts.malformed,
    acceptedFrom: counts.firstOrderedAt,
    acceptedTo: counts.lastOrderedAt,
  };
}

function limitOf({ limit }: Rule): { limit?: Limit } {
  return limit === undefined ? {} : { limit };
}

function mostRefusing(counts: ValidationCounts): string {
  const most = counts.rules.reduce<{ name: string; refused: number }>(
    (left, right) => (right.refused > left.refused ? right : left),
    { name: 'none', refused: 0 },
  );
  return `rule ${most.name} (${formatNumber(most.refused)})`;
}

/** @returns at least one digit that is not 0, so that a few rows of many do not read as none */
export function percent(share: number): string {
  const hundredths = share * 100;
  return `${Number(hundredths >= 0.1 ? hundredths.toFixed(1) : hundredths.toPrecision(1))} %`;
}
