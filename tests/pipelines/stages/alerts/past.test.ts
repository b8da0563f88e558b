import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_ALERTS } from '../../../../pipelines/contracts/alert-settings.ts';
import type { RunMeasurement } from '../../../../pipelines/contracts/alerts.ts';
import { findAlerts } from '../../../../pipelines/stages/alerts/find.ts';
import { pastOf } from '../../../../pipelines/stages/alerts/past.ts';
import { usualMonth } from './fixture.ts';

// Two weeks of daily runs as usual; then one run that looks back as many days as a test says.

const dayAt = (day: number) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10);
const runOf = (
  day: number,
  since: number,
  { ways = [], ...changes }: { ways?: Parameters<typeof usualMonth>[1] } & Partial<RunMeasurement> = {},
) => usualMonth(day, ways, { runId: `run_${day}`, asOf: dayAt(day), previousAsOf: dayAt(since), ...changes });
const days = (ways?: Parameters<typeof usualMonth>[1]) =>
  Array.from({ length: 14 }, (_, i) => runOf(i + 1, i, { ...(ways && { ways }) }));
const find = (run: RunMeasurement, past = days()) =>
  findAlerts(run, { past, settings: DEFAULT_ALERTS, currency: 'GBP' });
const rulesOf = (findings: ReturnType<typeof find>) =>
  findings.map(({ rule, subject }) => `${rule} ${subject}`);

const FAR: NonNullable<Parameters<typeof usualMonth>[1]> = [['seg_a', 'seg_b', 400]];

describe('after a day without a run', () => {
  test('a segment that loses 40 % is told, with what it was held against', () => {
    const findings = find(runOf(16, 14, { ways: FAR }));
    expect(rulesOf(findings)).toEqual([
      'segment-size shrank:seg_a',
      'segment-size grew:seg_b',
      'segment-flow seg_b:seg_a',
    ]);
    for (const { details } of findings)
      expect(details.at(-1)).toMatch(/looked back about 1 day, this one 2 days/);
  });

  test.each([
    ['as many moves as on one day', 2, []],
    [
      'as many a day as before',
      2,
      [
        ['seg_a', 'seg_b', 50],
        ['seg_b', 'seg_a', 50],
      ],
    ],
    [
      'something between',
      4,
      [
        ['seg_a', 'seg_b', 80],
        ['seg_b', 'seg_a', 80],
      ],
    ],
  ] as const)('%s is nothing to tell', (_, gap, ways) => {
    expect(find(runOf(14 + gap, 14, { ways: ways.map((way) => [...way]) }))).toEqual([]);
  });

  test('more than a day has, and no more than the days have, is nothing to tell', () => {
    const past = days([['seg_a', 'seg_b', 100]]);
    expect(find(runOf(15, 14, { ways: [['seg_a', 'seg_b', 250]] }), past)).not.toEqual([]);
    expect(find(runOf(16, 14, { ways: [['seg_a', 'seg_b', 250]] }), past)).toEqual([]);
  });

  test('rules that know no past say what they say anyway, and no more', () => {
    const [found] = find(runOf(16, 14, { verdict: 'unstable' }));
    expect(found).toMatchObject({ rule: 'unstable', subject: 'unstable:run_16' });
    expect(found!.details.join()).not.toContain('looked back');
  });
});

describe('a refit of a date that was published already', () => {
  test('tells a segment of which 40 % are in another one', () => {
    expect(rulesOf(find(runOf(14, 14, { ways: FAR })))).toContain('segment-flow seg_b:seg_a');
  });

  test('that moves nobody is nothing to tell, though on every other day many move', () => {
    const past = days([['seg_a', 'seg_b', 200]]);
    const still = { ...runOf(14, 14), movements: [] };
    expect(find({ ...still, segments: still.previousSegments! }, past)).toEqual([]);
  });
});

describe('what a run is held against', () => {
  test('are runs that looked back as far where there are three of them, and nothing else then', () => {
    expect(pastOf(runOf(15, 14), days(), 12)).toMatchObject({ scaled: null, says: null });
    expect(pastOf(runOf(15, 14), days(), 12).runs).toHaveLength(12);
  });

  test.each([
    ['a week', 7, 12],
    ['more than a week', 8, 0],
  ])('are daily runs for %s: %i days, %i runs', (_, gap, runs) => {
    expect(pastOf(runOf(14 + gap, 14), days(), 12).runs).toHaveLength(runs);
  });

  test('is nothing where fewer than three runs are known', () => {
    expect(pastOf(runOf(16, 14), days().slice(0, 2), 12).scaled).toBeNull();
    expect(pastOf({ ...runOf(16, 14), asOf: null }, days(), 12).scaled).toBeNull();
  });

  test('never has more moves of a segment than customers, however far it is scaled', () => {
    const way = fc.tuple(
      fc.constantFrom('seg_a', 'seg_b', null),
      fc.constantFrom('seg_c', null),
      fc.integer({ min: 0, max: 900 }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 7 }), fc.array(way, { maxLength: 3 }), (gap, ways) => {
        const moved = ways.filter(([from, to]) => from !== to);
        const { scaled } = pastOf(runOf(14 + gap, 14), days(moved), 12);
        for (const { previousSegments, movements, segments } of scaled ?? []) {
          for (const { segmentId, customers } of previousSegments) {
            const left = movements.filter(({ from }) => from === segmentId);
            const all = left.reduce((sum, move) => sum + move.customers, 0);
            const had = days(moved)[0]!.movements.filter(({ from }) => from === segmentId);
            // More moves than customers to begin with are left out later, as in any run.
            if (had.reduce((sum, move) => sum + move.customers, 0) < customers)
              expect(all).toBeLessThanOrEqual(customers);
          }
          for (const { customers } of segments) expect(Number.isFinite(customers)).toBe(true);
        }
        expect(() => find(runOf(14 + gap, 14, { ways: moved }), days(moved))).not.toThrow();
      }),
      { numRuns: 50 },
    );
  });
});
