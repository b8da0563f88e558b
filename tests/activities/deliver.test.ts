import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { send } from '../../activities/channels.ts';
import type { AlertMessage } from '../../pipelines/contracts/alerts.ts';
import type { Channel } from '../../pipelines/contracts/channels.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { Run } from '../../pipelines/contracts/run.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { memberships, segment, segmentation } from '../store/postgres/fixture.ts';

const PASSWORD = 'pa55-secret';
const CHAT: Channel = { kind: 'slack', urlFrom: 'CHAT' };
const MAIL: Channel = {
  kind: 'email',
  smtpFrom: 'SMTP',
  from: 'strata@example.com',
  to: ['crm@example.com'],
};

let shop: ActivityShop;
let http: Server;
let smtp: SMTPServer;
let posts: { key: string; body: unknown }[];
let letters: string[];
/** Of each letter. */
let takers: string[][];
let mailboxesGone: string[];
let httpAnswer: number;
let isMailRefused: boolean;
const secrets: Record<string, string> = {};

beforeAll(async () => {
  http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      posts.push({
        key: String(request.headers['idempotency-key']),
        body: JSON.parse(Buffer.concat(chunks).toString('utf8')),
      });
      response.writeHead(httpAnswer).end();
    });
  });
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  smtp = new SMTPServer({
    authMethods: ['PLAIN'],
    // Over a plain connection of this machine alone.
    allowInsecureAuth: true,
    hideSTARTTLS: true,
    onAuth: ({ username, password }, _session, answer) =>
      password === PASSWORD ? answer(null, { user: username! }) : answer(new Error(`wrong: ${password}`)),
    onRcptTo: ({ address }, _session, done) =>
      mailboxesGone.includes(address)
        ? done(Object.assign(new Error(`no such user ${PASSWORD}`), { responseCode: 550 }))
        : done(),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (isMailRefused) {
          done(Object.assign(new Error('try again later'), { responseCode: 451 }));
          return;
        }
        letters.push(Buffer.concat(chunks).toString('utf8'));
        takers.push(session.envelope.rcptTo.map(({ address }) => address));
        done();
      });
    },
  });
  await new Promise<void>((listening) => {
    smtp.listen(0, '127.0.0.1', listening);
  });
  shop = await openActivityShop({ secrets });
}, 60_000);

afterAll(async () => {
  http?.closeAllConnections();
  http?.close();
  await new Promise<void>((closed) => smtp.close(closed));
  await shop?.close();
});

beforeEach(() => {
  [posts, letters, takers, mailboxesGone, httpAnswer, isMailRefused] = [[], [], [], [], 200, false];
  secrets.CHAT = `http://127.0.0.1:${(http.address() as AddressInfo).port}/hook`;
  secrets.SMTP = `smtp://strata:${PASSWORD}@127.0.0.1:${(smtp.server.address() as AddressInfo).port}`;
});

afterEach(() => shop.database.clear());

const digest = {
  ...{
    event: 'alerts',
    pipeline: 'shop',
    runId: 'run_7',
    asOf: '2026-06-30',
    moment: 'published',
    currency: 'EUR',
  },
  alerts: [
    {
      ...{ alertId: 'alr_1', rule: 'segment-size', severity: 'warning', owner: null, subject: 'seg_0' },
      ...{ title: '“Stammkäufer” shrank', details: [], customers: 100, spendCents: 5_000, features: [] },
      ...{ gotWorse: false, lookAt: 'npm run strata -- alerts show alr_1' },
    },
  ],
};

/** A published run with a message of alerts for each of these channels. */
async function runWithAlerts(
  channels: Channel[],
  changes: Partial<AlertMessage> = {},
  base: number | null = null,
): Promise<{ run: Run; publicationId: number }> {
  const { execution: workflow } = await shop.openWorkflow();
  const { run } = await shop.perform('openRun', { input: {}, workflow, scheduledAt: null });
  const { segmentations, memberships: members, publications } = shop.context.repositories;
  const segments = [segment('seg_0', { event: base === null ? 'born' : 'survived' })];
  await segmentations.save(run.runId, segmentation(segments));
  await members.load(run.runId, memberships(['1001'], ['seg_0']));
  const messages = channels.map((settings, i) => ({
    ...{
      event: 'alerts.published',
      channel: `${i}:${settings.kind}`,
      settings,
      payload: digest,
      notBefore: null,
    },
    ...changes,
  }));
  const alerts = () => ({ opened: [], repeated: [], silent: [], resolved: [], messages });
  const { publicationId } = await publications.publish({
    ...{ pipeline: run.pipeline, runId: run.runId, expectedBase: base, review: null, messages: [], alerts },
  });
  return { run, publicationId };
}

const knex = () => shop.database.knex('outbox').orderBy('message_id');
const rested = () => shop.database.knex('outbox').update({ retry_at: null });

