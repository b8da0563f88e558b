import { createHash } from 'node:crypto';
import { DEFAULT_ALERTS } from '../pipelines/contracts/alert-settings.ts';
import type { AlertMoment, Finding, RunMeasurement } from '../pipelines/contracts/alerts.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import type { Run, Verdict } from '../pipelines/contracts/run.ts';
import { decideAlerts, heldFindings } from '../pipelines/stages/alerts/decide.ts';
import { findAlerts } from '../pipelines/stages/alerts/find.ts';
import type { DecideAlerts } from '../store/postgres/alerts.ts';
import type { ActivityContext } from './context.ts';
import { asideOf } from './publication-base.ts';

// Alerts become true with the publication they speak of, in its transaction: of a run that readers never see nothing
// is claimed. A run that is held is told of when it is held, and only that it waits: it is what a person is needed for.

export interface Alerting {
  run: Run;
  definition: Definition;
  /** Of the publication it was compared with; null when there was none. */
  baseRunId: string | null;
  verdict: Verdict | null;
}

/** Of a run that is about to be published: what becomes of the alerts when it is. */
export async function publishedAlerts(context: ActivityContext, alerting: Alerting): Promise<DecideAlerts> {
  return deciding(alerting, 'published', await findingsOf(context, alerting));
}

/** Of a run that waits for a person: tells it. Repeatable. */
export async function tellHeld(
  { repositories, ...context }: ActivityContext,
  alerting: Alerting & { reasons: readonly string[] },
): Promise<void> {
  const { run, definition, reasons } = alerting;
  const findings = heldFindings(run, {
    reasons,
    findings: await findingsOf({ repositories, ...context }, alerting),
    settings: settingsOf(definition),
    isAside: (await asideOf({ repositories }, run)) !== null,
  });
  const decide = deciding(alerting, 'held', findings);
  await repositories.alerts.check({ pipeline: run.pipeline, runId: run.runId, moment: 'held', decide });
}

/** Publications kept in mind: among them are some that looked back another number of days. */
const PAST_PER_BASELINE = 2;

async function findingsOf(
  { repositories }: ActivityContext,
  { run, definition, baseRunId, verdict }: Alerting,
): Promise<Finding[]> {
  const settings = settingsOf(definition);
  if (settings.rules.length === 0 || baseRunId === null) return [];
  const [measured] = await repositories.alerts.measure([{ runId: run.runId, baseRunId }]);
  // The record of a run has its verdict only once it is closed.
  const own: RunMeasurement = { ...measured!, verdict };
  const past = await repositories.alerts.measurePublished(run.pipeline, {
    limit: settings.baselineRuns * PAST_PER_BASELINE,
    ...{ upTo: own.asOf, isSeen: true },
  });
  const { currency } = definition;
  return findAlerts(own, { past: past.filter(({ runId }) => runId !== run.runId), settings, currency });
}

function deciding(
  { run, definition }: Alerting,
  moment: AlertMoment,
  findings: readonly Finding[],
): DecideAlerts {
  const { notify, currency, source } = definition;
  const now = new Date().toISOString();
  return (known) =>
    decideAlerts(findings, known, {
      ...{ run, moment, settings: settingsOf(definition), notify, currency, now },
      timezone: source.timezone,
      idOf: (rule, subject) => alertIdOf({ pipeline: run.pipeline, runId: run.runId, rule, subject }),
    });
}

/** Definitions frozen before there were alerts have none; the rules that come with Strata are theirs. */
function settingsOf({ alerts }: Definition) {
  return alerts ?? DEFAULT_ALERTS;
}

function alertIdOf(about: { pipeline: string; runId: string; rule: string; subject: string }): string {
  const { pipeline, runId, rule, subject } = about;
  const digest = createHash('sha256').update([pipeline, runId, rule, subject].join('\0')).digest('hex');
  return `alr_${digest.slice(0, 16)}`;
}
