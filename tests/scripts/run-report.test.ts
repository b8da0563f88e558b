import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunSummary } from '../../pipelines/contracts/run.ts';
import { runReport, whereToLook } from '../../scripts/run-report.ts';
import { artifactRef } from '../store/postgres/fixture.ts';

let artifacts: string;
beforeAll(async () => {
  artifacts = await mkdtemp(join(tmpdir(), 'strata-report-'));
});
afterAll(() => rm(artifacts, { recursive: true, force: true }));

const artifact = { ...artifactRef('report'), uri: 'page.html' };
const stages = [{ stage: 'profile' as const, ms: 1, artifact, digests: {} }];
const address = 'http://ui/run';

test('the page of a profile is told while it is kept, and not when it was let go', async () => {
  expect(whereToLook({ stages }, { artifacts, address })).toEqual({ run: address });
  await writeFile(join(artifacts, 'page.html'), '<p>');
  expect(whereToLook({ stages }, { artifacts, address })).toEqual({
    run: address,
    profile: join(artifacts, 'page.html'),
  });
  expect(whereToLook({ stages: [] }, { artifacts, address })).toEqual({ run: address });
});

const summary: RunSummary = {
  runId: 'run_1',
  kind: 'refit',
  pipeline: 'shop',
  asOf: '2026-07-01',
  outcome: 'rejected',
  verdict: 'refused',
  reasons: [],
  counts: {
    rowsRead: 1_010,
    rowsAccepted: 1_000,
    rowsQuarantined: 10,
    quarantinedBy: [{ rule: 'free', rows: 10 }],
    customers: 4,
  },
  k: null,
  segments: [],
  quality: null,
  stages: [],
  manifest: null,
  workflow: { id: 'w', runId: 'r' },
};
const textOf = (changes: Partial<RunSummary>) =>
  stripVTControlCharacters(runReport({ ...summary, ...changes }, { run: address }));

test('refused rows are told with the command that shows them, where they are kept', () => {
  expect(textOf({})).toContain('npm run strata -- quarantine show run_1');
  expect(textOf({ outcome: 'failed' })).not.toContain('quarantine show');
  const { counts } = summary;
  expect(textOf({ counts: { ...counts, quarantinedBy: [] } })).not.toContain('quarantine show');
});

test('released rows are told where there are some', () => {
  const { counts } = summary;
  expect(textOf({ counts: { ...counts, rowsReleased: 1_000 } })).toContain(
    'released rows joined: 1,000 of the accepted',
  );
  expect(textOf({})).not.toContain('released');
});
