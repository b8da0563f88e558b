import { PipelineError } from '../contracts/errors.ts';
import {
  type Attributes,
  CANONICAL_COLUMNS,
  OPTIONAL_COLUMNS,
  type SourceColumns,
  type SourceFormat,
} from '../contracts/source.ts';
import { quoteName } from '../contracts/sql-quote.ts';
import { attributeTypeOf, canonicalValue, type SourceValue, withoutMissing } from './extract-casts.ts';

// What is known of a source before it is frozen: its columns, its times, and so the as-of date.

/** A table as it is read. */
export interface TableSource {
  /** Relation to stand behind FROM. */
  from: string;
  /** Canonical column -> column of the source. */
  columns: Partial<SourceColumns>;
  attributes?: Attributes | undefined;
  /** Column of the source -> its DuckDB type. */
  types: Readonly<Record<string, string>>;
  /** For messages: the file's base name. */
  name: string;
  /** How its texts are read. */
  format?: SourceFormat | undefined;
  /** IANA zone of the shop's clock; absent: UTC. */
  timezone?: string | undefined;
  /** ISO 4217 code of the money; its signs may stand beside an amount. */
  currency?: string | undefined;
  /** Column that says of a line which could not be split into fields where it stands and why; all others are NULL there. */
  unreadable?: string | undefined;
}

/**
 * The transactions. Where the contract names a unique key the relation has `file_row_number`, one number for
 * each row, as DuckDB's read_parquet has.
 */
export interface ExtractSource extends TableSource {
  columns: SourceColumns;
  /** Relation of the frozen customers' table, where there is one: it makes `is_known_customer`. */
  customers?: string | undefined;
}

export interface Watermark {
  rows: number;
  /** ISO with time, null when no row has a readable time. */
  oldestOrderedAt: string | null;
  /** Newest moment before the as-of date, if one is given: of loading where that is known, else of ordering. */
  newest: string | null;
  /** ISO date of the day after `newest`. */
  nextDay: string | null;
}

/** The canonical columns of an extract in their order, then its attributes by name; after them come amount, … */
export function mappedColumns(columns: SourceColumns, attributes: Attributes = {}): string[] {
  const always = Object.keys(CANONICAL_COLUMNS);
  const optional = Object.keys(OPTIONAL_COLUMNS).filter((name) => isMapped({ columns }, name));
  return [...always, ...optional, ...Object.keys(attributes).sort()];
}

/** What is read of a source: without an order id that has to be made, with an amount that stands there itself. */
export function readColumns({
  columns,
  attributes = {},
}: Pick<TableSource, 'columns' | 'attributes'>): string[] {
  const canonical = [...Object.keys(CANONICAL_COLUMNS), ...Object.keys(OPTIONAL_COLUMNS)];
  const names = [
    ...canonical.filter((name) => isMapped({ columns }, name)),
    ...Object.keys(attributes).sort(),
  ];
  return isMapped({ columns }, 'amount') ? [...names, 'amount'] : names;
}

export function isMapped({ columns }: Pick<TableSource, 'columns'>, role: string): boolean {
  return columns[role as keyof SourceColumns] !== undefined;
}

/** Column of the source -> its name in Strata, as `typesOf` wants it to tell which one is missing. */
export function mappingOf({ columns, attributes = {} }: Pick<TableSource, 'columns' | 'attributes'>) {
  const added = Object.entries(attributes).map(([name, { column }]) => [`attribute ${name}`, column]);
  return { ...columns, ...Object.fromEntries(added) } as Record<string, string | undefined>;
}

/** The mapped columns alone, under their canonical names but as they are: what `stagedSource` reads. */
export function stagingSql(source: TableSource): string {
  const columns = readColumns(source).map(
    (name) => `${sourceValue(source, name).column} AS ${quoteName(name)}`,
  );
  if (source.unreadable !== undefined)
    columns.push(`"${source.unreadable}" AS ${quoteName(STAGED_UNREADABLE)}`);
  return `SELECT ${columns.join(', ')} FROM ${source.from}`;
}

/** No attribute has a name with a blank. */
const STAGED_UNREADABLE = 'unreadable line';

/** The same source, read from a file that was written with `stagingSql`. */
export function stagedSource<S extends TableSource>(source: S, from: string): S {
  const names = readColumns(source);
  const roles = names.filter((name) => isMapped(source, name));
  const attributes = Object.entries(source.attributes ?? {}).map(([name, { type }]) => [
    name,
    { column: name, ...(type && { type }) },
  ]);
  return {
    ...source,
    from,
    columns: Object.fromEntries(roles.map((name) => [name, name])),
    attributes: Object.fromEntries(attributes),
    types: Object.fromEntries(names.map((name) => [name, sourceValue(source, name).type])),
    // Spellings of nothing were taken out when it was staged.
    format: source.format && { ...source.format, missing: undefined },
    unreadable: source.unreadable === undefined ? undefined : STAGED_UNREADABLE,
  };
}

