import type { AlertSettings } from '../pipelines/contracts/alert-settings.ts';
import type { RunMeasurement } from '../pipelines/contracts/alerts.ts';
import { backtestAlerts } from '../pipelines/stages/alerts/backtest.ts';

// What the rules said of simulated streams, beside what was to be said.

const CURRENCY = 'EUR';

export interface QuietScore {
  streams: number;
  streamsWithAlert: number;
  alerts: number;
  months: number;
  byRule: Record<string, number>;
  /** Each alert, for whoever wants to know why. */
  told: { stream: number; runId: string; rule: string; title: string }[];
}

export function noStreams({ rules }: AlertSettings): QuietScore {
  const byRule = Object.fromEntries(rules.map(({ name }) => [name, 0]));
  return { streams: 0, streamsWithAlert: 0, alerts: 0, months: 0, byRule, told: [] };
}

/** Counts what people were told of a stream in which nothing happened: all of it without a cause. */
export function addQuiet(
  score: QuietScore,
  measurements: readonly RunMeasurement[],
  settings: AlertSettings,
): void {
  const { told, months, rules } = backtestAlerts(measurements, { settings, currency: CURRENCY });
  for (const { runId, rule, title } of told) score.told.push({ stream: score.streams, runId, rule, title });
  score.streams++;
  if (told.length > 0) score.streamsWithAlert++;
  score.alerts += told.length;
  score.months += months;
  for (const { rule, spoke } of rules) score.byRule[rule]! += spoke;
}

export interface Shift {
  /** Customers of the segment before. */
  customers: number;
  isFound: boolean;
  /** That told of the segment in that run. */
  rules: string[];
}

/** Whether people were told of a segment in the last run of a stream, with what was open already. */
export function judgeShift(
  { segmentId, customers }: { segmentId: string; customers: number },
  measurements: readonly RunMeasurement[],
  settings: AlertSettings,
): Shift {
  const { runId } = measurements.at(-1)!;
  const { told } = backtestAlerts(measurements, { settings, currency: CURRENCY });
  const rules = told.filter((one) => one.runId === runId && one.subject.split(':').at(-1) === segmentId);
  return { customers, isFound: rules.length > 0, rules: rules.map(({ rule }) => rule) };
}

export function tellQuiet(score: QuietScore, { falseAlarmsPerMonth: budget }: AlertSettings): string[] {
  const { alerts, months, streamsWithAlert, byRule } = score;
  const perMonth = alerts / months;
  return [
    `  ${alerts} alerts in ${months.toFixed(0)} months: ${perMonth.toFixed(3)} a month, ` +
      `budget ${budget} (${perMonth <= budget ? 'inside' : 'OUTSIDE'}); ${streamsWithAlert} streams had one`,
    ...Object.entries(byRule).map(([rule, told]) => `  ${rule.padEnd(20)} ${told}`),
  ];
}

const BANDS = [0, 200, 250, 500, 1_000, 2_000, Number.POSITIVE_INFINITY];

/** @param share of each segment that something happened to */
export function tellShifts(
  shifts: readonly Shift[],
  { share, settings }: { share: number; settings: AlertSettings },
): string[] {
  const bands = BANDS.slice(0, -1).flatMap((from, i): string[] => {
    const to = BANDS[i + 1]!;
    const own = shifts.filter(({ customers }) => customers >= from && customers < to);
    const band = to === Number.POSITIVE_INFINITY ? `from ${from}` : `${from} to ${to - 1}`;
    return own.length === 0 ? [] : [`  segments of ${band.padEnd(14)} ${toldOf(own)}`];
  });
  const customers = leastCustomers(settings);
  const worth = shifts.filter((shift) => shift.customers * share >= customers);
  return [
    `  ${toldOf(shifts)} told in that run`,
    `  ${toldOf(worth)} where that is ${customers} customers or more, as rules ask (at least 90 % wanted)`,
    ...bands,
  ];
}

/** That rules about segments speak of at all. */
function leastCustomers({ rules }: AlertSettings): number {
  return Math.max(0, ...rules.flatMap((rule) => ('leastCustomers' in rule ? [rule.leastCustomers] : [])));
}

function toldOf(shifts: readonly Shift[]): string {
  const told = shifts.filter(({ isFound }) => isFound).length;
  return `${told} of ${shifts.length} (${((100 * told) / Math.max(1, shifts.length)).toFixed(1)} %)`;
}
