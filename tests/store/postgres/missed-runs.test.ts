import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Finding } from '../../../pipelines/contracts/alerts.ts';
import type { KnownMissed, MissedChanges, MissedTime } from '../../../pipelines/contracts/missed-runs.ts';
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

beforeEach(() => database.clear());

const day = (number: number) => `2026-06-0${number}T02:30:00.000Z`;
const missed = (number: number): MissedTime => ({ schedule: 'nightly', dueAt: day(number), cause: 'missed' });

function finding(changes: Partial<Finding> = {}): Finding {
  return {
    ...{
      rule: 'missed-run',
      kind: 'missed-run',
      severity: 'warning',
      owner: 'CRM',
      channels: null,
      worseBy: 0,
    },
    ...{ subject: `nightly:${day(1)}`, magnitude: 1, title: 'nightly has no run', details: ['why'] },
    ...{ customers: null, spendCents: null, features: [], pValue: null },
    ...changes,
  };
}

const NOTHING: MissedChanges = { opened: [], changed: [], met: [], resolved: [], messages: [] };
const opens = (alertId: string, ...numbers: number[]): MissedChanges => ({
  ...NOTHING,
  opened: [
    { alertId, finding: finding({ subject: `nightly:${day(numbers[0]!)}` }), times: numbers.map(missed) },
  ],
  messages: [
    {
      ...{ alertId, event: 'alerts.missed', channel: '0:log', settings: { kind: 'log' } },
      ...{ payload: { event: 'alerts' }, notBefore: null },
    },
  ],
});

const record = (changes: MissedChanges | ((known: KnownMissed[]) => MissedChanges)) =>
  repositories.missedRuns.record({
    ...{ pipeline: 'shop', definitionSha256: 'a'.repeat(64), since: day(1) },
    decide: typeof changes === 'function' ? changes : () => changes,
  });
const known = (since = day(1)) => repositories.missedRuns.known('shop', since);

test('of a pipeline that never ran are kept, with the alert and its message, and no run', async () => {
  await record(opens('alr_1', 1, 2));
  expect(await repositories.alerts.list({ pipeline: 'shop' })).toMatchObject([
    {
      ...{ alertId: 'alr_1', rule: 'missed-run', owner: 'CRM', state: 'open', title: 'nightly has no run' },
      ...{ openedInRun: null, lastSeenRun: null, occurrences: 2 },
    },
  ]);
  expect(await known()).toEqual(
    [1, 2].map((number) => ({ ...missed(number), alertId: 'alr_1', isOpen: true, isMet: false })),
  );
  const [message] = await repositories.outbox.claim({ alertId: 'alr_1' }, { limit: 9 });
  expect(message).toMatchObject({ runId: null, alertId: 'alr_1', event: 'alerts.missed' });
});

test('are told once: of two that decide at once the second knows what the first has kept', async () => {
  const asked: number[] = [];
  const once = (alreadyKnown: KnownMissed[]) => {
    asked.push(alreadyKnown.length);
    return alreadyKnown.length > 0 ? NOTHING : opens('alr_1', 1);
  };
  await Promise.all([1, 2, 3].map(() => record(once)));
  expect(asked.sort()).toEqual([0, 1, 1]);
  expect(await repositories.alerts.list()).toHaveLength(1);
  // Whatever a rule may say.
  await expect(record(opens('alr_2', 1))).rejects.toThrow();
  expect(await repositories.outbox.countUndelivered({ pipeline: 'shop' })).toBe(1);
});

test('that were made up for end their alert in the name of Strata; a person was first stays', async () => {
  await record(opens('alr_1', 1, 2));
  await record(opens('alr_2', 3));
  await repositories.alerts.resolve('alr_2', { author: 'Ada', note: null });
  expect(await repositories.missedRuns.earliestOpen()).toBe(day(1));
  const met = [1, 2, 3].map((number) => ({ schedule: 'nightly', dueAt: day(number) }));
  await record({ ...NOTHING, met, resolved: ['alr_1', 'alr_2'] });
  expect(await repositories.alerts.get('alr_1')).toMatchObject({
    state: 'resolved',
    resolved: { by: 'strata' },
  });
  expect(await repositories.alerts.get('alr_2')).toMatchObject({ resolved: { by: 'Ada' } });
  expect((await known()).map(({ isMet, isOpen }) => [isMet, isOpen])).toEqual([
    [true, false],
    [true, false],
    [true, false],
  ]);
  expect(await repositories.missedRuns.earliestOpen()).toBeNull();
});

test('that join an alert are counted with it, and it is not sent again', async () => {
  await record(opens('alr_1', 1));
  await record({
    ...NOTHING,
    changed: [{ alertId: 'alr_1', finding: finding({ title: 'for 2', magnitude: 2 }), times: [missed(2)] }],
  });
  expect(await repositories.alerts.list()).toMatchObject([{ title: 'for 2', occurrences: 2 }]);
  expect(await repositories.outbox.countUndelivered({ pipeline: 'shop' })).toBe(1);
});

test('of long ago are asked for only while somebody is to look at them', async () => {
  await record(opens('alr_1', 1));
  await record(opens('alr_2', 2));
  await repositories.alerts.resolve('alr_1', { author: 'Ada', note: null });
  expect((await known(day(5))).map(({ alertId }) => alertId)).toEqual(['alr_2']);
});

test('are no business of a run: it is neither told of their alerts nor ends them', async () => {
  await record(opens('alr_1', 1));
  await persistRun(repositories, 'a');
  await repositories.publications.publish({
    ...{ pipeline: 'shop', runId: 'a', expectedBase: null, review: null, messages: [] },
    alerts: ({ open }) => {
      expect(open).toEqual([]);
      return { opened: [], repeated: [], silent: [], resolved: [], messages: [] };
    },
  });
  expect(await repositories.alerts.get('alr_1')).toMatchObject({ state: 'open' });
  expect(await database.knex('published_alerts')).toEqual([]);
});

test('a message is about a run or about an alert, never about both or neither', async () => {
  await record(opens('alr_1', 1));
  await persistRun(repositories, 'a');
  const message = { pipeline: 'shop', event: 'alerts.x', channel: '0:log', payload: '{}' };
  const { knex } = database;
  for (const about of [{}, { run_id: 'a', alert_id: 'alr_1' }])
    await expect(knex('outbox').insert({ ...message, ...about })).rejects.toMatchObject({ code: '23514' });
  await knex('outbox').insert({ ...message, alert_id: 'alr_1' });
  await expect(knex('outbox').insert({ ...message, alert_id: 'alr_1' })).rejects.toMatchObject({
    code: '23505',
  });
});
