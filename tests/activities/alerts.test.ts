import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { AlertSettings } from '../../pipelines/contracts/alert-settings.ts';
import type { Definition } from '../../pipelines/contracts/definition.ts';
import type { Run } from '../../pipelines/contracts/run.ts';
import type { Closing, Match, Naming } from '../../pipelines/contracts/stages.ts';
import { decodeJson, encodeJson } from '../../store/artifacts/json.ts';
import type { MovementRow } from '../../store/postgres/stability.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { fakeRef } from '../helpers/fake-stages.ts';
import { memberships, segment, segmentation } from '../store/postgres/fixture.ts';

let shop: ActivityShop;

beforeAll(async () => {
  const alerts = {
    rules: [
      { name: 'flow', kind: 'flow', owner: 'CRM' },
      { name: 'unstable', kind: 'verdict', severity: 'critical' },
    ],
  };
  shop = await openActivityShop({
    definition: {
      ...{ notify: [{ kind: 'log', name: 'ops' }], alerts: alerts as unknown as AlertSettings },
    } as Partial<Definition>,
  });
}, 60_000);

afterAll(() => shop?.close());
afterEach(() => shop.database.clear());

interface Persisted {
  run: Run;
  match: Match;
  naming: Naming;
}

/** A run with two segments of 1,000 customers each, `moved` of whom went from the first to the second. */
async function persisted(month: number, moved: number): Promise<Persisted> {
  const { execution: workflow } = await shop.openWorkflow();
  const asOf = `2026-${String(month).padStart(2, '0')}-01`;
  const { run } = await shop.perform('openRun', { input: { asOf }, workflow, scheduledAt: null });
  const { runs, segmentations, memberships: members, stability, publications } = shop.context.repositories;
  const base = await publications.current('shop');
  await runs.describeExtract(run.runId, { asOf, watermark: asOf, rowsRead: 1 });
  const segments = ['seg_0', 'seg_1'].map((id) =>
    segment(id, { customers: 1000, event: base === null ? 'born' : 'survived', name: `Group ${id}` }),
  );
  await segmentations.save(run.runId, segmentation(segments));
  await members.load(run.runId, memberships(['ann', 'bob'], ['seg_0', 'seg_1']));
  const movements: MovementRow[] = [
    { from: 'seg_0', to: 'seg_1', cause: 'behaviour', customers: moved, spendCents: moved * 100 },
    { from: 'seg_1', to: 'seg_0', cause: 'behaviour', customers: 40 + month, spendCents: 1 },
  ];
  await stability.save(run.runId, { movements: base === null ? [] : movements, metrics: [] });
  return {
    run,
    match: {
      ...{
        base: base && { publicationId: base.publicationId, runId: base.runId },
        segments: [],
        retired: [],
        ms: 0,
      },
      identities: fakeRef('identities'),
    },
    naming: { segments: [], names: fakeRef('names'), ms: 0 },
  };
}

const publish = (persistedRun: Persisted, attempt = 1, review: string | null = null) =>
  shop.perform('publishRun', { ...persistedRun, review, verdict: 'stable' }, shop.environment(attempt));
const alerts = () => shop.database.knex('alerts').orderBy('opened_at');
const messages = () => shop.database.knex('outbox').where('event', 'like', 'alerts.%');

/** Publications that say what is usual, then a run in which three times as many go. */
async function eventful(): Promise<Persisted> {
  for (let month = 1; month <= 5; month++) await publish(await persisted(month, 50 - month));
  return persisted(6, 160);
}

function closingOf({ run }: Persisted, outcome: Closing['outcome'], reasons: string[]): Closing {
  const { runId, kind, pipeline, asOf, workflow } = run;
  const counts = { rowsRead: 0, rowsAccepted: 0, rowsQuarantined: 0, quarantinedBy: [], customers: 2 };
  return {
    ...{ runId, kind, pipeline, asOf, workflow, counts, k: 2, quality: null, stages: [] },
    ...{ outcome, reasons, segments: [], verdict: 'unstable' },
  };
}

describe('a publication', () => {
  test('makes its alerts once: after an answer that was lost, and after a crash before the result was kept', async () => {
    const run = await eventful();
    expect(await alerts()).toEqual([]);
    const first = await publish(run);
    expect(await alerts()).toMatchObject([
      { rule: 'flow', subject: 'seg_1:seg_0', owner: 'CRM', opened_in_run: run.run.runId, occurrences: 1 },
    ]);
    expect(await messages()).toHaveLength(1);
    const left = await shop.snapshot();
    expect(await publish(run, 2)).toEqual(first);
    await shop.forgetSteps(run.run.runId);
    expect(await publish(run, 3)).toMatchObject({ publicationId: first.publicationId });
    expect((await shop.snapshot()).rows).toEqual(left.rows);
  }, 120_000);

  test('tells no customer', async () => {
    await publish(await eventful());
    const told = JSON.stringify([await alerts(), await messages()]);
    expect(told).toContain('seg_0');
    expect(told).not.toMatch(/\bann\b|\bbob\b/);
  }, 120_000);
});

