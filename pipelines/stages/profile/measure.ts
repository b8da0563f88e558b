import { quoteName, quoteText } from '../../contracts/sql-quote.ts';
import { formatNumber } from '../figures.ts';
import { measureCorrelations } from './correlations.ts';
import { coverageOf } from './coverage.ts';
import { countCustomers, measureDuplicates, unsteadyColumns } from './customers.ts';
import { chooseExact, measureFigure, QUANTILES } from './figures.ts';
import { findIssues, type IssueReport } from './issues.ts';
import { type Answers, measureJudged, Questions } from './judged.ts';
import { measureReadiness, type ReadinessSettings } from './readiness.ts';
import { type Column, describeRelation, type Reader, type Relation } from './relation.ts';
import { type ColumnProfile, NEEDED, PROFILE_VERSION, type ProfileReport } from './report.ts';
import { takeSamples } from './samples.ts';
import { isOfWords, measureFlag, measureIdentifier, measureWords, prefixesOf } from './texts.ts';
import { measureTime, measureWeek, monthsOf } from './times.ts';

// What is looked at in an extract before anything is made of it. Only figures that do not depend on the order of
// rows or on threads: counts, extremes, sums of DECIMAL, and what JavaScript makes of counts of equal values.

export type { Reader, Relation } from './relation.ts';

export interface ProfileAbout extends ReadinessSettings {
  title: string;
  /** ISO 4217. */
  currency: string;
  /** IANA zone of the shop's clock. */
  timezone: string;
  /** Newest moment in the source, ISO with time. */
  watermark: string;
  onProgress?: (done: number, of: number) => void;
}

/** Questions beside those of the columns, for the progress. */
const OTHER_STEPS = 8;

/**
 * The profile of an extract: the same for any number of threads.
 *
 * @param reader answers SQL; the profile keeps temporary tables there
 */
export async function measureProfile(
  reader: Reader,
  relation: Relation,
  { title, currency, timezone, watermark, features, onProgress = () => undefined }: ProfileAbout,
): Promise<ProfileReport> {
  const { columns, own } = await describeRelation(reader, relation);
  let done = 0;
  const step = async <T>(work: Promise<T>): Promise<T> => {
    const found = await work;
    done++;
    onProgress(done, columns.length + OTHER_STEPS);
    return found;
  };
  const missing = await step(countMissing(reader, relation, columns));
  const { rows } = missing;
  const { customers, mostRows } = await step(countCustomers(reader, relation));
  const { sampled, drawn } = await step(takeSamples(reader, relation, { rows, columns, customers }));
  const week = await measureWeek(reader, relation);
  const questions = new Questions();
  if (own.includes('malformed')) questions.ask('unreadable', 'malformed IS NOT NULL');
  for (const name of NEEDED)
    if (missing.byColumn.get(name)) questions.ask(`missing ${name}`, `${quoteName(name)} IS NULL`);
  const figures = columns.filter(({ kind }) => kind === 'figure');
  const names = figures.map(({ name }) => name);
  const hasOrders = columns.some(({ name }) => name === 'order_id');
  const prefixes = hasOrders ? await prefixesOf(reader, { figures: names, questions }) : [];
  const exact = await chooseExact(reader, figures, { rows, sampled });
  const facts: ColumnFacts[] = [];
  for (const column of columns) {
    const about = { column, questions, rows, sampled, isExact: exact.has(column.name) };
    facts.push(await step(measureColumn(reader, relation, about)));
  }
  const { days, answers, rowsBefore, ...totals } = await step(measureJudged(reader, relation, questions));
  const profiles = facts.map((own) => {
    const count = missing.byColumn.get(own.name)!;
    return judgedColumn({ ...own, missing: count, missingAccepted: null } as ColumnProfile, answers);
  });
  const words = profiles.filter(({ kind }) => kind === 'word').map(({ name }) => name);
  const unsteady = await step(unsteadyColumns(reader, drawn, words));
  const orders = profiles.find(({ name }) => name === 'order_id');
  const shown = monthsOf(days);
  const report: IssueReport = {
    ...{ profile: PROFILE_VERSION, title, currency, timezone, asOf: relation.asOf, watermark },
    ...{ rows, ...totals, customers, week, sample: { rows: sampled, of: rows } },
    from: days[0]?.day ?? null,
    to: days.at(-1)?.day ?? null,
    orders: orders?.kind === 'identifier' ? orders.distinct : null,
    months: shown.months,
    rowsBefore: shown.rowsBefore + rowsBefore,
    coverage: coverageOf(days),
    ...(await measureUnreadable(reader, relation, { columns, own })),
    duplicates: await step(measureDuplicates(reader, relation, { columns, own, rows, drawn })),
    columns: profiles,
    correlations: await step(measureCorrelations(reader, { figures: names, sampled })),
    notes: notesOf({ rows, sampled }),
  };
  const known = {
    unsteady,
    prefixes: prefixes.flatMap((prefix) => {
      const found = answers.get(`prefix ${prefix}`);
      const negative = answers.get(`negative prefix ${prefix}`)?.rows ?? 0;
      return found ? [{ prefix, ...found, negative }] : [];
    }),
    mostRowsOfOne: mostRows,
    unreadableAccepted: answers.get('unreadable')?.accepted ?? 0,
  };
  return {
    ...report,
    issues: findIssues(report, known),
    readiness: await step(measureReadiness(reader, relation, { settings: { features }, customers, drawn })),
  };
}

