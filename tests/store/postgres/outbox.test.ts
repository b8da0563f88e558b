import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createRepositories, type Repositories } from '../../../store/postgres/repositories.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';
import { persistRun } from './fixture.ts';

let database: TestDatabase;
let repositories: Repositories;

beforeAll(async () => {
  database = await testDatabase({ migrated: false });
  repositories = createRepositories(database.knex);
}, 60_000);

afterAll(() => database?.drop());

beforeEach(async () => {
  await database.clear();
  await persistRun(repositories, 'a');
  await repositories.publications.publish({
    pipeline: 'shop',
    runId: 'a',
    expectedBase: null,
    review: 'Ada: looks right',
    messages: ['log', 'webhook:CRM_URL', 'webhook:ADS_URL'].map((channel) => ({
      event: 'run.published',
      channel,
      payload: { runId: 'a', segments: [1, 2] },
    })),
  });
});

const RUN = { runId: 'a' };

const claim = (limit = 10, leaseSeconds?: number) =>
  repositories.outbox.claim(
    { runId: 'a' },
    { limit, ...(leaseSeconds === undefined ? {} : { leaseSeconds }) },
  );

test('a claimed message tells all that its delivery needs', async () => {
  const [first, ...others] = await claim();
  expect(first).toMatchObject({
    pipeline: 'shop',
    runId: 'a',
    event: 'run.published',
    channel: 'log',
    payload: { runId: 'a', segments: [1, 2] },
    attempts: 1,
  });
  expect(others.map(({ channel }) => channel)).toEqual(['webhook:CRM_URL', 'webhook:ADS_URL']);
});

test('a scope of another run or pipeline has none', async () => {
  expect(await repositories.outbox.claim({ runId: 'b' }, { limit: 10 })).toEqual([]);
  expect(await repositories.outbox.claim({ pipeline: 'other' }, { limit: 10 })).toEqual([]);
  expect(await repositories.outbox.claim({ pipeline: 'shop' }, { limit: 2 })).toHaveLength(2);
});

test('many deliverers at once each get messages of their own', async () => {
  const claims = await Promise.all(Array.from({ length: 8 }, () => claim(1)));
  const ids = claims.flat().map(({ messageId }) => messageId);
  expect(ids).toHaveLength(3);
  expect(new Set(ids).size).toBe(3);
});

test('a delivered message is never claimed again', async () => {
  const messages = await claim();
  for (const { messageId } of messages) await repositories.outbox.markDelivered(messageId);
  expect(await repositories.outbox.countUndelivered({ runId: 'a' })).toBe(0);
  await repositories.outbox.markFailed(messages[0]!.messageId, 'an answer that came late', RUN);
  expect(await claim()).toEqual([]);
  expect(await repositories.outbox.countUndelivered({ runId: 'a' })).toBe(0);
});

test('a failed one is free at once, with its reason and its attempts', async () => {
  const [message] = await claim(1);
  await repositories.outbox.markFailed(message!.messageId, 'x'.repeat(9_000), RUN);
  const again = (await claim()).find(({ messageId }) => messageId === message!.messageId);
  expect(again).toMatchObject({ attempts: 2 });
  const row = await database.knex('outbox').where({ message_id: message!.messageId }).first();
  expect(row.last_error).toHaveLength(500);
});

test('what a killed deliverer held is free when its lease ends, and counts as undelivered until then', async () => {
  expect(await claim(10, 0)).toHaveLength(3);
  expect(await claim(10, 3600)).toHaveLength(3);
  expect(await claim()).toEqual([]);
  expect(await repositories.outbox.countUndelivered({ runId: 'a' })).toBe(3);
});

test('of messages claimed one by one none comes twice, though it failed and is free again', async () => {
  const tried: number[] = [];
  for (;;) {
    const [message] = await repositories.outbox.claim({ runId: 'a' }, { limit: 1, except: tried });
    if (!message) break;
    tried.push(message.messageId);
    await repositories.outbox.markFailed(message.messageId, 'no answer', RUN);
  }
  expect(new Set(tried).size).toBe(3);
  expect(tried).toHaveLength(3);
});

test('a message that fails again and again does not keep the others waiting', async () => {
  const [first] = await claim(1);
  await repositories.outbox.markFailed(first!.messageId, 'no answer', RUN);
  const next = await claim(3);
  expect(next.map(({ attempts }) => attempts).sort()).toEqual([1, 1, 2]);
  for (const { messageId } of next) await repositories.outbox.markFailed(messageId, 'no answer', RUN);
  const [again] = await claim(1);
  expect(again!.messageId).not.toBe(first!.messageId);
});

test('one that failed rests longer each time before those who deliver for the pipeline have it again', async () => {
  const rests: number[] = [];
  for (let round = 0; round < 12; round++) {
    await database.knex('outbox').update({ retry_at: null });
    const [message] = await repositories.outbox.claim({ pipeline: 'shop' }, { limit: 1 });
    await repositories.outbox.markFailed(message!.messageId, 'it answered 500', { pipeline: 'shop' });
    await database.knex('outbox').whereNot({ message_id: message!.messageId }).delete();
    expect(await repositories.outbox.claim({ pipeline: 'shop' }, { limit: 1 })).toEqual([]);
    rests.push(Math.round((await repositories.outbox.secondsToNext('shop'))!));
  }
  expect(rests).toEqual([60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 21600, 21600, 21600]);
});

test('the attempts of a run, however many, leave a rest of a minute to those who deliver after it', async () => {
  const { outbox } = repositories;
  for (let attempt = 0; attempt < 20; attempt++) {
    for (const { messageId } of await claim()) await outbox.markFailed(messageId, 'it answered 500', RUN);
  }
  expect(Math.round((await outbox.secondsToNext('shop'))!)).toBe(60);
  await database.knex('outbox').update({ retry_at: null });
  for (const { messageId } of await outbox.claim({ pipeline: 'shop' }, { limit: 9 })) {
    await outbox.markFailed(messageId, 'it answered 500', { pipeline: 'shop' });
  }
  expect(Math.round((await outbox.secondsToNext('shop'))!)).toBe(60);
});

test('a postponed message is nobody’s until its time, and is no fault', async () => {
  await database.knex('outbox').update({ not_before: database.knex.raw(`now() + interval '1 hour'`) });
  expect(await claim()).toEqual([]);
  expect(await repositories.outbox.claim({ pipeline: 'shop' }, { limit: 9 })).toEqual([]);
  expect(await repositories.outbox.countUndelivered({ runId: 'a' })).toBe(3);
  expect(await repositories.outbox.countUndelivered({ runId: 'a' }, { due: true })).toBe(0);
  expect(await repositories.outbox.secondsToNext('shop')).toBeCloseTo(3600, -1);
  await database.knex('outbox').update({ not_before: database.knex.raw(`now() - interval '1 second'`) });
  expect(await repositories.outbox.secondsToNext('shop')).toBe(0);
  expect(await claim()).toHaveLength(3);
  expect(await repositories.outbox.waiting('shop')).toMatchObject([{ attempts: 1 }, {}, {}]);
  for (const { messageId } of await claimedIds()) {
    await repositories.outbox.markDelivered(messageId);
  }
  expect(await repositories.outbox.secondsToNext('shop')).toBeNull();
});

const claimedIds = () => database.knex('outbox').select<{ messageId: number }[]>({ messageId: 'message_id' });
