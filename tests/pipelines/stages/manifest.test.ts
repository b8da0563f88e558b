import { expect, test } from 'vitest';
import type { ArtifactRef } from '../../../pipelines/contracts/artifacts.ts';
import type { Run, StageReport } from '../../../pipelines/contracts/run.ts';
import type { Closing } from '../../../pipelines/contracts/stages.ts';
import { buildManifest } from '../../../pipelines/stages/manifest.ts';

const ref = (kind: ArtifactRef['kind'], digit: string, folder = 'a'): ArtifactRef => ({
  kind,
  sha256: digit.repeat(64),
  uri: `${folder}/${kind}`,
  rows: 9,
  bytes: 100,
});

/** What a run left behind: two products of one stage, none of another. */
const stagesWith = ({ quarantine = 'a', ms = 5, folder = 'a' } = {}): StageReport[] => [
  {
    stage: 'validate',
    ms,
    artifact: ref('report', 'e', folder),
    digests: { report: 'e'.repeat(64), quarantine: quarantine.repeat(64) },
  },
  { stage: 'persist', ms, digests: {} },
];

function manifestOf(
  change: { run?: Partial<Run>; closing?: Partial<Closing>; ms?: number; folder?: string } = {},
) {
  const { ms = 5, folder = 'a' } = change;
  const run: Run = {
    runId: 'run_1',
    kind: 'refit',
    pipeline: 'shop',
    asOf: null,
    seed: 3,
    definition: ref('definition', 'd', folder),
    extract: '/data/first.csv',
    review: 'never',
    k: null,
    workflow: { id: 'w1', runId: 'r1' },
    ...change.run,
  };
  const closing: Closing = {
    runId: run.runId,
    kind: 'refit',
    pipeline: 'shop',
    asOf: '2026-06-30',
    outcome: 'published',
    verdict: 'stable',
    reasons: ['review: publish'],
    counts: { rowsRead: 10, rowsAccepted: 9, rowsQuarantined: 1, quarantinedBy: [], customers: 4 },
    k: 3,
    segments: [],
    quality: null,
    stages: stagesWith({ ms, folder }),
    workflow: run.workflow,
    ...change.closing,
  };
  return buildManifest({ run, closing, codeVersion: 'c1' });
}

test('what differs between two runs over the same inputs is not in the manifest', () => {
  const again = manifestOf({
    run: { runId: 'run_2', extract: '/other/place.csv', workflow: { id: 'w2', runId: 'r2' } },
    closing: { runId: 'run_2', reasons: ['review: publish (by hand)'], workflow: { id: 'w2', runId: 'r2' } },
    ms: 777,
    folder: 'b',
  });
  expect(JSON.stringify(again)).toBe(JSON.stringify(manifestOf()));
});

test.each([
  ['seed', { run: { seed: 4 } }],
  ['definition', { run: { definition: ref('definition', 'f') } }],
  ['decision on the number of segments', { run: { k: 3 } }],
  ['as-of date', { closing: { asOf: '2026-07-01' } }],
  ['set of released rows', { run: { releases: ref('release', 'f') } }],
  // What the stage is known by stays the same; something else that it left behind does not.
  ['product of a stage', { closing: { stages: stagesWith({ quarantine: 'b' }) } }],
  ['outcome', { closing: { outcome: 'rejected' as const } }],
  ['number of segments', { closing: { k: 4 } }],
])('another %s is another manifest', (_, change) => {
  expect(manifestOf(change)).not.toEqual(manifestOf());
});

test('every stage stands in order with the digests of all its products', () => {
  expect(manifestOf().stages).toEqual([
    { stage: 'validate', digests: { report: 'e'.repeat(64), quarantine: 'a'.repeat(64) } },
    { stage: 'persist', digests: {} },
  ]);
});

test('a number of segments that a person decided on is on record, one that was chosen leaves no trace of a decision', () => {
  expect(manifestOf({ run: { k: 3 } }).fixedK).toBe(3);
  const [chosen, older] = [manifestOf(), manifestOf({ run: { k: undefined } })].map((manifest) =>
    JSON.stringify(manifest),
  );
  expect(chosen).not.toContain('fixedK');
  expect(older).toBe(chosen);
});

test('released rows are named by their digest, and a run without any is as one of older code', () => {
  expect(manifestOf({ run: { releases: ref('release', 'f') } }).releases).toBe('f'.repeat(64));
  const [without, older] = [manifestOf({ run: { releases: null } }), manifestOf()].map((manifest) =>
    JSON.stringify(manifest),
  );
  expect(without).not.toContain('releases');
  expect(older).toBe(without);
});
