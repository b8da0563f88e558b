import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { type KeptHistory, type Replayed, replayHistories } from '../../scripts/replay-histories.ts';
import { countRunning, findOnServer, runningHistories } from '../../scripts/replay-sources.ts';
import { fakeStages } from '../helpers/fake-stages.ts';
import { bundleWorkflows, withWorker } from '../helpers/temporal.ts';
import { untilOutcome } from '../helpers/workflow-runs.ts';

const CHANGED = fileURLToPath(new URL('../fixtures/changed-workflows/index.ts', import.meta.url));

let bundle: Awaited<ReturnType<typeof bundleWorkflows>>;
let changed: typeof bundle;
beforeAll(async () => {
  bundle = await bundleWorkflows();
  changed = await bundleWorkflowCode({ workflowsPath: CHANGED, logger: new DefaultLogger('ERROR') });
}, 60_000);

async function replayAll(code: typeof bundle, histories: AsyncIterable<KeptHistory>): Promise<Replayed[]> {
  const replayed: Replayed[] = [];
  for await (const one of replayHistories(code, histories, { lanes: 3 })) replayed.push(one);
  return replayed;
}

const holding = fakeStages({
  measureStability: async () => ({
    ...(await fakeStages().measureStability({} as never)),
    decision: 'hold',
    reasons: ['a person is asked'],
  }),
});

describe('before a deploy', () => {
  test('what runs resumes under the same code; under a changed one each is named that does not', async () => {
    await withWorker({ bundle, activities: holding }, async ({ client, start }) => {
      const held = await start({});
      await untilOutcome({ client, start } as never, held.workflowId, 'held');
      // Nobody has decided anything in this one yet.
      const waiting = await client.workflow.start('segmentCustomers', {
        workflowId: `test/${randomUUID()}`,
        taskQueue: `nobody/${randomUUID()}`,
      });
      try {
        await expect.poll(() => countRunning(client)).toBeGreaterThanOrEqual(2);
        const sound = await replayAll(bundle, runningHistories(client));
        const names = sound.map(({ name }) => name);
        expect(names).toEqual(expect.arrayContaining([held.workflowId, waiting.workflowId]));
        expect(sound.filter(({ fault }) => fault !== null)).toEqual([]);

        const broken = (await replayAll(changed, runningHistories(client))).filter(({ fault }) => fault);
        const found = broken.find(({ name }) => name === held.workflowId);
        expect(found).toMatchObject({
          workflow: { id: held.workflowId, runId: (await held.describe()).runId, type: 'segmentCustomers' },
          event: expect.stringMatching(/^\d+ [A-Z]\w+$/),
          fault: expect.stringContaining('the workflow code now decides otherwise'),
        });
        expect(broken.map(({ name }) => name)).not.toContain(waiting.workflowId);

        const [onServer] = await findOnServer(client, held.workflowId);
        expect(await replayAll(bundle, listed(onServer!))).toMatchObject([{ fault: null }]);
        expect(await findOnServer(client, 'run_nothing')).toEqual([]);
      } finally {
        await waiting.terminate();
      }
    });
  });

  test('one that closed and went between the list and its turn is no fault', async () => {
    expect(await replayAll(bundle, listed({ name: 'gone', read: async () => null }))).toEqual([]);
  });
});

async function* listed(...histories: KeptHistory[]): AsyncGenerator<KeptHistory> {
  yield* histories;
}
