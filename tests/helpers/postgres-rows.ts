import type { Knex } from 'knex';

/** All rows of all tables of the connection's schema, partitions by themselves, in a stable order. */
export async function allRows(knex: Knex): Promise<Record<string, unknown[]>> {
  const tables = await knex('pg_class')
    .whereRaw("relnamespace = current_schema()::regnamespace and relkind = 'r' and relname not like 'knex%'")
    .orderBy('relname')
    .pluck<string[]>('relname');
  const rows: Record<string, unknown[]> = {};
  for (const table of tables) {
    const found = await knex(table).select<{ row: unknown }[]>(knex.raw('to_jsonb(??) as row', [table]));
    rows[table] = found.map(({ row }) => JSON.stringify(row)).sort();
  }
  return rows;
}
