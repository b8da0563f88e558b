import { readFile, stat } from 'node:fs/promises';
import { createServer, connect as openSocket, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyQuery } from '../../../store/warehouse/postgres-source.ts';
import { stageQuery } from '../../../store/warehouse/postgres-staging.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { type WarehouseFixture, warehouseFixture } from './fixture.ts';

const VARIABLE = 'TEST_SHOP_URL';
const CANCEL_MS = 5_000;

let database: TestDatabase;
let fixture: WarehouseFixture;
let files = 0;

beforeAll(async () => {
  [database, fixture] = await Promise.all([testDatabase({ migrated: false }), warehouseFixture()]);
  await database.knex.raw('create schema if not exists ??', [database.schema]);
}, 60_000);
afterAll(async () => {
  await fixture?.remove();
  await database?.drop();
});

const sourceOf = (query: string, url: string | undefined = database.url) => ({
  urlFrom: VARIABLE,
  url,
  query,
});

async function copy(query: string, signal?: AbortSignal) {
  const path = fixture.path(`copy-${files++}.csv`);
  return { path, ...(await copyQuery(sourceOf(query), path, { signal })) };
}

/** The rows as DuckDB has them after staging, and their types. */
async function stage(query: string) {
  const { path: csv, ...copied } = await copy(query);
  const parquet = csv.replace('.csv', '.parquet');
  const warehouse = await fixture.open();
  await stageQuery(warehouse, copied, { csv, parquet });
  const described = await warehouse.rows(`DESCRIBE FROM '${parquet}'`);
  const types = Object.fromEntries(described.map((row) => [row.column_name, row.column_type]));
  const texts = described.map(({ column_name: name }) => `CAST("${name}" AS VARCHAR) AS "${name}"`);
  return { types, rows: await warehouse.rows(`SELECT ${texts.join(', ')} FROM '${parquet}'`), copied };
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable('needs to fail'),
    (error: unknown) => error as Error & { code: string },
  );

async function backends(mark: string): Promise<number[]> {
  const { rows } = await database.knex.raw(
    `select pid from pg_stat_activity where query like ? and pid <> pg_backend_pid() and state <> 'idle'`,
    [`%${mark}%`],
  );
  return rows.map(({ pid }: { pid: number }) => pid);
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + CANCEL_MS;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error('it did not happen in time');
    await sleep(20);
  }
}

