import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunSummary } from '../../pipelines/contracts/run.ts';
import type { Movement } from '../../pipelines/stages/movements.ts';
import { sinceLast } from '../../scripts/assign-report.ts';
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
const config = () => ({ artifacts, s3: null, home: artifacts });

test('the page of a profile is told while it is kept, and not when it was let go', async () => {
  expect(await whereToLook({ stages }, { config: config(), address })).toEqual({ run: address });
  await writeFile(join(artifacts, 'page.html'), '<p>');
  expect(await whereToLook({ stages }, { config: config(), address })).toEqual({
    run: address,
    profile: join(artifacts, 'page.html'),
  });
  expect(await whereToLook({ stages: [] }, { config: config(), address })).toEqual({ run: address });
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

const segmentOf = (segmentId: string, name: string, customers: number) => ({
  ...{ segmentId, name, customers, description: '', share: customers / 10, spendShare: null, typical: [] },
  ...{ nameStatus: 'holds' as const, event: 'survived' as const },
});
const figures = { simplifiedSilhouette: 0.412, distance: 1.04 };
const assigned: RunSummary = {
  ...summary,
  ...{ kind: 'assign', outcome: 'published', verdict: 'stable', k: 2 },
  champion: { runId: 'run_0', asOf: '2026-06-01' },
  segments: [segmentOf('seg_a', 'Active regulars', 6), segmentOf('seg_b', 'Lapsed', 4)],
  quality: {
    ...{ silhouette: 0.34, calinskiHarabasz: 300, daviesBouldin: 1.04, minJaccard: 0.9, bootstraps: 20 },
    ...{ smallestShare: 0.2, verdict: 'reproducible', decidedBy: 'evidence', stableK: [2], naturalK: [] },
    ...{ valley: 1, nullDraws: 20, laterSpend: null, agreement: 1, scoredOn: { rows: 99, of: 99 } },
    ...{ adjustedRand: 0.9, movedShare: 0.1 },
    assigned: {
      ...{ customers: 10, ...figures, novelShare: 0.1, abstainedShare: 0 },
      whenFitted: { customers: 99, simplifiedSilhouette: 0.437, distance: 1 },
    },
  },
  refit: { due: true, reasons: ['the verdict is drifted'], started: null },
};

test('a run that assigned says whose model it is, and passes no score of the fit off as its own', () => {
  const text = textOf(assigned);
  expect(text).toContain('assigned by the model of run_0, fitted as of 2026-06-01');
  expect(text).toContain(
    'on 10 customers: simplified silhouette 0.412 (0.437 when it was fitted), distance to the centre 1.04 (1.00 when it was fitted)',
  );
  expect(text).toContain('unlike any segment: 10.0 % of the customers');
  expect(text).toContain('when it was fitted the model was reproducible');
  expect(text).not.toMatch(/silhouette 0\.34|resamples/);
});

test('a fit on a weighted sample is told with what it costs, below the figures; a fit on all says nothing of it', () => {
  const { assigned: _, ...quality } = assigned.quality!;
  const coreset = { rows: 98, of: 1000, inertiaError: -0.01, stepGain: 0.002 };
  const fitted: RunSummary = { ...assigned, kind: 'refit', quality: { ...quality, coreset } };
  const lines = textOf(fitted).split('\n');
  const at = lines.findIndex((line) => line.includes('silhouette 0.340'));
  expect(at).toBeGreaterThan(0);
  expect(lines.slice(at).join('\n')).toContain(
    'fitted on a weighted sample of 98 of 1,000 customers: the inertia of the sample is 1.00 % below that of all',
  );
  expect(textOf({ ...fitted, quality })).not.toContain('weighted sample');
});

test('a refit that is due is told with the command that starts it, or where it is', () => {
  expect(textOf(assigned)).toMatch(
    /a refit is due:\n {2}· the verdict is drifted\n {2}· to start it: npm start -- --once --pipeline shop --as-of 2026-07-01/,
  );
  const started = { due: true, reasons: [], started: 'segment/shop/2026-07-01' };
  expect(textOf({ ...assigned, refit: started })).toContain('started: segment/shop/2026-07-01');
  expect(textOf({ ...assigned, refit: { due: false, reasons: [], started: null } })).toContain(
    'no refit is due',
  );
  expect(textOf({})).not.toContain('refit');
});

test('a questionable name is told with why, and with what the segment would be called today', () => {
  const nobody = { customers: 0, spendCents: 0 };
  const still = {
    ...{ movements: [], stayed: nobody, new: nobody, lost: nobody, moved: null },
    ...{ behaviour: null, model: null, noiseBands: null, migration: null },
  };
  const { lines } = sinceLast(assigned, still, [
    { name: 'Active regulars', status: 'holds', reason: 'keeps its name', proposal: null },
    {
      ...{ name: 'Lapsed', status: 'questionable', reason: 'keeps its name, though its figures' },
      proposal: { name: 'Cooling', condition: { words: [] }, evidence: [] },
    },
  ]);
  expect(lines[0]).toBe('(?) Lapsed: keeps its name, though its figures; today it would be called "Cooling"');
  expect(lines.join()).not.toContain('Active regulars:');
});

test('what changed since the last publication: sizes beside the segments, then who moved', () => {
  const tally = (customers: number) => ({ customers, spendCents: 0 });
  const movement = (from: string | null, to: string | null, cause: Movement['cause'], customers: number) => ({
    ...{ from, to, cause, customers, spendCents: 0 },
  });
  const since = sinceLast(assigned, {
    ...{ stayed: tally(7), new: tally(1), lost: tally(2) },
    moved: { behaviour: tally(2), model: tally(0), border: tally(1) },
    ...{ behaviour: null, model: null, noiseBands: null, migration: null },
    movements: [
      movement('seg_a', 'seg_b', 'border', 1),
      movement('seg_b', 'seg_a', 'behaviour', 2),
      movement(null, 'seg_a', 'behaviour', 1),
      movement('seg_b', null, 'behaviour', 2),
    ],
  });
  const text = stripVTControlCharacters(runReport(assigned, { run: address }, since));
  expect(text).toMatch(/Active regulars +6 +\+2 /);
  expect(text).toMatch(/Lapsed +4 +−3 /);
  expect(text).toContain('moved: 3 customers (30.0 %), 2 by what they do, 1 at a border · new: 1 · lost: 2');
  expect(text.match(/Lapsed +Active regulars +2 +█+ +behaviour/)).not.toBeNull();
  expect(text.match(/\(new\) +Active regulars +1 +█+$/m)).not.toBeNull();
});
