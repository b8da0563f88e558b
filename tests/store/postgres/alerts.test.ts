import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AlertChanges, Finding } from '../../../pipelines/contracts/alerts.ts';
import type { DecideAlerts } from '../../../store/postgres/alerts.ts';
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
});

function finding(changes: Partial<Finding> = {}): Finding {
  return {
    ...{ rule: 'segment-size', kind: 'size-change', severity: 'warning', owner: 'CRM', channels: null },
    ...{ worseBy: 0.5, subject: 'seg_a_0', magnitude: 0.1, title: 'it shrank', details: [] },
    ...{ customers: 120, spendCents: 5_000, features: [], pValue: 0.001 },
    ...changes,
  } as Finding;
}

const nothing: AlertChanges = { opened: [], repeated: [], silent: [], resolved: [], messages: [] };
const opens =
  (alertId: string, changes: Partial<Finding> = {}): DecideAlerts =>
  () => ({
    ...nothing,
    opened: [{ alertId, finding: finding(changes) }],
    messages: [
      {
        ...{ event: 'alerts.published', channel: '0:log', settings: { kind: 'log' } },
        ...{ payload: { event: 'alerts' }, notBefore: null },
      },
    ],
  });

const publish = (runId: string, alerts: DecideAlerts, expectedBase: number | null = null) =>
  repositories.publications.publish({
    ...{ pipeline: 'shop', runId, expectedBase, review: null, messages: [], alerts },
  });

const messages = () => database.knex('outbox').where('event', 'like', 'alerts.%');

describe('alerts of a publication', () => {
  test('are kept with it, with who owns them and what moved, and their message waits in the outbox', async () => {
    await publish('a', opens('alr_1'));
    expect(await repositories.alerts.list({ pipeline: 'shop' })).toMatchObject([
      {
        ...{ alertId: 'alr_1', rule: 'segment-size', subject: 'seg_a_0', owner: 'CRM', state: 'open' },
        ...{ title: 'it shrank', occurrences: 1, openedInRun: 'a', lastSeenRun: 'a', acknowledged: null },
      },
    ]);
    expect(await messages()).toMatchObject([{ settings: { kind: 'log' }, delivered_at: null }]);
  });

  test('are not made twice by a publish that is repeated', async () => {
    await publish('a', opens('alr_1'));
    await publish('a', opens('alr_2'));
    expect(await repositories.alerts.list()).toHaveLength(1);
    expect(await messages()).toHaveLength(1);
  });

  test('are not there when the publication does not go through', async () => {
    await expect(publish('a', opens('alr_1'), 99)).rejects.toMatchObject({ code: 'PUBLICATION_STALE' });
    expect(await repositories.alerts.list({ all: true })).toEqual([]);
    expect(await database.knex('alert_checks')).toEqual([]);
  });

  test('are seen by readers, those of a run that is held are not', async () => {
    const request = { pipeline: 'shop', runId: 'a', moment: 'held' as const };
    await repositories.alerts.check({ ...request, decide: opens('alr_1', { subject: 'a' }) });
    expect(await database.knex('published_alerts')).toEqual([]);
    const { publicationId } = await publish('a', () => nothing);
    expect(await database.knex('published_alerts').pluck('alert_id')).toEqual(['alr_1']);
    await persistRun(repositories, 'b');
    await publish('b', opens('alr_2'), publicationId);
    expect(await database.knex('published_alerts').orderBy('alert_id').pluck('alert_id')).toEqual([
      'alr_1',
      'alr_2',
    ]);
  });
});

test('a run is asked once when it is held and once when it is published, which is told that it was held', async () => {
  const asked: boolean[] = [];
  const decide: DecideAlerts = ({ wasHeld }) => {
    asked.push(wasHeld);
    return nothing;
  };
  const held = { pipeline: 'shop', runId: 'a', moment: 'held' as const, decide };
  await repositories.alerts.check(held);
  await repositories.alerts.check(held);
  await publish('a', decide);
  await publish('a', decide);
  expect(asked).toEqual([false, true]);
});

test('a run that was closed before it is asked about as held makes no alert', async () => {
  const reason = 'its workflow ended';
  await repositories.runs.abandon('a', reason);
  await repositories.alerts.check({
    ...{ pipeline: 'shop', runId: 'a', moment: 'held', decide: opens('alr_1', { subject: 'a' }) },
  });
  expect(await repositories.alerts.list({ all: true })).toEqual([]);
  expect(await messages()).toEqual([]);
});

test('of two that ask at once about one run, one does', async () => {
  let asked = 0;
  const decide: DecideAlerts = (known) => {
    asked++;
    return opens('alr_1')(known);
  };
  const check = { pipeline: 'shop', runId: 'a', moment: 'held' as const, decide };
  await Promise.all([1, 2, 3, 4].map(() => repositories.alerts.check(check)));
  expect(asked).toBe(1);
  expect(await messages()).toHaveLength(1);
});