describe('values come as PostgreSQL has them', () => {
  it('whole numbers, decimals, doubles, times and booleans keep their types', async () => {
    const { types, rows } = await stage(`select 1::int2 as small, 2 as whole, 9007199254740993::int8 as big,
      12345678901234.5678::numeric(18,4) as price, 0.1::float8 + 0.2 as share, 1.5::float4 as single, true as flag,
      date '2026-01-02' as day, timestamp '2026-01-02 10:00:00.123456' as at, 'x'::varchar(3) as word`);
    expect(types).toEqual({
      small: 'SMALLINT',
      whole: 'INTEGER',
      big: 'BIGINT',
      price: 'DECIMAL(18,4)',
      share: 'DOUBLE',
      single: 'FLOAT',
      flag: 'BOOLEAN',
      day: 'DATE',
      at: 'TIMESTAMP',
      word: 'VARCHAR',
    });
    expect(rows).toEqual([
      {
        small: '1',
        whole: '2',
        big: '9007199254740993',
        price: '12345678901234.5678',
        share: '0.30000000000000004',
        single: '1.5',
        flag: 'true',
        day: '2026-01-02',
        at: '2026-01-02 10:00:00.123456',
        word: 'x',
      },
    ]);
  });

  it('a numeric without a precision is exact, as text', async () => {
    const { types, rows } = await stage(`select 123456789012345678901234567890.123456789::numeric as amount`);
    expect(types).toEqual({ amount: 'VARCHAR' });
    expect(rows).toEqual([{ amount: '123456789012345678901234567890.123456789' }]);
  });

  it('a time with a zone is its moment, whatever the zone of the database', async () => {
    const { types, rows } = await stage(`select timestamptz '2026-07-01 12:00:00+02' as at`);
    expect(types).toEqual({ at: 'TIMESTAMP WITH TIME ZONE' });
    expect(rows).toEqual([{ at: '2026-07-01 10:00:00+00' }]);
  });

  it('NULL is not the empty text, in one column as in several', async () => {
    expect((await stage(`select * from (values (1, null), (2, ''), (3, ' ')) as t(i, word)`)).rows).toEqual([
      { i: '1', word: null },
      { i: '2', word: '' },
      { i: '3', word: ' ' },
    ]);
    const single = await stage(`select * from (values (null), (''), ('x'), (null)) as t(word)`);
    expect(single.rows.map(({ word }) => word)).toEqual([null, '', 'x', null]);
  });

  it('text keeps every character that may stand in it', async () => {
    const words = [
      'Zoë',
      '日本',
      '😀',
      'a,b',
      'say "so"',
      'two\nlines',
      'cr\r\nlf',
      '\\N',
      '\\.',
      "l'été",
      '\t',
    ];
    const list = words
      .map((word) => `(E'${word.replaceAll('\\', '\\\\').replaceAll("'", "''")}')`)
      .join(', ');
    const { rows } = await stage(`select word, 1 as one from (values ${list}) as t(word)`);
    expect(rows.map(({ word }) => word)).toEqual(words);
  });

  it('a column with a value that its type cannot hold in DuckDB stays text, the others do not', async () => {
    const { types, rows } =
      await stage(`select price::numeric(9,2), cost::numeric(9,2), at::timestamp from (values
      ('NaN', 1.5, '0044-03-15 12:00:00 BC'), ('2.25', 2.5, '2026-01-01')) as t(price, cost, at)`);
    expect(types).toEqual({ price: 'VARCHAR', cost: 'DECIMAL(9,2)', at: 'VARCHAR' });
    expect(rows).toEqual([
      { price: 'NaN', cost: '1.50', at: '0044-03-15 12:00:00 BC' },
      { price: '2.25', cost: '2.50', at: '2026-01-01 00:00:00' },
    ]);
  });

  it('other types are the text they are printed as', async () => {
    const { rows } = await stage(
      `select '{"a": 1}'::jsonb as j, array[1,2] as list, '00000000-0000-0000-0000-000000000001'::uuid as id`,
    );
    expect(rows).toEqual([{ j: '{"a": 1}', list: '{1,2}', id: '00000000-0000-0000-0000-000000000001' }]);
  });
});

