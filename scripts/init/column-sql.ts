import { quoteText as literal } from '../../pipelines/contracts/sql-quote.ts';
import { CURRENCY_SIGNS } from '../../pipelines/init/currencies.ts';

// SQL over the columns of a file whose values are tidy: text without blanks around it, NULL where nothing is meant.

export { quoteName as ident, quoteText as literal } from '../../pipelines/contracts/sql-quote.ts';

/** Spellings of no value, in capitals. Codes of countries are told from NA by the values beside it. */
export const MISSING_WORDS = [
  'NULL',
  '(NULL)',
  'N/A',
  '#N/A',
  'NA',
  '\\N',
  'NONE',
  'NAN',
  'NIL',
  '-',
  '--',
  '?',
];

const POINT = String.raw`[-+]?(\d+|\d{1,3}([, '’]\d{3})+)(\.\d+)?([eE][-+]?\d+)?|[-+]?\.\d+`;
const COMMA = String.raw`[-+]?(\d+|\d{1,3}([. '’]\d{3})+)(,\d+)?`;

/** A text without the signs of currencies, or of one alone. */
function bare(column: string, currency?: string): string {
  const known = CURRENCY_SIGNS.filter(([, code]) => currency === undefined || code === currency);
  const signs = [...known.map(([sign]) => sign.replace('$', '\\$')), ...(currency ? [currency] : []), ' '];
  return `trim(regexp_replace(${column}, ${literal(signs.join('|'))}, '', 'g'))`;
}

/** Whether a text is a number with a point (`1,234.50`), or with a comma (`1.234,50`). */
export function readsAsNumber(column: string, decimal: '.' | ',', currency?: string): string {
  return `regexp_full_match(${bare(column, currency)}, ${literal(decimal === '.' ? POINT : COMMA)})`;
}

/**
 * The number as DOUBLE; NULL where it does not read as one.
 *
 * @param currency whose sign may stand with it; absent: that of any
 */
export function numberOf(
  column: string,
  { type, decimal, currency }: { type: string; decimal: '.' | ','; currency?: string },
): string {
  if (type !== 'VARCHAR') return `TRY_CAST(${column} AS DOUBLE)`;
  const grouped = decimal === '.' ? `[, '’]` : `[. '’]`;
  const digits = `regexp_replace(${bare(column, currency)}, ${literal(grouped)}, '', 'g')`;
  const number = decimal === '.' ? digits : `replace(${digits}, ',', '.')`;
  return `CASE WHEN ${readsAsNumber(column, decimal, currency)} THEN TRY_CAST(${number} AS DOUBLE) END`;
}

/** The moment as TIMESTAMP by the first format that reads it; no format: ISO 8601, or a type of time. */
export function momentOf(
  column: string,
  { type, formats }: { type: string; formats: readonly string[] },
): string {
  if (isTimeType(type)) return `CAST(${column} AS TIMESTAMP)`;
  const text = type === 'VARCHAR' ? column : `CAST(${column} AS VARCHAR)`;
  if (formats.length === 0)
    return `coalesce(TRY_CAST(${text} AS TIMESTAMP), CAST(TRY_CAST(${text} AS TIMESTAMPTZ) AS TIMESTAMP))`;
  return `try_strptime(${text}, [${formats.map(literal).join(', ')}])`;
}

export function isTimeType(type: string): boolean {
  return /^(TIMESTAMP(_S|_MS|_NS)?|DATE|TIMESTAMP WITH TIME ZONE)$/.test(type);
}

export function isNumberType(type: string): boolean {
  return /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\))$/.test(type);
}

export function isNestedType(type: string): boolean {
  return /^(STRUCT|MAP|UNION)|\[\d*\]$/.test(type) || type === 'BLOB';
}
