import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServices } from '../../../scripts/services/index.ts';
import { choosePort, isPortFree, LOOPBACK } from '../../../scripts/services/ports.ts';
import { createQuietLog, makeHome, removeHome, servicesOf } from './homes.ts';

let ours: string;
let other: string;
beforeAll(() => {
  ours = makeHome();
  other = makeHome();
});
afterAll(async () => {
  await removeHome(ours);
  await removeHome(other);
});

test('given services are used, none is started, and stop leaves them alone', async () => {
  const own = await startServices({
    home: other,
    log: createQuietLog().log,
    env: { PATH: process.env.PATH },
  });
  const env = { STRATA_DATABASE_URL: own.databaseUrl, TEMPORAL_ADDRESS: own.temporal.address };
  const { log, lines } = createQuietLog();
  const given = await startServices({ home: ours, log, env });
  expect(given.databaseUrl).toBe(own.databaseUrl);
  expect(given.temporal).toMatchObject({ ...own.temporal, started: false });
  expect(lines).toEqual([]);
  await given.stop();
  expect(servicesOf(ours)).toEqual([]);
  expect(servicesOf(other)).toHaveLength(2);
  await own.stop();
});

test.each([
  ['a closed port', '127.0.0.1:9', 'ECONNREFUSED'],
  ['a name that does not exist', 'no-such-host.invalid:5432', 'no-such-host.invalid'],
])('PostgreSQL at %s: a coded error with the way out, without the password', async (_, host, reason) => {
  const env = { STRATA_DATABASE_URL: `postgres://strata:hunter2@${host}/strata` };
  const started = startServices({ home: ours, log: createQuietLog().log, env, only: ['postgres'] });
  const error = await started.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toMatchObject({ code: 'POSTGRES_UNREACHABLE' });
  expect(error.message).toContain(reason);
  expect(error.message).toContain('STRATA_DATABASE_URL');
  expect(JSON.stringify([error.message, error.details, error.stack])).not.toContain('hunter2');
});

test('Temporal that is not there: a coded error with the way out', async () => {
  const env = { TEMPORAL_ADDRESS: '127.0.0.1:9' };
  const started = startServices({ home: ours, log: createQuietLog().log, env, only: ['temporal'] });
  await expect(started).rejects.toMatchObject({
    code: 'TEMPORAL_UNREACHABLE',
    message: expect.stringContaining('TEMPORAL_ADDRESS'),
  });
});

test('a taken port is left to whoever has it, and a neighbour is chosen', async () => {
  const stranger = createServer();
  await new Promise<void>((resolve) => stranger.listen({ host: LOOPBACK, port: 0 }, resolve));
  const address = stranger.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  expect(await isPortFree(port)).toBe(false);
  const chosen = await choosePort(port);
  expect(chosen).not.toBe(port);
  expect(await isPortFree(chosen)).toBe(true);
  expect(await choosePort(port, new Set([chosen]))).not.toBe(chosen);
  await new Promise((resolve) => stranger.close(resolve));
});