describe('the query', () => {
  it.each([
    [
      'a CTE, an order and a semicolon',
      'with t as (select 1 as id union select 2) select id from t order by id desc limit 1; ',
    ],
    ['a comment at its end', 'select 2 as id -- the newest'],
    ['no table', 'values (2)'],
  ])('may have %s', async (_, query) => {
    expect((await stage(query)).rows.map((row) => Object.values(row))).toEqual([['2']]);
  });

  it('is copied only as far as columns are wanted', async () => {
    const path = fixture.path(`copy-${files++}.csv`);
    const wanted = await copyQuery(sourceOf(`select 1 as id, repeat('x', 1000) as notes`), path, {
      choose: (columns) => columns.filter(({ name }) => name === 'id'),
    });
    expect(wanted.columns).toEqual([{ name: 'id', type: 'INTEGER' }]);
    expect(await readFile(path, 'utf8')).toBe('id\n1\n');
  });

  it('without rows has its columns', async () => {
    const { types, rows } = await stage('select 1 as id, now() as at where false');
    expect(Object.keys(types)).toEqual(['id', 'at']);
    expect(rows).toEqual([]);
  });

  it.each<[string, string, RegExp]>([
    ['inserts', `insert into victims values (1) returning id`, /syntax error/],
    ['writes in a CTE', `with w as (delete from victims returning id) select * from w`, /data-modifying/],
    ['writes through a function', `select write_victim() as id`, /read-only transaction/],
    ['takes locks', `select id from victims for update`, /read-only transaction/],
    ['takes a number of a sequence', `select nextval('victim_numbers') as id`, /read-only transaction/],
    [
      'makes the transaction writable',
      `select set_config('transaction_read_only', 'off', true) as id`,
      /read/,
    ],
    ['is two statements', `select 1 as id; delete from victims`, /syntax error/],
    [
      'closes the bracket first',
      `select 1 as id) as source; delete from victims; --`,
      /syntax error|multiple/,
    ],
    [
      'ends the copy itself',
      `select 1) to stdout; commit; delete from victims; select (1`,
      /syntax error|multiple/,
    ],
    ['leaves a comment open', `select 1 as id /*`, /unterminated/],
    ['leaves a quote open', `select 'x as id`, /unterminated/],
    ['names a table that is not there', `select * from nowhere`, /"nowhere" does not exist/],
    ['has two columns of one name', `select 1 as id, 2 as "ID"`, /found ID twice/],
    ['is nothing', `;`, /syntax error/],
  ])('that %s is refused, and nothing is changed', async (_, query, message) => {
    await database.knex.raw(`drop table if exists ??.victims`, [database.schema]);
    await database.knex.raw(`create table ??.victims (id int)`, [database.schema]);
    await database.knex.raw(`insert into ??.victims values (7)`, [database.schema]);
    await database.knex.raw(`create sequence if not exists ??.victim_numbers`, [database.schema]);
    await database.knex.raw(
      `create or replace function ??.write_victim() returns int language sql as 'insert into ${database.schema}.victims values (8) returning id'`,
      [database.schema],
    );
    const inSchema = query.replace(/\b(victims|victim_numbers|write_victim)\b/g, `${database.schema}.$1`);
    const error = await failure(copy(inSchema));
    expect(error).toMatchObject({ code: 'SOURCE_REFUSED', message: expect.stringMatching(message) });
    expect(error.message).toContain(VARIABLE);
    const { rows } = await database.knex.raw(`select id from ??.victims`, [database.schema]);
    expect(rows).toEqual([{ id: 7 }]);
  });

  it.each([
    [`select 'Jane "Q" Doe'::int as id`],
    [`select ('2026-13-' || 'Jane "Q" Doe')::date as id`],
    [`select 1 / (length('Jane "Q" Doe') - 12) as id`],
  ])('that fails on a row (%s) is refused without the value', async (query) => {
    const error = await failure(copy(query));
    expect(error).toMatchObject({ code: 'SOURCE_REFUSED' });
    expect(inspect(error, { depth: 9 })).not.toMatch(/Jane|Doe/);
  });

  it('sees one moment, from the first row to the last', async () => {
    await database.knex.raw(`create table ??.moving (id int)`, [database.schema]);
    await database.knex.raw(`insert into ??.moving select generate_series(1, 2)`, [database.schema]);
    const reading = stage(
      `/* moving */ select id, count(*) over () as n, pg_sleep(0.4) from ${database.schema}.moving`,
    );
    await until(async () => (await backends('moving */')).length > 0);
    await database.knex.raw(`insert into ??.moving values (3)`, [database.schema]);
    expect((await reading).rows.map(({ id, n }) => [id, n])).toEqual([
      ['1', '2'],
      ['2', '2'],
    ]);
  });
});

