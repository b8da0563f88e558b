import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { METRICS } from '../../../scripts/observe/catalogue.ts';
import { createProductMetrics } from '../../../scripts/observe/product-metrics.ts';
import { applying } from '../../../scripts/observe/sdk-metrics.ts';
import { samplesOf } from '../../helpers/samples.ts';

const UNITS = /_(seconds|bytes|ratio|info|total)$/;
/** What has no unit: things counted at a moment, and figures that are pure numbers. */
const UNITLESS = [
  ...['strata_open_runs', 'strata_published_customers', 'strata_published_segments', 'strata_worker_ready'],
  ...['strata_published_silhouette', 'strata_published_min_jaccard', 'strata_published_adjusted_rand'],
];

test.each(Object.entries(METRICS))('%s is named and labelled as Prometheus wants it', (name, metric) => {
  expect(name).toMatch(/^strata_[a-z]+(_[a-z]+)*$/);
  expect(name.endsWith('_total')).toBe(metric.kind === 'counter');
  expect(UNITS.test(name) || UNITLESS.includes(name)).toBe(true);
  if (metric.kind === 'histogram') expect(name).toMatch(/_seconds$/);
  // Of these there are few; of runs, customers, files and segments there are many.
  const few = ['pipeline', 'kind', 'stage', 'outcome', 'activity', 'queue', 'code', 'state', 'check', 'node'];
  expect(few).toEqual(expect.arrayContaining([...metric.labels]));
  expect(metric.help).toMatch(/^[A-Z].*[^.]$/);
});

const facts = {
  ...{ activity: 'fitClusters', queue: 'strata-compute', workflowId: 'w', attempt: 1, waitSeconds: 2 },
  ...{
    run: { runId: 'run_1', pipeline: 'shop', kind: 'refit' as const },
    stage: 'cluster' as const,
    isPart: false,
  },
  ...{ seconds: 3, failure: null, work: null, outcome: null },
};

test('what activities came to is counted under its labels', async () => {
  const registry = new Registry();
  const product = createProductMetrics(registry);
  const work = { seconds: 2.5, rows: 90, artifactBytes: 1_000 };
  product.count({ ...facts, work });
  product.count({ ...facts, work });
  product.count({ ...facts, failure: { code: 'KERNEL_FAILED', message: 'x' } });
  product.count({ ...facts, failure: { code: 'CANCELLED', message: null } });
  product.count({ ...facts, activity: 'closeRun', stage: null, outcome: 'published' });
  // At each scrape, and takes nothing back.
  product.expect(['shop']);
  const samples = await samplesOf(registry);
  const stage = '{pipeline="shop",kind="refit",stage="cluster"}';
  expect(samples).toMatchObject({
    [`strata_stage_seconds_sum${stage}`]: 5,
    [`strata_stage_seconds_count${stage}`]: 2,
    [`strata_stage_rows_total${stage}`]: 180,
    [`strata_stage_artifact_bytes_total${stage}`]: 2_000,
    'strata_runs_total{pipeline="shop",kind="refit",outcome="published"}': 1,
    'strata_activity_failures_total{activity="fitClusters",queue="strata-compute",code="KERNEL_FAILED"}': 1,
    'strata_queue_wait_seconds_sum{queue="strata-compute"}': 10,
  });
  expect(JSON.stringify(samples)).not.toMatch(/CANCELLED|run_1/);
});

test('runs and stages of a pipeline are counted from nothing on, in each way that they can end', async () => {
  const registry = new Registry();
  createProductMetrics(registry).expect(['shop']);
  const samples = await samplesOf(registry);
  const runs = Object.keys(samples).filter((name) => name.startsWith('strata_runs'));
  expect(runs).toHaveLength(2 * 4);
  expect(samples).toMatchObject({
    'strata_runs_total{pipeline="shop",kind="assign",outcome="failed"}': 0,
    'strata_stage_seconds_count{pipeline="shop",kind="refit",stage="cluster"}': 0,
    'strata_stage_seconds_bucket{le="60",pipeline="shop",kind="assign",stage="assign"}': 0,
    'strata_stage_rows_total{pipeline="shop",kind="refit",stage="persist"}': 0,
    'strata_stage_artifact_bytes_total{pipeline="shop",kind="refit",stage="publish"}': 0,
  });
  const names = Object.keys(samples);
  expect(names.filter((name) => /kind="assign".*stage="cluster"|rows_total.*"publish"/.test(name))).toEqual(
    [],
  );
});

test('figures of what is published are those of now, and absent while nobody knows them', async () => {
  const registry = new Registry();
  const product = createProductMetrics(registry);
  const published = {
    ...{ pipeline: 'shop', publishedAt: '2026-07-01T06:00:00.000Z', asOf: '2026-07-01' },
    ...{ customers: 90, segments: 5, silhouette: 0, minJaccard: 0.8, adjustedRand: null, movedShare: null },
    quarantinedShare: 0.01,
  };
  product.showFigures({ published: [published], open: [{ pipeline: 'shop', state: 'held', runs: 2 }] });
  const samples = await samplesOf(registry);
  expect(samples).toMatchObject({
    'strata_published_as_of_timestamp_seconds{pipeline="shop"}': Date.parse('2026-07-01') / 1_000,
    'strata_published_silhouette{pipeline="shop"}': 0,
    'strata_open_runs{pipeline="shop",state="held"}': 2,
  });
  expect(Object.keys(samples).filter((name) => name.includes('adjusted_rand'))).toEqual([]);
  product.showFigures(null);
  const after = Object.keys(await samplesOf(registry));
  expect(after.filter((name) => /published|open_runs/.test(name))).toEqual([]);
});

test('what the SDK counts goes by the names and units of Prometheus; a type that a caller made up is “other”', async () => {
  const registry = new Registry();
  const apply = applying(registry, new Set(['segmentCustomers']));
  const metric = (name: string, kind: 'counter' | 'gauge' | 'histogram', unit = '') => ({
    ...{ name, kind, unit, description: '' },
  });
  const failed = metric('temporal_workflow_failed', 'counter');
  const wait = metric('temporal_activity_schedule_to_start_latency', 'histogram', 's');
  apply({ metric: failed, value: 1, attributes: { workflow_type: 'segmentCustomers', strange: 'x' } });
  for (const typed of ['a', 'b']) apply({ metric: failed, value: 1, attributes: { workflow_type: typed } });
  apply({ metric: wait, value: 0.25, attributes: { task_queue: 'strata' } });
  apply({ metric: metric('temporal_worker_task_slots_used', 'gauge'), value: 3, attributes: {} });
  expect(await samplesOf(registry)).toMatchObject({
    'temporal_workflow_failed_total{workflow_type="segmentCustomers"}': 1,
    'temporal_workflow_failed_total{workflow_type="other"}': 2,
    'temporal_activity_schedule_to_start_latency_seconds_sum{task_queue="strata"}': 0.25,
    temporal_worker_task_slots_used: 3,
  });
});
