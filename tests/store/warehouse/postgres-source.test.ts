import { readFile, stat } from 'node:fs/promises';
import { createServer, connect as openSocket, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyQuery } from '../../../store/warehouse/postgres-source.ts';
import { type QueryFixture, queryFixture, until, VARIABLE } from './postgres-fixture.ts';

const CANCEL_MS = 5_000;
/** A busy machine may be slow to begin. */
const BEGIN_MS = 20_000;

let fixture: QueryFixture;
beforeAll(async () => {
  fixture = await queryFixture();
}, 60_000);
afterAll(() => fixture?.remove());

const sourceOf = (query: string, url: string | undefined) => ({ urlFrom: VARIABLE, url, query });

const failure = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable('needs to fail'),
    (error: unknown) => error as Error & { code: string },
  );

async function backends(mark: string): Promise<number[]> {
  const { rows } = await fixture.database.knex.raw(
    `select pid from pg_stat_activity where query like ? and pid <> pg_backend_pid() and state <> 'idle'`,
    [`%${mark}%`],
  );
  return rows.map(({ pid }: { pid: number }) => pid);
}

describe('the query', () => {
  it.each([
    [
      'a CTE, an order and a semicolon',
      'with t as (select 1 as id union select 2) select id from t order by id desc limit 1; ',
    ],
    ['a comment at its end', 'select 2 as id -- the newest'],
    ['no table', 'values (2)'],
  ])('may have %s', async (_, query) => {
    expect((await fixture.stage(query)).rows.map((row) => Object.values(row))).toEqual([['2']]);
  });

  it('is copied only as far as columns are wanted', async () => {
    const path = fixture.nextPath();
    const wanted = await copyQuery(
      sourceOf(`select 1 as id, repeat('x', 1000) as notes`, fixture.database.url),
      path,
      {
        choose: (columns) => columns.filter(({ name }) => name === 'id'),
      },
    );
    expect(wanted.columns).toEqual([{ name: 'id', type: 'INTEGER' }]);
    expect(await readFile(path, 'utf8')).toBe('id\n1\n');
  });

  it('without rows has its columns', async () => {
    const { types, rows } = await fixture.stage('select 1 as id, now() as at where false');
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
    await fixture.database.knex.raw(`drop table if exists ??.victims`, [fixture.database.schema]);
    await fixture.database.knex.raw(`create table ??.victims (id int)`, [fixture.database.schema]);
    await fixture.database.knex.raw(`insert into ??.victims values (7)`, [fixture.database.schema]);
    await fixture.database.knex.raw(`create sequence if not exists ??.victim_numbers`, [
      fixture.database.schema,
    ]);
    await fixture.database.knex.raw(
      `create or replace function ??.write_victim() returns int language sql as 'insert into ${fixture.database.schema}.victims values (8) returning id'`,
      [fixture.database.schema],
    );
    const inSchema = query.replace(
      /\b(victims|victim_numbers|write_victim)\b/g,
      `${fixture.database.schema}.$1`,
    );
    const error = await failure(fixture.copy(inSchema));
    expect(error).toMatchObject({ code: 'SOURCE_REFUSED', message: expect.stringMatching(message) });
    expect(error.message).toContain(VARIABLE);
    const { rows } = await fixture.database.knex.raw(`select id from ??.victims`, [fixture.database.schema]);
    expect(rows).toEqual([{ id: 7 }]);
  });

  it.each([
    [`select 'Jane "Q" Doe'::int as id`],
    [`select ('2026-13-' || 'Jane "Q" Doe')::date as id`],
    [`select 1 / (length('Jane "Q" Doe') - 12) as id`],
  ])('that fails on a row (%s) is refused without the value', async (query) => {
    const error = await failure(fixture.copy(query));
    expect(error).toMatchObject({ code: 'SOURCE_REFUSED' });
    expect(inspect(error, { depth: 9 })).not.toMatch(/Jane|Doe/);
  });

  it('sees one moment, from the first row to the last', async () => {
    await fixture.database.knex.raw(`create table ??.moving (id int)`, [fixture.database.schema]);
    await fixture.database.knex.raw(`insert into ??.moving select generate_series(1, 2)`, [
      fixture.database.schema,
    ]);
    const reading = fixture.stage(
      `/* moving */ select id, count(*) over () as n, pg_sleep(0.4) from ${fixture.database.schema}.moving`,
    );
    await until(async () => (await backends('moving */')).length > 0, BEGIN_MS);
    await fixture.database.knex.raw(`insert into ??.moving values (3)`, [fixture.database.schema]);
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
    const path = fixture.nextPath();
    const error = await failure(copyQuery({ urlFrom: VARIABLE, url: url(), query: 'select 1 as id' }, path));
    expect(error).toMatchObject({ code, message: expect.stringContaining(VARIABLE) });
    const told = inspect(error, { depth: 9 });
    for (const secret of [
      'hunter2',
      'db.internal',
      'db.invalid',
      secretOf(fixture.database.url),
      fixture.database.url,
    ])
      expect(told).not.toContain(secret);
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  function changed(change: Partial<URL>): string {
    return Object.assign(new URL(fixture.database.url), change).href;
  }
});

const MANY = `/* many */ select i as id, 'customer ' || i as name, case when i % 3 = 0 then null when i % 3 = 1 then '' else E'two\\nlines' end as note
  from generate_series(1, 200000) as i`;

describe('many rows', () => {
  it('arrive all, in bounded memory', async () => {
    const { copied } = await fixture.stage(MANY);
    expect(copied.rows).toBe(200_000);
    const before = process.memoryUsage().rss;
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20);
    const large = await fixture.copy(`select repeat('x', 1000) as word, generate_series(1, 300000) as i`);
    clearInterval(watch);
    expect(large.bytes).toBeGreaterThan(300e6);
    expect(peak - before).toBeLessThan(100e6);
  }, 60_000);
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
    const mark = `cancel ${bytes} bytes`;
    const path = fixture.nextPath();
    const controller = new AbortController();
    const copying = failure(fixture.copy(query(mark), { signal: controller.signal, path }));
    await until(async () => (await backends(mark)).length > 0 && (await bytesOf(path)) >= bytes, BEGIN_MS);
    const reason = new Error('the run was cancelled');
    const began = Date.now();
    controller.abort(reason);
    expect(await copying).toBe(reason);
    await until(async () => (await backends(mark)).length === 0, CANCEL_MS);
    expect(Date.now() - began).toBeLessThan(CANCEL_MS);
  });

  it('by a cancel before it began does nothing', async () => {
    const reason = new Error('the run was cancelled');
    expect(await failure(fixture.copy('select 1 as id', { signal: AbortSignal.abort(reason) }))).toBe(reason);
  });

  it('by PostgreSQL is worth another try', async () => {
    const mark = 'terminated';
    const path = fixture.nextPath();
    const copying = failure(fixture.copy(ENDLESS(mark), { path }));
    await until(async () => (await bytesOf(path)) >= MANY_BYTES, BEGIN_MS);
    for (const pid of await backends(mark))
      await fixture.database.knex.raw('select pg_terminate_backend(?)', [pid]);
    expect(await copying).toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: expect.stringContaining(VARIABLE),
    });
  });

  it('by a network that drops the connection is worth another try', async () => {
    const { hostname, port } = new URL(fixture.database.url);
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
    const url = new URL(fixture.database.url);
    url.port = String((proxy.address() as { port: number }).port);
    const path = fixture.nextPath();
    const error = await failure(copyQuery(sourceOf(ENDLESS('dropped'), url.href), path));
    expect(error).toMatchObject({ code: 'SOURCE_UNREACHABLE', message: expect.stringContaining(VARIABLE) });
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
});
