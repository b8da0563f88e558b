import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Run } from '../../pipelines/contracts/run.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { memberships, segment, segmentation } from '../store/postgres/fixture.ts';

const SECRET = 'tok-8f3a-secret';

let shop: ActivityShop;
let receiver: Server;
/** Where nobody listens. */
let closedPort: string;
let received: { headers: IncomingHttpHeaders; method: string; url: string; body: unknown }[];
let answer: number | 'none';
const secrets: Record<string, string> = {};

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      const { headers, method, url } = request;
      received.push({ headers, method: method!, url: url!, body: text === '' ? null : JSON.parse(text) });
      // Behind a redirect is a page that anyone gets.
      const status = url === '/login' ? 200 : answer;
      if (status !== 'none') response.writeHead(status, { location: '/login' }).end('<html>');
    });
  });
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening));
  const closed = createServer();
  await new Promise<void>((listening) => closed.listen(0, '127.0.0.1', listening));
  closedPort = String((closed.address() as AddressInfo).port);
  await new Promise((done) => closed.close(done));
  shop = await openActivityShop({
    definition: { notify: [{ kind: 'webhook', urlFrom: 'SHOP_WEBHOOK' }, { kind: 'log' }] },
    secrets,
  });
}, 60_000);

afterAll(async () => {
  receiver?.closeAllConnections();
  receiver?.close();
  await shop?.close();
});

beforeEach(() => {
  received = [];
  answer = 200;
  const { port } = receiver.address() as AddressInfo;
  secrets.SHOP_WEBHOOK = `http://127.0.0.1:${port}/hooks/${SECRET}`;
});

afterEach(() => shop.database.clear());

/** A published run with a message for each channel of its definition. */
async function publishedRun(): Promise<Run> {
  const { execution: workflow } = await shop.openWorkflow();
  const { run } = await shop.perform('openRun', { input: {}, workflow, scheduledAt: null });
  const { segmentations, memberships: members, publications } = shop.context.repositories;
  await segmentations.save(run.runId, segmentation([segment('seg_0')]));
  await members.load(run.runId, memberships(['1001'], ['seg_0']));
  await publications.publish({
    pipeline: run.pipeline,
    runId: run.runId,
    expectedBase: null,
    review: null,
    messages: ['0:webhook', '1:log'].map((channel) => ({
      event: 'run.published',
      channel,
      payload: { runId: run.runId, segments: 1 },
    })),
  });
  return run;
}

const outbox = () => shop.database.knex('outbox').orderBy('message_id');

