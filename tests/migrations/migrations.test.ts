import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.ts';
import { connect } from '../../store/postgres/connect.ts';
import { migrate, rollBack } from '../../store/postgres/migrate.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';

let database: TestDatabase;
const names = migrations.map(({ name }) => name);

beforeAll(async () => {
  database = await testDatabase({ migrated: false });
}, 60_000);

afterAll(() => database?.drop());

beforeEach(async () => {
  await database.knex.raw('drop schema if exists ?? cascade', [database.schema]);
});

async function rows(sql: string): Promise<unknown[]> {
  const answer = await database.knex.raw<{ rows: unknown[] }>(sql, { schema: database.schema });
  return answer.rows;
}

/** All that defines a schema, as the catalogues tell it. */
async function schemaOf(): Promise<Record<string, unknown[]>> {
  const ofSchema = 'relnamespace = cast(:schema as regnamespace)';
  return {
    columns:
      await rows(`select table_name, column_name, ordinal_position, data_type, collation_name, is_nullable,
        column_default, is_identity from information_schema.columns
      where table_schema = :schema order by 1, 3`),
    constraints:
      await rows(`select conrelid::regclass::text as "table", conname, pg_get_constraintdef(oid) as text
      from pg_constraint where connamespace = cast(:schema as regnamespace) order by 1, 2`),
    indexes: await rows(`select indexname, indexdef from pg_indexes where schemaname = :schema order by 1`),
    views: await rows(`select viewname, definition from pg_views where schemaname = :schema order by 1`),
    comments: await rows(`select relname, objsubid, description from pg_description
      join pg_class on pg_class.oid = objoid and ${ofSchema} order by 1, 2`),
    leftOver: await rows(`select relname, relkind from pg_class where ${ofSchema} order by 1, 2`),
  };
}

test('a migrated schema has the tables and views of the design, each saying its grain', async () => {
  expect(await migrate(database.knex, migrations)).toEqual(names);
  const described = await rows(`select relname, obj_description(oid) as grain from pg_class
    where relnamespace = cast(:schema as regnamespace) and relkind in ('r', 'p', 'v')
      and relname not like 'knex%' order by 1`);
  expect(described).toEqual(
    [
      ['alert_checks', expect.stringContaining('One row per run and moment')],
      ['alerts', expect.stringContaining('One row per pipeline, rule and subject')],
      ['memberships', 'One row per run and customer.'],
      ['missed_runs', 'One row per pipeline, schedule and due time that was told to have no run.'],
      ['models', expect.stringContaining('One row per run')],
      ['movements', 'One row per run, from, to and cause.'],
      ['outbox', expect.stringContaining('One row per run, event and channel')],
      ['pipelines', 'One row per pipeline.'],
      ['publications', 'One row per publish.'],
      ['published_alerts', expect.stringContaining('One row per unresolved alert')],
      ['published_memberships', expect.stringContaining('One row per pipeline and customer')],
      ['published_runs', expect.stringContaining('One row per pipeline')],
      ['published_segments', expect.stringContaining('One row per pipeline and published segment')],
      ['quarantine_releases', expect.stringContaining('One row per release')],
      ['run_stages', expect.stringContaining('One row per run and stage')],
      ['runs', expect.stringContaining('One row per run')],
      ['segment_moves', expect.stringContaining('One row per publication and customer')],
      ['segment_name_history', expect.stringContaining('One row per segment and version')],
      ['segment_names', expect.stringContaining('One row per segment and version')],
      ['segment_snapshots', expect.stringContaining('One row per run and segment')],
      ['segments', expect.stringContaining('One row per lasting segment id')],
      ['stability_metrics', 'One row per run, metric and subject.'],
    ].map(([relname, grain]) => ({ relname, grain })),
  );
});

test('a second migration does no harm', async () => {
  await migrate(database.knex, migrations);
  const before = await schemaOf();
  expect(await migrate(database.knex, migrations)).toEqual([]);
  expect(await schemaOf()).toEqual(before);
});

test('forward, back and forward again leaves the same schema', async () => {
  await migrate(database.knex, migrations);
  const before = await schemaOf();
  expect(await rollBack(database.knex, migrations)).toEqual(names.toReversed());
  const { leftOver } = await schemaOf();
  expect(leftOver.filter((relation) => !JSON.stringify(relation).includes('knex_'))).toEqual([]);
  await migrate(database.knex, migrations);
  expect(await schemaOf()).toEqual(before);
});

test('each migration goes back to exactly what was before it', async () => {
  for (let count = 1; count <= migrations.length; count++) {
    await migrate(database.knex, migrations.slice(0, count - 1));
    const before = await schemaOf();
    await migrate(database.knex, migrations.slice(0, count));
    expect(await schemaOf()).not.toEqual(before);
    await database.knex.transaction(async (transaction) => {
      await migrations[count - 1]!.down(transaction);
      await transaction('knex_migrations')
        .where({ name: names[count - 1] })
        .delete();
    });
    expect({ migration: names[count - 1], schema: await schemaOf() }).toEqual({
      migration: names[count - 1],
      schema: before,
    });
  }
});

