import { formatNumber, formatShare } from '../figures.ts';
import type { Unsteady } from './customers.ts';
import { columnIssues } from './issues-of-columns.ts';
import type { ProfileReport } from './report.ts';
import { shareOf } from './report.ts';

// What looks wrong in an extract by rules that know no shop, each with what could be done about it. A person
// decides: a proposal is a text and, where one fits, a line to copy.

export interface Issue {
  /** Stays the same, for those who filter. */
  code: string;
  what: string;
  /** The column, where it is one's. */
  where: string | null;
  rows: number | null;
  /** Of all rows. */
  share: number | null;
  /** Of these rows, those the contract accepts; null where that is not asked. */
  letThrough: number | null;
  severity: Severity;
  cleanUp: string;
  /** To copy: the condition of a contract rule (true for a good row), a part of a definition's file, or SQL. */
  line: string | null;
  lineFor: 'contract rule' | 'contract.yaml' | 'pipeline.yaml' | 'SQL' | null;
}

/** Wrong figures are likely; look at it; good to know. */
export const SEVERITIES = ['serious', 'look', 'note'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What is known beside the report's own figures. */
export interface IssueFacts {
  unsteady: readonly Unsteady[];
  /** Letters before the digits of some order ids, and how many of their rows take pieces or money back. */
  prefixes: readonly { prefix: string; rows: number; accepted: number; negative: number }[];
  mostRowsOfOne: number;
  /** Accepted rows with a value that could not be read, in whichever column. */
  unreadableAccepted: number;
}

export type IssueReport = Omit<ProfileReport, 'issues' | 'readiness'>;

const LARGE_CUSTOMER_SHARE = 0.05;
/** Of the rows with a prefix so many take money back: then it marks cancellations. */
const TAKES_BACK = 0.9;
const SERIOUS_SHARE = 0.01;

export function findIssues(report: IssueReport, facts: IssueFacts): Issue[] {
  const found = [
    ...lineIssues(report, facts),
    ...duplicateIssues(report),
    ...prefixIssues(report, facts),
    ...customerIssues(report, facts),
    ...timeIssues(report),
    ...report.columns.flatMap((column) => columnIssues(column, report)),
  ];
  const rank = ({ severity }: Issue) => SEVERITIES.indexOf(severity);
  const key = ({ code, where }: Issue) => `${code} ${where ?? ''}`;
  return found.sort(
    (a, b) =>
      rank(a) - rank(b) ||
      (b.letThrough ?? b.rows ?? 0) - (a.letThrough ?? a.rows ?? 0) ||
      (key(a) < key(b) ? -1 : 1),
  );
}

/** Rows that the contract refuses anyway are good to know; those it lets through weigh by how many they are. */
export function weigh(letThrough: number | null, rows: number, seriousFrom = SERIOUS_SHARE): Severity {
  if (letThrough === null || letThrough === 0) return 'note';
  return letThrough / rows >= seriousFrom ? 'serious' : 'look';
}

export function issue(given: Partial<Issue> & Pick<Issue, 'code' | 'what' | 'severity' | 'cleanUp'>): Issue {
  return { where: null, rows: null, share: null, letThrough: null, line: null, lineFor: null, ...given };
}

function lineIssues(
  { unreadableLines, unreadable, rows }: IssueReport,
  { unreadableAccepted }: IssueFacts,
): Issue[] {
  const lines = issue({
    ...{
      code: 'unreadable-lines',
      rows: unreadableLines,
      share: shareOf(unreadableLines, rows),
      letThrough: 0,
    },
    severity: shareOf(unreadableLines, rows) >= 0.001 ? 'look' : 'note',
    what: `${formatNumber(unreadableLines)} lines could not be split into the columns of the header`,
    cleanUp:
      'Look at them in the quarantine; most often a delimiter or a quote stands in a text. Export again with quotes, or as Parquet.',
  });
  const values = unreadable.map(({ column, rows: own }) =>
    issue({
      ...{ code: 'unreadable-values', where: column, rows: own, share: shareOf(own, rows) },
      letThrough: Math.min(unreadableAccepted, own),
      severity: weigh(Math.min(unreadableAccepted, own), rows),
      what: `${formatNumber(own)} values were there and could not be read`,
      cleanUp:
        'Say how the source writes them (source.format: times, decimal, missing), or refuse such rows.',
      line: 'malformed IS NULL',
      lineFor: 'contract rule',
    }),
  );
  return [...(unreadableLines > 0 ? [lines] : []), ...values];
}

function duplicateIssues({ duplicates, rows, columns }: IssueReport): Issue[] {
  const { exact, byKey } = duplicates;
  const about = exact.isEstimate ? 'about ' : '';
  const found: Issue[] = [];
  if (exact.rows > 0) {
    const isKept = byKey === null || byKey.rows < exact.rows;
    found.push(
      issue({
        ...{ code: 'duplicate-rows', rows: exact.rows, share: shareOf(exact.rows, rows) },
        severity: isKept ? (exact.rows >= 0.001 * rows ? 'serious' : 'look') : 'note',
        what: `${about}${formatNumber(exact.rows)} rows are in every column as an earlier one`,
        cleanUp: `If one sale can never be two equal lines, name all columns as the unique key of the contract: copies are then refused${isKept ? '; without one they count twice' : ' (its key does that already for most)'}.`,
        line: `unique: [${columns
          .map(({ name }) => name)
          .filter((name) => name !== 'amount')
          .join(', ')}]`,
        lineFor: 'contract.yaml',
      }),
    );
  }
  if (byKey !== null && byKey.rows > 0) {
    found.push(
      issue({
        ...{ code: 'duplicate-keys', rows: byKey.rows, share: shareOf(byKey.rows, rows) },
        where: byKey.columns.join(', '),
        severity: 'note',
        what: `${formatNumber(byKey.rows)} rows have the key of an earlier row`,
        cleanUp: 'The first loaded of them is the original; refuse the others.',
        ...({ line: 'NOT is_duplicate', lineFor: 'contract rule' } as const),
      }),
    );
  }
  return found;
}

function prefixIssues({ rows }: IssueReport, { prefixes }: IssueFacts): Issue[] {
  return prefixes
    .filter((own) => own.rows > 0 && own.negative >= TAKES_BACK * own.rows)
    .map((own) =>
      issue({
        ...{ code: 'cancellations', where: 'order_id', rows: own.rows, share: shareOf(own.rows, rows) },
        letThrough: own.accepted,
        severity: weigh(own.accepted, rows, 0.001),
        what: `${formatNumber(own.rows)} rows have an order id that begins with ${own.prefix}, and ${formatShare(own.negative / own.rows)} of them take pieces or money back: cancellations or credit notes`,
        cleanUp: 'Refuse them, or keep them on purpose as returns: they lower spend and count as orders.',
        line: `NOT starts_with(order_id, '${own.prefix}')`,
        lineFor: 'contract rule',
      }),
    );
}

function customerIssues(report: IssueReport, { unsteady, mostRowsOfOne }: IssueFacts): Issue[] {
  const found = unsteady.map(({ column, customers, counted }) =>
    issue({
      ...{ code: 'unsteady-trait', where: column, severity: 'note' },
      what: `${formatNumber(customers)} of ${formatNumber(counted)} customers with more than one row have more than one ${column}`,
      cleanUp: 'Take the newest where one is needed.',
      ...({ line: `arg_max(${column}, ordered_at)`, lineFor: 'SQL' } as const),
    }),
  );
  const { rows, customers } = report;
  if (customers >= 20 && mostRowsOfOne >= LARGE_CUSTOMER_SHARE * rows) {
    found.push(
      issue({
        ...{ code: 'one-large-customer', where: 'customer_id', rows: mostRowsOfOne },
        ...{ share: shareOf(mostRowsOfOne, rows), severity: 'serious' },
        what: `one customer id has ${formatShare(mostRowsOfOne / rows)} of all rows`,
        cleanUp: 'Ask whether the id stands for everybody without a card; then refuse it by a rule.',
      }),
    );
  }
  return found;
}

function timeIssues({ coverage }: IssueReport): Issue[] {
  if (coverage === null) return [];
  const found: Issue[] = [];
  const { cutMonth, gaps, unit, loneDays } = coverage;
  if (cutMonth !== null) {
    found.push(
      issue({
        ...{ code: 'cut-month', where: 'ordered_at', severity: 'look' },
        what: `${cutMonth.month} ends with ${cutMonth.lastDay}: ${cutMonth.missingDays} of its trading days are missing`,
        cleanUp:
          'Do not compare it with whole months; where only whole months count, run as of its first day.',
        line: `--as-of ${cutMonth.month}-01`,
        lineFor: null,
      }),
    );
  }
  if (gaps.length > 0) {
    const longest = gaps[0]!;
    const units = (count: number) => `${formatNumber(count)} ${count === 1 ? unit : `${unit}s`}`;
    found.push(
      issue({
        ...{ code: 'gaps', where: 'ordered_at' },
        severity: longest.missing >= (unit === 'day' ? 15 : 3) ? 'serious' : 'look',
        what: `${gaps.length === 1 ? 'one stretch' : `${gaps.length} stretches`} without any row where one would expect trading, the longest from ${longest.from} to ${longest.to} (${units(longest.missing)})${loneDays > 0 ? `; beside them ${units(loneDays)} alone` : ''}`,
        cleanUp:
          'Holidays explain some; load again what is missing, or customers look more lapsed than they are.',
      }),
    );
  }
  return found;
}
