import { type AlertSettings, isOfRuns } from '../../contracts/alert-settings.ts';
import type { AlertChanges, AlertMoment, Finding, OpenAlert } from '../../contracts/alerts.ts';
import type { Channel } from '../../contracts/channels.ts';
import { digestMessages, type Told } from './digest.ts';
import { findingOf } from './find.ts';
import { quietUntil } from './quiet-hours.ts';

export interface Decision {
  run: { runId: string; pipeline: string; asOf: string | null };
  moment: AlertMoment;
  settings: AlertSettings;
  notify: readonly Channel[];
  currency: string;
  timezone: string | undefined;
  /** ISO time: whether quiet hours are on. */
  now: string;
  /** The id of an alert, from its rule, its subject and the run that opens it: a second attempt finds the same. */
  idOf(rule: string, subject: string): string;
}

/**
 * What becomes of a run's findings: what is new is told; what is open already is counted, and told again only where
 * it got worse by its rule's step; what has not spoken for long enough is over.
 *
 * @param open alerts of the pipeline that are not resolved
 * @param wasHeld the run was held before: who let it through knows its verdict
 */
export function decideAlerts(
  findings: readonly Finding[],
  { open, wasHeld }: { open: readonly OpenAlert[]; wasHeld: boolean },
  decision: Decision,
): AlertChanges {
  const { moment, run, settings } = decision;
  // An alert that is open goes on all the same: it must not count as silent.
  const isKnownToPerson = ({ kind }: Finding) => wasHeld && moment === 'published' && kind === 'verdict';
  const changes: AlertChanges = { opened: [], repeated: [], silent: [], resolved: [], messages: [] };
  const told: Told[] = [];
  for (const finding of firstOfEach(findings)) {
    const known = open.find(({ rule, subject }) => rule === finding.rule && subject === finding.subject);
    if (!known && isKnownToPerson(finding)) continue;
    if (!known) {
      const alertId = decision.idOf(finding.rule, finding.subject);
      changes.opened.push({ alertId, finding });
      told.push({ alertId, finding, gotWorse: false });
      continue;
    }
    const isTold =
      !isKnownToPerson(finding) && finding.magnitude > known.toldMagnitude * (1 + finding.worseBy);
    changes.repeated.push({ alertId: known.alertId, finding, isTold });
    if (isTold) told.push({ alertId: known.alertId, finding, gotWorse: true });
  }
  // Nothing is over because of a run that readers do not see.
  if (moment === 'published') endSilent(changes, { open, runId: run.runId, settings });
  changes.messages = digestMessages(told, {
    ...decision,
    quietUntil: quietUntil(decision.now, settings.quietHours, decision.timezone),
    criticalBreaksThrough: settings.quietHours?.criticalBreaksThrough ?? false,
  });
  return changes;
}

function firstOfEach(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ rule, subject }) => {
    const key = `${rule}\n${subject}`;
    return !seen.has(key) && seen.add(key);
  });
}

function endSilent(
  changes: AlertChanges,
  { open, runId, settings }: { open: readonly OpenAlert[]; runId: string; settings: AlertSettings },
): void {
  const spoke = new Set(changes.repeated.map(({ alertId }) => alertId));
  for (const { alertId, subject, silentRuns } of open) {
    if (spoke.has(alertId)) continue;
    // A held run waits no more once it is published.
    const isOver = subject === runId || silentRuns + 1 >= settings.resolveAfterRuns;
    (isOver ? changes.resolved : changes.silent).push(alertId);
  }
}

/**
 * What is told of a run that waits for a person: that it waits, and why. By the rules about verdicts.
 *
 * @param isAside it would stay beside what readers see: its publication tells nothing
 */
export function heldFindings(
  { runId }: { runId: string },
  {
    reasons,
    findings,
    settings,
    isAside,
  }: {
    reasons: readonly string[];
    findings: readonly Finding[];
    settings: AlertSettings;
    isAside: boolean;
  },
): Finding[] {
  const others = isAside ? [] : findings.filter(({ kind }) => kind !== 'verdict').map(({ title }) => title);
  return settings.rules
    .filter(isOfRuns)
    .filter(({ kind }) => kind === 'verdict')
    .map((rule) =>
      findingOf(rule, {
        // Each run that waits is news of its own, whatever was said of the one before.
        subject: runId,
        magnitude: 1,
        title: `the run waits for a person: ${reasons[0] ?? 'its review policy asks for one'}`,
        details: [
          ...reasons.slice(1, 4),
          ...(others.length > 0
            ? [`once published, it would be told that ${others.slice(0, 3).join('; ')}`]
            : []),
          `decide: npm run strata -- review ${runId} publish, or reject`,
        ],
        customers: null,
        spendCents: null,
        features: [],
        pValue: null,
      }),
    );
}
