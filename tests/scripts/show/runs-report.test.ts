import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { doing, endedRun, runsReport } from '../../../scripts/show/runs-report.ts';
import { viewOf } from '../../../scripts/show/view.ts';
import { activity, after, execution, facts, msAfter, progress, record, summary } from './facts.ts';

const ended = (changes: Parameters<typeof record>[0]) =>
  endedRun(
    record({ closedAt: after(75), outcome: 'published', verdict: 'stable', summary: summary(), ...changes }),
  );
const report = (
  open: Parameters<typeof runsReport>[0]['open'],
  past: Parameters<typeof runsReport>[0]['ended'],
  width = 80,
) =>
  stripVTControlCharacters(runsReport({ open, ended: past }, { width, nowMs: msAfter(3_675) })).split('\n');

describe('what strata runs draws', () => {
  test('of none, how the first one is started', () => {
    expect(report([], [])).toEqual(['no run yet: npm start starts one']);
  });

  test('those that go on first, then the ended ones', () => {
    const activities = [activity('fitClusters', { stage: 'cluster', heartbeat: { done: 3, of: 9 } })];
    const open = viewOf(facts({ execution: execution({ activities }) }), msAfter(20));
    const failed = {
      outcome: 'failed' as const,
      verdict: null,
      summary: null,
      runId: 'run_fedcba9876543210',
    };
    expect(report([open], [ended({ kind: 'assign' }), ended(failed)])).toEqual([
      'run       pipeline  kind   as of       for  is at',
      '01234567  shop      refit  2026-07-01  20s  cluster 3 of 9',
      '',
      'run      pipeline kind   as of      outcome   verdict k customers took ago',
      '01234567 shop     assign 2026-07-01 published stable  2        10  75s  1h',
      'fedcba98 shop     refit  2026-07-01 failed    –       –         –  75s  1h',
    ]);
  });

  test('never wider than the terminal, and aligned', () => {
    const wide = [
      ended({ pipeline: 'online-retail', verdict: 'unstable', kind: 'assign', summary: summary({ k: 12 }) }),
      ended({ pipeline: 'a-pipeline-with-a-very-long-name', outcome: 'cancelled' }),
    ];
    const big = summary();
    const millions = ended({ summary: { ...big, counts: { ...big.counts, customers: 12_345_678 } } });
    const lines = report([], [...wide, millions]);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(new Set(lines.map((line) => line.length))).toEqual(new Set([80]));
    // With room, nothing is cut and columns are further apart.
    expect(report([], wide, 140)[2]).toContain(
      'a-pipeline-with-a-very-long-name  refit   2026-07-01  cancelled',
    );
  });

  test('of the usual ones no name is cut at 80 columns', () => {
    const lines = report([], [ended({ pipeline: 'online-retail', kind: 'assign', verdict: 'unstable' })]);
    expect(lines[1]).toContain('online-retail');
    expect(lines[1]!.length).toBeLessThanOrEqual(80);
  });
});

describe('what a run is at', () => {
  const at = (changes: Parameters<typeof facts>[0]) => doing(viewOf(facts(changes), msAfter(20)));

  test.each([
    [
      'held until 2026-07-01 05:05Z',
      {
        progress: progress({ outcome: 'held' as const }),
        record: record({ outcome: 'held' as const, heldAt: after(1) }),
        review: { timeoutHours: 1, onTimeout: 'reject' as const },
      },
    ],
    ['waits for run segment/shop/latest', { progress: progress({ waitsFor: 'segment/shop/latest' }) }],
    ['waits for a worker', { execution: execution({ unattended: ['strata'] }) }],
    [
      'match, attempt 2: why',
      {
        execution: execution({
          activities: [activity('matchIdentities', { stage: 'match', attempt: 2, fault: 'why' })],
        }),
      },
    ],
    ['closing the run', { execution: execution({ activities: [activity('closeRun')] }) }],
    ['between two stages', {}],
    ['lost: its workflow is gone', { execution: null, temporal: 'forgotten' as const, progress: null }],
  ])('%s', (text, changes) => {
    expect(at(changes)).toBe(text);
  });
});
