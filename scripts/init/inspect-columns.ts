import { CURRENCY_SIGNS, commonestFirst } from '../../pipelines/init/currencies.ts';
import type {
  ColumnFacts,
  CurrencyCount,
  NumberFacts,
  TimeFacts,
  WordCount,
} from '../../pipelines/init/facts.ts';
import { nameSays } from '../../pipelines/init/role-words.ts';
import { chooseFormats, formatsOf } from '../../pipelines/init/time-formats.ts';
import type { Row } from '../../store/warehouse/duckdb.ts';
import type { SourceColumn } from '../../store/warehouse/sources.ts';
import { ident, isNumberType, isTimeType, literal, momentOf, numberOf, readsAsNumber } from './column-sql.ts';
import type { Looking } from './inspect.ts';

/** The rows that are looked at, as a Parquet file of tidy values. */
export interface Tidied {
  /** Relation to stand behind FROM. */
  from: string;
  /** WHERE … that leaves as many rows as patterns are tried on. */
  sample: string;
  rows: number;
  columns: readonly SourceColumn[];
}

/** As many different values as are still a list. */
const MOST_WORDS = 300;
const DIFFERENT_TEXTS = 500;
/** So much of a column has to read as numbers for it to be one of numbers. */
const NUMBER_SHARE = 0.9;
const TIME_SHARE = 0.5;
/** DuckDB takes a statement of a few hundred expressions well, one of thousands badly. */
const AT_A_TIME = 24;

interface Counts {
  filled: number;
  distinct: number;
}

interface Patterns {
  filled: number;
  points: number;
  commas: number;
  leadingZeros: number;
  emails: number;
  booleans: number;
  currencies: CurrencyCount[];
  texts: string[];
}

/** What is to be seen of each column, in their order. */
export async function columnFacts(
  looking: Looking,
  tidied: Tidied,
  words: Readonly<Record<string, string[]>>,
): Promise<ColumnFacts[]> {
  const counts = await countAll(looking, tidied);
  const facts: ColumnFacts[] = [];
  for (const [i, column] of tidied.columns.entries()) {
    facts.push(
      await factsOf(looking, tidied, { column, counts: counts[i]!, missingWords: words[column.name] ?? [] }),
    );
  }
  return facts;
}

async function countAll({ warehouse, signal }: Looking, { from, columns }: Tidied): Promise<Counts[]> {
  const counts: Counts[] = [];
  for (let start = 0; start < columns.length; start += AT_A_TIME) {
    const some = columns.slice(start, start + AT_A_TIME).map(({ name }) => ident(name));
    const select = some.map((name, i) => `count(${name}) AS f${i}, count(DISTINCT ${name}) AS d${i}`);
    const [row] = await warehouse.rows(`SELECT ${select.join(', ')} FROM ${from}`, { signal });
    counts.push(...some.map((_, i) => ({ filled: Number(row![`f${i}`]), distinct: Number(row![`d${i}`]) })));
  }
  return counts;
}

async function factsOf(
  looking: Looking,
  tidied: Tidied,
  { column, counts, missingWords }: { column: SourceColumn; counts: Counts; missingWords: string[] },
): Promise<ColumnFacts> {
  const { name, type } = column;
  const base = { name, type, rows: tidied.rows, ...counts, missingWords, number: null, time: null };
  const nothing = { leadingZeroShare: 0, emailShare: 0, words: null };
  if (counts.filled === 0) return { ...base, ...nothing, kind: 'text' };
  const values = await wordsOf(looking, tidied, { column, distinct: counts.distinct });
  if (type === 'BOOLEAN') return { ...base, ...nothing, words: values, kind: 'boolean' };
  const patterns = await patternsOf(looking, tidied, column);
  const of = (rows: number) => (patterns.filled === 0 ? 0 : rows / patterns.filled);
  const shares = {
    leadingZeroShare: of(patterns.leadingZeros),
    emailShare: of(patterns.emails),
    words: values,
  };
  const time = await timeFacts(looking, tidied, { column, patterns, filled: counts.filled });
  if (time) return { ...base, ...shares, time, kind: 'time' };
  const number = await numberFacts(looking, tidied, { column, patterns, filled: counts.filled });
  if (number) return { ...base, ...shares, number, kind: 'number' };
  return { ...base, ...shares, kind: of(patterns.booleans) === 1 ? 'boolean' : 'text' };
}

