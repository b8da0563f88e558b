import { describe, expect, test } from 'vitest';
import type { RunMeasurement } from '../../../../pipelines/contracts/alerts.ts';
import { find, only, rulesOf, segment, usualMonth, usualYear } from './fixture.ts';

describe('share of spend', () => {
  const settings = only({ kind: 'spend-share', atLeast: 0.03 });
  const withShares = (month: number, before: number, now: number) =>
    usualMonth(month, [], {
      segments: [segment('seg_a', 1000, { spendShare: now })],
      previousSegments: [segment('seg_a', 1000, { spendShare: before })],
    });
  const past = usualYear().map((_, month) => withShares(month, 0.2, 0.2 + (month % 2 ? 0.01 : -0.01)));

  test('is told when it changes by more than it does from run to run', () => {
    expect(find(withShares(12, 0.2, 0.26), { past, settings })).toMatchObject([
      {
        subject: 'rose:seg_a',
        title: '“Group a” makes 26 % of the spend, 20 % before',
        magnitude: expect.closeTo(0.06, 9),
      },
    ]);
    expect(find(withShares(12, 0.2, 0.225), { past, settings })).toEqual([]);
  });

  test('is not told before six past runs, nor where there is no spend', () => {
    expect(find(withShares(12, 0.2, 0.26), { past: past.slice(0, 5), settings })).toEqual([]);
    expect(find(usualMonth(12), { settings })).toEqual([]);
  });
});

describe('drift', () => {
  const psi = (metric: string, subject: string, value: number, critical: number) => [
    { metric, subject, value, threshold: 0.25 },
    { metric: `${metric}-significance`, subject, value, threshold: critical },
  ];
  const run = (metrics: RunMeasurement['metrics']) => usualMonth(12, [], { metrics });

  test('of a feature needs both: more than chance, and enough to matter', () => {
    const found = find(
      run([
        ...psi('psi', 'spend', 0.4, 0.02),
        { metric: 'wasserstein', subject: 'spend', value: 0.3, threshold: null },
        ...psi('psi', 'orders', 0.4, 0.39),
        ...psi('psi', 'recencyDays', 0.2, 0.01),
      ]),
    );
    expect(rulesOf(found)).toEqual(['feature-drift spend']);
    expect(found[0]).toMatchObject({
      title: "the customers' spend shifted: PSI 0.40, told from 0.25",
      details: [
        'PSI is beside the customers that the last publication’s model was fitted to',
        'values lie 0.30 standard deviations from those of the last publication',
      ],
      features: ['orders (PSI 0.40)', 'spend (PSI 0.40)', 'recency (PSI 0.20)'],
    });
  });

  test('of the features that the rule names alone', () => {
    const metrics = [...psi('psi', 'spend', 0.4, 0.02), ...psi('psi', 'orders', 0.4, 0.02)];
    expect(
      rulesOf(find(run(metrics), { settings: only({ kind: 'feature-drift', features: ['orders'] }) })),
    ).toEqual(['own orders']);
  });

  test('of the mix of segments', () => {
    expect(rulesOf(find(run(psi('psi-mix', '', 0.15, 0.01))))).toEqual(['mix-drift ']);
    expect(find(run(psi('psi-mix', '', 0.05, 0.01)))).toEqual([]);
  });
});