async function countMissing(
  reader: Reader,
  { from }: Relation,
  columns: readonly Column[],
): Promise<{ rows: number; byColumn: Map<string, number> }> {
  const counts = columns.map(({ name }, i) => `, count(*) - count(${quoteName(name)}) AS missing_${i}`);
  const [found] = await reader.rows(`SELECT count(*) AS rows${counts.join('')} FROM ${from}`);
  const byColumn = new Map(columns.map(({ name }, i) => [name, Number(found![`missing_${i}`])]));
  return { rows: Number(found!.rows), byColumn };
}

type ColumnFacts = Omit<ColumnProfile, 'missing' | 'missingAccepted'>;

async function measureColumn(
  reader: Reader,
  relation: Relation,
  about: { column: Column; questions: Questions; rows: number; sampled: number; isExact: boolean },
): Promise<ColumnFacts> {
  const { column, rows, sampled } = about;
  switch (column.kind) {
    case 'figure':
      return measureFigure(reader, relation, about);
    case 'time':
      return measureTime(reader, relation, about);
    case 'flag':
      return measureFlag(reader, relation, column);
    case 'text':
      return (await isOfWords(reader, column, { rows, sampled }))
        ? measureWords(reader, relation, about)
        : measureIdentifier(reader, relation, about);
    case 'other':
      return { kind: 'other', name: column.name, type: column.type };
  }
}

/** The column with what the contract lets through of it, which is asked for all columns at once. */
function judgedColumn(column: ColumnProfile, answers: Answers): ColumnProfile {
  const of = (what: string) => answers.get(`${what} ${column.name}`)?.accepted ?? null;
  const judged = { ...column, missingAccepted: of('missing') };
  switch (judged.kind) {
    case 'figure':
      return {
        ...judged,
        negativeAccepted: of('negative'),
        zeroAccepted: of('zero'),
        extremesAccepted: of('extreme'),
      };
    case 'time':
      return { ...judged, futureAccepted: of('future'), ancientAccepted: of('ancient') };
    case 'word':
      return { ...judged, oddCodes: judged.oddCodes && { ...judged.oddCodes, accepted: of('odd') } };
    default:
      return judged;
  }
}

/** `malformed` begins with `line ` for a line that could not be split, else it names columns and their texts. */
async function measureUnreadable(
  reader: Reader,
  { from }: Relation,
  { columns, own }: { columns: readonly Column[]; own: readonly string[] },
): Promise<Pick<ProfileReport, 'unreadable' | 'unreadableLines'>> {
  if (!own.includes('malformed')) return { unreadable: [], unreadableLines: 0 };
  const counts = columns.map(
    ({ name }, i) =>
      `, count(*) FILTER (WHERE NOT is_line AND (starts_with(malformed, ${quoteText(`${name}=`)}) OR contains(malformed, ${quoteText(`; ${name}=`)}))) AS unreadable_${i}`,
  );
  const [found] = await reader.rows(
    `SELECT count(*) FILTER (WHERE is_line) AS lines${counts.join('')}
FROM (SELECT malformed, starts_with(malformed, 'line ') AS is_line FROM ${from} WHERE malformed IS NOT NULL)`,
  );
  return {
    unreadableLines: Number(found!.lines),
    unreadable: columns
      .map(({ name }, i) => ({ column: name, rows: Number(found![`unreadable_${i}`]) }))
      .filter(({ rows }) => rows > 0),
  };
}

function notesOf({ rows, sampled }: { rows: number; sampled: number }): string[] {
  const sample =
    sampled < rows
      ? `Where a figure says "from a sample", it is of ${formatNumber(sampled)} rows at equal distances in the frozen extract, which is sorted by customer: the same ones every time.`
      : 'All figures of columns are of all rows, none of a sample.';
  return [
    'All rows of the extract are profiled, refused ones too, unless a figure says accepted.',
    `${sample} Counts of rows, missing values and extremes are always of all rows.`,
    `A quantile is a value of the extract: the least one that so many percent of the rows do not exceed (type 1 of Hyndman and Fan; ${QUANTILES.join(', ')} %). Deviations are of the population.`,
    'Ids are told apart by 64-bit hashes. Of more than six million rows, ids other than customers are counted by the sixteenth of them whose hash is drawn; such a count says "about".',
    'Outliers are values more than 1.5 interquartile ranges beyond the quartiles (Tukey), far ones more than 3, extreme ones some 400.',
    'Values of ids, of texts that nearly every row or customer has their own of, and of what could not be read are never shown.',
    'A row that breaks several rules counts under each of them here; validation counts it once. A line that could not be split breaks no other rule, and is missing in every column.',
    'Correlations are Spearman’s: of ranks, so that no extreme value decides.',
  ];
}
