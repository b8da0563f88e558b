import type { Contract } from '../contracts/contract.ts';
import { PipelineError } from '../contracts/errors.ts';
import { type ExtractSource, mappedColumns, sourceValue } from './extract.ts';
import { canonicalValue, isWholeNumber, type SourceValue, textOf, textOrderOf } from './extract-casts.ts';

// The extract is the frozen truth of a run: canonical columns, every row ordered before the as-of date, in
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
  /** ISO date: rows ordered before this midnight. */
  asOf: string;
  /** ISO date: rows ordered from this midnight on, and none without a readable time. Absent: from the first row. */
  from?: string;
  /** Rows in any order, for what only counts and sums them: nothing to sort or to spill. Absent: in the total order. */
  unordered?: true;
}

/**
 * The extract: canonical columns, `amount` (quantity * unit_price), `malformed` (NULL, or `unit_price=abc`
 * for what could not be read) and, where the contract names a unique key, `is_duplicate`.
 *
 * Rows without a readable `ordered_at` stay in: they have to be refused, not lost. Of rows with one key the
 * first loaded is the original; a key with a missing column is never a duplicate.
 *
 * @throws PipelineError DEFINITION_INVALID when the unique key names a column that the source lacks
 */
export function extractSql(extraction: Extraction): string {
  const { source } = extraction;
  const names = mappedColumns(source.columns);
  const key = uniqueKey(extraction.contract, names);
  const byText = textOrderOf(rawValue(source, 'customer_id')) ?? canonicalOf(source, 'customer_id');
  const extra = [`${byText} AS customer_order`, tieOf(source)];
  const order = ['customer_order', 'ordered_at', 'tie'];
  if (key !== null) {
    extra.push('copy IS NOT NULL AS is_duplicate');
    order.push('is_duplicate');
  }
  const rows = canonicalSql(source, {
    value: (name) => carriedOf(source, name),
    extra,
    from: `${rowsBefore(extraction)}${key === null ? '' : ' LEFT JOIN copies ON file_row_number = copy'}`,
  });
  const restored = names.map((name) =>
    isNumberedId(source, name) ? `CAST(${name} AS VARCHAR) AS ${name}` : name,
  );
  return `${key === null ? '' : `WITH ${duplicatesSql(extraction, key)}\n`}SELECT ${restored.join(', ')}, amount,
  CASE WHEN amount IS NULL AND malformed IS NULL AND quantity IS NOT NULL AND unit_price IS NOT NULL
    THEN 'amount=' || quantity || ' x ' || unit_price ELSE malformed END AS malformed${key === null ? '' : ', is_duplicate'}
FROM (SELECT *, TRY_CAST(quantity * unit_price AS DECIMAL(18,4)) AS amount
  FROM (FROM (${rows})${extraction.unordered ? '' : ` ORDER BY ${order.join(', ')}`}))`;
}

/**
 * Keys that occur more than once are few: they are found by their hashes in one pass over the key columns,
 * only their rows are ranked, and the pass over all rows knows the copies by their row numbers. A hash that
 * two keys share only makes their rows candidates.
 */
function duplicatesSql(extraction: Extraction, key: readonly string[]): string {
  const { source } = extraction;
  const names = mappedColumns(source.columns);
  const values = key.map((name) => carriedOf(source, name));
  const hash = `hash(${values.join(', ')})`;
  const rows = `(FROM ${rowsBefore(extraction)} WHERE ${values.map((value) => `${value} IS NOT NULL`).join(' AND ')})`;
  const candidates = canonicalSql(source, {
    value: (name) => canonicalOf(source, name),
    extra: ['file_row_number', tieOf(source)],
    from: `${rows} SEMI JOIN repeated ON ${hash} = key_hash`,
  });
  const order = [...new Set([...RANKING.filter((name) => names.includes(name)), ...names, 'tie'])];
  return `repeated AS MATERIALIZED (
  SELECT ${hash} AS key_hash FROM ${rows} GROUP BY key_hash HAVING count(*) > 1
), copies AS MATERIALIZED (
  SELECT file_row_number AS copy FROM (
    SELECT file_row_number, row_number() OVER (PARTITION BY ${key.join(', ')} ORDER BY ${order.join(', ')}) AS place
    FROM (${candidates}))
  WHERE place > 1
)`;
}