/**
 * One row: how many rows there are, from when to when. Reads the columns of time alone.
 *
 * @param asOf ISO date: what came on it or later is told of a run only as a count of rows and as `nextDay`, so that
 *   the run says the same whenever it is run
 */
export function watermarkSql(source: ExtractSource, asOf: string | null): string {
  const orderedAt = canonicalOf(source, 'ordered_at');
  const loadedAt = source.columns.loaded_at === undefined ? null : canonicalOf(source, 'loaded_at');
  const before = (moment: string) =>
    asOf === null ? '' : ` FILTER (WHERE ${moment} < TIMESTAMP '${asOf} 00:00:00')`;
  const newest = (filter: (moment: string) => string) => {
    const [ordered, loaded] = ['ordered_at', 'loaded_at'].map((moment) => `max(${moment})${filter(moment)}`);
    return loadedAt === null ? ordered! : `coalesce(${loaded}, ${ordered})`;
  };
  const text = (moment: string) => `strftime(${moment}, '%Y-%m-%dT%H:%M:%S')`;
  return `SELECT count(*) AS rows, ${text('min(ordered_at)')} AS oldest_ordered_at, ${text(newest(before))} AS newest,
  CAST(CAST(${newest(() => '')} AS DATE) + 1 AS VARCHAR) AS next_day
FROM (SELECT ${orderedAt} AS ordered_at${loadedAt === null ? '' : `, ${loadedAt} AS loaded_at`} FROM ${source.from})`;
}

export function readWatermark(row: Readonly<Record<string, unknown>>): Watermark {
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  return {
    rows: Number(row.rows),
    oldestOrderedAt: text(row.oldest_ordered_at),
    newest: text(row.newest),
    nextDay: text(row.next_day),
  };
}

/**
 * The as-of date: as given, else the day after the newest row.
 *
 * @throws PipelineError EXTRACT_EMPTY without rows, EXTRACT_UNREADABLE when no time can be read and no date
 *   was given, AS_OF_BEFORE_DATA when no row lies before the date
 */
export function resolveAsOf(watermark: Watermark, source: ExtractSource, given: string | null): string {
  if (watermark.rows === 0) {
    throw new PipelineError('EXTRACT_EMPTY', `extract ${source.name} has columns and no rows`, {
      file: source.name,
    });
  }
  const asOf = given ?? watermark.nextDay;
  if (asOf === null) {
    throw new PipelineError(
      'EXTRACT_UNREADABLE',
      `extract ${source.name} has no readable time in column ${source.columns.ordered_at}: ` +
        `needs values ${wantedTimes(source)}`,
      { file: source.name, column: source.columns.ordered_at },
    );
  }
  // ISO texts compare as the dates do.
  if (watermark.oldestOrderedAt !== null && watermark.oldestOrderedAt.slice(0, 10) >= asOf) {
    throw new PipelineError(
      'AS_OF_BEFORE_DATA',
      `as-of date ${asOf} needs rows before it, the first row of ${source.name} was ordered on ` +
        `${watermark.oldestOrderedAt.slice(0, 10)}; choose a later date`,
      { asOf, oldest: watermark.oldestOrderedAt.slice(0, 10) },
    );
  }
  return asOf;
}

/** @throws PipelineError AS_OF_BEFORE_DATA when rows were ordered before the date and all of them loaded after it */
export function requireRows(rows: number, source: ExtractSource, asOf: string): void {
  if (rows > 0) return;
  throw new PipelineError(
    'AS_OF_BEFORE_DATA',
    `as-of date ${asOf} needs rows loaded before it, ${source.name} has none by its column ${source.columns.loaded_at}; ` +
      'choose a later date, or take loaded_at out of source.columns if every load stamps all rows anew',
    { asOf },
  );
}

function wantedTimes({ format }: TableSource): string {
  return format?.times === undefined
    ? 'such as 2026-06-30 14:05:00; name another form as format.times in pipeline.yaml, such as %d.%m.%Y %H:%M'
    : `of the form ${format.times.join(' or ')}, as format.times in pipeline.yaml says`;
}

function canonicalOf(source: ExtractSource, role: string): string {
  return canonicalValue(sourceValue(source, role)).value;
}

/** A column of the source, and what it is to become: the canonical column, or the type of an attribute. */
export function sourceValue(source: TableSource, name: string): SourceValue {
  const { format = {}, timezone, currency } = source;
  const attribute = source.attributes?.[name];
  const column = attribute?.column ?? source.columns[name as keyof SourceColumns]!;
  const type = source.types[column] ?? 'VARCHAR';
  const role = attribute ? (attribute.type ?? attributeTypeOf(type)) : name;
  const text = withoutMissing({ column: quoteName(column), type }, format);
  return { role, column: text, type, format, timezone, currency };
}
