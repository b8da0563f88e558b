import type { AlertRule, AlertSettings } from '../../contracts/alert-settings.ts';
import type { RunMeasurement } from '../../contracts/alerts.ts';
import { gapDays } from './flows.ts';

const DAYS_PER_MONTH = 30.44;
/** However seldom the runs: more often than in one of a hundred no rule should speak without a cause. */
const MOST = 0.01;
const TESTED: readonly AlertRule['kind'][] = [
  'size-change',
  'flow',
  'customers-lost',
  'spend-share',
  'feature-drift',
  'mix-drift',
];

/**
 * The share of runs without a change in which each rule that tests for chance may speak, so that all of them
 * together stay inside the false alarms a month that people accept: daily runs have to be thirty times as sure as
 * monthly ones.
 */
export function significanceOf(
  { falseAlarmsPerMonth, rules }: AlertSettings,
  runs: readonly RunMeasurement[],
): number {
  const tested = rules.filter(({ kind }) => TESTED.includes(kind)).length;
  return Math.min(MOST, falseAlarmsPerMonth / runsPerMonth(runs) / Math.max(1, tested));
}

/** By the median of the days between them; 1 where they are not known. */
export function runsPerMonth(runs: readonly RunMeasurement[]): number {
  const gaps = runs
    .map(gapDays)
    .filter((gap) => gap !== null)
    .sort((a, b) => a - b);
  return gaps.length === 0 ? 1 : DAYS_PER_MONTH / gaps[gaps.length >> 1]!;
}
