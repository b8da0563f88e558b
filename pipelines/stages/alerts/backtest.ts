import { type AlertSettings, isOfRuns } from '../../contracts/alert-settings.ts';
import type { Finding, OpenAlert, RunMeasurement } from '../../contracts/alerts.ts';
import { decideAlerts } from './decide.ts';
import { findAlerts } from './find.ts';
import { runsPerMonth, significanceOf } from './significance.ts';

export interface Backtest {
  /** Publications that were asked about; those before them only say what was usual. */
  runs: number;
  /** Months that they cover, by the days between them. */
  months: number;
  falseAlarmsPerMonth: number;
  /** Share of runs without a change in which each rule that tests may speak. */
  significance: number;
  rules: {
    rule: string;
    severity: string;
    spoke: number;
    perMonth: number;
    byMonth: Record<string, number>;
  }[];
  /** `2026-06` -> alerts told, all rules together; months without any are there, too. */
  byMonth: Record<string, number>;
  told: {
    runId: string;
    asOf: string | null;
    rule: string;
    subject: string;
    title: string;
    gotWorse: boolean;
  }[];
  perMonth: number;
  /** Whether so many a month would have been within the budget, had none of them been right. */
  isWithinBudget: boolean;
}

/**
 * Asks the rules about past publications, one after the other, as it would have been then: with the publications
 * before, and with what was open already. Nobody acknowledges or resolves in it.
 *
 * @param measurements oldest first
 * @param options.from, to ISO dates, both included: which of them are asked about; absent: all
 */
export function backtestAlerts(
  measurements: readonly RunMeasurement[],
  { settings, currency, from, to }: { settings: AlertSettings; currency: string; from?: string; to?: string },
): Backtest {
  const told: (Backtest['told'][number] & { severity: string })[] = [];
  let open: OpenAlert[] = [];
  const asked: RunMeasurement[] = [];
  measurements.forEach((run, i) => {
    if ((from !== undefined && (run.asOf ?? '') < from) || (to !== undefined && (run.asOf ?? '') > to))
      return;
    asked.push(run);
    const findings = findAlerts(run, { past: measurements.slice(0, i), settings, currency });
    const changes = decideAlerts(findings, { open, wasHeld: false }, decisionOf(run, settings, currency));
    for (const { finding } of changes.opened) told.push(toldOf(run, finding, false));
    for (const { finding, isTold } of changes.repeated) if (isTold) told.push(toldOf(run, finding, true));
    open = openAfter(open, changes);
  });
  const monthly = runsPerMonth(asked);
  const months = asked.length / monthly;
  const names = [...new Set(asked.map(monthOf))].sort();
  const byMonth = (of: readonly { month: string }[]) =>
    Object.fromEntries(names.map((name) => [name, of.filter(({ month }) => month === name).length]));
  const dated = told.map((one) => ({ ...one, month: monthOf(one) }));
  const perMonth = months > 0 ? told.length / months : 0;
  return {
    ...{ runs: asked.length, months, perMonth },
    falseAlarmsPerMonth: settings.falseAlarmsPerMonth,
    significance: significanceOf(settings, asked),
    rules: settings.rules.filter(isOfRuns).map(({ name, severity }) => {
      const own = dated.filter(({ rule }) => rule === name);
      return {
        rule: name,
        severity,
        spoke: own.length,
        perMonth: months > 0 ? own.length / months : 0,
        byMonth: byMonth(own),
      };
    }),
    byMonth: byMonth(dated),
    told: told.map(({ severity: _, ...one }) => one),
    isWithinBudget: perMonth <= settings.falseAlarmsPerMonth,
  };
}

function decisionOf({ runId, asOf }: RunMeasurement, settings: AlertSettings, currency: string) {
  return {
    ...{ run: { runId, pipeline: '', asOf }, moment: 'published' as const, settings, currency },
    ...{ notify: [], timezone: undefined, now: '1970-01-01T00:00:00Z' },
    idOf: (rule: string, subject: string) => `${runId}\n${rule}\n${subject}`,
  };
}

function toldOf({ runId, asOf }: RunMeasurement, finding: Finding, gotWorse: boolean) {
  const { rule, subject, title, severity } = finding;
  return { runId, asOf, rule, subject, title, severity, gotWorse };
}

/** The open alerts as the database would keep them after these changes. */
export function openAfter(open: readonly OpenAlert[], changes: ReturnType<typeof decideAlerts>): OpenAlert[] {
  const { opened, repeated, silent, resolved } = changes;
  const kept = open.flatMap((alert): OpenAlert[] => {
    if (resolved.includes(alert.alertId)) return [];
    if (silent.includes(alert.alertId)) return [{ ...alert, silentRuns: alert.silentRuns + 1 }];
    const again = repeated.find(({ alertId }) => alertId === alert.alertId);
    if (!again) return [alert];
    const toldMagnitude = again.isTold ? again.finding.magnitude : alert.toldMagnitude;
    return [{ ...alert, silentRuns: 0, toldMagnitude, ...(again.isTold && { state: 'open' as const }) }];
  });
  return [
    ...kept,
    ...opened.map(({ alertId, finding }) => ({
      ...{ alertId, rule: finding.rule, subject: finding.subject, state: 'open' as const },
      ...{ toldMagnitude: finding.magnitude, silentRuns: 0 },
    })),
  ];
}

function monthOf({ asOf }: { asOf: string | null }): string {
  return asOf?.slice(0, 7) ?? 'without a date';
}
