import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { DEFAULT_INBOX } from '../../pipelines/contracts/inbox-settings.ts';
import type { StartInput } from '../../pipelines/contracts/run.ts';
import { failing } from '../helpers/fake-stages.ts';
import {
  executionsOf,
  failedTasks,
  newPipeline,
  published,
  type TestInbox,
  withInbox,
} from '../helpers/inbox.ts';
import { moment } from '../helpers/moment.ts';
import { bundleWorkflows } from '../helpers/temporal.ts';
import { codeOf } from '../helpers/workflow-runs.ts';

const TWO = { inputs: ['orders', 'customers'], extract: 'orders' };
/** Of a machine that has others to serve. */
const PATIENCE_MS = 120_000;

const update = (inbox: TestInbox, name: string, sent: unknown) =>
  inbox.handle.executeUpdate<unknown, [unknown]>(name, { args: [sent] });

const refusalOf = (sent: Promise<unknown>) =>
  sent.then(
    () => 'was not refused',
    (error: unknown) => (error instanceof WorkflowUpdateFailedError ? error.cause!.message : String(error)),
  );

/** A run that stands still until it is let go. */
function gate() {
  const [reached, opens] = [moment(), moment()];
  const wholeRun = async (input: StartInput) => {
    reached.happens();
    await opens.happened;
    return published(input);
  };
  return { reached: reached.happened, open: opens.happens, wholeRun };
}

