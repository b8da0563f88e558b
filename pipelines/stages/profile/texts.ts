import { quoteName, quoteText } from '../../contracts/sql-quote.ts';
import { mostValues } from './figures.ts';
import type { Questions } from './judged.ts';
import type { Column, Reader, Relation } from './relation.ts';
import type { Counted, FlagProfile, IdentifierProfile, TextFacts, WordProfile } from './report.ts';
import { SAMPLE } from './samples.ts';

/** Ids of customers, orders and lines: their values are never shown. */
const IDS = ['customer_id', 'order_id', 'line_id'];
/** Of the words of a column so many are shown; the rest is summed up. */
const TOP_WORDS = 12;
/** A word is free text of the source: nothing guarantees that it is short. */
const MOST_CHARACTERS = 60;
const MOST_WORDS = 100_000;
const MOST_EXAMPLES = 8;
/** Words of fewer customers each than this may be names or addresses of people. */
const LEAST_CUSTOMERS = 1.5;
/** Ids of more rows than this are counted by the values whose hash is drawn. */
const ROWS_COUNTED_WHOLE = 6_000_000;
const DRAWN_OF_IDS = 16;
/** A column is one of codes when so many of its words hold a digit, and it has at least so many. */
const CODE_SHARE = 0.9;
const LEAST_CODES = 20;

const MOST_PREFIXES = 2;

const WORDS = 'profile_words';

type Facts<P> = Omit<P, 'missing' | 'missingAccepted'>;

/** Whether the words of a text may be shown, and are few enough to be counted one by one. */
export async function isOfWords(
  reader: Reader,
  { name }: Column,
  counts: { rows: number; sampled: number },
): Promise<boolean> {
  if (IDS.includes(name)) return false;
  const column = quoteName(name);
  const [found] = await reader.rows(
    `SELECT count(*) AS words, count(*) FILTER (WHERE rows = 1) AS single, coalesce(sum(customers), 0) AS customers
FROM (SELECT count(*) AS rows, count(DISTINCT customer_id) AS customers FROM ${SAMPLE} WHERE ${column} IS NOT NULL GROUP BY ${column})`,
  );
  const words = Number(found!.words);
  if (mostValues(words, Number(found!.single), counts) > MOST_WORDS) return false;
  return words <= TOP_WORDS || Number(found!.customers) >= LEAST_CUSTOMERS * words;
}

export async function measureIdentifier(
  reader: Reader,
  { from }: Relation,
  { column, rows }: { column: Column; rows: number },
): Promise<Facts<IdentifierProfile>> {
  const name = quoteName(column.name);
  const isDrawn = rows > ROWS_COUNTED_WHOLE && column.name !== 'customer_id';
  // Millions of texts would fill the memory; two ids share a 64-bit hash once in a million extracts.
  // HyperLogLog was refused: DuckDB's has 64 registers and was off by a fifth.
  const [found] = await reader.rows(
    `SELECT count(*) AS several, coalesce(sum(rows) - count(*), 0) AS repeated
FROM (SELECT count(*) AS rows FROM ${from} WHERE ${name} IS NOT NULL${isDrawn ? ` AND hash(${name}) % ${DRAWN_OF_IDS} = 0` : ''} GROUP BY hash(${name}))`,
  );
  const counted = (value: unknown): Counted => ({
    count: Number(value) * (isDrawn ? DRAWN_OF_IDS : 1),
    isEstimate: isDrawn,
  });
  return {
    ...{ kind: 'identifier', name: column.name, type: column.type },
    distinct: counted(found!.several),
    repeated: counted(found!.repeated),
    ...(await textFacts(reader, { from: SAMPLE, name, rows: '1' })),
  };
}

export async function measureWords(
  reader: Reader,
  { from }: Relation,
  { column, questions }: { column: Column; questions: Questions },
): Promise<Facts<WordProfile>> {
  const name = quoteName(column.name);
  await reader.rows(
    `CREATE OR REPLACE TEMP TABLE ${WORDS} AS SELECT CAST(${name} AS VARCHAR) AS word, count(*) AS rows,
  lower(regexp_replace(trim(CAST(${name} AS VARCHAR)), '\\s+', ' ', 'g')) AS plain FROM ${from} WHERE ${name} IS NOT NULL GROUP BY ${name}`,
  );
  // Ties are broken by the word itself.
  const top = await reader.rows(
    `SELECT left(word, ${MOST_CHARACTERS}) AS shown, rows FROM ${WORDS} ORDER BY rows DESC, word LIMIT ${TOP_WORDS}`,
  );
  const [all] = await reader.rows(`SELECT count(*) AS several, coalesce(sum(rows), 0) AS rows FROM ${WORDS}`);
  const words = top.map(({ shown, rows }) => ({ word: String(shown), rows: Number(rows) }));
  const shown = words.reduce((sum, { rows }) => sum + rows, 0);
  const oddCodes = await oddCodesOf(reader);
  if (oddCodes) questions.ask(`odd ${column.name}`, `NOT regexp_matches(${name}, '[0-9]')`);
  return {
    ...{ kind: 'word', name: column.name, type: column.type },
    distinct: Number(all!.several),
    words,
    otherRows: Number(all!.rows) - shown,
    variants: await variantsOf(reader),
    oddCodes,
    ...(await textFacts(reader, { from: WORDS, name: 'word', rows: 'rows' })),
  };
}

