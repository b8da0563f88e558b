import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startServices } from '../../../scripts/services/index.ts';
import { askPostgres } from '../../../scripts/services/postgres-client.ts';
import { preparePostgres } from '../../../scripts/services/postgres-installation.ts';
import { writeState } from '../../../scripts/services/state.ts';
import { sendSignal, thisProcess } from '../../../scripts/set-up/processes.mjs';
import { SEARCH_ATTRIBUTES } from '../../../temporal.config.ts';
import { createQuietLog, makeHome, recordOf, removeHome, servicesOf } from './homes.ts';

const SERVICE_USER = fileURLToPath(new URL('./service-user.ts', import.meta.url));

let home: string;
const users: ChildProcess[] = [];
beforeEach(() => {
  home = makeHome();
});
afterEach(async () => {
  for (const user of users.splice(0)) user.kill('SIGKILL');
  await removeHome(home);
});

test('both services are ready for use, and stop leaves no process', async () => {
  const { log } = createQuietLog();
  const services = await startServices({ home, log, env: localEnvironment() });
  expect(await askPostgres(services.databaseUrl, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
  const connection = await Connection.connect(services.temporal.connectionOptions);
  const { config } = await connection.workflowService.describeNamespace({
    namespace: services.temporal.namespace,
  });
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds) / 86_400).toBe(90);
  const { customAttributes } = await connection.operatorService.listSearchAttributes({
    namespace: 'default',
  });
  expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining(Object.keys(SEARCH_ATTRIBUTES)));
  await connection.close();
  expect((await fetch(services.temporal.uiUrl ?? '')).status).toBe(200);
  expect(statSync(join(home, 'postgres/password')).mode & 0o777).toBe(0o600);

  expect(servicesOf(home)).toHaveLength(2);
  await services.stop();
  await services.stop();
  expect(servicesOf(home)).toEqual([]);
  expect(existsSync(join(home, 'services.json'))).toBe(false);
});