async function wordsOf(
  { warehouse, signal }: Looking,
  { from }: Tidied,
  { column: { name, type }, distinct }: { column: SourceColumn; distinct: number },
): Promise<WordCount[] | null> {
  if (distinct > MOST_WORDS || isTimeType(type)) return null;
  const rows = await warehouse.rows(
    `SELECT CAST(${ident(name)} AS VARCHAR) AS word, count(*) AS rows FROM ${from}
    WHERE ${ident(name)} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1`,
    { signal },
  );
  return rows.map(({ word, rows: count }) => ({ word: String(word), rows: Number(count) }));
}

async function patternsOf(
  { warehouse, signal }: Looking,
  { from, sample }: Tidied,
  { name, type }: SourceColumn,
): Promise<Patterns> {
  const none = { points: 0, commas: 0, leadingZeros: 0, emails: 0, booleans: 0, currencies: [], texts: [] };
  if (type !== 'VARCHAR') return { ...none, filled: 0 };
  const text = ident(name);
  const [row] = await warehouse.rows(
    `SELECT count(${text}) AS filled, count_if(${readsAsNumber(text, '.')}) AS points,
    count_if(${readsAsNumber(text, ',')}) AS commas,
    count_if(regexp_full_match(${text}, '0\\d+')) AS leading_zeros,
    count_if(regexp_full_match(${text}, '[^@ ]+@[^@ ]+\\.[^@ ]+')) AS emails,
    count_if(lower(${text}) IN ('true', 'false', 'yes', 'no', 'ja', 'nein')) AS booleans,
    ${currencyCounts(text)} FROM (SELECT ${text} FROM ${from} ${sample})`,
    { signal },
  );
  const texts = await warehouse.rows(
    `SELECT text FROM (SELECT DISTINCT left(${text}, 40) AS text FROM ${from} ${sample}) WHERE text IS NOT NULL
    ORDER BY hash(text), text LIMIT ${DIFFERENT_TEXTS}`,
    { signal },
  );
  return {
    filled: Number(row!.filled),
    points: Number(row!.points),
    commas: Number(row!.commas),
    leadingZeros: Number(row!.leading_zeros),
    emails: Number(row!.emails),
    booleans: Number(row!.booleans),
    currencies: currenciesIn(row!),
    texts: texts.map(({ text: value }) => String(value)),
  };
}

const CURRENCIES = [...new Set(CURRENCY_SIGNS.map(([, code]) => code))];

/** SELECT list: rows with a sign or the code of each currency. */
function currencyCounts(text: string): string {
  const has = (wanted: string) =>
    CURRENCY_SIGNS.filter(([, code]) => code === wanted)
      .map(([sign]) => `contains(${text}, ${literal(sign)})`)
      .join(' OR ');
  return CURRENCIES.map((code) => `count_if(${has(code)}) AS "${code}"`).join(', ');
}

function currenciesIn(row: Row): CurrencyCount[] {
  return CURRENCIES.map((code) => ({ code, rows: Number(row[code]) }))
    .filter(({ rows }) => rows > 0)
    .sort(commonestFirst);
}

/** Where a sample has several they are counted in all rows: a person is told how many there are. */
async function countCurrencies(
  { warehouse, signal }: Looking,
  from: string,
  { column: { name }, patterns: { currencies } }: Subject,
): Promise<CurrencyCount[]> {
  if (currencies.length < 2) return currencies;
  const [row] = await warehouse.rows(`SELECT ${currencyCounts(ident(name))} FROM ${from}`, { signal });
  return currenciesIn(row!);
}

interface Subject {
  column: SourceColumn;
  patterns: Patterns;
  filled: number;
}

async function numberFacts(
  looking: Looking,
  { from }: Tidied,
  subject: Subject,
): Promise<NumberFacts | null> {
  const { warehouse, signal } = looking;
  const {
    column: { name, type },
    patterns,
    filled,
  } = subject;
  const { points, commas } = patterns;
  if (type === 'VARCHAR' ? Math.max(points, commas) < NUMBER_SHARE * patterns.filled : !isNumberType(type))
    return null;
  const decimal = commas > points ? ',' : '.';
  const number = numberOf(ident(name), { type, decimal });
  const [row] = await warehouse.rows(
    `SELECT count(n) AS numbers, count_if(n = trunc(n)) AS wholes, count_if(n < 0) AS negatives,
    count_if(n = 0) AS zeros, min(n) AS least, max(n) AS most, quantile_cont(n, 0.5) AS median
    FROM (SELECT ${number} AS n FROM ${from})`,
    { signal },
  );
  const numbers = Number(row!.numbers);
  if (numbers === 0) return null;
  return {
    share: numbers / filled,
    wholeShare: Number(row!.wholes) / numbers,
    negativeShare: Number(row!.negatives) / numbers,
    zeroShare: Number(row!.zeros) / numbers,
    min: Number(row!.least),
    median: Number(row!.median),
    max: Number(row!.most),
    decimal,
    currencies: await countCurrencies(looking, from, subject),
  };
}

