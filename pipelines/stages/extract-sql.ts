import type { Contract } from '../contracts/contract.ts';
import { PipelineError } from '../contracts/errors.ts';
import { quoteName } from '../contracts/sql-quote.ts';
import {
  type ExtractSource,
  isMapped,
  mappedColumns,
  readColumns,
  sourceValue,
  type TableSource,
} from './extract.ts';
import { canonicalValue, isWholeNumber, type SourceValue, textOf, textOrderOf } from './extract-casts.ts';

// The extract is the frozen truth of a run: canonical columns, every row known before the as-of date, in
// one total order: customer, time, then a hash of all that the source says of the row, so that only equal
// rows may change places. Its bytes do not depend on the order of the source nor on the number of threads.
// Refused: all columns as the sort key, which is slower; categories and countries as codes of an ENUM while
// they are sorted, which saved nothing.

/** The text of an unreadable value is kept so far: enough to find its cause, bounded for a broken file. */
const KEPT_CHARACTERS = 120;

/** Of rows with one key the first in these is the original; where they tie, the other columns decide. */
const RANKING = ['loaded_at', 'customer_id', 'ordered_at', 'order_id', 'line_id'];

/** What every part of the extract is made of. */
export interface Extraction {
  source: ExtractSource;
  contract: Contract;
  /**
   * ISO date: rows ordered before this midnight, and loaded before it where the source tells: what came later is
   * what a run on that day could not have read.
   */
  asOf: string;
  /** ISO date: rows ordered from this midnight on, and none without a readable time. Absent: from the first row. */
  from?: string;
  /** Rows in any order, for what only counts and sums them: nothing to sort or to spill. Absent: in the total order. */
  unordered?: true;
}

/**
 * The extract: canonical columns and attributes, `amount` (as mapped, else quantity * unit_price), `malformed`
 * (NULL, or `unit_price=abc` for what could not be read), where the contract names a unique key `is_duplicate`,
 * and where there is a table of customers `is_known_customer`: whether it has a row with the row's customer_id.
 *
 * Rows without a readable `ordered_at` stay in: they have to be refused, not lost. Of rows with one key the
 * first loaded is the original; a key with a missing column is never a duplicate.
 *
 * @throws PipelineError DEFINITION_INVALID when the unique key names a column that the source lacks
 */
export function extractSql(extraction: Extraction): string {
  const { source } = extraction;
  const key = uniqueKey(extraction.contract, source);
  const byText = textOrderOf(rawValue(source, 'customer_id')) ?? canonicalOf(source, 'customer_id');
  const extra = [`${byText} AS customer_order`, tieOf(source)];
  const order = ['customer_order', 'ordered_at', 'tie'];
  const flags: string[] = [];
  if (key !== null) {
    extra.push('copy IS NOT NULL AS is_duplicate');
    order.push('is_duplicate');
    flags.push('is_duplicate');
  }
  if (source.customers !== undefined) {
    const isKnown = `${canonicalOf(source, 'customer_id')} IN (SELECT customer_id FROM ${source.customers})`;
    extra.push(`coalesce(${isKnown}, false) AS is_known_customer`);
    flags.push('is_known_customer');
  }
  const rows = canonicalSql(source, {
    value: (name) => carriedOf(source, name),
    extra,
    from: `${rowsBefore(extraction)}${key === null ? '' : ' LEFT JOIN copies ON file_row_number = copy'}`,
  });
  const sorted = `(FROM (${rows})${extraction.unordered ? '' : ` ORDER BY ${order.join(', ')}`})`;
  const restored = mappedColumns(source.columns, source.attributes).map((name) => restoredOf(source, name));
  const { from, malformed } = withAmount(source, sorted);
  return `${key === null ? '' : `WITH ${duplicatesSql(extraction, key)}\n`}SELECT ${restored.join(', ')}, amount,
  ${[`${malformed} AS malformed`, ...flags].join(', ')}
FROM ${from}`;
}

/** The rows with `amount`, and what was unreadable in them: a product may be larger than money can be. */
function withAmount(source: ExtractSource, rows: string): { from: string; malformed: string } {
  if (isMapped(source, 'amount')) return { from: rows, malformed: 'malformed' };
  return {
    from: `(SELECT *, TRY_CAST(quantity * unit_price AS DECIMAL(18,4)) AS amount\n  FROM ${rows})`,
    malformed: `CASE WHEN amount IS NULL AND malformed IS NULL AND quantity IS NOT NULL AND unit_price IS NOT NULL
    THEN 'amount=' || quantity || ' x ' || unit_price ELSE malformed END`,
  };
}

/** From what was carried through the sort: shorter than the text it stands for. */
function restoredOf(source: ExtractSource, name: string): string {
  if (name === 'order_id' && !isMapped(source, name)) return `${momentSql('ordered_at')} AS order_id`;
  return isNumberedId(source, name) ? `CAST(${name} AS VARCHAR) AS ${name}` : quoteName(name);
}

/** The order of a source without orders: all that a customer bought at one moment. */
function momentSql(orderedAt: string): string {
  return `strftime(${orderedAt}, '%Y-%m-%dT%H:%M:%S')`;
}

/**
 * Keys that occur more than once are few: they are found by their hashes in one pass over the key columns,
 * only their rows are ranked, and the pass over all rows knows the copies by their row numbers. A hash that
 * two keys share only makes their rows candidates.
 */
