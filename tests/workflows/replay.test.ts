import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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

/** Runs in which a person renamed: as it is done now, and as it was before the name that is replaced was looked up. */
const RENAMES = ['renamed', 'renamed-at-once'];

/** One that a person paused and let go on. */
const PAUSED = ['paused'];

/** Outcomes of compareAlgorithms, by the names of their histories. */
const COMPARISONS = ['compared', 'compared-partly', 'compare-refused', 'compare-failed', 'compare-cancel'];

/** Of assignCustomers. */
const ASSIGNMENTS = ['assigned', 'assigned-refit', 'assign-refused'];

/** A refit and an assign run in parts. */
const PARTED = ['parted', 'assigned-parted'];

/** Outcomes of backfillRuns; the last is the second execution of one with a long history. */
const BACKFILLS = ['backfilled', 'backfill-partly', 'backfill-cancel', 'backfill-goes-on'];

/** Of reproduceRun: the same, different, not to be computed, and given up by a person. */
const REPRODUCTIONS = ['reproduced', 'reproduce-other', 'reproduce-cannot', 'reproduce-cancel'];

/**
 * Of deliverMessages, which goes on over deploys, of the keeper of histories, which is there as long as its run, and of
 * a look at the schedules.
 */
const BESIDE_RUNS = ['delivered', 'deliver-goes-on', 'history-kept', 'watched'];

/** What a test looks for in a file of them. */
interface RecordedHistory {
  events: {
    workflowExecutionUpdateAcceptedEventAttributes?: {
      acceptedRequest: { input: { name: string; args: { payloads: { data: string }[] } } };
    };
  }[];
}

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
      [
        ...OUTCOMES,
        ...RENAMES,
        ...PAUSED,
        ...COMPARISONS,
        ...ASSIGNMENTS,
        ...PARTED,
        ...BACKFILLS,
        ...REPRODUCTIONS,
        ...BESIDE_RUNS,
        ...INBOXES,
      ]
        .map((outcome) => `fixture ${outcome}`)
        .sort(),
    );
    expect(replayed.filter(({ fault }) => fault !== null)).toEqual([]);
    expect(Math.min(...replayed.map(({ events }) => events))).toBeGreaterThan(10);
    // A second for each of them on a machine that has others to serve.
  }, 120_000);

  test('so does the code of a worker that tells traces', async () => {
    const replayed = await replayAll(await bundleWorkflows({ isTraced: true }));
    expect(replayed.length).toBeGreaterThan(OUTCOMES.length);
    expect(replayed.filter(({ fault }) => fault !== null)).toEqual([]);
  }, 120_000);

  test('a workflow whose order was changed is caught on every history', async () => {
    const changed = await bundleWorkflowCode({ workflowsPath: CHANGED, logger: new DefaultLogger('ERROR') });
    const replayed = await replayAll(changed, historiesOfRuns());
    expect(replayed).toHaveLength(OUTCOMES.length);
    for (const { fault, event, workflow } of replayed) {
      expect(fault).toMatch(/^the workflow code now decides otherwise: /);
      expect(event).toMatch(/^\d+ [A-Z]\w+$/);
      expect(workflow).toMatchObject({ type: 'segmentCustomers', id: expect.stringContaining('test/') });
    }
  });

  test.each(RENAMES)('a name that was taken replays when its words are refused by now (%s)', async (name) => {
    const folder = await mkdtemp(join(tmpdir(), 'strata-histories-'));
    try {
      const history = JSON.parse(await readFile(join(HISTORIES, `${name}.json`), 'utf8')) as RecordedHistory;
      const sent = history.events.find(({ workflowExecutionUpdateAcceptedEventAttributes: taken }) =>
        taken?.acceptedRequest.input.name.includes('renameSegment'),
      )!.workflowExecutionUpdateAcceptedEventAttributes!.acceptedRequest.input.args.payloads[0]!;
      const wish = JSON.parse(Buffer.from(sent.data, 'base64').toString('utf8'));
      sent.data = Buffer.from(JSON.stringify({ ...wish, name: 'Loyal women' })).toString('base64');
      await writeFile(join(folder, 'refused.json'), JSON.stringify(history));
      expect(await replayAll(bundle, historiesIn(folder, 'fixture'))).toMatchObject([{ fault: null }]);
    } finally {
      await rm(folder, { recursive: true });
    }
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