/** Words that differ from a more frequent one in case and blanks alone, most rows first. */
async function variantsOf(reader: Reader): Promise<WordProfile['variants']> {
  const ranked = `SELECT word, rows, first(word) OVER alike AS usual, row_number() OVER alike AS place FROM ${WORDS}
WINDOW alike AS (PARTITION BY plain ORDER BY rows DESC, word)`;
  const [all] = await reader.rows(
    `SELECT count(*) AS several, coalesce(sum(rows), 0) AS rows FROM (${ranked}) WHERE place > 1`,
  );
  const words = Number(all!.several);
  if (words === 0) return { words, rows: 0, examples: [] };
  const found = await reader.rows(
    `SELECT left(word, ${MOST_CHARACTERS}) AS shown, left(usual, ${MOST_CHARACTERS}) AS usual FROM (${ranked})
WHERE place > 1 ORDER BY rows DESC, word LIMIT ${MOST_EXAMPLES}`,
  );
  const examples = found.map(
    ({ shown, usual }) => `${JSON.stringify(shown)} beside ${JSON.stringify(usual)}`,
  );
  return { words, rows: Number(all!.rows), examples };
}

/** Where nearly all words hold a digit and no blank: those without a digit, which look like none of the others. */
async function oddCodesOf(reader: Reader): Promise<WordProfile['oddCodes']> {
  const hasDigit = `regexp_matches(word, '[0-9]')`;
  const [all] = await reader.rows(
    `SELECT count(*) AS several, count(*) FILTER (WHERE ${hasDigit} AND NOT contains(word, ' ')) AS codes,
  count(*) FILTER (WHERE NOT ${hasDigit}) AS odd, coalesce(sum(rows) FILTER (WHERE NOT ${hasDigit}), 0) AS rows FROM ${WORDS}`,
  );
  const odd = Number(all!.odd);
  const codes = Number(all!.codes);
  if (odd === 0 || codes < LEAST_CODES || codes < CODE_SHARE * Number(all!.several)) return null;
  const examples = await reader.rows(
    `SELECT left(word, ${MOST_CHARACTERS}) AS shown, rows FROM ${WORDS} WHERE NOT ${hasDigit} ORDER BY rows DESC, word LIMIT ${MOST_EXAMPLES}`,
  );
  return {
    words: odd,
    rows: Number(all!.rows),
    accepted: null,
    examples: examples.map(({ shown, rows }) => ({ word: String(shown), rows: Number(rows) })),
  };
}

/** @param rows what a line of `from` counts for */
async function textFacts(
  reader: Reader,
  { from, name, rows }: { from: string; name: string; rows: string },
): Promise<TextFacts> {
  const [found] = await reader.rows(
    `SELECT min(length(${name})) AS least, max(length(${name})) AS most, sum(length(${name}) * ${rows}) AS characters,
  coalesce(sum(${rows}), 0) AS rows, coalesce(sum(${rows}) FILTER (WHERE trim(${name}) = ''), 0) AS blank,
  coalesce(sum(${rows}) FILTER (WHERE trim(${name}) <> ${name} AND trim(${name}) <> ''), 0) AS padded
FROM ${from} WHERE ${name} IS NOT NULL`,
  );
  const counted = Number(found!.rows);
  return {
    lengths:
      counted === 0
        ? null
        : {
            least: Number(found!.least),
            most: Number(found!.most),
            mean: Number((Number(found!.characters) / counted).toFixed(1)),
          },
    blank: Number(found!.blank),
    padded: Number(found!.padded),
    counted,
  };
}

export async function measureFlag(
  reader: Reader,
  { from }: Relation,
  { name, type }: Column,
): Promise<Facts<FlagProfile>> {
  const column = quoteName(name);
  const [found] = await reader.rows(
    `SELECT count(*) FILTER (WHERE ${column}) AS yes, count(*) FILTER (WHERE NOT ${column}) AS no FROM ${from}`,
  );
  return { kind: 'flag', name, type, yes: Number(found!.yes), no: Number(found!.no) };
}

/** Letters before the digits that some order ids have and most have not; found in the sample. */
export async function prefixesOf(
  reader: Reader,
  { figures, questions }: { figures: readonly string[]; questions: Questions },
): Promise<string[]> {
  const signs = ['quantity', 'amount'].filter((name) => figures.includes(name));
  if (signs.length === 0) return [];
  const found = await reader.rows(
    `SELECT prefix FROM (SELECT regexp_extract(order_id, '^([A-Za-z]{1,3})[-_ ]?[0-9]', 1) AS prefix, count(*) AS rows, sum(count(*)) OVER () AS all_rows
  FROM ${SAMPLE} WHERE order_id IS NOT NULL GROUP BY 1)
WHERE prefix <> '' AND rows < 0.3 * all_rows ORDER BY rows DESC, prefix LIMIT ${MOST_PREFIXES}`,
  );
  const isNegative = signs.map((name) => `${name} < 0`).join(' OR ');
  return found.map(({ prefix }) => {
    const has = `starts_with(order_id, ${quoteText(String(prefix))})`;
    questions.ask(`prefix ${prefix}`, has);
    questions.ask(`negative prefix ${prefix}`, `${has} AND (${isNegative})`);
    return String(prefix);
  });
}
