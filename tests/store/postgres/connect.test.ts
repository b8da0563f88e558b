import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrations } from '../../../migrations/index.ts';
import { PipelineError } from '../../../pipelines/contracts/errors.ts';
import { connect, ping } from '../../../store/postgres/connect.ts';
import { translateDatabaseError } from '../../../store/postgres/database-errors.ts';
import { migrate } from '../../../store/postgres/migrate.ts';
import { createRepositories } from '../../../store/postgres/repositories.ts';
import { type TestServer, testServer } from '../../helpers/postgres.ts';
import { newRun } from './fixture.ts';

let server: TestServer;

beforeAll(async () => {
  server = await testServer();
}, 60_000);

afterAll(() => server?.remove());

describe('ping', () => {
  test('tells the version', async () => {
    expect(await ping(server.url)).toMatch(/^\d+\.\d+/);
  });

  test.each([
    [
      'a port where no one listens',
      'postgres://ada:hush@127.0.0.1:1/shop',
      'ada@127.0.0.1:1/shop, found: connect ECONNREFUSED',
    ],
    [
      'a host that is not there',
      'postgres://ada:hush@host.invalid/shop',
      'ada@host.invalid/shop, found: getaddrinfo',
    ],
  ])('%s is told with the address and without the password', async (_, url, text) => {
    const error: unknown = await ping(url).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'POSTGRES_UNREACHABLE',
      message: expect.stringContaining(text) as string,
    });
    expect(String(error)).not.toContain('hush');
  });

  test('a wrong password and a missing database are told as such', async () => {
    const wrong = server.url.replace('a%20secret', 'hush');
    await expect(ping(wrong)).rejects.toThrow('password authentication failed for user "postgres"');
    await expect(ping(`${server.url}-none`)).rejects.toThrow('database "postgres-none" does not exist');
  });

  test('a server that never answers is given up', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    await expect(ping(`postgres://a:b@127.0.0.1:${port}/c`, 200)).rejects.toMatchObject({
      code: 'POSTGRES_UNREACHABLE',
    });
    silent.close();
  });

  test('a text that is no address is refused without being shown', async () => {
    const error: unknown = await ping('ada:hush@db').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(String(error)).not.toContain('hush');
  });
});

describe('PostgreSQL going away', () => {
  test('a restart between calls is survived, a stop is told as worth a retry', async () => {
    const knex = connect(server.url, { schema: 'restart' });
    await migrate(knex, migrations);
    const { runs } = createRepositories(knex);
    await Promise.all(['a', 'b', 'c'].map((runId) => runs.open(newRun(runId))));
    await server.stop();
    const error: unknown = await runs.get('a').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
    expect(String(error)).not.toContain('secret');
    await server.start();
    expect((await runs.get('a')).runId).toBe('a');
    await server.stop();
    await server.start();
    expect(await runs.list({ limit: 10 })).toHaveLength(3);
    await knex.destroy();
  }, 30_000);
});

describe('translation', () => {
  const withCode = (code: string) => Object.assign(new Error('it failed'), { code });

  test.each(['ECONNREFUSED', 'ECONNRESET', '08006', '53300', '57P01', '57P03', '40001', '40P01', '55P03'])(
    '%s is worth a retry',
    (code) => {
      expect(translateDatabaseError(withCode(code))).toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
    },
  );

  test.each(['22021', '22003', '22P05'])('%s is of the value: no retry makes it another', (code) => {
    const error = Object.assign(withCode(code), { message: 'invalid input: "17850"', detail: '17850' });
    expect(translateDatabaseError(error)).toMatchObject({
      code: 'VALUE_REFUSED',
      message: `a row needs values that PostgreSQL can keep, found one that it refuses (${code})`,
    });
  });

  test.each(['23505', '42P01'])('%s is thrown on, without the fields that quote rows', (code) => {
    const error = Object.assign(withCode(code), {
      detail: 'Key (customer_id)=(17)',
      where: 'COPY m, line 1: "17"',
    });
    expect(translateDatabaseError(error)).toBe(error);
    expect(JSON.stringify(error)).not.toContain('17');
  });

  test('errors with a code of ours stay as they are', () => {
    const known = new PipelineError('RUN_UNKNOWN', 'run x');
    expect(translateDatabaseError(known)).toBe(known);
  });
});
