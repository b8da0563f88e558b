import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { Warehouse } from './duckdb.ts';
import type { CopiedQuery } from './postgres-source.ts';
import type { SourceColumn } from './sources.ts';

/**
 * A copied query as a Parquet file with the types that PostgreSQL has: a source like any other. A column with a
 * value that DuckDB's type cannot hold (NaN as a numeric, a year before Christ, infinity) stays the text it was copied as,
 * so that the value is refused by the contract and not lost.
 *
 * @throws PipelineError WAREHOUSE_FAILED when a row that PostgreSQL counted is not there
 */
export async function stageQuery(
  warehouse: Warehouse,
  copied: CopiedQuery,
  { csv, parquet, signal }: { csv: string; parquet: string; signal?: AbortSignal },
): Promise<void> {
  const from = csvSql(csv, copied.columns);
  const stage = (columns: readonly SourceColumn[]) =>
    warehouse.copyToParquet(`SELECT ${columns.map(castSql).join(', ')} FROM ${from}`, parquet, { signal });
  let staged: { rows: number };
  try {
    staged = await stage(copied.columns);
  } catch (error) {
    if (!(error instanceof PipelineError) || !CAST_FAULTS.has(String(error.details.kind))) throw error;
    staged = await stage(await holdableTypes(warehouse, { from, columns: copied.columns, signal }));
  }
  if (staged.rows !== copied.rows) {
    throw new PipelineError(
      'WAREHOUSE_FAILED',
      `a copied query needs the ${copied.rows} rows that PostgreSQL sent, found ${staged.rows}`,
    );
  }
}

const CAST_FAULTS = new Set(['Conversion', 'Invalid Input', 'Out of Range']);

async function holdableTypes(
  warehouse: Warehouse,
  { from, columns, signal }: { from: string; columns: readonly SourceColumn[]; signal?: AbortSignal },
): Promise<SourceColumn[]> {
  const losses = columns.map((column, i) => {
    const held = `TRY_CAST(${quote(column.name)} AS ${column.type})`;
    const kept = isTime(column) ? `CASE WHEN isfinite(${held}) THEN ${held} END` : held;
    return `count(${quote(column.name)}) - count(${kept}) AS lost_${i}`;
  });
  const [row] = await warehouse.rows(`SELECT ${losses.join(', ')} FROM ${from}`, { signal });
  return columns.map((column, i) =>
    Number(row![`lost_${i}`]) > 0 ? { ...column, type: 'VARCHAR' } : column,
  );
}

/**
 * NULL is an unquoted nothing, `""` an empty text. One reader: several begin in the middle of the file, and where a
 * text has line breaks and quotation marks they take its inside for rows.
 */
function csvSql(path: string, columns: readonly SourceColumn[]): string {
  const names = columns.map(({ name }) => `${literal(name)}: 'VARCHAR'`);
  return `read_csv(${literal(path)}, auto_detect = false, columns = {${names.join(', ')}}, header = true,
    delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, parallel = false)`;
}

function castSql(column: SourceColumn): string {
  const name = quote(column.name);
  const value = `CAST(${name} AS ${column.type})`;
  // DuckDB holds an infinite time, and it would be the newest row of all.
  const finite = `CASE WHEN ends_with(${name}, 'infinity') THEN error('an infinite time') ELSE ${value} END`;
  return `${isTime(column) ? finite : value} AS ${name}`;
}

function isTime({ type }: SourceColumn): boolean {
  return type === 'DATE' || type.startsWith('TIMESTAMP');
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
