import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartInput } from '../../pipelines/contracts/run.ts';
import { followRun } from '../../scripts/follow-run.ts';
import { awaitHistory } from '../../scripts/main-job.ts';
import { startOrJoin } from '../../scripts/start-or-join.ts';
import { temporalAddress } from '../helpers/temporal.ts';
import { createQuietLog } from './services/homes.ts';

// No worker polls here: a run that was started stays as it is, until the test ends it.
let client: Client;
let connection: Connection;
const started: string[] = [];

beforeAll(async () => {
  connection = await Connection.connect({ address: temporalAddress() });
  client = new Client({ connection });
});

afterAll(async () => {
  for (const id of new Set(started))
    await client.workflow
      .getHandle(id)
      .terminate()
      .catch(() => undefined);
  await connection?.close();
});

async function start(input: StartInput) {
  const run = await startOrJoin(client, input);
  started.push(run.execution.id);
  return run;
}

const anyPipeline = () => `pipeline-${randomUUID()}`;

describe('a run of the same pipeline and as-of date that is still going on', () => {
  test('is joined by who asks for the same', async () => {
    const input = { pipeline: anyPipeline(), extract: '/data/june.csv', asOf: '2026-06-30' };
    const first = await start(input);
    expect(first.joinedFrom).toBeNull();
    const second = await start({ ...input });
    expect(second.execution).toEqual(first.execution);
    expect(second.joinedFrom).toBeInstanceOf(Date);
  });

  test.each([
    [{ extract: '/data/july.csv' }, 'extract is "/data/june.csv" there, "/data/july.csv" here'],
    [{ extract: undefined }, 'extract is "/data/june.csv" there, left out here'],
    [{ seed: 7 }, 'seed is left out there, 7 here'],
    [{ k: 5 }, 'k is left out there, 5 here'],
    [{ review: 'never' as const }, 'review is left out there, "never" here'],
  ])('is not taken for one asked for %o', async (change, difference) => {
    const input = { pipeline: anyPipeline(), extract: '/data/june.csv' };
    const { execution } = await start(input);
    const error: unknown = await start({ ...input, ...change }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'RUN_IN_PROGRESS', details: { differences: 1 } });
    expect((error as Error).message).toContain(difference);
    expect((error as Error).message).toContain(execution.id);
    expect((await client.workflow.getHandle(execution.id).describe()).runId).toBe(execution.runId);
  });

  test('that is held is told with the command that decides on it', async () => {
    const input = { pipeline: anyPipeline(), k: 60 };
    await start(input);
    const asked = startOrJoin(client, { pipeline: input.pipeline }, { heldRunOf: async () => 'run_held' });
    await expect(asked).rejects.toMatchObject({
      code: 'RUN_IN_PROGRESS',
      message: expect.stringMatching(/is held for review.*npm run strata -- review run_held publish/),
    });
  });

  test('is another one than that which assigns', async () => {
    const input = { pipeline: anyPipeline(), asOf: '2026-06-30' };
    const { execution } = await start(input);
    const assigning = await startOrJoin(client, input, { kind: 'assign' });
    started.push(assigning.execution.id);
    expect(assigning).toMatchObject({
      joinedFrom: null,
      execution: { id: `assign/${input.pipeline}/2026-06-30` },
    });
    expect(execution.id).toBe(`segment/${input.pipeline}/2026-06-30`);
  });

  test('was started in the Temporal UI without any input: the default pipeline is meant', async () => {
    const execution = { workflowId: 'segment/shop/latest', taskQueue: 'nobody-polls' };
    started.push(execution.workflowId);
    const byHand = await client.workflow.start('segmentCustomers', execution);
    expect((await start({ pipeline: 'shop' })).execution.runId).toBe(byHand.firstExecutionRunId);
    await expect(start({ seed: 7 })).rejects.toMatchObject({ code: 'RUN_IN_PROGRESS' });
    await byHand.terminate();
    expect((await start({ seed: 7 })).joinedFrom).toBeNull();
  });
});

describe('following', () => {
  const quiet = () => createQuietLog().log;

  test('ends with a coded error when the server stays away', async () => {
    const away = Connection.lazy({ address: '127.0.0.1:9' });
    const handle = new Client({ connection: away }).workflow.getHandle('segment/shop/latest');
    const { signal } = new AbortController();
    await expect(followRun(handle, { log: quiet(), signal, unreachableAfterMs: 100 })).rejects.toMatchObject({
      code: 'TEMPORAL_UNREACHABLE',
      message: expect.stringMatching(/segment\/shop\/latest.*start again/),
    });
    await away.close();
  });

  test('ends at once when it is told to, with the reason', async () => {
    const { execution } = await start({ pipeline: anyPipeline() });
    const end = new AbortController();
    const following = followRun(client.workflow.getHandle(execution.id), {
      log: quiet(),
      signal: end.signal,
    });
    const reason = new Error('the worker broke');
    setTimeout(() => end.abort(reason), 50);
    await expect(following).rejects.toBe(reason);
  });

  test.each([
    ['terminated', 'failed'],
    ['cancelled', 'cancelled'],
  ] as const)('a run that was %s before any worker saw it is told as %s', async (how, outcome) => {
    const handle = await client.workflow.start('segmentCustomers', {
      workflowId: `segment/${anyPipeline()}/latest`,
      taskQueue: `queue-${how}`,
    });
    const { signal } = new AbortController();
    if (how === 'terminated') await handle.terminate('by a person');
    else {
      started.push(handle.workflowId);
      await cancelAtOnce(handle, `queue-${how}`);
    }
    const followed = await followRun(handle, { log: quiet(), signal, unreachableAfterMs: 1_000 });
    expect(followed).toMatchObject({ outcome, progress: null });
  });
});

/** Cancels it and answers as a worker does whose workflow ends with its cancel. */
async function cancelAtOnce(handle: WorkflowHandle, queue: string): Promise<void> {
  await handle.cancel();
  const namespace = 'default';
  const { workflowService: service } = connection;
  const taskQueue = { name: queue };
  const { taskToken } = await connection.withDeadline(Date.now() + 10_000, () =>
    service.pollWorkflowTaskQueue({ namespace, taskQueue }),
  );
  const commandType = proto.temporal.api.enums.v1.CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION;
  const commands = [{ commandType, cancelWorkflowExecutionCommandAttributes: {} }];
  await service.respondWorkflowTaskCompleted({ namespace, taskToken, commands });
}

describe('the history of a run', () => {
  const endings = {
    'was kept': () => Promise.resolve(null),
    'could not be kept': () => Promise.reject(new Error('no space is left')),
    'takes long': () => new Promise(() => undefined),
  };

  test.each([
    ['was kept', []],
    [
      'could not be kept',
      [expect.stringMatching(/run_1 was not kept, the run itself stands: no space is left/)],
    ],
    ['takes long', [expect.stringMatching(/run_1 is not kept yet/)]],
  ] as const)('%s: the run goes on to its end, with a word where one is due', async (ending, said) => {
    const { log, lines } = createQuietLog();
    const pretended = { workflow: { getHandle: () => ({ result: endings[ending] }) } } as unknown as Client;
    await awaitHistory(pretended, 'run_1', { log, waitMs: 20 });
    expect(lines).toEqual(said);
  });
});