describe('an alert', () => {
  test('is a letter over SMTP: who it is from, what moved, and an id by which it is known again', async () => {
    const { run } = await runWithAlerts([MAIL]);
    expect(await shop.perform('deliverOutbox', { run })).toMatchObject({ delivered: 1, pending: 0 });
    const [message] = await knex();
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatch(/^From: strata@example\.com\r$/m);
    expect(letters[0]).toMatch(/^To: crm@example\.com\r$/m);
    expect(letters[0]).toContain(`Message-ID: <strata-${message.message_id}-${run.runId}@example.com>`);
    // Without the soft line breaks of quoted-printable.
    expect(letters[0]!.replaceAll('=\r\n', '')).toContain('look at: npm run strata -- alerts show alr_1');
  });

  test('is text and blocks in a chat', async () => {
    const { run } = await runWithAlerts([CHAT]);
    await shop.perform('deliverOutbox', { run });
    expect(posts).toMatchObject([
      { body: { text: 'shop: warning: “Stammkäufer” shrank', blocks: [{}, {}] } },
    ]);
  });
});

test('a receiver that answers 500 for a day loses nothing: a later run brings it, with the same key', async () => {
  httpAnswer = 500;
  isMailRefused = true;
  const first = await runWithAlerts([CHAT, MAIL]);
  await expect(shop.perform('deliverOutbox', { run: first.run })).rejects.toMatchObject({
    type: 'DELIVERY_FAILED',
    message: expect.stringMatching(/slack of CHAT.*answered 500.*email by SMTP.*answered 451/),
  });
  // A run of the next hour: it has nothing of its own, and is not held up by what still fails.
  const second = await runWithAlerts([], {}, first.publicationId);
  expect(await shop.perform('deliverOutbox', { run: second.run })).toMatchObject({
    delivered: 0,
    pending: 0,
  });
  expect(posts).toHaveLength(1);
  await rested();
  await shop.forgetSteps(second.run.runId);
  await shop.perform('deliverOutbox', { run: second.run });
  expect(await knex()).toMatchObject([
    {
      attempts: 2,
      delivered_at: null,
      retry_at: expect.any(Date),
      last_error: expect.stringContaining('500'),
    },
    {
      attempts: 2,
      delivered_at: null,
      retry_at: expect.any(Date),
      last_error: expect.stringContaining('451'),
    },
  ]);
  // The next day.
  [httpAnswer, isMailRefused] = [200, false];
  await rested();
  expect(await shop.perform('deliverPipeline', { pipeline: 'shop' })).toEqual({ secondsToNext: null });
  expect(new Set(posts.map(({ key }) => key)).size).toBe(1);
  expect(letters).toHaveLength(1);
  expect(await knex().whereNull('delivered_at')).toEqual([]);
  await shop.perform('deliverPipeline', { pipeline: 'shop' });
  expect(letters).toHaveLength(1);
}, 30_000);

test('a letter that a mailbox refuses comes again to that one alone', async () => {
  mailboxesGone = ['oncall@example.com'];
  const both = { ...MAIL, to: ['crm@example.com', 'oncall@example.com'] };
  const { run } = await runWithAlerts([both]);
  await expect(shop.perform('deliverOutbox', { run })).rejects.toMatchObject({
    type: 'DELIVERY_FAILED',
    message: expect.stringMatching(/for all of 2 addresses, it refused 1 and answered 550$/),
  });
  expect(await knex()).toMatchObject([
    {
      delivered_at: null,
      last_error: expect.stringContaining('refused 1 and answered 550'),
      settings: { ...MAIL, to: ['oncall@example.com'] },
    },
  ]);
  await expect(shop.perform('deliverOutbox', { run })).rejects.toMatchObject({
    message: expect.stringContaining('it answered 550'),
  });
  mailboxesGone = [];
  expect(await shop.perform('deliverOutbox', { run })).toMatchObject({ delivered: 1, pending: 0 });
  expect(takers).toEqual([['crm@example.com'], ['oncall@example.com']]);
}, 30_000);

test('that a run is held is told as over once the run has ended', async () => {
  const { run } = await runWithAlerts([CHAT], { event: 'alerts.held' });
  await knex().update({ payload: JSON.stringify({ ...digest, moment: 'held' }) });
  const { knex: sql } = shop.database;
  const told = async (outcome: string) => {
    await sql('runs').where({ run_id: run.runId }).update({ outcome });
    await knex().update({ delivered_at: null });
    await shop.perform('deliverPipeline', { pipeline: run.pipeline });
    return JSON.stringify(posts.at(-1)?.body);
  };
  expect(await told('held')).toContain('is held. Readers see');
  expect(await told('rejected')).toContain(
    'was held, and is rejected by now. There is nothing left to decide.',
  );
  expect(posts[1]!.key).toBe(posts[0]!.key);
});

test('a message of before channels were kept with it is delivered by its run’s definition', async () => {
  const { run } = await runWithAlerts([CHAT]);
  await knex().update({ settings: null, channel: '0:log' });
  expect(await shop.perform('deliverPipeline', { pipeline: run.pipeline })).toEqual({ secondsToNext: null });
  expect(posts).toEqual([]);
});

