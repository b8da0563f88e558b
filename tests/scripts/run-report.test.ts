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
  expect(textOf({ counts: { ...counts, rowsQuarantined: 0, quarantinedBy: [] } })).not.toContain(
    'quarantine show',
  );
});

test('released rows are told where there are some', () => {
  const { counts } = summary;
  expect(textOf({ counts: { ...counts, rowsReleased: 1_000 } })).toContain(
    'released rows joined: 1,000 of the accepted',
  );
  expect(textOf({})).not.toContain('released');
});

test('the rows of each table are told, with what was refused of them', () => {
  const table = { rowsRead: 4372, rowsAccepted: 4370, rowsQuarantined: 2 };
  const told = {
    runId: 'run_1',
    kind: 'refit' as const,
    pipeline: 'shop',
    asOf: '2026-07-01',
    outcome: 'rejected' as const,
    verdict: 'refused' as const,
    reasons: [],
    counts: {
      rowsRead: 10,
      rowsAccepted: 10,
      rowsQuarantined: 0,
      quarantinedBy: [{ rule: 'return', rows: 0 }],
      customers: 3,
      tables: [
        { table: 'customers' as const, ...table, quarantinedBy: [{ rule: 'duplicate-customer', rows: 2 }] },
      ],
    },
    k: null,
    segments: [],
    quality: null,
    stages: [],
    manifest: null,
    workflow: { id: 'w', runId: 'r' },
  };
  const lines = (run: RunSummary) => stripVTControlCharacters(runReport(run, { run: address })).split('\n');
  expect(lines(told).slice(1, 4)).toEqual([
    '10 rows = 10 accepted + 0 in quarantine; 3 customers',
    'customers: 4,372 rows = 4,370 accepted + 2 in quarantine',
    '  · refused: duplicate-customer 2',
  ]);
  const { tables: _, ...single } = summary.counts;
  expect(lines({ ...told, counts: single }).join()).not.toContain('customers:');
});

test('what was noticed on the way is told above the reasons; a held run with the command that decides', () => {
  const text = textOf({
    outcome: 'held',
    warnings: ['46 rows are odd by rule other-currency'],
    reasons: ['adjusted Rand index 0.12'],
  });
  expect(text.indexOf('46 rows are odd by rule other-currency')).toBeGreaterThan(0);
  expect(text.indexOf('adjusted Rand index')).toBeGreaterThan(text.indexOf('46 rows are odd'));
  expect(text).toContain('npm run strata -- review run_1 publish');
});
