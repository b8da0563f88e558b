import { createSecretKey, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunSummary } from '../../pipelines/contracts/run.ts';
import type { RunProgress } from '../../pipelines/contracts/signatures.ts';
import { dataConverterOf } from '../../scripts/codec/data-converter.ts';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import { definitionFolders } from '../../scripts/definition-folders.ts';
import { startOrJoin } from '../../scripts/start-or-join.ts';
import { createRepositories } from '../../store/postgres/repositories.ts';
import type { Call, Failures } from '../fixtures/nexus-callers/index.ts';
import { fakeStages, unstable } from '../helpers/fake-stages.ts';
import { type Neighbours, openNeighbours } from '../helpers/nexus.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';
import { historySeen } from '../helpers/seen-histories.ts';
import { persistRun, publishRun } from '../store/postgres/fixture.ts';

const PATIENCE = { timeout: 120_000 };
/** Looking for what takes as long as the machine has to do. */
const soon = { timeout: 30_000, interval: 200 };

let neighbours: Neighbours;
let database: TestDatabase;
let context: Parameters<Neighbours['serve']>[0]['context'];
let stop: () => Promise<void>;

/** As-of dates of the runs that began. */
const opened: (string | undefined)[] = [];
/** Runs that stand still before their extract until they are let go. */
const gates = new Map<string | null, Promise<void>>();
/** As of then the segments are not stable, and a person has to look. */
const UNSTABLE = '2026-07-05';

const healthy = fakeStages();
const activities = fakeStages({
  openRun: (asked) => {
    opened.push(asked.input.asOf);
    return healthy.openRun(asked);
  },
  extractCustomers: async (asked) => {
    await Promise.race([gates.get(asked.run.asOf), Context.current().cancelled]);
    return healthy.extractCustomers(asked);
  },
  measureStability: (asked) => (asked.run.asOf === UNSTABLE ? unstable : healthy.measureStability)(asked),
});

function gateBefore(asOf: string): () => void {
  let letGo = () => {};
  gates.set(
    asOf,
    new Promise((resolve) => {
      letGo = resolve;
    }),
  );
  return () => letGo();
}

beforeAll(async () => {
  neighbours = await openNeighbours();
  database = await testDatabase();
  const repositories = createRepositories(database.knex);
  context = { repositories, definitionFolders: definitionFolders({ definitions: '' }) };
  await persistRun(repositories, 'run_a');
  await publishRun(repositories, 'run_a');
  stop = await neighbours.serve({ activities, context });
}, 180_000);

afterAll(async () => {
  await stop?.();
  await neighbours?.close();
  await database?.drop();
});

const asked = (client: Client, workflowId: string) => client.workflow.getHandle(workflowId);
const callbacksOf = async (handle: WorkflowHandle) => (await handle.describe()).raw.callbacks?.length ?? 0;

/** Type of Nexus; the innermost has code and words, also where payloads are encrypted; what lies between is the server's. */
const asTold = (failures: Failures) => {
  expect(failures[0]!.name).toBe('NexusOperationFailure');
  const { type: code, message } = failures.at(-1)!;
  return { type: failures[1]!.type, code, message };
};

