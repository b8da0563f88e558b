import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT_FOLDER } from '../../../scripts/config.ts';
import type { ActivityFacts } from '../../../scripts/observe/activity-ended.ts';
import { activityEnded } from '../../../scripts/observe/activity-ended.ts';
import { attributesOfActivity, attributesOfExecution } from '../../../scripts/traces/span-attributes.ts';

const run = { runId: 'run_1', pipeline: 'shop', kind: 'refit', asOf: '2026-06-01' };
const facts: ActivityFacts = {
  ...{ activity: 'fitClusters', queue: 'strata-compute', workflowId: 'segment/shop/latest' },
  ...{ attempt: 2, waitSeconds: 0.2 },
};
const features = { customers: { uri: 'x', sha256: 'x', kind: 'x', rows: 90, bytes: 10 } };
const input = { run, features };
const done = activityEnded(facts, { input, seconds: 2, endedAtMs: 0, result: { ms: 1_900 } });
const failed = activityEnded(facts, {
  ...{ input, seconds: 2, endedAtMs: 0, error: Object.assign(new Error('kunde-17'), { code: '23505' }) },
});

test('a stage tells its run, its attempt and its figures', () => {
  expect(attributesOfActivity(done, run.asOf)).toEqual({
    'strata.run': 'run_1',
    'strata.pipeline': 'shop',
    'strata.kind': 'refit',
    'strata.as_of': '2026-06-01',
    'strata.stage': 'cluster',
    'strata.attempt': 2,
    'strata.queue': 'strata-compute',
    'strata.queue_wait_seconds': 0.2,
    'strata.rows': 90,
    'strata.artifact_bytes': 0,
    'strata.was_done_before': false,
    temporalWorkflowId: 'segment/shop/latest',
  });
});

test('of a part nothing says that it had been done before', () => {
  const part = activityEnded(
    { ...facts, activity: 'aggregatePart' },
    { input, seconds: 2, endedAtMs: 0, result: { ms: 1_900 } },
  );
  const attributes = attributesOfActivity(part, null);
  expect(attributes).toMatchObject({ 'strata.stage': 'features' });
  expect(attributes).not.toHaveProperty('strata.was_done_before');
});

test('one that failed tells its code, and not what others said of it', () => {
  const attributes = attributesOfActivity(failed, null);
  expect(attributes).toMatchObject({ 'error.type': 'UNKNOWN', 'strata.stage': 'cluster' });
  expect(Object.keys(attributes)).not.toContain('strata.rows');
  expect(JSON.stringify(attributes)).not.toContain('kunde');
});

test('each attribute is told on the page', () => {
  const page = readFileSync(join(PROJECT_FOLDER, 'docs/observing.md'), 'utf8');
  const execution = attributesOfExecution(
    {
      ...{ traceId: 'a', spanId: 'b', isSampled: true, parentSpanId: null, startMs: 0, endMs: 1 },
      ...{ workflowType: 'segmentCustomers', run, outcome: 'failed', failure: 'TOO_FEW_ROWS' },
    },
    { id: 'segment/shop/latest', runId: 'r' },
  );
  for (const name of Object.keys({ ...attributesOfActivity(done, run.asOf), ...execution }))
    expect(page).toContain(`\`${name}\``);
});
