import { monitorEventLoopDelay } from 'node:perf_hooks';
import { CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CompareStages } from '../../pipelines/contracts/compare.ts';
import type { PartStages } from '../../pipelines/contracts/parts.ts';
import type { ReproduceStages } from '../../pipelines/contracts/reproduce.ts';
import { parseStabilityReport } from '../../pipelines/stages/stability-report.ts';
import { decodeJson } from '../../store/artifacts/json.ts';
import { writeFeatures } from '../helpers/activity-features.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { performThreeTimes } from '../helpers/activity-three-times.ts';
import {
  type Call,
  closingOf,
  publishWalked,
  type Walked,
  walkAssign,
  walkToStability,
} from '../helpers/activity-walk.ts';
import { makeDueSchedule } from '../helpers/due-schedule.ts';

let shop: ActivityShop;

beforeAll(async () => {
  shop = await openActivityShop();
}, 60_000);

afterAll(() => shop?.close());

const performed = new Set<string>();
const threeTimes: Call = (name, input) => performThreeTimes(shop, name, input, performed);

/** A run that was matched before the last model's labels were kept is labelled once more, to the same end. */
async function expectSameWithoutKeptLabels({ match, stability, ...walked }: Walked): Promise<void> {
  const { relabelled: _, ...early } = match;
  await shop.forgetSteps(walked.run.runId);
  const again = await shop.perform('measureStability', { ...walked, match: early });
  expect(again.report.sha256).toBe(stability.report.sha256);
}

/** That the report, its rows and the view of customers tell of the same moves. */
async function expectMovesTold({ run, match, stability }: Walked): Promise<void> {
  const { artifacts } = shop.context;
  const report = parseStabilityReport(decodeJson(await artifacts.read(stability.report)));
  const { movements, migration } = report.movements!;
  expect(match.relabelled).toMatchObject({ kind: 'labels' });
  expect(movements.length).toBeGreaterThan(0);
  const ways = movements.map(({ from, to, cause, customers }) => ({ from, to, cause, customers }));
  const told = await shop.database
    .knex('segment_moves')
    .where({ run_id: run.runId })
    .groupBy('from_segment_id', 'to_segment_id', 'cause')
    .select({ from: 'from_segment_id', to: 'to_segment_id', cause: 'cause' })
    .count<{ customers: string | number }[]>({ customers: '*' });
  const counted = told.map((row) => ({ ...row, customers: Number(row.customers) }));
  expect(counted).toHaveLength(ways.length);
  expect(counted).toEqual(expect.arrayContaining(ways));
  expect(migration!.rows.map(({ from }) => from).at(-1)).toBeNull();
  const metrics = new Set(report.metrics.map(({ metric }) => metric));
  for (const metric of ['adjusted-mutual-information', 'wasserstein', 'kolmogorov-smirnov', 'centroid-drift'])
    expect(metrics, metric).toContain(metric);
  expect(report.movements!.noiseBands!.new).not.toBeNull();
}

/** Done twice over in compare.test.ts. */
const OF_COMPARISONS: string[] = [
  'openComparison',
  'extractForComparison',
  'validateForComparison',
  'buildFeaturesForComparison',
  'fitCandidate',
  'writeComparison',
  'closeComparison',
] satisfies (keyof CompareStages)[];

/** Done twice over in reproduce.test.ts. */
const OF_REPRODUCTIONS: string[] = [
  'openReproduction',
  'reproduceStage',
  'compareManifests',
  'closeReproduction',
] satisfies (keyof ReproduceStages)[];

/** Done twice over in parts.test.ts. */
const OF_PARTS: string[] = [
  'planParts',
  'aggregatePart',
  'assignPart',
  'planMemberships',
  'loadMemberships',
] satisfies (keyof PartStages)[];

