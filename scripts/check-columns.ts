import { tmpdir } from 'node:os';
import pg from 'pg';
import type { Definition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { quoteName } from '../pipelines/contracts/sql-quote.ts';
import type { TableColumn } from '../pipelines/stages/column-fit.ts';
import { openWarehouse } from '../store/warehouse/duckdb.ts';
import { describeSource, inspectFiles } from '../store/warehouse/sources.ts';
import type { Config } from './config.ts';

/** The columns of a file, from its header or footer alone. */
export async function columnsOfFile(
  path: string,
  format: Definition['source']['format'],
): Promise<TableColumn[]> {
  const file = await inspectFiles(path, format);
  const warehouse = await openWarehouse({
    threads: 1,
    memoryLimitMb: 200,
    tempFolder: tmpdir(),
    allowedFolders: file.folders,
  });
  try {
    return await describeSource(warehouse, file);
  } finally {
    warehouse.close();
  }
}

interface TableGiven {
  /** Variable that holds the connection string. */
  variable?: string | undefined;
  /** `schema.name`; absent: the query of the pipeline. */
  table?: string | undefined;
}

/**
 * The columns of a PostgreSQL table, or of the query of a pipeline, in a read-only transaction; no row is read.
 *
 * @throws PipelineError CONFIG_INVALID, POSTGRES_UNREACHABLE; the address, which may hold a password, is in none
 */
export async function columnsOfTable(
  { tools }: Config,
  { variable, table }: TableGiven,
  source: Definition['source'],
): Promise<TableColumn[]> {
  const name = variable ?? (source.kind === 'postgres' ? source.urlFrom : undefined);
  const url = name === undefined ? undefined : tools.secret(name);
  if (url === undefined) {
    throw new PipelineError(
      'CONFIG_INVALID',
      name === undefined
        ? '--table needs --postgres VARIABLE with the variable that holds the address, since the pipeline does not read PostgreSQL'
        : `${name} needs to hold the address of PostgreSQL, found nothing`,
    );
  }
  const relation = table === undefined ? queryOf(source) : table.split('.').map(quoteName).join('.');
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await client.query('BEGIN READ ONLY');
    const { fields } = await client.query({ text: `SELECT * FROM ${relation} LIMIT 0`, rowMode: 'array' });
    const { rows } = await client.query<{ type: string }>(
      'SELECT format_type(id, NULL) AS type FROM unnest($1::oid[]) WITH ORDINALITY AS given(id, place) ORDER BY place',
      [fields.map(({ dataTypeID }) => dataTypeID)],
    );
    return fields.map((field, i) => ({ name: field.name, type: rows[i]!.type }));
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    // Five characters: PostgreSQL itself answered.
    const isAnswer = code !== undefined && /^[0-9A-Z]{5}$/.test(code);
    throw isAnswer
      ? new PipelineError(
          'INPUT_INVALID',
          `${table ?? 'the query of the pipeline'}: ${message}`,
          {},
          { cause },
        )
      : new PipelineError(
          'POSTGRES_UNREACHABLE',
          `PostgreSQL at ${name} cannot be reached (${code ?? 'no code'})`,
          {},
          { cause },
        );
  } finally {
    await client.end().catch(() => undefined);
  }
}

function queryOf(source: Definition['source']): string {
  if (source.kind === 'postgres') return `(${source.query}\n) AS extract`;
  throw new PipelineError('INPUT_INVALID', '--table needs the name of a table, such as shop.orders');
}
