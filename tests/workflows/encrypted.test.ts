import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { Client } from '@temporalio/client';
import { ApplicationFailure, type PayloadCodec } from '@temporalio/common';
import { beforeAll, expect, test } from 'vitest';
import type { RunSummary } from '../../pipelines/contracts/run.ts';
import { dataConverterOf } from '../../scripts/codec/data-converter.ts';
import { innermostMessage } from '../../scripts/error-text.ts';
import { fakeStages, unstable } from '../helpers/fake-stages.ts';
import { bundleWorkflows, type TestRuns, withWorker } from '../helpers/temporal.ts';
import { codeOf, untilOutcome } from '../helpers/workflow-runs.ts';

const codecKeys = [{ id: '2026-11', key: createSecretKey(randomBytes(32)) }];
const dataConverter = dataConverterOf({ codecKeys });

let bundle: Awaited<ReturnType<typeof bundleWorkflows>>;
beforeAll(async () => {
  bundle = await bundleWorkflows();
}, 90_000);

/** A client beside the test's own; what it sends is spoilt after it was encrypted. */
function clientOf({ client }: TestRuns, spoil: (data: Uint8Array) => Uint8Array = (data) => data): Client {
  const spoiling: PayloadCodec = {
    encode: async (payloads) => payloads.map((one) => ({ ...one, data: spoil(one.data!) })),
    decode: async (payloads) => payloads,
  };
  return new Client({
    connection: client.connection,
    dataConverter: { payloadCodecs: [...dataConverter.payloadCodecs!, spoiling] },
  });
}

const start = (client: Client, input: object) =>
  client.workflow.start('segmentCustomers', {
    ...{ workflowId: `test/${randomUUID()}`, taskQueue: 'strata', args: [input] },
    workflowExecutionTimeout: '2 minutes',
  });

test('a run whose key the worker lacks stands still, and goes on where it was when one has it', async () => {
  let workflowId = '';
  const activities = fakeStages();
  await withWorker(
    { bundle, activities, goesOn: true, dataConverter: dataConverterOf({ codecKeys: [] }) },
    async (runs) => {
      const handle = await start(clientOf(runs), { pipeline: 'shop' });
      workflowId = handle.workflowId;
      const hasFailed = async () =>
        (await handle.fetchHistory()).events!.some((one) => one.workflowTaskFailedEventAttributes);
      await expect.poll(hasFailed, { timeout: 20_000 }).toBe(true);
      expect((await handle.describe()).status.name).toBe('RUNNING');
    },
  );
  await withWorker({ bundle, activities, dataConverter }, async (runs) => {
    const summary = await clientOf(runs).workflow.getHandle(workflowId).result();
    expect((summary as RunSummary).outcome).toBe('published');
  });
}, 90_000);

test('what was damaged on its way is refused in words, and wedges nothing', async () => {
  let taken: unknown;
  const refusing = fakeStages({
    openRun: async ({ input }) => {
      taken = input;
      throw ApplicationFailure.nonRetryable('refused', 'INPUT_INVALID');
    },
  });
  await withWorker({ bundle, activities: refusing, dataConverter }, async (runs) => {
    const cut = clientOf(runs, (data) => data.slice(0, -1));
    const handle = await start(cut, { pipeline: 'shop' });
    const sound = clientOf(runs).workflow.getHandle(handle.workflowId);
    expect(await sound.result().catch(codeOf)).toBe('INPUT_INVALID');
    expect(taken).toEqual({ unreadable: expect.any(String) });
  });
  const activities = fakeStages({ measureStability: unstable });
  await withWorker({ bundle, activities, dataConverter }, async (runs) => {
    const client = clientOf(runs);
    const sound = await start(client, { pipeline: 'shop' });
    await untilOutcome({ ...runs, client }, sound.workflowId, 'held');
    const cut = clientOf(runs, (data) => data.slice(0, -1)).workflow.getHandle(sound.workflowId);
    const refusal = cut.executeUpdate('review', { args: [{ decision: 'publish' }] });
    expect(await refusal.catch(innermostMessage)).toContain('review needs {"decision"');
    const unknown = sound.executeUpdate('reviev');
    expect(await unknown.catch(innermostMessage)).toMatch(
      /^an update needs one of the names review, .*"reviev"/,
    );
    await cut.signal('nobody-knows', { a: 1 });
    await sound.executeUpdate('review', { args: [{ decision: 'publish' }] });
    expect(await sound.result()).toMatchObject({ outcome: 'published' });
  });
}, 90_000);
