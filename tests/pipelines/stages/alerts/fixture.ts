import {
  type AlertSettings,
  alertSettings,
  DEFAULT_ALERTS,
} from '../../../../pipelines/contracts/alert-settings.ts';
import type { Finding, MeasuredSegment, RunMeasurement } from '../../../../pipelines/contracts/alerts.ts';
import { findAlerts } from '../../../../pipelines/stages/alerts/find.ts';

export function segment(
  segmentId: string,
  customers: number,
  changes: Partial<MeasuredSegment> = {},
): MeasuredSegment {
  return {
    ...{ segmentId, name: `Group ${segmentId.slice(4)}`, customers, spendShare: null, event: 'survived' },
    ...{ isQuestionable: false, typical: [`orders of ${segmentId.slice(4)}`] },
    ...changes,
  };
}

type Way = [from: string | null, to: string | null, customers: number, spendCents?: number];

/** A run in which so many went each way: sizes now follow from sizes before. */
export function measured(
  month: number,
  { sizes, ways = [], ...changes }: { sizes: Record<string, number>; ways?: Way[] } & Partial<RunMeasurement>,
): RunMeasurement {
  const now: Record<string, number> = { ...sizes };
  for (const [from, to, customers] of ways) {
    if (from !== null) now[from] = (now[from] ?? 0) - customers;
    if (to !== null) now[to] = (now[to] ?? 0) + customers;
  }
  return {
    ...{ runId: `run_${month}`, asOf: dateOf(month), previousAsOf: dateOf(month - 1), verdict: 'stable' },
    segments: Object.entries(now).map(([id, customers]) => segment(id, customers)),
    previousSegments: Object.entries(sizes).map(([id, customers]) => segment(id, customers)),
    movements: ways.map(([from, to, customers, spendCents]) => ({
      ...{ from, to, cause: 'behaviour', customers, spendCents: spendCents ?? customers * 100 },
    })),
    metrics: [],
    ...changes,
  };
}

function dateOf(month: number): string {
  return new Date(Date.UTC(2025, month, 1)).toISOString().slice(0, 10);
}

const SIZES = { seg_a: 1000, seg_b: 1000, seg_c: 500 };

/** A month like the others, with a little weather. */
export function usualMonth(
  month: number,
  extra: Way[] = [],
  changes: Partial<RunMeasurement> = {},
): RunMeasurement {
  const weather = [0, 4, -3, 2, -5, 3][month % 6]!;
  return measured(month, {
    sizes: SIZES,
    ways: [
      ['seg_a', 'seg_b', 50 + weather],
      ['seg_b', 'seg_a', 50 - weather],
      ['seg_a', null, 30 - weather],
      ['seg_b', null, 30 + weather],
      [null, 'seg_a', 30 + weather],
      [null, 'seg_b', 30 - weather],
      ...extra,
    ],
    ...changes,
  });
}

export const usualYear = () => Array.from({ length: 12 }, (_, month) => usualMonth(month));

export function settingsOf(changes: Record<string, unknown> = {}): AlertSettings {
  return alertSettings.parse(changes);
}

export function finding(changes: Partial<Finding> = {}): Finding {
  return {
    ...{ rule: 'segment-size', kind: 'size-change', severity: 'warning', owner: null, channels: null },
    ...{ worseBy: 0.5, subject: 'seg_a', magnitude: 0.1, title: 'it shrank', details: [], customers: 100 },
    ...{ spendCents: 10_000, features: [], pValue: 0.001 },
    ...changes,
  } as Finding;
}

/** What the rules find in a run, by default those of every pipeline after a usual year. */
export const find = (run: RunMeasurement, { past = usualYear(), settings = DEFAULT_ALERTS } = {}) =>
  findAlerts(run, { past, settings, currency: 'GBP' });
/** Of one rule alone. */
export const only = (rule: Record<string, unknown>) => settingsOf({ rules: [{ name: 'own', ...rule }] });
export const rulesOf = (findings: ReturnType<typeof find>) =>
  findings.map(({ rule, subject }) => `${rule} ${subject}`);