test('in the quiet hours a publication waits, but for its line in the log', async () => {
  const { artifacts } = shop.context;
  const quiet = await persisted(1, 0);
  const frozen = decodeJson(await artifacts.read(quiet.run.definition)) as Definition;
  const clock = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
  const quietHours = { from: clock(-1), to: clock(1), criticalBreaksThrough: true };
  const changed = {
    ...frozen,
    alerts: { ...frozen.alerts, quietHours },
    notify: [{ kind: 'log' }, { kind: 'slack', urlFrom: 'CHAT' }],
  };
  quiet.run.definition = await artifacts.write('definition', encodeJson(changed), {
    ...{ runId: quiet.run.runId, ending: 'json', rows: 1 },
  });
  await publish(quiet);
  expect(await shop.database.knex('outbox').orderBy('message_id')).toMatchObject([
    { event: 'run.published', channel: '0:log', not_before: null },
    { event: 'run.published', channel: '1:slack', not_before: expect.any(Date) },
  ]);
}, 120_000);

test('a run that is not published makes no alert about what it found', async () => {
  const run = await eventful();
  await shop.perform('closeRun', { run: run.run, closing: closingOf(run, 'rejected', ['no']) });
  expect(await alerts()).toEqual([]);
}, 120_000);

test('a run that is held tells so once and at once, and that is over when it is rejected', async () => {
  const run = await eventful();
  const hold = () =>
    shop.perform('holdRun', { run: run.run, closing: closingOf(run, 'held', ['the model changed']) });
  await hold();
  const left = await shop.snapshot();
  await hold();
  expect((await shop.snapshot()).rows).toEqual(left.rows);
  expect(await alerts()).toMatchObject([
    {
      rule: 'unstable',
      subject: run.run.runId,
      state: 'open',
      title: 'the run waits for a person: the model changed',
    },
  ]);
  // Handed to a workflow that no receiver can hold up.
  expect(await messages()).toMatchObject([{ event: 'alerts.held', delivered_at: null, attempts: 0 }]);
  const handle = shop.client.workflow.getHandle('deliver/shop');
  expect(await handle.describe()).toMatchObject({ type: 'deliverMessages', status: { name: 'RUNNING' } });
  await handle.terminate();
  expect(await shop.database.knex('published_alerts')).toEqual([]);
  await shop.perform('closeRun', { run: run.run, closing: closingOf(run, 'rejected', ['no']) });
  expect(await alerts()).toMatchObject([{ state: 'resolved', resolved_note: 'the run has ended: rejected' }]);
}, 120_000);

test('a held run that is published after all has its findings told then, and waits no more', async () => {
  const run = await eventful();
  await shop.perform('holdRun', { run: run.run, closing: closingOf(run, 'held', ['the model changed']) });
  await shop.perform('publishRun', { ...run, review: 'Ada', verdict: 'unstable' });
  expect(await alerts()).toMatchObject([
    { rule: 'unstable', subject: run.run.runId, state: 'resolved' },
    { rule: 'flow', state: 'open' },
  ]);
}, 120_000);

test('a held run that is kept aside waits no more once it is published, and changes no other alert', async () => {
  await publish(await eventful());
  const before = await alerts();
  const aside = await persisted(3, 160);
  const { run } = aside;
  run.beforePublished = 'aside';
  await shop.perform('holdRun', { run, closing: closingOf(aside, 'held', ['a person is asked always']) });
  expect(await alerts()).toHaveLength(before.length + 1);
  const [base] = await shop.database.knex('publications').orderBy('publication_id');
  aside.match.base = { publicationId: base.publication_id, runId: base.run_id };
  await shop.perform('publishRun', { ...aside, review: 'Ada', verdict: 'unstable' });
  await shop.perform('closeRun', { run, closing: closingOf(aside, 'published', []) });
  expect(await alerts().where({ subject: run.runId })).toMatchObject([
    { state: 'resolved', resolved_note: 'the run was published' },
  ]);
  expect(await alerts().whereNot({ subject: run.runId })).toEqual(before);
}, 120_000);