function duplicatesSql(extraction: Extraction, key: readonly string[]): string {
  const { source } = extraction;
  const names = readColumns(source);
  const values = key.map((name) => carriedOf(source, name));
  const made = key.filter((name) => !names.includes(name));
  const hash = `hash(${values.join(', ')})`;
  const rows = `(FROM ${rowsBefore(extraction)} WHERE ${values.map((value) => `${value} IS NOT NULL`).join(' AND ')})`;
  const candidates = canonicalSql(source, {
    value: (name) => canonicalOf(source, name),
    extra: [
      ...made.map((name) => `${canonicalOf(source, name)} AS ${name}`),
      'file_row_number',
      tieOf(source),
    ],
    from: `${rows} SEMI JOIN repeated ON ${hash} = key_hash`,
  });
  const ranking = new Set([...RANKING.filter((name) => names.includes(name)), ...names, 'tie']);
  const list = (columns: Iterable<string>) => [...columns].map(quoteName).join(', ');
  return `repeated AS MATERIALIZED (
  SELECT ${hash} AS key_hash FROM ${rows} GROUP BY key_hash HAVING count(*) > 1
), copies AS MATERIALIZED (
  SELECT file_row_number AS copy FROM (
    SELECT file_row_number, row_number() OVER (PARTITION BY ${list(key)} ORDER BY ${list(ranking)}) AS place
    FROM (${candidates}))
  WHERE place > 1
)`;
}

/** Each mapped column under its canonical name, then `malformed` and the extra ones. */
export function canonicalSql(
  source: TableSource,
  select: {
    value: (name: string) => string;
    extra: readonly string[];
    from: string;
  },
): string {
  const names = readColumns(source);
  const fallible = names.filter((name) => canonicalValue(rawValue(source, name)).mayFail);
  const faults = fallible.map((name) => {
    const text = `left(${textOf(rawValue(source, name))}, ${KEPT_CHARACTERS})`;
    return `CASE WHEN ${quoteName(name)} IS NULL THEN '${name}=' || ${text} END`;
  });
  // Text is made only in rows where a value is NULL.
  const ofValues =
    fallible.length === 0
      ? 'CAST(NULL AS VARCHAR)'
      : `CASE WHEN ${fallible.map((name) => `${quoteName(name)} IS NULL`).join(' OR ')}
    THEN nullif(concat_ws('; ', ${faults.join(', ')}), '') END`;
  const malformed = source.unreadable === undefined ? ofValues : `coalesce(${RAW_UNREADABLE}, ${ofValues})`;
  const values = names.map((name) => `${select.value(name)} AS ${quoteName(name)}`);
  const raw = [...fallible.map(rawName), ...unreadableOf(source)];
  return `SELECT *${raw.length === 0 ? '' : ` EXCLUDE (${raw.join(', ')})`}, ${malformed} AS malformed
  FROM (SELECT ${[...values, ...raw, ...select.extra].join(',\n    ')}
    FROM ${select.from})`;
}

/** The mapped columns as the source has them, of the rows that are in the extract. */
function rowsBefore({ source, contract, asOf, from }: Extraction): string {
  const columns = rawColumns(source);
  if (contract.unique) columns.push('file_row_number');
  const midnight = `TIMESTAMP '${asOf} 00:00:00'`;
  const orderedAt = canonicalOf(source, 'ordered_at');
  const isBefore = (moment: string) => `(${moment} IS NULL OR ${moment} < ${midnight})`;
  const period =
    from === undefined
      ? [orderedAt, ...(source.columns.loaded_at ? [canonicalOf(source, 'loaded_at')] : [])].map(isBefore)
      : [`${orderedAt} >= TIMESTAMP '${from} 00:00:00'`, `${orderedAt} < ${midnight}`];
  return `(FROM (SELECT ${columns.join(', ')} FROM ${source.from})
    WHERE ${period.join(' AND ')})`;
}

/** The columns that are read, as the source has them. */
export function rawColumns(source: TableSource): string[] {
  const columns = readColumns(source).map(
    (name) => `${sourceValue(source, name).column} AS ${rawName(name)}`,
  );
  return source.unreadable === undefined
    ? columns
    : [...columns, `"${source.unreadable}" AS ${RAW_UNREADABLE}`];
}

/** 64 bits of all that the source says of a row; two different rows of a customer and moment never tie in practice. */
export function tieOf(source: TableSource): string {
  const said = [...readColumns(source).map(rawName), ...unreadableOf(source)];
  return `hash(${said.join(', ')}) AS tie`;
}

/** No attribute has a name with a blank. */
const RAW_UNREADABLE = '"raw line"';

function unreadableOf({ unreadable }: TableSource): string[] {
  return unreadable === undefined ? [] : [RAW_UNREADABLE];
}

function rawName(name: string): string {
  return `raw_${name}`;
}

function rawValue(source: TableSource, name: string): SourceValue {
  return { ...sourceValue(source, name), column: rawName(name) };
}

/** The canonical value, made of the raw columns. */
export function canonicalOf(source: TableSource, name: string): string {
  if (name === 'order_id' && !isMapped(source, name)) return momentSql(canonicalOf(source, 'ordered_at'));
  return canonicalValue(rawValue(source, name)).value;
}

/** What stands for the canonical value while rows are sorted and keys are compared. */
function carriedOf(source: ExtractSource, name: string): string {
  return isNumberedId(source, name) ? rawName(name) : canonicalOf(source, name);
}

function isNumberedId(source: TableSource, name: string): boolean {
  return isMapped(source, name) && name.endsWith('_id') && isWholeNumber(sourceValue(source, name).type);
}

function uniqueKey(contract: Contract, source: ExtractSource): string[] | null {
  if (!contract.unique) return null;
  const names = [...new Set([...mappedColumns(source.columns, source.attributes), ...readColumns(source)])];
  const missing = contract.unique.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new PipelineError(
      'DEFINITION_INVALID',
      `contract.yaml: unique: needs columns that source.columns maps (${names.join(', ')}), found ${missing.join(', ')}`,
    );
  }
  return contract.unique;
}
