import { formatNumber, formatShare } from '../figures.ts';
import { type Issue, type IssueReport, issue, weigh } from './issues.ts';
import type {
  ColumnProfile,
  FigureProfile,
  IdentifierProfile,
  TextFacts,
  TimeProfile,
  WordProfile,
} from './report.ts';
import { NEEDED, shareOf } from './report.ts';

const MANY_MISSING = 0.05;
const NEARLY_ALL = 0.95;
/** Rows with an extreme value matter when they are so much of all that the column adds up. */
const EXTREME_SHARE = 0.001;
const ALL_MIDNIGHT = 0.99;

export function columnIssues(column: ColumnProfile, report: IssueReport): Issue[] {
  const common = missingIssues(column, report);
  switch (column.kind) {
    case 'figure':
      return [...common, ...figureIssues(column, report)];
    case 'word':
      return [
        ...common,
        ...constantIssues(column, report),
        ...textIssues(column),
        ...wordIssues(column, report),
      ];
    case 'identifier':
      return [...common, ...textIssues(column), ...idIssues(column, report)];
    case 'time':
      return [...common, ...momentIssues(column, report)];
    default:
      return common;
  }
}

function missingIssues({ name, missing, missingAccepted }: ColumnProfile, { rows }: IssueReport): Issue[] {
  const share = shareOf(missing, rows);
  const isNeeded = NEEDED.includes(name);
  if (missing === 0 || (!isNeeded && share < MANY_MISSING)) return [];
  const about = { where: name, rows: missing, share, letThrough: missingAccepted };
  if (share >= NEARLY_ALL) {
    return [
      issue({
        ...{ ...about, code: 'nearly-all-missing', severity: 'look' },
        what:
          missing === rows ? 'no row has a value' : `only ${formatShare(1 - share)} of the rows have a value`,
        cleanUp: 'Leave the column out of source.columns or source.attributes, or mend the export.',
      }),
    ];
  }
  return [
    issue({
      ...{ ...about, code: 'missing-values' },
      severity: isNeeded ? weigh(missingAccepted, rows) : 'note',
      what: `${formatShare(share)} of the rows have no value`,
      cleanUp: isNeeded
        ? 'Refuse such rows: nothing can be made of them.'
        : 'Say what stands for a missing value (whenMissing) in features that use the column.',
      line: isNeeded ? `${name} IS NOT NULL` : null,
      lineFor: isNeeded ? 'contract rule' : null,
    }),
  ];
}

function figureIssues(column: FigureProfile, report: IssueReport): Issue[] {
  const { rows } = report;
  const { name, counted, negative, zero } = column;
  const scale = column.isSample && counted > 0 ? (rows - column.missing) / counted : 1;
  const found: Issue[] = [...constantIssues(column, report)];
  const rule = (
    code: string,
    own: { rows: number; letThrough: number | null; what: string; cleanUp: string; line: string },
  ) =>
    found.push(
      issue({
        ...{ code, where: name, rows: own.rows, share: shareOf(own.rows, rows), letThrough: own.letThrough },
        severity: weigh(own.letThrough, rows),
        ...{ what: own.what, cleanUp: own.cleanUp, line: own.line, lineFor: 'contract rule' as const },
      }),
    );
  if (column.notNumbers > 0) {
    rule('not-a-number', {
      ...{ rows: column.notNumbers, letThrough: column.notNumbers, line: `isfinite(${name})` },
      what: `${formatNumber(column.notNumbers)} rows hold NaN or an infinity`,
      cleanUp: 'Such a value makes every sum it enters NaN; refuse it, or let the source write nothing.',
    });
  }
  // A minority below 0 is a return or a mistake; a majority is how the column is meant.
  if (negative > 0 && negative < 0.3 * counted) {
    rule('negative-values', {
      ...{ rows: Math.round(negative * scale), letThrough: column.negativeAccepted, line: `${name} >= 0` },
      what: `${formatShare(negative / counted)} of the values are below 0`,
      cleanUp: 'Returns or corrections: refuse them, or keep them on purpose.',
    });
  }
  if (zero > 0 && zero < 0.3 * counted && NEEDED.includes(name)) {
    rule('zero-values', {
      ...{ rows: Math.round(zero * scale), letThrough: column.zeroAccepted, line: `${name} <> 0` },
      what: `${formatShare(zero / counted)} of the values are 0`,
      cleanUp: 'Free lines and corrections of the books are no sales: refuse them.',
    });
  }
  return [...found, ...extremeIssues(column, report)];
}

function extremeIssues(column: FigureProfile, { rows }: IssueReport): Issue[] {
  const { name, extremes, extremeShare: share, extremeRows: own } = column;
  if (share < EXTREME_SHARE) return [];
  const most = extremes[0]!;
  const opposite = extremes.some(({ hasOpposite }) => hasOpposite)
    ? '; some stand there with both signs: rows that take each other back'
    : '';
  return [
    issue({
      ...{ code: 'extreme-values', where: name, rows: own, share: shareOf(own, rows) },
      letThrough: column.extremesAccepted,
      severity: !column.extremesAccepted ? 'note' : share >= 0.01 ? 'serious' : 'look',
      what: `${formatNumber(own)} ${own === 1 ? 'row is' : 'rows are'} more than 400 interquartile ranges out, up to ${formatNumber(most.value)}, and make ${formatShare(share)} of all that ${name} adds up to${opposite}`,
      cleanUp:
        'Look at the largest; features of it need winsorise before anything else, or a rule with the largest value that can be true.',
      line: `transforms: [winsorise, log1p, standard]`,
      lineFor: 'pipeline.yaml',
    }),
  ];
}