describe('an activity that is run again gives the same result and leaves the same rows and files', () => {
  test('in a first run, from opening to closing', async () => {
    const walked = await walkToStability(shop, { asOf: '2026-06-01' }, threeTimes);
    expect(await publishWalked(shop, walked, threeTimes)).toMatchObject({ outcome: 'published' });
  }, 60_000);

  test('in a run that is compared with a publication, held, published, and kept', async () => {
    const walked = await walkToStability(shop, {}, threeTimes);
    const { run } = walked;
    expect(walked.match.base).not.toBeNull();
    await expectSameWithoutKeptLabels(walked);
    await threeTimes('awaitTurn', { run });
    await threeTimes('holdRun', { run, closing: closingOf(walked, 'held', ['asked for']) });
    const alerts = shop.database.knex('alerts').where({ subject: run.runId });
    expect(await alerts.clone()).toMatchObject([
      { title: 'the run waits for a person: asked for', state: 'open', occurrences: 1 },
    ]);
    expect(await publishWalked(shop, walked, threeTimes)).toMatchObject({ outcome: 'published' });
    expect(await alerts.clone()).toMatchObject([{ state: 'resolved', resolved_by: 'strata' }]);
    await threeTimes('deliverPipeline', { pipeline: run.pipeline });
    const { workflow, runId } = run;
    await expectMovesTold(walked);
    const { name: segment } = walked.naming.segments[0]!;
    const wish = { segment, name: 'Our best', because: 'campaign', by: 'ann' };
    const rename = await threeTimes('findRenamed', { run, rename: wish });
    expect(rename).toEqual({ ...wish, segment: walked.naming.segments[0]!.segmentId, seen: 1 });
    await threeTimes('renameSegment', { run, rename });
    await shop.client.workflow.getHandle(workflow.id).terminate();
    expect(await threeTimes('awaitClosed', { workflow })).toEqual({ workflow });
    expect(await threeTimes('awaitRun', { workflowId: workflow.id })).toMatchObject({ outcome: 'failed' });
    await threeTimes('keepHistory', { runId, workflow });
    expect(await shop.context.repositories.runs.get(runId)).toMatchObject({ outcome: 'published' });
  }, 60_000);

  test('in a run that assigns by the published model', async () => {
    const walked = await walkAssign(shop, { asOf: '2026-07-05' }, threeTimes);
    const { run, stability, clustering } = walked;
    const { novelShare } = clustering.quality.assigned!;
    await threeTimes('decideRefit', { run, verdict: stability.verdict, novelShare });
    expect(await publishWalked(shop, walked, threeTimes)).toMatchObject({
      ...{ outcome: 'published', kind: 'assign' },
    });
    expect(await threeTimes('readInbox', { pipeline: run.pipeline })).toMatchObject({
      settings: { inputs: [] },
    });
    const backfill = { pipeline: run.pipeline, from: '2026-08-01', to: '2026-10-01' };
    expect(
      await threeTimes('planBackfill', { input: backfill, startedAt: '2026-11-01T00:00:00.000Z' }),
    ).toMatchObject({ pipeline: run.pipeline });
  }, 60_000);

  test('in a look at schedules, of which one has no runs', async () => {
    const { later: now, remove } = await makeDueSchedule(shop.client, 'shop', 'hourly');
    try {
      expect(await threeTimes('tellMissedRuns', { now, settleSeconds: 0 })).toMatchObject({ missing: 3 });
    } finally {
      await remove();
    }
    expect(await shop.database.knex('missed_runs')).toHaveLength(3);
    await threeTimes('deliverPipeline', { pipeline: 'shop' });
    expect(await shop.database.knex('outbox').whereNull('delivered_at')).toEqual([]);
  }, 60_000);

  test('and that is true of all of them', () => {
    const ofRuns = Object.keys(shop.activities).filter(
      (name) => ![...OF_COMPARISONS, ...OF_REPRODUCTIONS, ...OF_PARTS].includes(name),
    );
    expect([...performed].sort()).toEqual(ofRuns.sort());
  });
});

describe('while clusters are fitted', () => {
  const ROWS = 200_000;
  const MANY_TRIALS = {
    k: { min: 3, max: 8 },
    smallestShare: 0.02,
    starts: 10,
    bootstraps: 60,
    nullDraws: 20,
    sampleRows: 10_000,
  };
  const BLOCKED_SHARE = 0.1;
  const NS_PER_MS = 1e6;
  let large: ActivityShop;

  beforeAll(async () => {
    large = await openActivityShop({ definition: { clustering: MANY_TRIALS } });
  }, 60_000);

  afterAll(() => large?.close());

  async function fit() {
    const { execution: workflow } = await large.openWorkflow();
    const { run } = await large.perform('openRun', { input: {}, workflow, scheduledAt: null });
    const features = await writeFeatures(large.context.artifacts, run, ROWS);
    const environment = large.environment();
    const heartbeats: { stage: string; done: number; of: number }[] = [];
    environment.on('heartbeat', (details) => heartbeats.push({ ...details }));
    const before = await large.snapshot();
    return {
      environment,
      heartbeats,
      before,
      fitting: large.perform('fitClusters', { run, features }, environment),
    };
  }

  test('heartbeats with rising progress are sent, and the event loop stays free', async () => {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    const { fitting, heartbeats } = await fit();
    delay.enable();
    const { ms } = await fitting;
    delay.disable();
    // One at the start and one a second; a busy machine may swallow some.
    expect(heartbeats.length).toBeGreaterThanOrEqual(1 + Math.floor(ms / 1_500));
    const done = heartbeats.map((heartbeat) => heartbeat.done);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(done.at(-1)).toBeGreaterThan(0);
    // A share of the time: what a busy machine takes longer for, it takes longer to come back from, too.
    expect(delay.max / NS_PER_MS).toBeLessThan(BLOCKED_SHARE * ms);
  }, 60_000);

  test('a cancel in the middle is obeyed, and leaves nothing', async () => {
    const { fitting, environment, before } = await fit();
    environment.on('heartbeat', ({ done }) => done > 0 && environment.cancel());
    await expect(fitting).rejects.toBeInstanceOf(CancelledFailure);
    expect(await large.snapshot()).toEqual(before);
  }, 60_000);
});
