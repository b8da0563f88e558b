import { PipelineError } from '../contracts/errors.ts';
import {
  CANONICAL_COLUMNS,
  OPTIONAL_COLUMNS,
  type SourceColumns,
  type SourceFormat,
} from '../contracts/source.ts';
import { canonicalValue, type SourceValue, withoutMissing } from './extract-casts.ts';

// What is known of a source before it is frozen: its columns, its times, and so the as-of date.

export interface ExtractSource {
  /**
   * Relation to stand behind FROM. Where the contract names a unique key it has `file_row_number`, one number
   * for each row, as DuckDB's read_parquet has.
   */
  from: string;
  /** Canonical column -> column of the source. */
  columns: SourceColumns;
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

export interface Watermark {
  rows: number;
  /** ISO with time, null when no row has a readable time. */
  oldestOrderedAt: string | null;
  /** Newest moment in the source: of loading where that is known, else of ordering. */
  newest: string | null;
  /** ISO date of the day after `newest`. */
  nextDay: string | null;
}

/** Canonical columns that a source has, in the order of the extract; after them come amount, malformed, … */
export function mappedColumns(columns: SourceColumns): string[] {
  const names = [...Object.keys(CANONICAL_COLUMNS), ...Object.keys(OPTIONAL_COLUMNS)];
  return names.filter((name) => columns[name as keyof SourceColumns] !== undefined);
}

/** The mapped columns alone, under their canonical names but as they are: what `stagedSource` reads. */
export function stagingSql(source: ExtractSource): string {
  const columns = mappedColumns(source.columns).map(
    (name) => `${sourceValue(source, name).column} AS ${name}`,
  );
  if (source.unreadable !== undefined) columns.push(`"${source.unreadable}" AS ${STAGED_UNREADABLE}`);
  return `SELECT ${columns.join(', ')} FROM ${source.from}`;
}

const STAGED_UNREADABLE = 'unreadable';

/** The same source, read from a file that was written with `stagingSql`. */
export function stagedSource(source: ExtractSource, from: string): ExtractSource {
  const names = mappedColumns(source.columns);
  return {
    ...source,
    from,
    columns: Object.fromEntries(names.map((name) => [name, name])) as unknown as SourceColumns,
    types: Object.fromEntries(names.map((name) => [name, sourceValue(source, name).type])),
    // Spellings of nothing were taken out when it was staged.
    format: source.format && { ...source.format, missing: undefined },
    unreadable: source.unreadable === undefined ? undefined : STAGED_UNREADABLE,
  };
}

/** One row: how many rows there are, from when to when. Reads the columns of time alone. */
export function watermarkSql(source: ExtractSource): string {
  const orderedAt = canonicalOf(source, 'ordered_at');
  const loadedAt = source.columns.loaded_at === undefined ? null : canonicalOf(source, 'loaded_at');
  const newest = loadedAt === null ? 'max(ordered_at)' : 'coalesce(max(loaded_at), max(ordered_at))';
  const text = (moment: string) => `strftime(${moment}, '%Y-%m-%dT%H:%M:%S')`;
  return `SELECT count(*) AS rows, ${text('min(ordered_at)')} AS oldest_ordered_at, ${text(newest)} AS newest,
  CAST(CAST(${newest} AS DATE) + 1 AS VARCHAR) AS next_day
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

function wantedTimes({ format }: ExtractSource): string {
  return format?.times === undefined
    ? 'such as 2026-06-30 14:05:00; name another form as format.times in pipeline.yaml, such as %d.%m.%Y %H:%M'
    : `of the form ${format.times.join(' or ')}, as format.times in pipeline.yaml says`;
}

function canonicalOf(source: ExtractSource, role: string): string {
  return canonicalValue(sourceValue(source, role)).value;
}

export function sourceValue(source: ExtractSource, role: string): SourceValue {
  const name = source.columns[role as keyof SourceColumns]!;
  const { format = {}, timezone, currency } = source;
  const value = { role, column: `"${name.replaceAll('"', '""')}"`, type: source.types[name] ?? 'VARCHAR' };
  return { ...value, column: withoutMissing(value, format), format, timezone, currency };
}