/** Each mapped column under its canonical name, then `malformed` and the extra ones. */
function canonicalSql(
  source: ExtractSource,
  select: {
    value: (name: string) => string;
    extra: readonly string[];
    from: string;
  },
): string {
  const names = mappedColumns(source.columns);
  const fallible = names.filter((name) => canonicalValue(rawValue(source, name)).mayFail);
  const faults = fallible.map((name) => {
    const text = `left(${textOf(rawValue(source, name))}, ${KEPT_CHARACTERS})`;
    return `CASE WHEN ${name} IS NULL THEN '${name}=' || ${text} END`;
  });
  // Text is made only in rows where a value is NULL.
  const ofValues =
    fallible.length === 0
      ? 'CAST(NULL AS VARCHAR)'
      : `CASE WHEN ${fallible.map((name) => `${name} IS NULL`).join(' OR ')}
    THEN nullif(concat_ws('; ', ${faults.join(', ')}), '') END`;
  const malformed = source.unreadable === undefined ? ofValues : `coalesce(${RAW_UNREADABLE}, ${ofValues})`;
  const values = names.map((name) => `${select.value(name)} AS ${name}`);
  const raw = [...fallible.map(rawName), ...unreadableOf(source)];
  return `SELECT *${raw.length === 0 ? '' : ` EXCLUDE (${raw.join(', ')})`}, ${malformed} AS malformed
  FROM (SELECT ${[...values, ...raw, ...select.extra].join(',\n    ')}
    FROM ${select.from})`;
}

/** The mapped columns as the source has them, of the rows that are in the extract. */
function rowsBefore({ source, contract, asOf, from }: Extraction): string {
  const columns = mappedColumns(source.columns).map(
    (name) => `${sourceValue(source, name).column} AS ${rawName(name)}`,
  );
  if (source.unreadable !== undefined) columns.push(`"${source.unreadable}" AS ${RAW_UNREADABLE}`);
  if (contract.unique) columns.push('file_row_number');
  const { value: orderedAt } = canonicalValue(rawValue(source, 'ordered_at'));
  const begins =
    from === undefined ? `${orderedAt} IS NULL OR` : `${orderedAt} >= TIMESTAMP '${from} 00:00:00' AND`;
  return `(FROM (SELECT ${columns.join(', ')} FROM ${source.from})
    WHERE ${begins} ${orderedAt} < TIMESTAMP '${asOf} 00:00:00')`;
}

/** 64 bits of all that the source says of a row; two different rows of a customer and moment never tie in practice. */
function tieOf(source: ExtractSource): string {
  const said = [...mappedColumns(source.columns).map(rawName), ...unreadableOf(source)];
  return `hash(${said.join(', ')}) AS tie`;
}

const RAW_UNREADABLE = 'raw_unreadable';

function unreadableOf({ unreadable }: ExtractSource): string[] {
  return unreadable === undefined ? [] : [RAW_UNREADABLE];
}

function rawName(name: string): string {
  return `raw_${name}`;
}

function rawValue(source: ExtractSource, name: string): SourceValue {
  return { ...sourceValue(source, name), column: rawName(name) };
}

function canonicalOf(source: ExtractSource, name: string): string {
  return canonicalValue(rawValue(source, name)).value;
}

/** What stands for the canonical value while rows are sorted and keys are compared. */
function carriedOf(source: ExtractSource, name: string): string {
  return isNumberedId(source, name) ? rawName(name) : canonicalOf(source, name);
}

function isNumberedId(source: ExtractSource, name: string): boolean {
  return name.endsWith('_id') && isWholeNumber(sourceValue(source, name).type);
}

function uniqueKey(contract: Contract, names: readonly string[]): string[] | null {
  if (!contract.unique) return null;
  const missing = contract.unique.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new PipelineError(
      'DEFINITION_INVALID',
      `contract.yaml: unique: needs columns that source.columns maps (${names.join(', ')}), found ${missing.join(', ')}`,
    );
  }
  return contract.unique;
}
