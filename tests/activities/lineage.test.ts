import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { abandonRun } from '../../activities/run.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { Run } from '../../pipelines/contracts/run.ts';
import type { Closing } from '../../pipelines/contracts/stages.ts';
import { deliverNow } from '../../scripts/alerts-deliver.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { type LineageReceiver, startLineageReceiver } from '../helpers/lineage-receiver.ts';

let shop: ActivityShop;
let receiver: LineageReceiver;
const API_KEY = 'planted-lineage-key';

/** Its deliverer is a workflow by this name, on the server that other tests of a shop use, too. */
const PIPELINE = 'told-shop';

beforeAll(async () => {
  shop = await openActivityShop();
  const [definitions] = shop.context.definitionFolders;
  const folder = join(definitions!, PIPELINE);
  await cp(join(definitions!, 'shop'), folder, { recursive: true });
  const file = join(folder, 'pipeline.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('pipeline: shop', `pipeline: ${PIPELINE}`));
}, 60_000);
afterAll(async () => {
  const deliverer = shop?.client.workflow.getHandle(`deliver/${PIPELINE}`);
  await deliverer?.terminate().catch(() => undefined);
  await shop?.close();
});
beforeEach(async () => {
  receiver = await startLineageReceiver();
  shop.context.lineage = {
    url: `${receiver.url.replace('//', '//user:hunter2@')}/api/v1/lineage`,
    apiKey: API_KEY,
    places: {
      namespace: 'shops',
      store: { namespace: 'postgres://db.example:5432', database: 'strata' },
      sourceAt: () => null,
    },
  };
});
afterEach(async () => {
  vi.restoreAllMocks();
  await receiver.close();
  await shop.database.knex('outbox').delete();
});

async function open(): Promise<Run> {
  const { execution } = await shop.openWorkflow();
  const { run } = await shop.perform('openRun', {
    ...{ input: { pipeline: PIPELINE }, workflow: execution, scheduledAt: null },
  });
  return run;
}

function closingOf(run: Run): Closing {
  return {
    ...{ runId: run.runId, kind: run.kind, pipeline: run.pipeline, asOf: run.asOf, workflow: run.workflow },
    ...{ outcome: 'failed', verdict: null, reasons: ['disk full (ARTIFACT_DISK_FULL)'], k: null },
    counts: { rowsRead: 0, rowsAccepted: 0, rowsQuarantined: 0, quarantinedBy: [], customers: 0 },
    ...{ segments: [], quality: null, stages: [] },
  } as unknown as Closing;
}

const close = (run: Run) => shop.perform('closeRun', { run, closing: closingOf(run) });
const deliver = () => shop.perform('deliverPipeline', { pipeline: PIPELINE });
const rested = () => shop.database.knex('outbox').update({ retry_at: null });
const told = () => receiver.events.map(({ eventType, run }) => [eventType, run.runId]);

test('a receiver that is out and comes back is told of a run once, its opening before its end', async () => {
  receiver.answer(503);
  const run = await open();
  await deliver();
  await close(run);
  await deliver();
  expect(receiver.events).toEqual([]);
  receiver.answer(201);
  // The opening rests after its failure, and its end does not overtake it.
  const { secondsToNext } = await deliver();
  expect(receiver.events).toEqual([]);
  // Nor is it a reason to look again at once.
  expect(secondsToNext).toBeGreaterThan(30);
  await rested();
  await deliver();
  await deliver();
  const { runId } = run.workflow;
  expect(told()).toEqual([
    ['START', runId],
    ['FAIL', runId],
  ]);
  expect(receiver.events[1]!.run.facets.errorMessage).toMatchObject({
    message: 'disk full (ARTIFACT_DISK_FULL)',
  });
});

test('a second attempt at opening or closing a run tells nothing more', async () => {
  const run = await open();
  const input = { input: { pipeline: PIPELINE }, workflow: run.workflow, scheduledAt: null };
  await shop.perform('openRun', input);
  await close(run);
  await close(run);
  await deliver();
  await deliver();
  expect(told().map(([type]) => type)).toEqual(['START', 'FAIL']);
});

test('a run waits for no receiver: what it delivers itself holds no lineage', async () => {
  receiver.answer(503);
  const run = await open();
  const { outbox } = shop.context.repositories;
  expect(await outbox.countUndelivered({ runId: run.runId })).toBe(0);
  expect(await outbox.claim({ runId: run.runId }, { limit: 9 })).toEqual([]);
  expect(await outbox.claim({ pipeline: PIPELINE }, { limit: 9 })).toEqual([]);
  expect(await outbox.countUndelivered({ pipeline: PIPELINE })).toBe(1);
  await shop.perform('deliverOutbox', { run });
  expect(receiver.requests).toEqual([]);
  await close(run);
});

test('the key goes as a bearer token, and neither it nor the address is kept or sent in words', async () => {
  receiver.answer(401);
  const run = await open();
  await deliver();
  const rows = await shop.database.knex('outbox').where({ run_id: run.runId });
  expect(rows[0].last_error).toBe('openlineage of OPENLINEAGE_URL needs to answer 2xx, it answered 401');
  expect(receiver.requests[0]).toMatchObject({
    ...{ path: '/api/v1/lineage', authorization: `Bearer ${API_KEY}` },
  });
  for (const words of [JSON.stringify(rows), receiver.requests[0]!.body])
    for (const secret of [API_KEY, 'hunter2', receiver.url]) expect(words).not.toContain(secret);
  await close(run);
});

test('a run whose definition is gone ends all the same, and its event names no data', async () => {
  const run = await open();
  await shop.context.artifacts.release(run.runId, ['manifest']);
  await close(run);
  await deliver();
  expect(receiver.events.map(({ eventType, inputs }) => [eventType, inputs.length])).toEqual([
    ['START', 1],
    ['FAIL', 0],
  ]);
});

test('a store that is away for a moment takes no data from the event: the closing is tried again', async () => {
  const run = await open();
  const { artifacts } = shop.context;
  const away = () => Promise.reject(new PipelineError('ARTIFACTS_UNREACHABLE', 'it does not answer'));
  shop.context.artifacts = { ...artifacts, read: away };
  await expect(close(run)).rejects.toMatchObject({ type: 'ARTIFACTS_UNREACHABLE' });
  shop.context.artifacts = artifacts;
  await close(run);
  await deliver();
  expect(receiver.events.map(({ eventType, inputs }) => [eventType, inputs.length])).toEqual([
    ['START', 1],
    ['FAIL', 1],
  ]);
});

test.each(['ARTIFACT_CORRUPT', 'ARTIFACTS_REFUSED'] as const)(
  '%s, which no repeat mends, keeps no run open for its lineage',
  async (code) => {
    const run = await open();
    const { artifacts } = shop.context;
    shop.context.artifacts = {
      ...artifacts,
      read: () => Promise.reject(new PipelineError(code, 'it is of no use')),
    };
    await close(run).finally(() => {
      shop.context.artifacts = artifacts;
    });
    await deliver();
    expect(told().map(([type]) => type)).toEqual(['START', 'FAIL']);
  },
);

test('a run that was closed is looked after without its definition, and nothing more is told of it', async () => {
  const run = await open();
  await close(run);
  const { artifacts } = shop.context;
  shop.context.artifacts = {
    ...artifacts,
    read: () => Promise.reject(new PipelineError('ARTIFACTS_UNREACHABLE', 'it does not answer')),
  };
  await shop
    .environment()
    .run(() => abandonRun(shop.context, run.runId))
    .finally(() => {
      shop.context.artifacts = artifacts;
    });
  await deliver();
  expect(told().map(([type]) => type)).toEqual(['START', 'FAIL']);
});

test('a person who delivers at once need not wait until it has rested', async () => {
  receiver.answer(503);
  const run = await open();
  await close(run);
  await deliver();
  receiver.answer(201);
  const { signal } = new AbortController();
  expect(await deliverNow(shop.context, PIPELINE, signal)).toMatchObject({
    ...{ report: '2 messages delivered, none waits', isRefused: false },
  });
  expect(told().map(([type]) => type)).toEqual(['START', 'FAIL']);
});

const waiting = () => shop.context.repositories.outbox.waiting(PIPELINE);

test.each([400, 413, 422])(
  'an event that is refused for itself (%i) is given up at once, and frees the next',
  async (status) => {
    receiver.answer(status);
    const run = await open();
    await close(run);
    const said = vi.spyOn(shop.context.log, 'info');
    // Neither waits, nor does anything look again.
    expect(await deliver()).toEqual({ secondsToNext: null });
    expect(receiver.requests).toHaveLength(2);
    expect(await waiting()).toEqual([]);
    const told = said.mock.calls.map(([words]) => words).filter((words) => words.includes('given up'));
    expect(told).toEqual(
      ['start', 'end'].map(
        (event) =>
          `openlineage.${event} of ${run.runId} is given up: openlineage of OPENLINEAGE_URL needs to answer 2xx, it answered ${status}`,
      ),
    );
    const rows = await shop.database.knex('outbox').where({ run_id: run.runId });
    for (const { given_up_at, delivered_at } of rows)
      expect([given_up_at !== null, delivered_at]).toEqual([true, null]);
    await deliver();
    expect(receiver.requests).toHaveLength(2);
  },
);

test.each([401, 403, 404, 503])(
  'of one that is refused with %i a person or time may mend the reason: it is tried for a week',
  async (status) => {
    receiver.answer(status);
    const run = await open();
    await deliver();
    const age = (days: number) =>
      shop.database.knex('outbox').update({
        ...{
          retry_at: null,
          created_at: shop.database.knex.raw('now() - make_interval(secs => ?)', [days * 86_400]),
        },
      });
    await age(6.9);
    for (let attempt = 2; attempt <= 7; attempt++) {
      await deliver();
      await rested();
    }
    expect(await waiting()).toHaveLength(1);
    await age(7.1);
    expect(await deliver()).toEqual({ secondsToNext: null });
    expect(await waiting()).toEqual([]);
    await close(run);
  },
);

test('after a week in which nobody could try, a receiver that is not up yet loses nothing', async () => {
  receiver.answer(503);
  await open();
  const created_at = shop.database.knex.raw("now() - interval '8 days'");
  await shop.database.knex('outbox').update({ created_at });
  for (let attempt = 1; attempt <= 5; attempt++) {
    await deliver();
    expect(await waiting()).toHaveLength(1);
    await rested();
  }
  expect(await deliver()).toEqual({ secondsToNext: null });
  expect(await waiting()).toEqual([]);
});

test('a worker without the address leaves events to those that have it', async () => {
  const { lineage } = shop.context;
  const run = await open();
  await close(run);
  shop.context.lineage = null;
  await deliver();
  expect((await waiting()).map(({ lastError }) => lastError)).toEqual([
    expect.stringContaining('as OPENLINEAGE_URL') as string,
    null,
  ]);
  expect(receiver.requests).toEqual([]);
  shop.context.lineage = lineage;
  await rested();
  expect(await deliver()).toEqual({ secondsToNext: null });
  expect(told().map(([type]) => type)).toEqual(['START', 'FAIL']);
});

test('a person without the address tries nothing, and hears what is missing', async () => {
  await close(await open());
  shop.context.lineage = null;
  const { signal } = new AbortController();
  expect(await deliverNow(shop.context, PIPELINE, signal)).toEqual({
    report: `0 messages delivered, 2 still wait
  OPENLINEAGE_URL is needed here for 2 events of lineage, as the workers have it`,
    isRefused: true,
  });
  expect(await waiting()).toMatchObject([{ attempts: 0 }, { attempts: 0 }]);
});

test('without an address nothing is made', async () => {
  shop.context.lineage = null;
  const run = await open();
  await close(run);
  expect(await shop.database.knex('outbox').where({ run_id: run.runId })).toEqual([]);
});
