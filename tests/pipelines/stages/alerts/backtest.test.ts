import { describe, expect, test } from 'vitest';
import { backtestAlerts } from '../../../../pipelines/stages/alerts/backtest.ts';
import { settingsOf, usualMonth, usualYear } from './fixture.ts';

const settings = settingsOf({
  falseAlarmsPerMonth: 0.2,
  rules: [
    { name: 'flow', kind: 'flow' },
    { name: 'names', kind: 'questionable-names' },
  ],
});
const event = (month: number, moved = 100) => usualMonth(month, [['seg_a', 'seg_b', moved]]);

describe('a backtest', () => {
  test('of a year without a change says nothing, month by month', () => {
    const result = backtestAlerts(usualYear(), { settings, currency: 'EUR' });
    expect(result).toMatchObject({ runs: 12, perMonth: 0, told: [], isWithinBudget: true });
    expect(result.months).toBeCloseTo(12, 0);
    expect(Object.keys(result.byMonth)).toHaveLength(12);
    expect(result.rules.map(({ rule, spoke }) => [rule, spoke])).toEqual([
      ['flow', 0],
      ['names', 0],
    ]);
  });

  test('tells an event once though it goes on, and again when it gets worse', () => {
    const runs = [...usualYear().slice(0, 6), event(6), event(7), event(8, 260)];
    const result = backtestAlerts(runs, { settings, currency: 'EUR' });
    expect(result.told.map(({ runId, gotWorse }) => [runId, gotWorse])).toEqual([
      ['run_6', false],
      ['run_8', true],
    ]);
    expect(result.rules[0]).toMatchObject({
      rule: 'flow',
      spoke: 2,
      byMonth: { '2025-07': 1, '2025-08': 0, '2025-09': 1 },
    });
    expect(result.isWithinBudget).toBe(false);
  });

  test('asks about the time that was said, with all that came before as what is usual', () => {
    const runs = [...usualYear().slice(0, 6), event(6)];
    const result = backtestAlerts(runs, { settings, currency: 'EUR', from: '2025-07-01', to: '2025-07-31' });
    expect(result).toMatchObject({ runs: 1, told: [{ runId: 'run_6' }] });
    expect(backtestAlerts(runs, { settings, currency: 'EUR', to: '2025-06-30' }).told).toEqual([]);
    expect(backtestAlerts(runs, { settings, currency: 'EUR', from: '2030-01-01' })).toMatchObject({
      runs: 0,
      months: 0,
    });
  });
});
