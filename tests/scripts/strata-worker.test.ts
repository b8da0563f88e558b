import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ActivityContext } from '../../activities/context.ts';
import { startWorker } from '../../scripts/strata-worker.ts';
import { TASK_QUEUES } from '../../temporal.config.ts';

describe('the worker', () => {
  afterEach(() => vi.restoreAllMocks());

  /** Workers that poll nothing: each ends when it is shut down, or breaks when it is told to. */
  function pretendWorkers() {
    const created: { options: WorkerOptions; break(fault: Error): void }[] = [];
    vi.spyOn(Worker, 'create').mockImplementation(async (options) => {
      let state = 'RUNNING';
      let [resolve, reject] = [() => {}, (_: Error) => {}];
      const promise = new Promise<void>((done, failed) => {
        [resolve, reject] = [done, failed];
      });
      created.push({
        options,
        break(fault) {
          state = 'FAILED';
          reject(fault);
        },
      });
      return {
        run: () => promise,
        getState: () => state,
        shutdown() {
          state = 'STOPPED';
          setTimeout(resolve, 20);
        },
      } as unknown as Worker;
    });
    return created;
  }

  const start = (more: Partial<Parameters<typeof startWorker>[0]> = {}) =>
    startWorker({
      connection: {} as NativeConnection,
      namespace: 'default',
      bundle: { code: '' },
      context: { repositories: {}, artifacts: {} } as ActivityContext,
      ...more,
    });

  test('of a deployment says its version on every queue, and pins runs to it; another one says nothing of the kind', async () => {
    const created = pretendWorkers();
    await (await start()).stop();
    expect(created.map(({ options }) => options.workerDeploymentOptions)).toEqual(Array(3).fill(undefined));
    const version = { deploymentName: 'strata', buildId: '4f2a1c9e0b12' };
    await (await start({ version, graceSeconds: 60 })).stop();
    for (const { options } of created.slice(3))
      expect(options).toMatchObject({
        workerDeploymentOptions: { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' },
        shutdownGraceTime: '60 seconds',
        shutdownForceTime: '69 seconds',
      });
  });

  test('polls every task queue: workflows on one, many that wait and few that compute on their own', async () => {
    const created = pretendWorkers();
    const worker = await start();
    const options = created.map((one) => one.options);
    expect(options.map(({ taskQueue }) => taskQueue).sort()).toEqual(Object.values(TASK_QUEUES).sort());
    const of = (queue: string) => options.find(({ taskQueue }) => taskQueue === queue)!;
    expect(options.filter(({ workflowBundle }) => workflowBundle)).toEqual([of(TASK_QUEUES.workflows)]);
    // Where an endpoint points to, and nowhere else: a call is answered by one worker.
    expect(options.filter(({ nexusServices }) => nexusServices)).toEqual([of(TASK_QUEUES.workflows)]);
    expect(of(TASK_QUEUES.workflows).nexusServices!.map(({ definition }) => definition.name)).toEqual([
      'segmentation',
    ]);
    expect(of(TASK_QUEUES.waits).maxConcurrentActivityTaskExecutions).toBeGreaterThanOrEqual(1_000);
    expect(of(TASK_QUEUES.compute).maxConcurrentActivityTaskExecutions).toBe(1);
    await worker.stop();
    await expect(worker.ended).resolves.toBeUndefined();
  });

  test('when one queue breaks, the others leave and whoever looks is told', async () => {
    const created = pretendWorkers();
    const worker = await start();
    created[1]!.break(new Error('namespace is gone\n  at rust'));
    await expect(worker.ended).rejects.toMatchObject({
      code: 'WORKER_FAILED',
      message: 'the worker broke: namespace is gone',
    });
    await expect(worker.stop()).resolves.toBeUndefined();
  });
});
