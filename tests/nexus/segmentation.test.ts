import { createSecretKey, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunSummary } from '../../pipelines/contracts/run.ts';
import type { RunProgress } from '../../pipelines/contracts/signatures.ts';
import { dataConverterOf } from '../../scripts/codec/data-converter.ts';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import { startOrJoin } from '../../scripts/start-or-join.ts';
import { definitionFolders } from '../../scripts/strata-worker.ts';
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
let context: Parameters<Neighbours['serving']>[0]['context'];
let opened: unknown[];

beforeAll(async () => {
  database = await testDatabase();
  const repositories = createRepositories(database.knex);
  context = { repositories, definitionFolders: definitionFolders({ definitions: '' }) };
  await persistRun(repositories, 'run_a');
  await publishRun(repositories, 'run_a');
  neighbours = await openNeighbours();
}, 180_000);

afterAll(async () => {
  await neighbours?.close();
  await database?.drop();
});

beforeEach(() => {
  opened = [];
});

/** Stages that note what was opened; a run stands still before its extract until `goOn` is called. */
function gatedStages() {
  const healthy = fakeStages();
  let goOn = () => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const activities = fakeStages({
    openRun: (asked) => {
      opened.push(asked.input);
      return healthy.openRun(asked);
    },
    extractCustomers: async (asked) => {
      await Promise.race([gate, Context.current().cancelled]);
      return healthy.extractCustomers(asked);
    },
  });
  return { activities, goOn: () => goOn() };
}

const asked = (client: Client, workflowId: string) => client.workflow.getHandle(workflowId);
const callbacksOf = async (handle: WorkflowHandle) => (await handle.describe()).raw.callbacks?.length ?? 0;

