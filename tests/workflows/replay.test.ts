import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { OUTCOMES } from '../../pipelines/contracts/run.ts';
import {
  historiesIn,
  type KeptHistory,
  type Replayed,
  replayHistories,
} from '../../scripts/replay-histories.ts';
import { bundleWorkflows } from '../helpers/temporal.ts';

const HISTORIES = fileURLToPath(new URL('../histories', import.meta.url));
const CHANGED = fileURLToPath(new URL('../fixtures/changed-workflows/index.ts', import.meta.url));

/** Outcomes of compareAlgorithms, by the names of their histories. */
const COMPARISONS = ['compared', 'compared-partly', 'compare-refused', 'compare-failed', 'compare-cancel'];

/** Of assignCustomers. */
const ASSIGNMENTS = ['assigned', 'assigned-refit', 'assign-refused'];

/** Outcomes of backfillRuns; the last is the second execution of one with a long history. */
const BACKFILLS = ['backfilled', 'backfill-partly', 'backfill-cancel', 'backfill-goes-on'];

/** Two executions of one inbox: the first handed on in the middle of a run, the second saw its end and was cancelled. */
const INBOXES = ['inbox-goes-on', 'inbox-cancel'];

let bundle: Awaited<ReturnType<typeof bundleWorkflows>>;
beforeAll(async () => {
  bundle = await bundleWorkflows();
}, 60_000);

async function replayAll(
  code: typeof bundle,
  histories = historiesIn(HISTORIES, 'fixture'),
): Promise<Replayed[]> {
  const replayed: Replayed[] = [];
  for await (const result of replayHistories(code, histories)) replayed.push(result);
  return replayed;
}

async function* historiesOfRuns(): AsyncGenerator<KeptHistory> {
  const names: string[] = OUTCOMES.map((outcome) => `fixture ${outcome}`);
  for await (const history of historiesIn(HISTORIES, 'fixture'))
    if (names.includes(history.name)) yield history;
}

describe('replay', () => {
  test('today’s workflow code replays a committed history of every outcome', async () => {
    const replayed = await replayAll(bundle);
    expect(replayed.map(({ name }) => name).sort()).toEqual(
      [...OUTCOMES, ...COMPARISONS, ...ASSIGNMENTS, ...BACKFILLS, ...INBOXES]
        .map((outcome) => `fixture ${outcome}`)
        .sort(),
    );
    expect(replayed.filter(({ fault }) => fault !== null)).toEqual([]);
    expect(Math.min(...replayed.map(({ events }) => events))).toBeGreaterThan(20);
  });

  test('a workflow whose order was changed is caught on every history', async () => {
    const changed = await bundleWorkflowCode({ workflowsPath: CHANGED, logger: new DefaultLogger('ERROR') });
    const replayed = await replayAll(changed, historiesOfRuns());
    expect(replayed).toHaveLength(OUTCOMES.length);
    for (const { fault } of replayed) expect(fault).toContain('the workflow code now decides otherwise');
  });

  test('a file that is no history is a fault of that file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'strata-histories-'));
    try {
      await writeFile(join(folder, 'broken.json'), '{"events": []}');
      const replayed = await replayAll(bundle, historiesIn(folder, 'fixture'));
      expect(replayed).toHaveLength(1);
      expect(replayed[0]!.fault).not.toBeNull();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