describe('a message of the outbox', () => {
  test('is delivered once, with a key by which a receiver knows it again', async () => {
    const run = await publishedRun();
    const first = await shop.perform('deliverOutbox', { run });
    expect(first).toMatchObject({ delivered: 2, pending: 0 });
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      method: 'POST',
      headers: {
        'idempotency-key': `${run.runId}/run.published/0:webhook`,
        'content-type': 'application/json',
      },
      body: { runId: run.runId, segments: 1 },
    });
    expect(await shop.perform('deliverOutbox', { run })).toEqual(first);
    await shop.forgetSteps(run.runId);
    await shop.perform('deliverOutbox', { run }, shop.environment(2));
    expect(received).toHaveLength(1);
  });

  test('stays in the outbox while the receiver refuses it, and comes with the same key later', async () => {
    const run = await publishedRun();
    answer = 500;
    await expect(shop.perform('deliverOutbox', { run })).rejects.toMatchObject({
      type: 'DELIVERY_FAILED',
      nonRetryable: false,
      message: expect.stringMatching(/SHOP_WEBHOOK needs to answer 2xx, it answered 500/),
    });
    expect(await outbox()).toMatchObject([
      { delivered_at: null, claimed_until: null, attempts: 1, last_error: expect.stringContaining('500') },
      { channel: '1:log', delivered_at: expect.any(Date) },
    ]);
    answer = 204;
    await shop.perform('deliverOutbox', { run }, shop.environment(2));
    expect(await shop.context.repositories.outbox.countUndelivered({ runId: run.runId })).toBe(0);
    const keys = received.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([keys[0], keys[0]]);
  });

  test('of a deliverer that was killed is taken over, not sent twice at once', async () => {
    const run = await publishedRun();
    await shop.context.repositories.outbox.claim({ runId: run.runId }, { limit: 9, leaseSeconds: 600 });
    await expect(shop.perform('deliverOutbox', { run })).rejects.toMatchObject({ type: 'DELIVERY_FAILED' });
    expect(received).toEqual([]);
    const { knex } = shop.database;
    await knex('outbox')
      .where({ run_id: run.runId })
      .update({ claimed_until: knex.raw(`now() - interval '1 second'`) });
    expect(await shop.perform('deliverOutbox', { run })).toMatchObject({ delivered: 2, pending: 0 });
  });

  test('is not delivered by a redirect: the page behind it would answer 200 to anything', async () => {
    const run = await publishedRun();
    answer = 302;
    await expect(shop.perform('deliverOutbox', { run })).rejects.toMatchObject({
      type: 'DELIVERY_FAILED',
      message: expect.stringContaining('it answered 302, and no redirect is followed'),
    });
    expect(received).toMatchObject([{ method: 'POST', url: `/hooks/${SECRET}` }]);
    expect((await outbox())[0]).toMatchObject({ delivered_at: null });
  });

  test('goes to an address with a name and a password, which become a header', async () => {
    secrets.SHOP_WEBHOOK = secrets.SHOP_WEBHOOK!.replace('//', '//ada:p%40ss%@');
    await shop.perform('deliverOutbox', { run: await publishedRun() });
    const basic = Buffer.from('ada:p@ss%').toString('base64');
    expect(received).toMatchObject([{ headers: { authorization: `Basic ${basic}` } }]);
  });

  test('is not waited for when the run is cancelled', async () => {
    const run = await publishedRun();
    answer = 'none';
    const environment = shop.environment();
    const delivering = shop.perform('deliverOutbox', { run }, environment);
    while (received.length === 0) await sleep(10);
    environment.cancel();
    await expect(delivering).rejects.toBeInstanceOf(CancelledFailure);
    expect(await shop.context.repositories.outbox.countUndelivered({ runId: run.runId })).toBeGreaterThan(0);
  });
});

describe('the address of a webhook, which may hold a secret, is in no error', () => {
  const faults: [string, (address: URL) => string | undefined, RegExp][] = [
    [
      'that no one listens at',
      (url) => url.href.replace(url.port, closedPort),
      /did not answer \(ECONNREFUSED\)/,
    ],
    [
      'whose name is unknown',
      (url) => url.href.replace('127.0.0.1', `${SECRET}.invalid`),
      /did not answer \(E[A-Z_]+\)/,
    ],
    ['that is none', () => `not an address ${SECRET}`, /needs http:\/\/… or https:\/\/… in SHOP_WEBHOOK/],
    ['that is none of the web', () => `ftp://${SECRET}.example.com`, /needs http:\/\//],
    ['that was not given', () => undefined, /needs its address in the worker's environment as SHOP_WEBHOOK/],
  ];

  test.each(faults)('an address %s', async (_, change, words) => {
    const address = change(new URL(secrets.SHOP_WEBHOOK!));
    if (address === undefined) delete secrets.SHOP_WEBHOOK;
    else secrets.SHOP_WEBHOOK = address;
    const run = await publishedRun();
    const error = await shop.perform('deliverOutbox', { run }).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ type: 'DELIVERY_FAILED', message: expect.stringMatching(words) });
    const { message, stack, cause, details } = error as Error & { details: unknown };
    const told = JSON.stringify([message, stack, String(cause), details, await outbox()]);
    expect(told).toContain('SHOP_WEBHOOK');
    expect(told).not.toContain(SECRET);
  });
});