/** The type that Nexus gives it, and the innermost one, which is the code; what lies between is the server's. */
const asTold = (failures: Failures) => {
  expect(failures[0]!.name).toBe('NexusOperationFailure');
  return { ...pick(failures[1]!), code: failures.at(-1)!.type };
};
const pick = ({ type, message }: Failures[number]) => ({ type, message });

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
    await neighbours.serving({ activities: fakeStages(), context }, async () => {
      const month = await neighbours.call('segmentMonth', { pipeline: 'shop', asOf: '2026-07-01' });
      expect(await month.result()).toEqual([
        ...[0, 1].map((cluster) => ({
          ...{ segmentId: `seg_run_a_${cluster}`, name: `Name of seg_run_a_${cluster}` },
          ...{ description: 'Who they are', customers: 2, share: 0.5 },
        })),
      ]);
      const assigned = await neighbours.call('call', { operation: 'assign', input: { asOf: '2026-07-02' } });
      expect(await assigned.result()).toMatchObject({
        ...{ kind: 'assign', pipeline: 'shop', asOf: '2026-07-02', outcome: 'published' },
        workflow: { id: 'assign/shop/2026-07-02' },
      });
      const unpublished = { operation: 'describe', input: { pipeline: 'online-retail' } };
      const described = await neighbours.call('call', unpublished);
      expect(await described.result()).toEqual({ pipeline: 'online-retail', published: null });
    });
  });

  test('join the run that is going on, whoever started it, and are told what differs', async () => {
    const { activities, goOn } = gatedStages();
    await neighbours.serving({ activities, context }, async () => {
      const input = { pipeline: 'shop', asOf: '2026-07-03', seed: 7 };
      const { client } = neighbours;
      const { execution } = await startOrJoin(client, input);
      const run = asked(client, execution.id);
      const same = { operation: 'run', input: { asOf: '2026-07-03', seed: 7 } };
      const callers = [await neighbours.call('call', same), await neighbours.call('call', same)];
      await expect.poll(() => callbacksOf(run), soon).toBe(2);
      const other = [{ operation: 'run', input: { ...input, seed: 8 } }];
      const [refused] = (await (await neighbours.call('refusals', other)).result()) as Failures[];
      expect(asTold(refused!)).toMatchObject({ type: 'BAD_REQUEST', code: 'RUN_IN_PROGRESS' });
      expect(refused![1]!.message).toContain('seed is 7 there, 8 here');
      goOn();
      const summaries = (await Promise.all(callers.map((one) => one.result()))) as RunSummary[];
      expect(summaries.map(({ workflow }) => workflow)).toEqual([execution, execution]);
      expect(opened).toHaveLength(1);
      // What the server notes of those who joined is part of the run's history.
      await Worker.runReplayHistory({ workflowBundle: neighbours.bundle }, await run.fetchHistory());
    });
  });

  test('are refused in words whatever they send, and nothing is started', async () => {
    const { activities } = gatedStages();
    const refused: [call: Call, type: string, code: string, words: string][] = [
      [{ operation: 'run', input: 'shop' }, 'BAD_REQUEST', 'INPUT_INVALID', 'expected object'],
      [
        { operation: 'run', input: { asof: '2026-07-01' } },
        'BAD_REQUEST',
        'INPUT_INVALID',
        'fields: pipeline',
      ],
      [{ operation: 'run', input: { asOf: 'July' } }, 'BAD_REQUEST', 'INPUT_INVALID', 'asOf: '],
      [
        { operation: 'run', input: { extract: 'https://me:hunter2@x/y' } },
        'BAD_REQUEST',
        'INPUT_INVALID',
        'without user',
      ],
      [{ operation: 'assign', input: { k: 5 } }, 'BAD_REQUEST', 'INPUT_INVALID', 'start input'],
      [
        { operation: 'assign', input: { pipeline: 'shoop' } },
        'NOT_FOUND',
        'PIPELINE_UNKNOWN',
        'there are online-retail, shop',
      ],
      [{ operation: 'describe', input: [] }, 'BAD_REQUEST', 'INPUT_INVALID', 'expected object'],
      [
        { operation: 'describe', input: { pipeline: '../x' } },
        'BAD_REQUEST',
        'INPUT_INVALID',
        'needs lower-case letters',
      ],
      [
        { operation: 'describe', input: { pipeline: 'shoop' } },
        'NOT_FOUND',
        'PIPELINE_UNKNOWN',
        'is not defined',
      ],
    ];
    await neighbours.serving({ activities, context }, async () => {
      const handle = await neighbours.call(
        'refusals',
        refused.map(([one]) => one),
      );
      const answers = (await handle.result()) as Failures[];
      expect(answers.map(asTold)).toEqual(
        refused.map(([, type, code, words]) => ({ type, code, message: expect.stringContaining(words) })),
      );
      expect(JSON.stringify(answers)).not.toContain('hunter2');
      expect(opened).toEqual([]);
    });
  });

  test('that are cancelled cancel their run', async () => {
    const { activities, goOn } = gatedStages();
    await neighbours.serving({ activities, context }, async () => {
      const caller = await neighbours.call('call', { operation: 'run', input: { asOf: '2026-07-04' } });
      await expect.poll(() => opened.length, soon).toBe(1);
      await caller.cancel();
      const run = asked(neighbours.client, 'segment/shop/2026-07-04');
      const isAsked = async () =>
        (await run.fetchHistory()).events!.some((one) => one.workflowExecutionCancelRequestedEventAttributes);
      await expect.poll(isAsked, soon).toBe(true);
      // A stage that is at work is waited for.
      goOn();
      await expect(run.result()).rejects.toThrow('cancelled');
      await expect(caller.result()).rejects.toThrow('cancelled');
      expect((await run.describe()).status.name).toBe('CANCELLED');
      expect((await caller.describe()).status.name).toBe('CANCELLED');
    });
  });

  test('wait through a review and a worker that restarts, also where payloads are encrypted', async () => {
    const dataConverter = dataConverterOf({
      codecKeys: [{ id: '2026-11', key: createSecretKey(randomBytes(32)) }],
    });
    const activities = fakeStages({ measureStability: unstable });
    const { connection, options } = neighbours.client;
    const client = new Client({ connection, namespace: options.namespace, dataConverter });
    const run = asked(client, 'segment/shop/2026-07-05');
    const input = { asOf: '2026-07-05', extract: '/planted/words.parquet' };
    let caller: WorkflowHandle;
    await neighbours.serving({ activities, context, dataConverter }, async () => {
      caller = await neighbours.call('call', { operation: 'run', input }, dataConverter);
      const outcome = () =>
        run.query<RunProgress>('progress').then(
          (progress) => progress.outcome,
          () => null,
        );
      await expect.poll(outcome, soon).toBe('held');
    });
    await neighbours.serving({ activities, context, dataConverter }, async () => {
      const same = await neighbours.call('call', { operation: 'run', input }, dataConverter);
      await expect.poll(() => callbacksOf(run), soon).toBe(2);
      const other = [{ operation: 'run', input: { ...input, k: 3 } }];
      const refused = await (await neighbours.call('refusals', other, dataConverter)).result();
      expect(JSON.stringify(refused)).toContain('k is left out there, 3 here');
      await run.executeUpdate('review', { args: [{ decision: 'publish' }] });
      for (const one of [caller, same]) expect(await one.result()).toMatchObject({ outcome: 'published' });
      for (const one of [run, caller, same]) {
        const { json, payloads } = await historySeen(one);
        expect(payloads.length).toBeGreaterThan(0);
        expect(`${json}${payloads.join()}`).not.toContain('planted');
      }
    });
  });
});
