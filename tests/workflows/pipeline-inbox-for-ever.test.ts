import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { expect, test } from 'vitest';
import type { StartInput } from '../../pipelines/contracts/run.ts';
import { executionsOf, failedTasks, newPipeline, published, withInbox } from '../helpers/inbox.ts';
import { moment } from '../helpers/moment.ts';
import { temporalAddress } from '../helpers/temporal.ts';

/** Of a machine that has others to serve. */
const PATIENCE_MS = 240_000;
const MESSAGES = 500;
const PER_WORKER = 220;

test('500 messages, sent while runs go on, through executions and a worker’s restart, are each in exactly one run', {
  timeout: PATIENCE_MS,
}, async () => {
  const pipeline = newPipeline();
  const connection = await Connection.connect({ address: temporalAddress() });
  const client = new Client({ connection });
  const begun = new Set<string>();
  let [atWork, most] = [0, 0];
  const wholeRun = async (input: StartInput) => {
    begun.add(Context.current().info.workflowExecution!.workflowId);
    atWork += 1;
    most = Math.max(most, atWork);
    await sleep(150);
    atWork -= 1;
    return published(input);
  };
  let sent = 0;
  const sendTo = async (end: number) => {
    while (sent < end) {
      const burst = Array.from({ length: Math.min(25, end - sent) }, (_, i) => sent + i);
      sent += burst.length;
      await Promise.all(burst.map(send));
      await sleep(100);
    }
  };
  const send = (i: number) =>
    client.workflow.signalWithStart('pipelineInbox', {
      ...{ workflowId: `inbox-${pipeline}`, taskQueue: 'strata' },
      signal: i % 3 === 0 ? 'extractLanded' : 'requestRun',
      signalArgs: [{ id: `m${i}`, asOf: `2026-07-0${1 + (i % 2)}` }],
    });
  const setting = { pipeline, wholeRun, settings: { settleSeconds: 0.05 } };
  try {
    await withInbox({ ...setting, goesOn: true }, () => sendTo(PER_WORKER));
    await sendTo(PER_WORKER + 30);
    await withInbox(setting, async (inbox) => {
      await sendTo(MESSAGES);
      const { counts } = await inbox.until(
        ({ counts, waiting, running, unsorted }) =>
          counts.taken === MESSAGES && waiting.length === 0 && running === null && unsorted === 0,
      );
      expect(counts).toMatchObject({ taken: MESSAGES, repeated: 0, refused: 0, runs: begun.size });
      const ids = Array.from({ length: MESSAGES }, (_, i) => `m${i}`);
      const { messages } = await inbox.view({ ids });
      const numbers = new Set(ids.map((id) => messages![id]));
      const ofRuns = [...begun].map((workflowId) => Number(/-(\d+)$/.exec(workflowId)![1]));
      expect([...numbers].sort()).toEqual([...new Set(ofRuns)].sort());
      expect(ofRuns).toHaveLength(numbers.size);
      // Bursts were joined, and no two runs went on at a time.
      expect(begun.size).toBeLessThan(MESSAGES / 2);
      expect(most).toBe(1);
      const executions = await executionsOf(inbox);
      expect(executions.length).toBeGreaterThan(1);
      for (const execution of executions) {
        expect(await failedTasks(execution)).toEqual([]);
        expect((await execution.describe()).historySize).toBeLessThan(200_000);
      }
    });
  } finally {
    await connection.close();
  }
});

test('it goes on as another execution in the middle of a run, which it sees to its end', {
  timeout: PATIENCE_MS,
}, async () => {
  const [reached, opens] = [moment(), moment()];
  const wholeRun = async (input: StartInput) => {
    reached.happens();
    await opens.happened;
    return published(input);
  };
  await withInbox({ wholeRun, settings: { inputs: ['orders'] } }, async (inbox) => {
    await inbox.send('extractLanded', { input: 'orders' });
    await reached.happened;
    await inbox.send('extractLanded', { input: 'order' });
    await inbox.send('extractLandet');
    const extract = `/data/${'x'.repeat(900)}`;
    const firstRunId = (await inbox.handle.describe()).runId;
    let sent = 0;
    while ((await inbox.handle.describe()).runId === firstRunId) {
      for (let i = 0; i < 10; i++, sent++)
        await inbox.send('extractLanded', { input: 'orders', extract, id: `load-${sent}` });
    }
    await inbox.until(({ counts }) => counts.taken === sent + 1);
    expect(await inbox.view()).toMatchObject({
      running: { number: 1 },
      counts: { taken: sent + 1, refused: 2 },
    });
    const [second, first] = await executionsOf(inbox);
    await inbox.send('extractLanded', { extract, id: 'load-0' });
    opens.happens();
    const { last } = await inbox.until(({ last }) => last.length === 2);
    expect(last).toMatchObject([
      { number: 2, messages: sent, outcome: 'published', reason: null },
      { number: 1, messages: 1, outcome: 'published', reason: null },
    ]);
    expect(last[1]!.runId).toMatch(/^run_/);
    expect((await inbox.view()).counts).toEqual({ taken: sent + 1, repeated: 1, refused: 2, runs: 2 });
    await inbox.handle.cancel();
    await inbox.handle.result().catch(() => undefined);
    await inbox.runs.record(first!, 'inbox-goes-on');
    await inbox.runs.record(second!, 'inbox-cancel');
  });
});