test('0008_move_causes takes rows of before, and goes back with those at a border told as the model’s', async () => {
  const at = names.indexOf('0008_move_causes');
  await migrate(database.knex, migrations.slice(0, at));
  await database.knex.raw(`
    insert into pipelines (name, definition_sha256) values ('shop', repeat('a', 64));
    insert into runs (run_id, kind, pipeline, seed, definition, input, workflow_id, workflow_run_id)
      values ('a', 'refit', 'shop', 1, '{}', '{}', 'w', 'w');
    insert into segments (segment_id, pipeline, born_in_run) values ('seg_1', 'shop', 'a'), ('seg_2', 'shop', 'a');
    insert into movements (run_id, from_segment_id, to_segment_id, cause, customers, spend_cents)
      values ('a', 'seg_1', 'seg_2', 'model', 1, 10);
    create table memberships_1 partition of memberships for values in ('a');
    insert into memberships values ('a', 'ann', 'seg_1', 0, 1)`);
  await migrate(database.knex, migrations.slice(0, at + 1));
  expect(await database.knex('memberships').pluck('move_cause')).toEqual([null]);
  await database.knex.raw(`
    insert into movements (run_id, from_segment_id, to_segment_id, cause, customers, spend_cents)
      values ('a', 'seg_1', 'seg_2', 'border', 2, 20), ('a', 'seg_2', 'seg_1', 'border', 4, null)`);
  await database.knex.transaction((transaction) => migrations[at]!.down(transaction));
  const left = database.knex('movements').orderBy('customers').select('cause', 'customers', 'spend_cents');
  expect((await left).map(({ cause, customers, spend_cents }) => [cause, customers, spend_cents])).toEqual([
    ['model', 3, 30],
    ['model', 4, null],
  ]);
});

test('0009_manual_names ends the name of a segment that retired, and goes back with it in force', async () => {
  const at = names.indexOf('0009_manual_names');
  await migrate(database.knex, migrations.slice(0, at));
  await database.knex.raw(`
    insert into pipelines (name, definition_sha256) values ('shop', repeat('a', 64));
    insert into runs (run_id, kind, pipeline, seed, definition, input, workflow_id, workflow_run_id)
      values ('a', 'refit', 'shop', 1, '{}', '{}', 'w', 'w'), ('b', 'refit', 'shop', 1, '{}', '{}', 'w', 'v');
    insert into publications (pipeline, run_id, published_at)
      values ('shop', 'a', '2026-01-01Z'), ('shop', 'b', '2026-02-01Z');
    insert into segments (segment_id, pipeline, born_in_run, retired_in_run)
      values ('seg_1', 'shop', 'a', 'b'), ('seg_2', 'shop', 'a', null);
    insert into segment_names
        (segment_id, version, run_id, name, description, author, reason, condition, valid_from, valid_to)
      values ('seg_1', 1, 'a', 'Old', '', 'auto', '', '{}', '2026-01-01Z', '2026-01-05Z'),
             ('seg_1', 2, null, 'Gone', '', 'manual', '', '{}', '2026-01-05Z', null),
             ('seg_2', 1, 'a', 'Here', '', 'auto', '', '{}', '2026-01-01Z', null)`);
  const before = await database.knex('segment_names').orderBy(['segment_id', 'version']);
  await migrate(database.knex, migrations.slice(0, at + 1));
  expect(
    await database
      .knex('segment_name_history')
      .orderBy(['segment_id', 'version'])
      .select('name', 'given_by', 'valid_to'),
  ).toEqual([
    { name: 'Old', given_by: null, valid_to: new Date('2026-01-05T00:00:00Z') },
    { name: 'Gone', given_by: 'unknown', valid_to: new Date('2026-02-01T00:00:00Z') },
    { name: 'Here', given_by: null, valid_to: null },
  ]);
  await database.knex.transaction((transaction) => migrations[at]!.down(transaction));
  expect(await database.knex('segment_names').orderBy(['segment_id', 'version'])).toEqual(before);
});

test('many processes that migrate at once end with one schema', async () => {
  const processes = Array.from({ length: 6 }, () => connect(database.url, { schema: database.schema }));
  const applied = await Promise.all(processes.map((knex) => migrate(knex, migrations)));
  expect(applied.filter((list) => list.length > 0)).toEqual([names]);
  await Promise.all(processes.map((knex) => knex.destroy()));
});

test('a migration that fails leaves nothing of itself nor of its batch, and says which it was', async () => {
  const broken = {
    name: '9999_broken',
    up: (knex: typeof database.knex) => knex.raw('create table half (id int); select no_such_function()'),
    down: async () => {},
  };
  await expect(migrate(database.knex, [...migrations, broken])).rejects.toMatchObject({
    code: 'MIGRATION_FAILED',
    message: expect.stringContaining('9999_broken') as string,
  });
  expect(await rows('select 1 from pg_namespace where nspname = :schema')).toEqual([]);
  expect(await migrate(database.knex, migrations)).toEqual(names);
});

test('a version before starts on a schema that newer code has gone on with, where that is asked for, and changes nothing', async () => {
  await migrate(database.knex, migrations);
  const before = await schemaOf();
  const older = migrations.slice(0, -1);
  await expect(migrate(database.knex, older)).rejects.toMatchObject({ code: 'MIGRATION_FAILED' });
  expect(await migrate(database.knex, older, { allowsNewer: true })).toEqual([]);
  expect(await schemaOf()).toEqual(before);
});
