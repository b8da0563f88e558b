import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { BackfilledDate, BackfillSummary } from '../../pipelines/contracts/backfill.ts';
import { backfillReport, exitCodeOf, reportOf } from '../../scripts/backfill-report.ts';
import type { RunFigures } from '../../store/postgres/backfills.ts';

const date = (asOf: string, outcome: BackfilledDate['outcome'], reason?: string): BackfilledDate => ({
  ...{ asOf, outcome, runId: `run_${asOf}`, verdict: 'stable', customers: 2_434, k: 4 },
  ...{ movedShare: 0.25, seconds: 9, ...(reason !== undefined && { reason }) },
});

const figures: RunFigures = {
  ...{ runId: 'run_2026-06-01', customers: 2_434, k: 4, survived: 3, born: 1, retired: 0 },
  ...{ moved: { behaviour: 538, model: 4, border: 1_159 }, movedShare: 0.328 },
  ...{ adjustedRand: 0.4291, verdict: 'drifted' },
};

const summary = (dates: BackfilledDate[], change: Partial<BackfillSummary> = {}): BackfillSummary => ({
  ...{ pipeline: 'shop', every: 'month', outcome: 'completed', reasons: [], review: 'never' },
  ...{ dates, left: [], workflow: { id: 'backfill/shop/next..latest', runId: 'x' } },
  ...change,
});

const printed = (given: BackfillSummary, of: RunFigures[] = [figures]) =>
  stripVTControlCharacters(backfillReport(reportOf(given, of), { backfill: 'here' }));

describe('what a backfill ends with', () => {
  test.each([
    [[], 0],
    [['published', 'skipped'], 0],
    [['published', 'rejected'], 2],
    [['rejected', 'failed'], 1],
    [['published', 'cancelled'], 1],
  ] as const)('%j: exit code %i', (outcomes, code) => {
    expect(exitCodeOf(summary(outcomes.map((outcome) => date('2026-06-01', outcome))))).toBe(code);
  });

  test('a published date has its segments, and its moves by cause', () => {
    const text = printed(summary([date('2026-06-01', 'published')]));
    expect(text).toContain('✓ backfilled  shop: 1 of 1 as-of date by the month published; review never');
    expect(text).toMatch(/2026-06-01 +published +drifted +2,434 +4 +3 +1 +0 +32\.8 % +538 +4 +1,159 +0\.429/);
  });

  test('one that was not published has its reason and no figures; those that are left are told', () => {
    const text = printed(
      summary([date('2026-06-01', 'published'), date('2026-07-01', 'rejected', 'too few rows')], {
        ...{ outcome: 'stopped', left: ['2026-08-01', '2026-09-01'] },
        reasons: ['stopped after 2026-07-01'],
      }),
    );
    expect(text).toContain('▪ stopped  shop: 1 of 4 as-of dates');
    expect(text).toMatch(/2026-07-01 +rejected( +–)+\n/);
    for (const told of ['2026-07-01: too few rows', 'stopped after', 'not come to: 2026-08-01 to 2026-09-01'])
      expect(text).toContain(told);
  });

  test('the first run has nothing to compare with, and shows no zeros for it', () => {
    const first = { ...figures, movedShare: null, adjustedRand: null };
    expect(printed(summary([date('2026-06-01', 'published')]), [first])).toMatch(/3 +1 +0( +–){5}\n/);
  });
});