describe('workflows of another namespace', PATIENCE, () => {
  test('run, assign and describe a pipeline, as docs/nexus.md shows it', async () => {
    const [example] = [
      ...readFileSync(join(PROJECT_FOLDER, 'docs/nexus.md'), 'utf8').matchAll(/```ts\n([^`]*)```/g),
    ];
    const there = readFileSync(
      join(PROJECT_FOLDER, 'tests/fixtures/nexus-callers/segment-month.ts'),
      'utf8',
    ).replace('../../../pipelines/contracts/', './');
    expect(example![1]).toBe(there);
    const month = await neighbours.call('segmentMonth', { pipeline: 'shop', asOf: '2026-07-01' });
    const assigned = await neighbours.call('call', { operation: 'assign', input: { asOf: '2026-07-02' } });
    const segments = [0, 1].map((cluster) => ({
      ...{ segmentId: `seg_run_a_${cluster}`, name: `Name of seg_run_a_${cluster}` },
      ...{ description: 'Who they are', customers: 2, share: 0.5 },
    }));
    expect(await month.result()).toEqual(segments);
    expect(await assigned.result()).toMatchObject({
      ...{ kind: 'assign', pipeline: 'shop', asOf: '2026-07-02', outcome: 'published' },
      workflow: { id: 'assign/shop/2026-07-02' },
    });
  });

  test('need not send anything to describe a pipeline, and hear of one that was never published', async () => {
    const inputs = [undefined, null, {}, { pipeline: 'online-retail' }];
    const calls = inputs.map((input) => ({ operation: 'describe', input }));
    const answers = await (await neighbours.call('refusals', calls)).result();
    const shop = { pipeline: 'shop', published: expect.objectContaining({ runId: 'run_a', customers: 4 }) };
    expect(answers).toEqual([shop, shop, shop, { pipeline: 'online-retail', published: null }]);
  });

  test('join the run that is going on, whoever started it, and are told what differs', async () => {
    const letGo = gateBefore('2026-07-03');
    const input = { pipeline: 'shop', asOf: '2026-07-03', seed: 7 };
    const { client } = neighbours;
    const { execution } = await startOrJoin(client, input);
    const run = asked(client, execution.id);
    const same = { operation: 'run', input: { asOf: '2026-07-03', seed: 7 } };
    const callers = [await neighbours.call('call', same), await neighbours.call('call', same)];
    await expect.poll(() => callbacksOf(run), soon).toBe(2);
    const other = [{ operation: 'run', input: { ...input, seed: 8 } }];
    const [refused] = (await (await neighbours.call('refusals', other)).result()) as Failures[];
    expect(asTold(refused!)).toEqual({
      ...{ type: 'BAD_REQUEST', code: 'RUN_IN_PROGRESS' },
      message: expect.stringContaining('seed is 7 there, 8 here'),
    });
    letGo();
    const summaries = (await Promise.all(callers.map((one) => one.result()))) as RunSummary[];
    expect(summaries.map(({ workflow }) => workflow)).toEqual([execution, execution]);
    expect(opened.filter((asOf) => asOf === input.asOf)).toHaveLength(1);
    // What the server notes of those who joined is part of the run's history.
    await Worker.runReplayHistory({ workflowBundle: neighbours.bundle }, await run.fetchHistory());
  });

  test('are refused in words whatever they send, and nothing is started', async () => {
    const before = opened.length;
    const invalid = { type: 'BAD_REQUEST', code: 'INPUT_INVALID' };
    const unknown = { type: 'NOT_FOUND', code: 'PIPELINE_UNKNOWN' };
    const refused: [call: Call, told: object, words: string][] = [
      [{ operation: 'run', input: 'shop' }, invalid, 'expected object, received string'],
      [{ operation: 'run', input: 7 }, invalid, 'expected object, received number'],
      [{ operation: 'run', input: { asof: '2026-07-01' } }, invalid, 'fields: pipeline'],
      [{ operation: 'run', input: { asOf: 'July' } }, invalid, 'asOf: '],
      [{ operation: 'run', input: { pipeline: '' } }, invalid, 'pipeline: '],
      [{ operation: 'run', input: { pipeline: null } }, invalid, 'expected string, received null'],
      [{ operation: 'run', input: { extract: 'https://me:hunter2@x/y' } }, invalid, 'without user'],
      [{ operation: 'assign', input: { k: 5 } }, invalid, 'start input'],
      [{ operation: 'assign', input: { pipeline: 'shoop' } }, unknown, 'there are online-retail, shop'],
      [{ operation: 'describe', input: [] }, invalid, 'expected object, received array'],
      [{ operation: 'describe', input: { pipeline: '../x' } }, invalid, 'needs lower-case letters'],
      [{ operation: 'describe', input: { pipeline: 'shoop' } }, unknown, 'is not defined'],
      [
        { operation: 'fit' },
        { type: 'NOT_FOUND', code: 'NOT_FOUND' },
        "operation 'fit' in service 'segmentation'",
      ],
    ];
    const calls = refused.map(([call]) => call);
    const answers = (await (await neighbours.call('refusals', calls)).result()) as Failures[];
    expect(answers.map(asTold)).toEqual(
      refused.map(([, told, words]) => ({ ...told, message: expect.stringContaining(words) })),
    );
    expect(JSON.stringify(answers)).not.toContain('hunter2');
    expect(opened).toHaveLength(before);
  });

  test('that are cancelled cancel their run', async () => {
    const letGo = gateBefore('2026-07-04');
    const caller = await neighbours.call('call', { operation: 'run', input: { asOf: '2026-07-04' } });
    await expect.poll(() => opened, soon).toContain('2026-07-04');
    await caller.cancel();
    const run = asked(neighbours.client, 'segment/shop/2026-07-04');
    const isAsked = async () =>
      (await run.fetchHistory()).events!.some((one) => one.workflowExecutionCancelRequestedEventAttributes);
    await expect.poll(isAsked, soon).toBe(true);
    // A stage that is at work is waited for.
    letGo();
    await expect(run.result()).rejects.toThrow('cancelled');
    await expect(caller.result()).rejects.toThrow('cancelled');
    expect((await run.describe()).status.name).toBe('CANCELLED');
    expect((await caller.describe()).status.name).toBe('CANCELLED');
  });

  test('wait through a review and workers that restart, and once there are keys nothing is in clear', async () => {
    const call = { operation: 'run', input: { asOf: UNSTABLE } };
    const caller = await neighbours.call('call', call);
    const held = asked(neighbours.client, `segment/shop/${UNSTABLE}`);
    const outcome = () =>
      held.query<RunProgress>('progress').then(
        (progress) => progress.outcome,
        () => null,
      );
    await expect.poll(outcome, soon).toBe('held');

    await stop();
    const dataConverter = dataConverterOf({
      codecKeys: [{ id: '2026-11', key: createSecretKey(randomBytes(32)) }],
    });
    stop = await neighbours.serve({ activities, context, dataConverter });

    const { connection } = neighbours.client;
    const withKeys = ({ workflowId, client: { options } }: WorkflowHandle) =>
      asked(new Client({ connection, namespace: options.namespace, dataConverter }), workflowId);
    const input = { asOf: '2026-07-06', extract: '/planted/words.parquet' };
    const letGo = gateBefore(input.asOf);
    const another = await neighbours.call('call', { operation: 'run', input }, dataConverter);
    await expect.poll(() => opened, soon).toContain(input.asOf);
    const others = [input, call.input].map((one) => ({ operation: 'run', input: { ...one, k: 3 } }));
    const refused = await neighbours.call('refusals', others, dataConverter);
    const told = ((await refused.result()) as Failures[]).map(asTold);
    expect(told).toEqual(
      others.map(() => ({
        ...{ type: 'BAD_REQUEST', code: 'RUN_IN_PROGRESS' },
        message: expect.stringContaining('k is left out there, 3 here'),
      })),
    );
    letGo();
    await withKeys(held).executeUpdate('review', { args: [{ decision: 'publish' }] });
    for (const one of [caller, another])
      expect(await withKeys(one).result()).toMatchObject({ outcome: 'published' });
    for (const one of [asked(neighbours.client, `segment/shop/${input.asOf}`), another, refused]) {
      const { json, payloads } = await historySeen(one);
      expect(payloads.length).toBeGreaterThan(0);
      expect(`${json}${payloads.join()}`).not.toContain('planted');
    }
  });
});