async function timeFacts(looking: Looking, { from }: Tidied, subject: Subject): Promise<TimeFacts | null> {
  const { column, filled } = subject;
  const chosen = await formatsFor(looking, from, subject);
  if (chosen === null) return null;
  const { formats, rivals } = chosen;
  const text = ident(column.name);
  const moment = momentOf(text, { type: column.type, formats });
  const zoned =
    column.type === 'TIMESTAMP WITH TIME ZONE'
      ? 'count(moment)'
      : column.type === 'VARCHAR'
        ? `count_if(moment IS NOT NULL AND regexp_matches(text, '(?i)(z|[+-]\\d{2}(:?\\d{2})?)$') AND length(text) > 16)`
        : '0';
  const [row] = await looking.warehouse.rows(
    `SELECT count(moment) AS times, ${zoned} AS zoned,
    count_if(CAST(moment AS DATE) <> moment) AS clocks,
    strftime(min(moment), '%Y-%m-%dT%H:%M:%S') AS oldest, strftime(max(moment), '%Y-%m-%dT%H:%M:%S') AS newest
    FROM (SELECT ${moment} AS moment, ${text} AS text FROM ${from})`,
    { signal: looking.signal },
  );
  const times = Number(row!.times);
  if (times < TIME_SHARE * filled) return null;
  return {
    share: times / filled,
    formats,
    rivals,
    zonedShare: Number(row!.zoned) / times,
    hasClock: Number(row!.clocks) > 0,
    from: String(row!.oldest),
    to: String(row!.newest),
  };
}

/** Formats of a column's times; null: they are none. */
async function formatsFor(
  { warehouse, signal }: Looking,
  from: string,
  { column: { name, type }, patterns, filled }: Subject,
): Promise<{ formats: string[]; rivals: string[] } | null> {
  if (isTimeType(type)) return { formats: [], rivals: [] };
  const isText = type === 'VARCHAR';
  // A whole number such as 20260131 is a day only in a column that is called one.
  const isDayNumber = isNumberType(type) && nameSays(name, 'time').weight >= 0.5;
  if (!isText && !isDayNumber) return null;
  const texts = isText ? patterns.texts : await dayNumbers({ warehouse, signal }, from, name);
  const { isoShare, formats: candidates } = formatsOf(texts);
  if (isText && isoShare > TIME_SHARE) return { formats: [], rivals: [] };
  const wanted = candidates.filter(({ share, format }) => share >= 0.01 && isPlausible(format, name));
  if (wanted.length === 0) return null;
  const text = isText ? ident(name) : `CAST(${ident(name)} AS VARCHAR)`;
  const reads = wanted.map(({ format }, i) => `count(try_strptime(${text}, ${literal(format)})) AS r${i}`);
  const [row] = await warehouse.rows(`SELECT ${reads.join(', ')} FROM ${from}`, { signal });
  const counts = new Map(wanted.map(({ format }, i) => [format, readRows(row!, i)]));
  const chosen = chooseFormats(counts, filled);
  return chosen.formats.length === 0 ? null : chosen;
}

function readRows(row: Row, i: number): number {
  return Number(row[`r${i}`]);
}

function isPlausible(format: string, name: string): boolean {
  return format !== '%Y%m%d' || nameSays(name, 'time').weight >= 0.3;
}

async function dayNumbers(
  { warehouse, signal }: Pick<Looking, 'warehouse' | 'signal'>,
  from: string,
  name: string,
) {
  const rows = await warehouse.rows(
    `SELECT DISTINCT CAST(${ident(name)} AS VARCHAR) AS text FROM ${from} WHERE ${ident(name)} IS NOT NULL
    ORDER BY 1 LIMIT ${DIFFERENT_TEXTS}`,
    { signal },
  );
  return rows.map(({ text }) => String(text));
}