describe('pipelineInbox', { timeout: PATIENCE_MS }, () => {
  test('the first message makes it; two inputs wait for each other and make one whole run with what they say', async () => {
    const bundle = await bundleWorkflows();
    await withInbox({ settings: { ...TWO, run: 'assign' }, bundle }, async (inbox) => {
      await inbox.send('extractLanded', { input: 'orders', extract: '/data/orders.csv', asOf: '2026-07-01' });
      const { waiting } = await inbox.until(({ waiting }) => waiting.length > 0);
      expect(waiting).toMatchObject([
        { number: 1, kind: 'assign', asOf: '2026-07-01', landed: ['orders'], missing: ['customers'] },
      ]);
      await sleep(500);
      expect(await inbox.view()).toMatchObject({ running: null, counts: { runs: 0 } });
      await inbox.send('extractLanded', { input: 'customers', asOf: '2026-07-01' });
      const { last, counts } = await inbox.until(({ last }) => last.length > 0);
      expect(last).toMatchObject([
        {
          number: 1,
          messages: 2,
          missing: [],
          extract: '/data/orders.csv',
          outcome: 'published',
          reason: null,
        },
      ]);
      expect(last[0]!.workflowId).toMatch(/^assign\/.*\/2026-07-01\/inbox-[0-9a-f]{8}-1$/);
      expect(counts).toEqual({ taken: 2, repeated: 0, refused: 0, runs: 1 });
      const run = await inbox.runs.client.workflow.getHandle(last[0]!.workflowId).describe();
      expect([run.type, run.status.name]).toEqual(['assignCustomers', 'COMPLETED']);
    });
  });

  test('after the deadline it starts with what there is and says what was missing', () =>
    withInbox({ settings: { ...TWO, deadlineMinutes: 0.01 } }, async (inbox) => {
      await inbox.send('extractLanded', { input: 'orders' });
      const { last } = await inbox.until(({ last }) => last.length > 0);
      expect(last).toMatchObject([{ messages: 1, missing: ['customers'], outcome: 'published' }]);
    }));

  test('a burst is one run', () =>
    withInbox({ settings: { settleSeconds: 3 } }, async (inbox) => {
      await Promise.all(Array.from({ length: 20 }, () => inbox.send('extractLanded', {})));
      const { last } = await inbox.until(({ last }) => last.length > 0);
      expect(last).toMatchObject([{ messages: 20, outcome: 'published' }]);
      expect(await inbox.view()).toMatchObject({ waiting: [], running: null, counts: { runs: 1 } });
    }));

  test('what comes during a run makes one more run afterwards, requests and landings together', async () => {
    const { reached, open, wholeRun } = gate();
    await withInbox({ wholeRun }, async (inbox) => {
      await inbox.send('requestRun');
      await reached;
      for (let i = 0; i < 3; i++) await inbox.send('requestRun', {});
      for (let i = 0; i < 2; i++) await inbox.send('extractLanded');
      await inbox.until(({ counts }) => counts.taken === 6);
      await sleep(400);
      expect(await inbox.view()).toMatchObject({ running: { number: 1 }, last: [], counts: { runs: 1 } });
      open();
      const { last } = await inbox.until(({ last }) => last.length === 2);
      expect(last.map(({ messages }) => messages)).toEqual([5, 1]);
    });
  });

  test('requests of other dates, kinds and files are runs of their own, dates in their order', async () => {
    const { reached, open, wholeRun } = gate();
    const opened: [StartInput, string][] = [];
    await withInbox(
      {
        wholeRun: async (input, kind) => {
          opened.push([input, kind]);
          return wholeRun(input);
        },
      },
      async (inbox) => {
        await inbox.send('requestRun', { asOf: '2026-06-01' });
        await reached;
        await inbox.send('requestRun', { asOf: '2026-07-02' });
        await inbox.send('requestRun', { kind: 'assign' });
        await inbox.send('requestRun', { asOf: '2026-07-01', extract: '/data/a.csv' });
        await inbox.send('requestRun', { asOf: '2026-07-01', extract: '/data/b.csv' });
        await inbox.until(({ counts }) => counts.taken === 5);
        await sleep(300);
        open();
        await inbox.until(({ last }) => last.length === 5);
        const { pipeline } = inbox;
        expect(opened.slice(1)).toEqual([
          [{ pipeline, asOf: '2026-07-01', extract: '/data/a.csv' }, 'refit'],
          [{ pipeline, asOf: '2026-07-01', extract: '/data/b.csv' }, 'refit'],
          [{ pipeline, asOf: '2026-07-02' }, 'refit'],
          [{ pipeline }, 'assign'],
        ]);
      },
    );
  });

  test('a message sent again under its id changes nothing', () =>
    withInbox({}, async (inbox) => {
      for (let i = 0; i < 3; i++) await inbox.send('requestRun', { id: 'load-17' });
      await inbox.until(({ last }) => last.length === 1);
      await inbox.send('requestRun', { id: 'load-17' });
      const { counts } = await inbox.until(({ counts }) => counts.repeated === 3);
      expect(counts).toMatchObject({ taken: 1, runs: 1 });
      const { messages } = await inbox.view({ ids: ['load-17', 'load-18'] });
      expect(messages).toEqual({ 'load-17': 1, 'load-18': null });
    }));

  test('whatever is sent is refused in words, no workflow task fails, and the next message is taken', () =>
    withInbox({ settings: TWO }, async (inbox) => {
      await inbox.send('extractLanded');
      for (const sent of [7, 'orders', '{"input": "orders"}', [], [[]], true, { kind: [] }]) {
        await inbox.send('extractLanded', sent);
        await inbox.send('requestRun', sent);
      }
      await inbox.send('extractLanded', { input: 'order' });
      await inbox.send('extractLanded', { input: 'customers', extract: '/data/x.csv' });
      await inbox.send('extractLanded', { input: 'orders', extract: 'postgres://me:hunter2@db/shop' });
      await inbox.send('extractLanded', { input: 'orders', asOf: '2026-02-30' });
      await inbox.send('requestRun', { input: 'orders', customer: 'x'.repeat(1_900_000) });
      await inbox.send('requestRun', {}, {});
      await inbox.send('extractLandet', { input: 'orders' });
      await inbox.send('x'.repeat(900), null);
      // What is larger than Temporal takes never gets here.
      await expect(inbox.send('requestRun', { id: 'x'.repeat(2_200_000) })).rejects.toThrow();
      const { refused, counts } = await inbox.until(({ counts }) => counts.refused >= 23);
      expect(counts).toEqual({ taken: 0, repeated: 0, refused: 23, runs: 0 });
      const reasons = refused.map(({ message, reason }) => `${message}: ${reason}`).join('\n');
      for (const words of [
        'extractLandet: no signal has this name; there are extractLanded and requestRun',
        'extractLanded needs as input one of the pipeline\'s inputs (orders, customers), found "order"',
        'found unknown fields "input", "customer"',
        'asOf: needs an ISO date such as 2026-07-01, found "2026-02-30"',
        'without user, password, key or signature',
        'requestRun needs one JSON object',
        'found 2 values',
      ])
        expect(reasons).toContain(words);
      expect(reasons).not.toContain('hunter2');
      expect(JSON.stringify(refused).length).toBeLessThan(20_000);
      await inbox.send('requestRun', null);
      const { last } = await inbox.until(({ last }) => last.length === 1);
      expect(last).toMatchObject([{ outcome: 'published' }]);
      for (const execution of await executionsOf(inbox)) expect(await failedTasks(execution)).toEqual([]);
    }));

  test('a payload that no one can decode, and a name of Temporal’s own, are refused as well', () =>
    withInbox({}, async (inbox) => {
      await inbox.send('requestRun', {});
      await inbox.until(({ last }) => last.length === 1);
      const payload = (encoding: string) => ({
        metadata: { encoding: Buffer.from(encoding) },
        data: Buffer.from('{'),
      });
      const raw = (signalName: string, encoding: string) =>
        inbox.runs.client.workflowService.signalWorkflowExecution({
          ...{ namespace: 'default', workflowExecution: { workflowId: inbox.handle.workflowId } },
          ...{ signalName, input: { payloads: [payload(encoding)] } },
        });
      for (const encoding of ['json/plain', 'protobuf/x', '']) {
        await raw('requestRun', encoding);
        await raw('requestRum', encoding);
      }
      await raw('__temporal_x', 'json/plain');
      const { refused } = await inbox.until(({ counts }) => counts.refused === 7);
      const reasons = refused.map(({ message, reason }) => `${message}: ${reason}`).join('\n');
      expect(reasons).toContain('found a payload that is no JSON');
      expect(reasons).toContain('reserved: __temporal_x: no signal has this name');
      await inbox.send('requestRun', {});
      await inbox.until(({ last }) => last.length === 2);
      expect(await failedTasks(inbox.handle)).toEqual([]);
    }));

  test('a person who sends an update is answered on the spot', () =>
    withInbox({ settings: TWO }, async (inbox) => {
      await inbox.send('extractLanded', { input: 'orders' });
      expect(await update(inbox, 'extractLanded', { input: 'orders', id: 'a' })).toEqual({
        ...{ answer: 'taken', number: 1 },
        says: 'run 1 waits for customers, at most 1440 minutes from its first message on',
      });
      expect(await update(inbox, 'extractLanded', { input: 'customers', id: 'a' })).toMatchObject({
        ...{ answer: 'repeated', number: 1 },
      });
      expect(await refusalOf(update(inbox, 'requestRun', { kind: 'fit' }))).toContain(
        'kind: needs refit or assign, found "fit"',
      );
      expect(await refusalOf(update(inbox, 'extractLanded', { input: 'order' }))).toContain(
        'one of the pipeline\'s inputs (orders, customers), found "order"',
      );
      expect(await inbox.handle.executeUpdate('requestRun')).toMatchObject({ answer: 'taken', number: 2 });
    }));

  test('a run that fails, and one that is cancelled, are recorded, and the next message makes the next run', async () => {
    const { reached, open, wholeRun } = gate();
    await withInbox(
      {
        wholeRun: async (input) => {
          if (input.asOf === '2026-07-01') return failing('KERNEL_FAILED', 'a thread ended')();
          return input.asOf === '2026-07-02' ? wholeRun(input) : published(input);
        },
      },
      async (inbox) => {
        await inbox.send('requestRun', { asOf: '2026-07-01' });
        await inbox.until(({ last }) => last.length === 1);
        await inbox.send('requestRun', { asOf: '2026-07-02' });
        await reached;
        const { running } = await inbox.view();
        await inbox.runs.client.workflow.getHandle(running!.workflowId).cancel();
        await inbox.until(({ last }) => last.length === 2).finally(open);
        await inbox.send('requestRun', { asOf: '2026-07-03' });
        const { last } = await inbox.until(({ last }) => last.length === 3);
        expect(last.map(({ outcome, reason }) => [outcome, reason])).toEqual([
          ['published', null],
          ['cancelled', 'cancelled by a person or a pipeline'],
          ['failed', 'a thread ended (KERNEL_FAILED)'],
        ]);
      },
    );
  });

  test('while the definition cannot be read messages are kept, and people are told why', async () => {
    let isBroken = true;
    const broken = failing('DEFINITION_INVALID', 'definition shop: needs a contract.yaml, found none');
    const readInbox = async () =>
      isBroken ? broken() : { settings: { ...DEFAULT_INBOX, settleSeconds: 0 } };
    await withInbox({ stages: { readInbox } }, async (inbox) => {
      for (let i = 0; i < 3; i++) await inbox.send('requestRun', {});
      const { blocked } = await inbox.until((view) => view.unsorted === 3 && view.blocked !== null);
      expect(blocked).toBe('definition shop: needs a contract.yaml, found none (DEFINITION_INVALID)');
      expect(await refusalOf(update(inbox, 'requestRun', {}))).toBe(blocked);
      isBroken = false;
      await inbox.send('requestRun', {});
      await inbox.until(({ last, running, waiting }) => last.length > 0 && !running && waiting.length === 0);
      expect(await inbox.view()).toMatchObject({
        blocked: null,
        unsorted: 0,
        counts: { taken: 4, refused: 1 },
      });
    });
  });

  test('an inbox of a pipeline that nobody has defined fails at once, and says which there are', () =>
    withInbox(
      { stages: { readInbox: failing('PIPELINE_UNKNOWN', 'pipeline "x" is not defined; there are shop') } },
      async (inbox) => {
        await inbox.send('requestRun', {});
        const fault = await inbox.handle.result().catch((error: unknown) => error);
        expect(codeOf(fault)).toBe('PIPELINE_UNKNOWN');
      },
    ));

  test('cancelled, it ends, and the run that it has started goes on without it', async () => {
    const { reached, open, wholeRun } = gate();
    await withInbox({ wholeRun }, async (inbox) => {
      await inbox.send('requestRun');
      await reached;
      const { running } = await inbox.view();
      await inbox.handle.cancel();
      await inbox.handle.result().catch(() => undefined);
      expect((await inbox.handle.describe()).status.name).toBe('CANCELLED');
      open();
      const run = inbox.runs.client.workflow.getHandle(running!.workflowId);
      expect(await run.result()).toMatchObject({ outcome: 'published' });
    });
  });

  test('started by hand with whatever input it says what it needs, or serves the pipeline of its id', () =>
    withInbox({}, async ({ runs }) => {
      const start = (workflowId: string, ...args: unknown[]) =>
        runs.client.workflow.start('pipelineInbox', { workflowId, taskQueue: 'strata', args });
      for (const sent of [{ pipeline: 7 }, { pipeline: '' }, { pipeline: 'x'.repeat(900_000) }]) {
        const handle = await start(`test/${newPipeline()}`, sent);
        expect(codeOf(await handle.result().catch((error: unknown) => error))).toBe('INPUT_INVALID');
      }
      const other = await start(`inbox-${newPipeline()}`, { pipeline: 'shop' });
      expect(codeOf(await other.result().catch((error: unknown) => error))).toBe('INPUT_INVALID');
      for (const args of [[], [null], ['shop'], [7], [{}, { state: 7, settings: 'x', unsorted: null }]]) {
        const handle = await start(`test/${newPipeline()}`, ...args);
        expect(await handle.query('inbox')).toMatchObject({ pipeline: 'shop', settings: null });
        await handle.terminate();
      }
    }));
});