test('there is one unresolved alert of a rule and subject, and a new one once it is resolved', async () => {
  await publish('a', opens('alr_1'));
  const insert = (alertId: string) =>
    database.knex.raw(
      `insert into alerts select (jsonb_populate_record(a, '{"alert_id": "${alertId}", "state": "open",
         "resolved_at": null, "resolved_by": null, "resolved_note": null}')).* from alerts a limit 1`,
    );
  await expect(insert('alr_2')).rejects.toMatchObject({ code: '23505' });
  await repositories.alerts.resolve('alr_1', { author: 'Ada', note: 'campaign' });
  await insert('alr_2');
  expect(await repositories.alerts.list()).toMatchObject([{ alertId: 'alr_2' }]);
  expect(await repositories.alerts.list({ all: true })).toHaveLength(2);
});

test('seen again it is counted, and what got worse is open again though it was acknowledged', async () => {
  const { publicationId } = await publish('a', opens('alr_1'));
  await repositories.alerts.acknowledge('alr_1', { author: 'Ada', note: 'looking' });
  const again =
    (magnitude: number, isTold: boolean): DecideAlerts =>
    ({ open }) => {
      expect(open).toMatchObject([{ alertId: 'alr_1', rule: 'segment-size', subject: 'seg_a_0' }]);
      return { ...nothing, repeated: [{ alertId: 'alr_1', finding: finding({ magnitude }), isTold }] };
    };
  await persistRun(repositories, 'b');
  const b = await publish('b', again(0.12, false), publicationId);
  expect(await repositories.alerts.get('alr_1')).toMatchObject({
    ...{ state: 'acknowledged', occurrences: 2, lastSeenRun: 'b', openedInRun: 'a' },
    acknowledged: { by: 'Ada', note: 'looking' },
  });
  expect(await database.knex('alerts').first('magnitude', 'told_magnitude')).toEqual({
    ...{ magnitude: 0.12, told_magnitude: 0.1 },
  });
  await persistRun(repositories, 'c');
  await publish('c', again(0.2, true), b.publicationId);
  expect(await repositories.alerts.get('alr_1')).toMatchObject({
    state: 'open',
    occurrences: 3,
    acknowledged: null,
  });
  expect(await database.knex('alerts').first('told_magnitude')).toEqual({ told_magnitude: 0.2 });
});

test('silence is counted, and ends an alert in the name of Strata', async () => {
  const { publicationId } = await publish('a', opens('alr_1'));
  await persistRun(repositories, 'b');
  const b = await publish('b', () => ({ ...nothing, silent: ['alr_1'] }), publicationId);
  await persistRun(repositories, 'c');
  await publish(
    'c',
    ({ open }) => {
      expect(open).toMatchObject([{ silentRuns: 1 }]);
      return { ...nothing, resolved: ['alr_1'] };
    },
    b.publicationId,
  );
  expect(await repositories.alerts.get('alr_1')).toMatchObject({
    state: 'resolved',
    resolved: { by: 'strata' },
  });
});

