import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { HttpServer } from '../../../scripts/http-server.ts';
import { createReadiness, type Readiness } from '../../../scripts/observe/readiness.ts';
import { startObserverServer } from '../../../scripts/observe/server.ts';
import { LOOPBACK } from '../../../scripts/services/ports.ts';

const WITHIN_MS = 60;
let readiness: Readiness;
let readMetrics = async () => 'strata_build_info 1\n';
const server: HttpServer = await startObserverServer(
  { port: 0, host: LOOPBACK },
  {
    readiness: { report: () => readiness.report() },
    metrics: { contentType: 'text/plain; version=0.0.4', read: () => readMetrics() },
  },
);
afterAll(() => server.close());
beforeEach(() => {
  readiness = createReadiness({ withinMs: WITHIN_MS });
});

const get = async (path: string, init?: RequestInit) => {
  const answer = await fetch(`${server.url}${path}`, init);
  return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.text() };
};
const readyz = async () => {
  const { status, body } = await get('/readyz');
  return { status, ...JSON.parse(body) };
};
const fine = async () => null;

test('it is ready once it watches and all that it looks at is well', async () => {
  expect(await readyz()).toEqual({ status: 503, isReady: false, state: 'starting', checks: {} });
  readiness.watch({ temporal: fine, postgresql: fine });
  expect(await readyz()).toEqual({
    ...{ status: 200, isReady: true, state: 'running' },
    checks: { temporal: 'ok', postgresql: 'ok' },
  });
});

test('it says what is not ready, and nothing that a driver said', async () => {
  const refused = Object.assign(new Error('connect to user:hunter2@10.0.0.7'), { code: 'ECONNREFUSED' });
  readiness.watch({
    temporal: fine,
    postgresql: () => Promise.reject(refused),
    store: () => Promise.reject(new Error('hunter2')),
    polling: async () => 'nothing polls strata-compute',
  });
  expect(await readyz()).toEqual({
    ...{ status: 503, isReady: false, state: 'running' },
    checks: {
      temporal: 'ok',
      postgresql: 'does not answer (ECONNREFUSED)',
      store: 'does not answer',
      polling: 'nothing polls strata-compute',
    },
  });
});

test('what hangs is not waited for, and asked once however often anybody looks', async () => {
  let asked = 0;
  let answer = (_: null) => {};
  readiness.watch({
    postgresql: () => {
      asked++;
      return new Promise<null>((resolve) => {
        answer = resolve;
      });
    },
  });
  for (const { status, checks } of await Promise.all([readyz(), readyz()])) {
    expect({ status, checks }).toEqual({ status: 503, checks: { postgresql: 'no answer within 0.06 s' } });
  }
  expect((await readyz()).status).toBe(503);
  expect(asked).toBe(1);
  answer(null);
  await sleep(1);
  const next = readyz();
  while (asked < 2) await sleep(1);
  answer(null);
  expect(await next).toMatchObject({ status: 200 });
  expect(asked).toBe(2);
});

test('one that leaves is not ready, and looks at nothing, nor when its start ends late', async () => {
  readiness.watch({ temporal: () => Promise.reject(new Error('it was closed')) });
  readiness.drain();
  const leaving = { status: 503, isReady: false, state: 'draining', checks: {} };
  expect(await readyz()).toEqual(leaving);
  readiness.watch({ temporal: fine });
  expect(await readyz()).toEqual(leaving);
});

test('it lives while it answers, ready or not', async () => {
  readiness.drain();
  expect(await get('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
  expect(await get('/healthz', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
});

test('metrics have the type that Prometheus asks for; what fails says no more than that', async () => {
  const { status, type, body } = await get('/metrics?x=1');
  expect([status, type, body]).toEqual([200, 'text/plain; version=0.0.4', 'strata_build_info 1\n']);
  readMetrics = () => Promise.reject(new Error('hunter2'));
  expect(await get('/metrics')).toMatchObject({ status: 500, body: 'the page could not be made\n' });
});

test('nothing else is answered', async () => {
  expect((await get('/')).status).toBe(404);
  expect((await get('/metrics/../etc')).status).toBe(404);
  expect((await get('/metrics', { method: 'POST' })).status).toBe(405);
});

test.each([
  ['a port that is taken', LOOPBACK, 'EADDRINUSE; name another with STRATA_METRICS_PORT'],
  ['an address of another machine', '192.0.2.1', 'EADDRNOTAVAIL; name another with STRATA_METRICS_HOST'],
])('%s is refused with its variable', async (_, host, found) => {
  const taken = { port: Number(new URL(server.url).port), host };
  const starting = startObserverServer(taken, {
    readiness,
    metrics: { contentType: '', read: async () => '' },
  });
  await expect(starting).rejects.toMatchObject({
    code: 'PORT_UNAVAILABLE',
    message: expect.stringContaining(`found ${found}`),
  });
});
