import { describe, expect, test } from 'vitest';
import { runsPerMonth, significanceOf } from '../../../../pipelines/stages/alerts/significance.ts';
import { settingsOf, usualMonth } from './fixture.ts';

describe('how sure a rule has to be', () => {
  const every = (days: number) =>
    [1, 2, 3].map((i) => ({
      ...usualMonth(i),
      asOf: new Date(Date.UTC(2026, 0, 1 + i * days)).toISOString().slice(0, 10),
      previousAsOf: new Date(Date.UTC(2026, 0, 1 + (i - 1) * days)).toISOString().slice(0, 10),
    }));

  test('follows from the budget and from how often runs come', () => {
    expect(runsPerMonth(every(1))).toBeCloseTo(30.44, 9);
    // Six rules that come with Strata test: 1 / 30.44 / 6.
    expect(significanceOf(settingsOf(), every(1))).toBeCloseTo(1 / 30.44 / 6, 12);
    expect(significanceOf(settingsOf({ falseAlarmsPerMonth: 0.1 }), every(1))).toBeCloseTo(
      0.1 / 30.44 / 6,
      12,
    );
  });

  test('is never laxer than one of a hundred', () => {
    expect(significanceOf(settingsOf({ falseAlarmsPerMonth: 50 }), every(30))).toBe(0.01);
  });

  test('takes runs without dates for monthly', () => {
    expect(runsPerMonth([{ ...usualMonth(1), asOf: null }])).toBe(1);
  });
});