test('what was written is there after a restart', async () => {
  const options = { home, log: createQuietLog().log, only: ['postgres' as const], env: localEnvironment() };
  const first = await startServices(options);
  await askPostgres(first.databaseUrl, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.stop();
  const second = await startServices(options);
  expect(await askPostgres(second.databaseUrl, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  await second.stop();
});

test('PostgreSQL that answers too late once, on a busy machine, is asked again', async () => {
  const options = { home, log: createQuietLog().log, only: ['postgres' as const], env: localEnvironment() };
  const first = await startServices(options);
  const admin = new URL(first.databaseUrl);
  admin.pathname = '/postgres';
  // The first one asks whose server it is, the second one for the database.
  await askPostgres(
    admin.href,
    `CREATE SEQUENCE logins;
     CREATE FUNCTION slow_second() RETURNS event_trigger LANGUAGE plpgsql AS
       'BEGIN IF nextval(''logins'') = 2 THEN PERFORM pg_sleep(20); END IF; END';
     CREATE EVENT TRIGGER slow ON login EXECUTE FUNCTION slow_second()`,
  );
  await first.stop();
  const second = await startServices(options);
  expect(await askPostgres(second.databaseUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await second.stop();
  expect(servicesOf(home)).toEqual([]);
});

test('a second start uses the services of the first, and they end with the last user', async () => {
  const first = await startUser();
  const postgres = recordOf(home, 'postgres');
  const second = await startUser();
  expect(recordOf(home, 'postgres')).toEqual(postgres);
  await endUser(first);
  expect(servicesOf(home).map(({ pid }) => pid)).toContain(postgres.pid);
  await endUser(second);
  expect(servicesOf(home)).toEqual([]);
});

test('services left by a user ended with kill -9 are taken over', async () => {
  const killed = await startUser();
  const before = servicesOf(home);
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  const { log, lines } = createQuietLog();
  const services = await startServices({ home, log, env: localEnvironment() });
  expect(servicesOf(home)).toEqual(before);
  expect(lines.filter((line) => line.includes('was running'))).toHaveLength(2);
  await services.stop();
  expect(servicesOf(home)).toEqual([]);
});

test('services that nobody wrote down are found: taken over or ended, never doubled', async () => {
  const killed = await startUser();
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  writeState(home, { owners: [], services: {} });
  const services = await startServices({ home, log: createQuietLog().log, env: localEnvironment() });
  expect(servicesOf(home)).toHaveLength(2);
  await services.stop();
  expect(servicesOf(home)).toEqual([]);
});

test.each(['postgres', 'temporal'] as const)(
  '%s ended with kill -9 comes back at the same port',
  async (name) => {
    const { log, lines } = createQuietLog();
    const services = await startServices({ home, log, env: localEnvironment(), only: [name] });
    const before = recordOf(home, name);
    sendSignal(before.pid, 'SIGKILL');
    await expect.poll(() => recordOf(home, name).pid, { timeout: 20_000 }).not.toBe(before.pid);
    expect(recordOf(home, name)).toMatchObject({ port: before.port });
    await expect.poll(() => lines.join('')).toContain(`(process ${before.pid}) was gone`);
    if ('databaseUrl' in services) {
      expect(await askPostgres(String(services.databaseUrl), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    }
    await services.stop();
    expect(servicesOf(home)).toEqual([]);
  },
);

test('two users see a service die and bring it back once', async () => {
  const [first, second] = [await startUser(), await startUser()];
  const before = recordOf(home, 'temporal');
  sendSignal(before.pid, 'SIGKILL');
  await expect.poll(() => recordOf(home, 'temporal').pid, { timeout: 20_000 }).not.toBe(before.pid);
  await endUser(first);
  expect(servicesOf(home)).toHaveLength(2);
  await endUser(second);
  expect(servicesOf(home)).toEqual([]);
});

test('a process that only bears the written pid is never taken for a service', async () => {
  const stranger = { ...thisProcess(), port: 1 };
  writeState(home, { owners: [], services: { postgres: stranger, temporal: { ...stranger, uiPort: 2 } } });
  const services = await startServices({ home, log: createQuietLog().log, env: localEnvironment() });
  expect(recordOf(home, 'postgres').pid).not.toBe(process.pid);
  expect(recordOf(home, 'temporal').pid).not.toBe(process.pid);
  await services.stop();
});

test("a pid file whose pid has become somebody else's does not keep PostgreSQL from starting", async () => {
  const options = { home, log: createQuietLog().log, only: ['postgres' as const], env: localEnvironment() };
  await (await startServices(options)).stop();
  const pidFile = [process.pid, join(home, 'postgres/data'), 0, 54_329, '', '127.0.0.1', '', 'ready'].join(
    '\n',
  );
  writeFileSync(join(home, 'postgres/data/postmaster.pid'), pidFile);
  const services = await startServices(options);
  expect(await askPostgres(services.databaseUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await services.stop();
});

test('stop ends the processes even when somebody has removed the home', async () => {
  const services = await startServices({ home, log: createQuietLog().log, env: localEnvironment() });
  // The server goes on writing meanwhile.
  rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  await services.stop();
  expect(servicesOf(home)).toEqual([]);
});

test('a set-up that is interrupted leaves no process', async () => {
  const interrupt = new AbortController();
  const log = createQuietLog().log;
  const started = startServices({ home, log, env: localEnvironment(), signal: interrupt.signal });
  await expect.poll(() => servicesOf(home).length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(0);
  interrupt.abort(new Error('Ctrl-C'));
  await expect(started).rejects.toThrow('Ctrl-C');
  expect(servicesOf(home)).toEqual([]);
});

test('when one service cannot be had, the other is stopped again', async () => {
  mkdirSync(join(home, 'temporal'), { recursive: true });
  mkdirSync(join(home, 'temporal', 'temporal.db'));
  const started = startServices({ home, log: createQuietLog().log, env: localEnvironment() });
  await expect(started).rejects.toMatchObject({ code: 'TEMPORAL_UNREACHABLE' });
  expect(servicesOf(home)).toEqual([]);
});

test.skipIf(process.getuid?.() !== 0)(
  'as root, below a folder that is closed to others, data is put elsewhere, and goes when the folder has gone',
  async () => {
    const closed = join(home, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const inside = join(closed, 'state');
    const { log, lines } = createQuietLog();
    const services = await startServices({ home: inside, log, env: localEnvironment(), only: ['postgres'] });
    const { data } = JSON.parse(readFileSync(join(inside, 'postgres/location.json'), 'utf8'));
    expect(await askPostgres(services.databaseUrl, 'SHOW data_directory')).toEqual([
      { data_directory: data },
    ]);
    expect(lines.join('')).toContain(data);
    await services.stop();
    expect(servicesOf(inside)).toEqual([]);
    rmSync(closed, { recursive: true });
    mkdirSync(closed, { mode: 0o700 });
    await preparePostgres(join(closed, 'another'), log);
    expect(existsSync(data)).toBe(false);
  },
);

/** Without variables of the person who runs the tests that would point at other services. */
function localEnvironment() {
  const { TEMPORAL_ADDRESS: _address, STRATA_DATABASE_URL: _url, ...rest } = process.env;
  return rest;
}

async function startUser(): Promise<ChildProcess> {
  const args = ['--import', 'tsx', SERVICE_USER, home];
  const user = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: localEnvironment(),
  });
  users.push(user);
  const [line] = await once(createInterface({ input: user.stdout }), 'line');
  expect(line).toBe('ready');
  return user;
}

async function endUser(user: ChildProcess): Promise<void> {
  user.kill('SIGTERM');
  const [exitCode] = await once(user, 'exit');
  expect(exitCode).toBe(0);
}