test('what quiet hours postpone is no fault of the run, and is handed to a workflow that outlives it', async () => {
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  const { run } = await runWithAlerts([CHAT], { notBefore: soon });
  expect(await shop.perform('deliverOutbox', { run })).toMatchObject({ delivered: 0, pending: 1 });
  expect(posts).toEqual([]);
  const handle = shop.client.workflow.getHandle('deliver/shop');
  expect(await handle.describe()).toMatchObject({ type: 'deliverMessages', status: { name: 'RUNNING' } });
  await handle.terminate();
  const { secondsToNext } = await shop.perform('deliverPipeline', { pipeline: 'shop' });
  expect(secondsToNext).toBeGreaterThan(3_500);
});

describe('a message left by a run that never came to deliver it is handed to a workflow that outlives the run', () => {
  const handle = () => shop.client.workflow.getHandle('deliver/shop');
  const stateOfDelivery = async () =>
    (
      await handle()
        .describe()
        .catch(() => null)
    )?.status.name ?? 'not there';

  beforeEach(() =>
    handle()
      .terminate()
      .catch(() => undefined),
  );
  afterAll(() =>
    handle()
      .terminate()
      .catch(() => undefined),
  );

  test('when it is closed, though its disk has no room for a manifest', async () => {
    const { run } = await runWithAlerts([CHAT]);
    const { runId, kind, pipeline, asOf, workflow } = run;
    const counts = { rowsRead: 0, rowsAccepted: 0, rowsQuarantined: 0, quarantinedBy: [], customers: 1 };
    const nothing = { counts, k: null, segments: [], quality: null, stages: [], verdict: null, reasons: [] };
    const closing = { runId, kind, pipeline, asOf, workflow, ...nothing, outcome: 'failed' as const };
    const { artifacts } = shop.context;
    const { write } = artifacts;
    artifacts.write = async () => {
      throw new PipelineError('ARTIFACT_DISK_FULL', 'needs room');
    };
    await expect(shop.perform('closeRun', { run, closing })).rejects.toMatchObject({
      type: 'ARTIFACT_DISK_FULL',
    });
    artifacts.write = write;
    expect(await stateOfDelivery()).toBe('RUNNING');
  });

  test('when its workflow was terminated', async () => {
    const { run } = await runWithAlerts([CHAT]);
    await shop.client.workflow.getHandle(run.workflow.id).terminate();
    expect(await stateOfDelivery()).not.toBe('RUNNING');
    await shop.perform('keepHistory', { runId: run.runId, workflow: run.workflow });
    expect(await stateOfDelivery()).toBe('RUNNING');
  });

  test('when its definition cannot be read', async () => {
    const { run } = await runWithAlerts([CHAT]);
    const away = { ...run, definition: { ...run.definition, uri: 'definition/00/0.json' } };
    await expect(shop.perform('deliverOutbox', { run: away })).rejects.toThrow();
    expect(await stateOfDelivery()).toBe('RUNNING');
  });

  test('and nothing is started where nothing waits', async () => {
    const { run } = await runWithAlerts([]);
    await shop.perform('deliverOutbox', { run });
    await shop.perform('keepHistory', { runId: run.runId, workflow: run.workflow });
    expect(await stateOfDelivery()).not.toBe('RUNNING');
  });
});

test('neither the password nor the server’s words about it are in an error or in the database', async () => {
  secrets.SMTP = secrets.SMTP!.replace(PASSWORD, `${PASSWORD}-wrong`);
  const { run } = await runWithAlerts([MAIL]);
  const error = await shop.perform('deliverOutbox', { run }).catch((thrown: Error) => thrown);
  const { message, stack, cause } = error as Error;
  const told = JSON.stringify([message, stack, String(cause), await knex()]);
  expect(told).toContain('email by SMTP');
  expect(told).not.toContain(PASSWORD);
});

test.each([
  ['that no one listens at', 'smtp://127.0.0.1:1', /did not answer/],
  ['whose address is none', `smtp://strata:${PASSWORD}@[mail]:many`, /needs smtp:\/\/.* in SMTP/],
  ['that is none of SMTP', 'https://example.com', /needs smtp:\/\//],
  ['that was not given', undefined, /in the worker's environment as SMTP/],
])('a mail server %s is told by its variable', async (_, address, words) => {
  if (address === undefined) delete secrets.SMTP;
  else secrets.SMTP = address;
  const { run } = await runWithAlerts([MAIL]);
  await expect(shop.perform('deliverOutbox', { run })).rejects.toMatchObject({
    message: expect.stringMatching(words),
  });
});

test('a mail server that says nothing is waited for no longer than the delivery may take', async () => {
  const silent = createTcpServer();
  await new Promise<void>((listening) => {
    silent.listen(0, '127.0.0.1', listening);
  });
  secrets.SMTP = `smtp://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  await runWithAlerts([MAIL]);
  const [message] = await shop.context.repositories.outbox.claim({ pipeline: 'shop' }, { limit: 1 });
  const began = performance.now();
  await expect(
    send(shop.context, { channel: MAIL, message: message!, signal: AbortSignal.timeout(200) }),
  ).rejects.toMatchObject({ code: 'DELIVERY_FAILED', message: expect.stringContaining('did not answer') });
  // Its own patience for a greeting is ten seconds.
  expect(performance.now() - began).toBeLessThan(5_000);
  silent.close();
});
