import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { quoteName, quoteText } from '../../pipelines/contracts/sql-quote.ts';
import type { Warehouse } from './duckdb.ts';
import { ANY_DECIMAL, type CopiedQuery, WIDEST_DECIMAL } from './postgres-source.ts';
import type { SourceColumn } from './sources.ts';

/**
 * A copied query as a Parquet file with the types that PostgreSQL has: a source like any other. A column with a
 * value that DuckDB's type cannot hold (a year before Christ, infinity as a time) stays the text it was copied as,
 * so that the value is refused by the contract and not lost. A number with a fraction is never text: the source's
 * decimal mark is not PostgreSQL's.
 *
 * @throws PipelineError WAREHOUSE_FAILED when a row that PostgreSQL counted is not there
 */
export async function stageQuery(
  warehouse: Warehouse,
  copied: CopiedQuery,
  { csv, parquet, signal }: { csv: string; parquet: string; signal?: AbortSignal },
): Promise<void> {
  const copy: Copy = { from: csvSql(csv, copied.columns), columns: copied.columns, signal };
  const stage = (columns: readonly SourceColumn[]) =>
    warehouse.copyToParquet(`SELECT ${columns.map(castSql).join(', ')} FROM ${copy.from}`, parquet, {
      signal,
    });
  let staged: { rows: number };
  const columns = await sizedDecimals(warehouse, copy);
  try {
    staged = await stage(columns);
  } catch (error) {
    if (!(error instanceof PipelineError) || !CAST_FAULTS.has(String(error.details.kind))) throw error;
    staged = await stage(await holdableTypes(warehouse, { ...copy, columns }));
  }
  if (staged.rows !== copied.rows) {
    throw new PipelineError(
      'WAREHOUSE_FAILED',
      `a copied query needs the ${copied.rows} rows that PostgreSQL sent, found ${staged.rows}`,
    );
  }
}

const CAST_FAULTS = new Set(['Conversion', 'Invalid Input', 'Out of Range']);

interface Copy {
  from: string;
  columns: readonly SourceColumn[];
  signal: AbortSignal | undefined;
}

/** A numeric without a precision as the narrowest decimal that is exact, where there is one. */
async function sizedDecimals(warehouse: Warehouse, { from, columns, signal }: Copy): Promise<SourceColumn[]> {
  if (!columns.some(({ type }) => type === ANY_DECIMAL)) return [...columns];
  const sizes = columns.flatMap(({ name, type }, i) => {
    if (type !== ANY_DECIMAL) return [];
    const part = (number: number) =>
      `max(length(split_part(ltrim(${quoteName(name)}, '-'), '.', ${number})))`;
    return [`${part(1)} AS whole_${i}`, `${part(2)} AS fraction_${i}`];
  });
  const [row] = await warehouse.rows(`SELECT ${sizes.join(', ')} FROM ${from}`, { signal });
  return columns.map((column, i) => {
    if (column.type !== ANY_DECIMAL) return column;
    const scale = Number(row![`fraction_${i}`]);
    const width = Math.max(1, Number(row![`whole_${i}`]) + scale);
    return { ...column, type: width > WIDEST_DECIMAL ? wideType(scale > 0) : `DECIMAL(${width},${scale})` };
  });
}

/** A whole number is the same with any decimal mark, and may be an id. */
function wideType(hasFraction: boolean): string {
  return hasFraction ? 'DOUBLE' : 'VARCHAR';
}

async function holdableTypes(warehouse: Warehouse, { from, columns, signal }: Copy): Promise<SourceColumn[]> {
  const losses = columns.map((column, i) => {
    const held = `TRY_CAST(${quoteName(column.name)} AS ${column.type})`;
    const kept = isTime(column) ? `CASE WHEN isfinite(${held}) THEN ${held} END` : held;
    return `count(${quoteName(column.name)}) - count(${kept}) AS lost_${i}`;
  });
  const [row] = await warehouse.rows(`SELECT ${losses.join(', ')} FROM ${from}`, { signal });
  return columns.map((column, i) => {
    if (Number(row![`lost_${i}`]) === 0) return column;
    const isFraction = /^DECIMAL\(\d+,[1-9]/.test(column.type);
    return { ...column, type: wideType(isFraction) };
  });
}

/**
 * NULL is an unquoted nothing, `""` an empty text. One reader: several begin in the middle of the file, and where a
 * text has line breaks and quotation marks they take its inside for rows.
 */
function csvSql(path: string, columns: readonly SourceColumn[]): string {
  const names = columns.map(({ name }) => `${quoteText(name)}: 'VARCHAR'`);
  return `read_csv(${quoteText(path)}, auto_detect = false, columns = {${names.join(', ')}}, header = true,
    delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, parallel = false)`;
}

function castSql(column: SourceColumn): string {
  const name = quoteName(column.name);
  const value = `CAST(${name} AS ${column.type})`;
  // DuckDB holds an infinite time, and it would be the newest row of all.
  const finite = `CASE WHEN ends_with(${name}, 'infinity') THEN error('an infinite time') ELSE ${value} END`;
  return `${isTime(column) ? finite : value} AS ${name}`;
}

function isTime({ type }: SourceColumn): boolean {
  return type === 'DATE' || type.startsWith('TIMESTAMP');
}