function constantIssues(column: FigureProfile | WordProfile, { rows }: IssueReport): Issue[] {
  if (column.distinct !== 1 || rows < 2) return [];
  return [
    issue({
      ...{ code: 'constant', where: column.name, severity: 'note' },
      what:
        column.missing > 0
          ? 'there is only one value beside the missing ones'
          : 'every row has the same value',
      cleanUp: 'It tells nobody apart: leave it out of the features.',
    }),
  ];
}

function textIssues(column: (WordProfile | IdentifierProfile) & TextFacts): Issue[] {
  const { name, blank, padded, counted } = column;
  if (blank + padded === 0) return [];
  return [
    issue({
      ...{ code: 'blanks', where: name, rows: blank + padded, share: shareOf(blank + padded, counted) },
      severity: 'look',
      what: `${formatNumber(padded)} values have blanks before or after them, ${formatNumber(blank)} are nothing but blanks${column.kind === 'identifier' ? ` (of ${formatNumber(counted)} looked at)` : ''}`,
      cleanUp: 'The same word with and without a blank counts as two; trim it in the source.',
      line: `trim(${name}) = ${name} AND ${name} <> ''`,
      lineFor: 'contract rule',
    }),
  ];
}

function wordIssues({ name, variants, oddCodes }: WordProfile, { rows }: IssueReport): Issue[] {
  const found: Issue[] = [];
  if (variants.words > 0) {
    found.push(
      issue({
        ...{
          code: 'spelling-variants',
          where: name,
          rows: variants.rows,
          share: shareOf(variants.rows, rows),
        },
        severity: shareOf(variants.rows, rows) >= 0.01 ? 'look' : 'note',
        what: `${formatNumber(variants.words)} words differ from a more frequent one in case or blanks alone: ${variants.examples.join(', ')}`,
        cleanUp: 'Let the source write one of them, or compare them alike.',
        ...({ line: `count(DISTINCT lower(trim(${name})))`, lineFor: 'SQL' } as const),
      }),
    );
  }
  if (oddCodes !== null) {
    const examples = oddCodes.examples.map(({ word, rows: own }) => `${word} (${formatNumber(own)})`);
    found.push(
      issue({
        ...{ code: 'odd-codes', where: name, rows: oddCodes.rows, share: shareOf(oddCodes.rows, rows) },
        letThrough: oddCodes.accepted,
        severity: oddCodes.accepted === 0 ? 'note' : 'look',
        what: `${formatNumber(oddCodes.words)} codes hold no digit, where nearly all others do: ${examples.join(', ')}`,
        cleanUp: 'Often postage, fees and corrections among the goods; refuse them if they are no sales.',
        line: `regexp_matches(${name}, '[0-9]')`,
        lineFor: 'contract rule',
      }),
    );
  }
  return found;
}

function idIssues(
  { name, repeated, distinct }: IdentifierProfile,
  { rows, duplicates }: IssueReport,
): Issue[] {
  // Customers and orders have many rows; an id of nearly every row is one of lines.
  if (name === 'customer_id' || name === 'order_id') return [];
  if (repeated.count === 0 || repeated.count > 0.1 * distinct.count) return [];
  return [
    issue({
      ...{ code: 'id-not-unique', where: name, rows: repeated.count, share: shareOf(repeated.count, rows) },
      // The contract knows: copies of its key are told apart already.
      severity: duplicates.byKey?.columns.includes(name) ? 'note' : 'look',
      what: `nearly every row has a value of its own, ${repeated.isEstimate ? 'about ' : ''}${formatNumber(repeated.count)} repeat one`,
      cleanUp: 'If it is the id of a line, name it as the unique key of the contract and refuse copies.',
      line: `unique: [${name}]`,
      lineFor: 'contract.yaml',
    }),
  ];
}

function momentIssues(column: TimeProfile, report: IssueReport): Issue[] {
  const { name, future, ancient, midnightShare } = column;
  const { rows, asOf } = report;
  const found: Issue[] = [];
  const rule = (code: string, own: { rows: number; letThrough: number | null; what: string; line: string }) =>
    found.push(
      issue({
        ...{ code, where: name, rows: own.rows, share: shareOf(own.rows, rows), letThrough: own.letThrough },
        severity: own.letThrough === 0 ? 'note' : 'serious',
        ...{ what: own.what, line: own.line, lineFor: 'contract rule' as const },
        cleanUp: 'A mistyped or a default date; refuse it, or mend it in the source.',
      }),
    );
  if (ancient > 0) {
    rule('ancient-times', {
      ...{ rows: ancient, letThrough: column.ancientAccepted, line: `${name} >= TIMESTAMP '1990-01-01'` },
      what: `${formatNumber(ancient)} rows are from before 1990`,
    });
  }
  // When a row was loaded may lie after the as-of date: extracts are taken later.
  if (future > 0 && name !== 'loaded_at') {
    rule('future-times', {
      ...{ rows: future, letThrough: column.futureAccepted, line: `${name} < TIMESTAMP '${asOf} 00:00:00'` },
      what: `${formatNumber(future)} rows are from ${asOf} or later`,
    });
  }
  if (name === 'ordered_at' && midnightShare !== null && midnightShare >= ALL_MIDNIGHT) {
    found.push(
      issue({
        ...{ code: 'dates-without-time', where: name, severity: 'note' },
        what: 'nearly all times are midnight: dates without a time',
        cleanUp:
          'Features of hours would say nothing; without order ids all that is bought on a day is one order.',
      }),
    );
  }
  return found;
}