describe('the address stays in the environment', () => {
  const secretOf = (url: string) => decodeURIComponent(new URL(url).password);

  it.each<[string, () => string | undefined, string]>([
    ['is not set', () => undefined, 'CONFIG_INVALID'],
    ['is empty', () => '', 'CONFIG_INVALID'],
    ['is no address', () => 'hunter2 at the usual place', 'CONFIG_INVALID'],
    ['is of something else', () => 'mysql://app:hunter2@db.internal/shop', 'CONFIG_INVALID'],
    ['has a wrong password', () => changed({ password: 'hunter2' }), 'SOURCE_REFUSED'],
    [
      'names a user that is not there',
      () => changed({ username: 'app', password: 'hunter2' }),
      'SOURCE_REFUSED',
    ],
    ['names a database that is not there', () => changed({ pathname: '/hunter2' }), 'SOURCE_REFUSED'],
    ['names a port where nothing listens', () => changed({ port: '1' }), 'SOURCE_UNREACHABLE'],
    ['names a host that is not there', () => 'postgres://app:hunter2@db.invalid/shop', 'SOURCE_UNREACHABLE'],
    [
      'wants a certificate that is not there',
      () => changed({ search: '?sslmode=verify-full&sslrootcert=/hunter2' }),
      'CONFIG_INVALID',
    ],
  ])('a variable that %s is an error that names it, and nothing of its value', async (_, url, code) => {
    const path = fixture.path(`copy-${files++}.csv`);
    const error = await failure(copyQuery({ urlFrom: VARIABLE, url: url(), query: 'select 1 as id' }, path));
    expect(error).toMatchObject({ code, message: expect.stringContaining(VARIABLE) });
    const told = inspect(error, { depth: 9 });
    for (const secret of ['hunter2', 'db.internal', 'db.invalid', secretOf(database.url), database.url])
      expect(told).not.toContain(secret);
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  function changed(change: Partial<URL>): string {
    return Object.assign(new URL(database.url), change).href;
  }
});

const MANY = `/* many */ select i as id, 'customer ' || i as name, case when i % 3 = 0 then null when i % 3 = 1 then '' else E'two\\nlines' end as note
  from generate_series(1, 200000) as i`;

describe('many rows', () => {
  it('arrive all, in bounded memory', async () => {
    const { copied } = await stage(MANY);
    expect(copied.rows).toBe(200_000);
    const before = process.memoryUsage().rss;
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20);
    const large = await copy(`select repeat('x', 1000) as word, generate_series(1, 300000) as i`);
    clearInterval(watch);
    expect(large.bytes).toBeGreaterThan(300e6);
    expect(peak - before).toBeLessThan(100e6);
  }, 60_000);

  it('that are fewer than PostgreSQL counted are no extract', async () => {
    const { path: csv, ...copied } = await copy(`select * from generate_series(1, 3) as t(id)`);
    const warehouse = await fixture.open();
    const staging = stageQuery(warehouse, { ...copied, rows: 4 }, { csv, parquet: `${csv}.parquet` });
    await expect(staging).rejects.toMatchObject({
      code: 'WAREHOUSE_FAILED',
      message: expect.stringMatching(/4 rows .* found 3/),
    });
  });
});

describe('a copy that is stopped', () => {
  // In the select list a series is made as it is read; behind FROM it would be made whole first.
  const ENDLESS = (mark: string) =>
    `/* ${mark} */ select generate_series(1, 1000000000) as id, repeat('x', 200) as word`;
  const SORTING = (mark: string) => `/* ${mark} */ select pg_sleep(60)::text as id`;

  const bytesOf = (path: string) =>
    stat(path)
      .then(({ size }) => size)
      .catch(() => 0);
  const MANY_BYTES = 1e6;

  it.each([
    ['streams', ENDLESS, MANY_BYTES],
    ['has not sent a row', SORTING, 0],
  ])('by a cancel while it %s ends at once, on the server too', async (_, query, bytes) => {
    const mark = `cancel${files}`;
    const path = fixture.path(`copy-${files}.csv`);
    const controller = new AbortController();
    const copying = failure(copy(query(mark), controller.signal));
    await until(async () => (await backends(mark)).length > 0 && (await bytesOf(path)) >= bytes);
    const reason = new Error('the run was cancelled');
    const began = Date.now();
    controller.abort(reason);
    expect(await copying).toBe(reason);
    await until(async () => (await backends(mark)).length === 0);
    expect(Date.now() - began).toBeLessThan(CANCEL_MS);
  });

  it('by a cancel before it began does nothing', async () => {
    const reason = new Error('the run was cancelled');
    expect(await failure(copy('select 1 as id', AbortSignal.abort(reason)))).toBe(reason);
  });

  it('by PostgreSQL is worth another try', async () => {
    const mark = `terminate${files}`;
    const path = fixture.path(`copy-${files}.csv`);
    const copying = failure(copy(ENDLESS(mark)));
    await until(async () => (await bytesOf(path)) >= MANY_BYTES);
    for (const pid of await backends(mark)) await database.knex.raw('select pg_terminate_backend(?)', [pid]);
    expect(await copying).toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: expect.stringContaining(VARIABLE),
    });
  });

  it('by a network that drops the connection is worth another try', async () => {
    const { hostname, port } = new URL(database.url);
    let sent = 0;
    const sockets: Socket[] = [];
    const proxy = createServer((near) => {
      const far = openSocket({ host: hostname, port: Number(port) });
      sockets.push(near, far);
      for (const socket of [near, far]) socket.on('error', () => {});
      near.pipe(far);
      far.pipe(near);
      far.on('data', (chunk) => {
        sent += chunk.length;
        if (sent > 5e6) near.destroy();
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const url = new URL(database.url);
    url.port = String((proxy.address() as { port: number }).port);
    const path = fixture.path(`copy-${files++}.csv`);
    const error = await failure(copyQuery(sourceOf(ENDLESS('dropped'), url.href), path));
    expect(error).toMatchObject({ code: 'SOURCE_UNREACHABLE', message: expect.stringContaining(VARIABLE) });
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
});
