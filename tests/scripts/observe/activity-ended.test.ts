import { expect, test } from 'vitest';
import { type ActivityFacts, activityEnded } from '../../../scripts/observe/activity-ended.ts';
import { lineAbout } from '../../../scripts/observe/activity-log.ts';

/** Thirty seconds after its parts were begun, and one of the attempt. */
const endedAtMs = Date.parse('2026-07-01T00:00:31.000Z');
const since = '2026-07-01T00:00:00.000Z';
const run = { runId: 'run_1', pipeline: 'shop', kind: 'refit' };
const of = (activity: string, more: Partial<ActivityFacts> = {}): ActivityFacts => ({
  ...{ activity, queue: 'strata-compute', workflowId: 'segment/shop/latest', attempt: 1, waitSeconds: 0.2 },
  ...more,
});
const artifact = (rows: number, bytes: number) => ({ uri: 'x', sha256: 'x', kind: 'extract', rows, bytes });

test('of a stage: the time of its work as the run log has it, its rows, the bytes it left', () => {
  const result = {
    ...{ ms: 1_250, rowsRead: 500, asOf: '2026-06-01', artifact: artifact(480, 4_000) },
    customers: { artifact: artifact(90, 300), rowsRead: 90 },
  };
  expect(
    activityEnded(of('extractCustomers'), { input: { run }, seconds: 1.3, endedAtMs, result }),
  ).toMatchObject({
    ...{ run, stage: 'extract', failure: null, outcome: null },
    work: { seconds: 1.25, rows: 500, artifactBytes: 4_300 },
  });
});

const features = { customers: artifact(90, 1) };
const extract = { artifact: artifact(480, 1) };
test.each([
  ['validateExtract', { extract }, { counts: { rowsRead: 480 } }, 480],
  ['profileExtract', { extract }, {}, 480],
  ['buildFeatures', { extract }, { customers: artifact(90, 1) }, 480],
  ['fitClusters', { features }, {}, 90],
  ['assignSegments', { features }, {}, 90],
  ['matchIdentities', { features }, {}, 90],
  ['nameSegments', { features }, {}, 90],
  ['persistRun', { features }, { memberships: 91 }, 91],
  ['measureStability', { features }, {}, 90],
  ['publishRun', {}, {}, null],
  ['deliverOutbox', {}, {}, null],
])('rows of %s', (activity, input, result, rows) => {
  const ended = activityEnded(of(activity), {
    ...{ input: { run, ...input }, seconds: 2, endedAtMs, result: { ms: 1, ...result } },
  });
  expect(ended.work?.rows).toBe(rows);
});

test.each(['planParts', 'aggregatePart', 'assignPart', 'planMemberships', 'loadMemberships'])(
  'the rows of %s are counted by what joins the parts',
  (activity) => {
    const ended = activityEnded(of(activity), {
      ...{ input: { run, features, extract }, seconds: 2, endedAtMs, result: { ms: 1, rows: 90 } },
    });
    expect(ended).toMatchObject({ run, work: null, failure: null });
    expect(ended.stage).not.toBeNull();
    expect(lineAbout(ended).message).toBe(`a part of ${ended.stage} of run_1 done in 2.0 s`);
  },
);

test('a stage that an earlier attempt had done is not counted again', () => {
  const ended = activityEnded(of('fitClusters'), {
    ...{ input: { run, features }, seconds: 0.05, endedAtMs, result: { ms: 30_000 } },
  });
  expect(ended.work).toBeNull();
  expect(lineAbout(ended)).toMatchObject({ level: 'info', message: 'cluster of run_1 had been done before' });
});

test('a stage in parts took as long as its parts and what joined them, though the joining was short', () => {
  const ended = activityEnded(of('persistRun'), {
    ...{ input: { run, features, since }, seconds: 1.1, endedAtMs, result: { ms: 30_000, memberships: 90 } },
  });
  expect(ended.work).toEqual({ seconds: 30, rows: 90, artifactBytes: 0 });
});

test('a stage in parts that an earlier attempt had joined is not counted again', () => {
  const ended = activityEnded(of('persistRun', { attempt: 2 }), {
    ...{ input: { run, features, since }, seconds: 0.02, endedAtMs, result: { ms: 30_000, memberships: 90 } },
  });
  expect(ended.work).toBeNull();
});

test('what frames the stages has no work; only closing a run has an outcome', () => {
  const close = { input: { run }, seconds: 1, endedAtMs, result: { outcome: 'rejected', ms: 5 } };
  expect(activityEnded(of('closeRun'), close)).toMatchObject({ work: null, outcome: 'rejected' });
  expect(activityEnded(of('holdRun'), close)).toMatchObject({ work: null, outcome: null });
  const strange = { ...close, result: { outcome: 'kunde-17' } };
  expect(activityEnded(of('closeRun'), strange).outcome).toBeNull();
});

test.each([null, undefined, 'x', 7, {}, { run: 'run_1' }, { run: { runId: 7, pipeline: {} } }])(
  'what is no run is none: %j',
  (input) => {
    expect(
      activityEnded(of('extractCustomers'), { input, seconds: 1, endedAtMs, result: null }),
    ).toMatchObject({
      ...{ run: null, work: null },
    });
  },
);

test('a failure has its code; words of an error without one, which may quote a row, stay out', () => {
  const failed = (error: unknown) =>
    activityEnded(of('fitClusters', { attempt: 2 }), { input: { run }, seconds: 1, endedAtMs, error });
  const coded = failed({ name: 'ApplicationFailure', type: 'KERNEL_FAILED', message: 'no memory' });
  expect(lineAbout(coded)).toEqual({
    level: 'warn',
    message: 'cluster of run_1 failed in attempt 2: no memory (KERNEL_FAILED)',
    about: { code: 'KERNEL_FAILED', seconds: 1 },
  });
  const other = failed({ name: 'ApplicationFailure', type: 'error', message: 'key kunde-17' });
  expect(lineAbout(other).message).toBe('cluster of run_1 failed in attempt 2 (UNKNOWN)');
  const cancelled = failed({ name: 'CancelledFailure', message: 'kunde-17' });
  expect(cancelled.failure).toEqual({ code: 'CANCELLED', message: null });
  expect(lineAbout(cancelled).level).toBe('debug');
});