describe('who handles an alert', () => {
  beforeEach(() => publish('a', opens('alr_1')));

  test('first, stands: another is told who it was', async () => {
    const first = await repositories.alerts.acknowledge('alr_1', { author: 'Ada', note: null });
    expect(first.isNew).toBe(true);
    const second = await repositories.alerts.acknowledge('alr_1', { author: 'Bob', note: 'me' });
    expect(second).toMatchObject({ isNew: false, alert: { acknowledged: { by: 'Ada', note: null } } });
    const ends = await Promise.all(
      ['Ada', 'Bob'].map((author) => repositories.alerts.resolve('alr_1', { author, note: null })),
    );
    expect(ends.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(ends[0]!.alert.resolved!.by).toBe(ends[1]!.alert.resolved!.by);
    expect(await repositories.alerts.acknowledge('alr_1', { author: 'Eve', note: null })).toMatchObject({
      ...{ isNew: false, alert: { state: 'resolved' } },
    });
  });

  test('needs one that there is', async () => {
    const by = { author: 'Ada', note: null };
    await expect(repositories.alerts.resolve('alr_9', by)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(repositories.alerts.get('alr_9')).rejects.toThrow(/alerts list --all/);
  });
});

test('the message that a run waits outlives the clean-up of that run, and its alert ends with it', async () => {
  const request = { pipeline: 'shop', runId: 'a', moment: 'held' as const };
  await repositories.alerts.check({ ...request, decide: opens('alr_1', { subject: 'a' }) });
  await repositories.cleanUp('a');
  expect(await messages()).toHaveLength(1);
  await repositories.alerts.settleHeld('a', 'rejected');
  expect(await repositories.alerts.get('alr_1')).toMatchObject({
    resolved: { by: 'strata', note: 'the run has ended: rejected' },
  });
});

test('a measurement has what a run and the one before were, under the names people know', async () => {
  const first = await publish('a', () => nothing);
  await persistRun(repositories, 'b');
  await database.knex('runs').where({ run_id: 'a' }).update({ as_of: '2026-05-31', version: 1 });
  await database.knex('runs').where({ run_id: 'b' }).update({ as_of: '2026-06-30', version: 1 });
  const [before, own] = await repositories.alerts.measure([
    { runId: 'a', baseRunId: null },
    { runId: 'b', baseRunId: 'a' },
  ]);
  expect(before).toMatchObject({ previousSegments: null, previousAsOf: null, asOf: '2026-05-31' });
  expect(own).toEqual({
    ...{ runId: 'b', asOf: '2026-06-30', previousAsOf: '2026-05-31', verdict: null },
    segments: ['seg_b_0', 'seg_b_1'].map((segmentId) => ({
      ...{ segmentId, name: `Name of ${segmentId}`, customers: 2, spendShare: 0.25, event: 'born' },
      ...{ isQuestionable: false, typical: ['orders 10 (all: 2)'] },
    })),
    previousSegments: before!.segments,
    movements: [{ from: null, to: 'seg_b_0', cause: 'behaviour', customers: 4, spendCents: 1250 }],
    metrics: [{ metric: 'adjusted-rand', subject: '', value: 0.9, threshold: 0.3 }],
  });
  await publish('b', () => nothing, first.publicationId);
  const published = await repositories.alerts.measurePublished('shop', { limit: 9 });
  expect(published.map(({ runId, previousSegments }) => [runId, previousSegments?.length])).toEqual([
    ['a', undefined],
    ['b', 2],
  ]);
  expect(await repositories.alerts.measurePublished('shop', { limit: 1 })).toMatchObject([{ runId: 'b' }]);
});

test('publications are in the order of their dates; what readers never saw, or is later, is no baseline', async () => {
  const { publications, alerts } = repositories;
  await publish('a', () => nothing);
  const last = await publicationOf('a');
  for (const [runId, isAside] of [
    ['aside', true],
    ['b', false],
  ] as const) {
    await persistRun(repositories, runId);
    await publications.publish({
      ...{ pipeline: 'shop', runId, expectedBase: last, review: null, messages: [], isAside },
    });
  }
  for (const [run_id, as_of] of [
    ['a', '2026-05-31'],
    ['b', '2026-07-31'],
    ['aside', '2026-06-30'],
  ])
    await database.knex('runs').where({ run_id }).update({ as_of, version: 1 });
  const runsOf = async (options: Parameters<typeof alerts.measurePublished>[1]) =>
    (await alerts.measurePublished('shop', options)).map(({ runId }) => runId);
  expect(await runsOf({ limit: 9 })).toEqual(['a', 'aside', 'b']);
  expect(await runsOf({ limit: 2 })).toEqual(['aside', 'b']);
  expect(await runsOf({ limit: 9, isSeen: true })).toEqual(['a', 'b']);
  expect(await runsOf({ limit: 9, upTo: '2026-06-30' })).toEqual(['a', 'aside']);
  expect(await runsOf({ limit: 9, upTo: '2026-06-30', isSeen: true })).toEqual(['a']);
});

const publicationOf = async (runId: string) => (await repositories.publications.ofRun(runId))!.publicationId;

test('whether a name holds is said of the name in force, as readers see it', async () => {
  const { publicationId } = await publish('a', () => nothing);
  const { knex } = database;
  await knex('segment_snapshots').where({ run_id: 'a' }).update({ name_status: 'questionable' });
  const flags = async () => {
    const [measured] = await repositories.alerts.measure([{ runId: 'a', baseRunId: null }]);
    return measured!.segments.map(({ isQuestionable }) => isQuestionable);
  };
  const seen = async () =>
    (await knex('published_segments').orderBy('segment_id').pluck('name_status')).map(
      (status) => status === 'questionable',
    );
  expect(await flags()).toEqual([true, true]);
  // A person's own name claims nothing; a proposal that was accepted was judged when it was given.
  const inForce = (segment_id: string) =>
    knex('segment_names').where({ segment_id }).whereNotNull('valid_from').whereNull('valid_to');
  await inForce('seg_a_0').update({ name: 'Our best', author: 'manual', given_by: 'Ada' });
  await inForce('seg_a_1').update({ name: 'Accepted', status_when_given: 'holds' });
  expect(await flags()).toEqual([false, false]);
  expect(await seen()).toEqual(await flags());
  // Once readers see another run, the doubt that there was is history: no rename takes it back.
  await persistRun(repositories, 'b');
  await publish('b', () => nothing, publicationId);
  expect(await flags()).toEqual([true, true]);
});
