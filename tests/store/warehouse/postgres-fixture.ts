import { setTimeout as sleep } from 'node:timers/promises';
import { type CopiedQuery, copyQuery } from '../../../store/warehouse/postgres-source.ts';
import { stageQuery } from '../../../store/warehouse/postgres-staging.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { type WarehouseFixture, warehouseFixture } from './fixture.ts';

export const VARIABLE = 'TEST_SHOP_URL';

export interface QueryFixture {
  database: TestDatabase;
  warehouse: WarehouseFixture;
  /** Where the next copy goes. */
  nextPath(): string;
  copy(
    query: string,
    options?: { signal?: AbortSignal; path?: string },
  ): Promise<CopiedQuery & { path: string }>;
  /** The rows as DuckDB has them after staging, as text, and their types. */
  stage(
    query: string,
  ): Promise<{ types: Record<string, string>; rows: Record<string, unknown>[]; copied: CopiedQuery }>;
  remove(): Promise<void>;
}

/** A database to ask and a folder to copy into. */
export async function queryFixture(): Promise<QueryFixture> {
  const [database, warehouse] = await Promise.all([testDatabase({ migrated: false }), warehouseFixture()]);
  await database.knex.raw('create schema if not exists ??', [database.schema]);
  let files = 0;
  const nextPath = () => warehouse.path(`copy-${files++}.csv`);
  const copy: QueryFixture['copy'] = async (query, { signal, path = nextPath() } = {}) => ({
    path,
    ...(await copyQuery({ urlFrom: VARIABLE, url: database.url, query }, path, { signal })),
  });
  return {
    database,
    warehouse,
    nextPath,
    copy,
    async stage(query) {
      const { path: csv, ...copied } = await copy(query);
      const parquet = csv.replace('.csv', '.parquet');
      const opened = await warehouse.open();
      await stageQuery(opened, copied, { csv, parquet });
      const described = await opened.rows(`DESCRIBE FROM '${parquet}'`);
      const types = Object.fromEntries(described.map((row) => [row.column_name, String(row.column_type)]));
      const texts = described.map(({ column_name: name }) => `CAST("${name}" AS VARCHAR) AS "${name}"`);
      return { types, rows: await opened.rows(`SELECT ${texts.join(', ')} FROM '${parquet}'`), copied };
    },
    async remove() {
      await warehouse.remove();
      await database.drop();
    },
  };
}

export async function until(isTrue: () => Promise<boolean>, milliseconds: number): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`it did not happen within ${milliseconds} ms`);
    await sleep(20);
  }
}
