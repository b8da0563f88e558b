import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Knex } from 'knex';
import { filesIn } from './activity-shop.ts';

// All that runs have left, without clocks and counters: equal for two Stratas that ran the same, whatever befell them.

/** A row that is told by its neighbours, by a clock or by how often something was tried. */
const UNLIKE = [
  ...['sequence', 'message_id', 'publication_id', 'replaced_publication_id', 'published_publication_id'],
  ...['workflow_id', 'workflow_run_id', 'duration_ms', 'attempts', 'rests', 'last_error', 'retry_at'],
  // Told by the digests of the summary; kept when it comes, which is waited for apart.
  ...['claimed_until', 'summary', 'history'],
];

const PARTITIONS = ' partitions';

export type Ledger = Record<string, string[]>;

/** Artifacts that name runs, and so have other bytes in another Strata; later ones name earlier ones by digest. */
const NAME_RUNS = ['report', 'manifest'];

/** Rows by table, memberships by run, the files of the artifacts. */
export async function ledgerOf(knex: Knex, artifacts: string): Promise<Ledger> {
  const named = await namesIn(knex, artifacts);
  const ledger: Ledger = { memberships: await membershipsOf(knex, named) };
  for (const table of await tablesOf(knex)) ledger[table] = (await rowsOf(knex, table)).map(named).sort();
  const files = (await filesIn(artifacts)).filter(
    (file) => !/(^|\/)\.(incoming|releasing)\/|history[/-]/.test(file),
  );
  // The key of a step is made of its inputs, which may name runs as well.
  const places = files.map((file) => named(file).replace(/^(\.steps\/.*)-[0-9a-f]{64}/, '$1'));
  ledger.files = places.sort();
  return ledger;
}

/**
 * What runs as a whole and in parts leave alike: without the number of tables that memberships lie in, the digest over
 * those, and the results of stages, which a run in parts lets go with its parts.
 */
export function withoutCut(ledger: Ledger): Ledger {
  const rows = (ledger.runs ?? []).map((row) => {
    const { membership_sha256: _, ...run } = JSON.parse(row) as Record<string, unknown>;
    return JSON.stringify(run);
  });
  const memberships = (ledger.memberships ?? []).filter((line) => !line.endsWith(PARTITIONS));
  const files = (ledger.files ?? []).filter((file) => !file.startsWith('.steps/'));
  return { ...ledger, runs: rows.sort(), memberships, files };
}

/** What one has and the other has not, in lines; none where both are equal. */
export function differences(found: Ledger, wanted: Ledger): string[] {
  const tables = [...new Set([...Object.keys(found), ...Object.keys(wanted)])].sort();
  return tables.flatMap((table) => [
    ...without(wanted[table], found[table]).map((row) => `${table} needs a row more: ${row}`),
    ...without(found[table], wanted[table]).map((row) => `${table} has a row too many: ${row}`),
  ]);
}

/** As often as they are more often in the first. */
function without(rows: readonly string[] = [], others: readonly string[] = []): string[] {
  const left = new Map<string, number>();
  for (const row of others) left.set(row, (left.get(row) ?? 0) + 1);
  return rows.filter((row) => {
    const count = left.get(row) ?? 0;
    left.set(row, count - 1);
    return count <= 0;
  });
}

/**
 * A text with each run named by its as-of date, a moment and an alert by none, and artifacts that name runs by the
 * digest of what they say when read in this way.
 */
export async function namesIn(knex: Knex, artifacts: string): Promise<(text: string) => string> {
  const runs: { run_id: string; as_of: string }[] = await knex('runs').select('run_id', 'as_of');
  const names = new Map(runs.map(({ run_id, as_of }) => [run_id, `run of ${as_of}`]));
  const named = (text: string) =>
    text
      // The folder is the beginning of the digest.
      .replaceAll(/\b[0-9a-f]{2}[/-](?=[0-9a-f]{64})/g, '')
      .replaceAll(/\brun_[0-9a-f]{16}\b|\b[0-9a-f]{64}\b/g, (found) => names.get(found) ?? found)
      .replaceAll(/\balr_[0-9a-f]{16}\b/g, 'alert')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]+(Z|\+00:00)/g, 'then');
  for (const kind of NAME_RUNS) {
    for (const file of await filesIn(join(artifacts, kind))) {
      const content = named(await readFile(join(artifacts, kind, file), 'utf8'));
      names.set(basename(file).split('.')[0]!, createHash('sha256').update(content).digest('hex'));
    }
  }
  return named;
}

/** Counted twice over, in the table and in its partitions: one that hangs loose holds rows that nobody sees. */
async function membershipsOf(knex: Knex, named: (text: string) => string): Promise<string[]> {
  const { rows } = await knex.raw<{ rows: { line: string }[] }>(
    `select concat_ws(' ', run_id, count(*), count(distinct customer_id),
       md5(string_agg(concat_ws(':', customer_id, segment_id, distance, margin), ',' order by customer_id))) as line
     from memberships group by run_id`,
  );
  const partitions = await knex('pg_class')
    .whereRaw("relnamespace = current_schema()::regnamespace and relkind = 'r'")
    .whereLike('relname', 'memberships_%')
    .count<{ count: number }[]>();
  return [...rows.map(({ line }) => named(line)), `${partitions[0]!.count}${PARTITIONS}`].sort();
}

async function tablesOf(knex: Knex): Promise<string[]> {
  return knex('pg_class')
    .whereRaw("relnamespace = current_schema()::regnamespace and relkind = 'r'")
    .whereRaw("relname not like 'knex%' and relname not like 'memberships\\_%'")
    .orderBy('relname')
    .pluck<string[]>('relname');
}

async function rowsOf(knex: Knex, table: string): Promise<string[]> {
  const columns = await knex('information_schema.columns')
    .where({ table_name: table })
    .whereRaw('table_schema = current_schema()')
    .whereNotIn('column_name', UNLIKE)
    .orderBy('ordinal_position')
    .pluck<string[]>('column_name');
  const found = await knex(table).select<Record<string, unknown>[]>(columns);
  return found.map((row) => JSON.stringify(row));
}
