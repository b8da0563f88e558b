import type { Severity } from '../../contracts/alert-settings.ts';
import type { AlertMessage, DigestMoment, Finding } from '../../contracts/alerts.ts';
import { type Channel, takes, waitsUntil } from '../../contracts/channels.ts';
import type { Outcome } from '../../contracts/run.ts';

/** What a channel is told of one run: every alert that is new or got worse, the worst first. */
export interface AlertDigest {
  event: 'alerts';
  pipeline: string;
  /** Null where it is about runs that there are not, or were not. */
  runId: string | null;
  asOf: string | null;
  moment: DigestMoment;
  /** Of a held run that has ended by the time this is sent: how. */
  endedAs?: Outcome;
  currency: string;
  alerts: ToldAlert[];
}

export interface ToldAlert
  extends Pick<
    Finding,
    'rule' | 'severity' | 'owner' | 'subject' | 'title' | 'details' | 'customers' | 'spendCents' | 'features'
  > {
  alertId: string;
  /** It was open already, and got worse. */
  gotWorse: boolean;
  /** A command that shows it. */
  lookAt: string;
}

export interface Told {
  alertId: string;
  finding: Finding;
  gotWorse: boolean;
}

interface Sending {
  run: { runId: string | null; pipeline: string; asOf: string | null };
  moment: DigestMoment;
  currency: string;
  notify: readonly Channel[];
  /** End of the quiet hours; null: they are not on. */
  quietUntil: string | null;
  criticalBreaksThrough: boolean;
}

const RANK: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

/**
 * One message for each channel, so that a bad day is one letter and not twelve; a second one where critical alerts
 * break through the quiet hours and the others wait.
 */
export function digestMessages(told: readonly Told[], sending: Sending): AlertMessage[] {
  const { notify, moment, quietUntil, criticalBreaksThrough } = sending;
  return notify.flatMap((channel, i) => {
    if (!takes(channel, 'alerts')) return [];
    const own = told.filter(({ finding }) => isFor(channel, finding));
    const waits = waitsUntil(channel, quietUntil);
    const urgent =
      waits !== null && criticalBreaksThrough
        ? own.filter(({ finding }) => finding.severity === 'critical')
        : [];
    const others = own.filter((one) => !urgent.includes(one));
    const message = (event: string, alerts: readonly Told[], notBefore: string | null): AlertMessage[] =>
      alerts.length === 0
        ? []
        : [
            {
              event,
              channel: `${i}:${channel.kind}`,
              settings: channel,
              payload: digestOf(alerts, sending),
              notBefore,
            },
          ];
    return [
      ...message(`alerts.${moment}.critical`, urgent, null),
      ...message(`alerts.${moment}`, others, waits),
    ];
  });
}

function isFor({ name, kind }: Channel, { channels }: Finding): boolean {
  return channels === null || channels.includes(kind) || (name !== undefined && channels.includes(name));
}

function digestOf(told: readonly Told[], { run, moment, currency }: Sending): AlertDigest {
  const worstFirst = told.toSorted((a, b) => RANK[a.finding.severity] - RANK[b.finding.severity]);
  return {
    event: 'alerts',
    pipeline: run.pipeline,
    runId: run.runId,
    asOf: run.asOf,
    moment,
    currency,
    alerts: worstFirst.map(({ alertId, finding, gotWorse }) => {
      const { rule, severity, owner, subject, title, details, customers, spendCents, features } = finding;
      return {
        ...{
          alertId,
          rule,
          severity,
          owner,
          subject,
          gotWorse,
          title,
          details,
          customers,
          spendCents,
          features,
        },
        lookAt: lookAt(alertId),
      };
    }),
  };
}

/** That a run waited for a person stays true once it has ended; that it waits, and that there is to decide, does not. */
export function endedDigest(digest: AlertDigest, endedAs: Outcome): AlertDigest {
  return {
    ...digest,
    endedAs,
    alerts: digest.alerts.map((alert) => ({
      ...alert,
      title: alert.title.replace(/^the run waits for/, 'the run waited for'),
      details: alert.details.filter((detail) => !/^(decide|once published)\b/.test(detail)),
    })),
  };
}

export function lookAt(alertId: string): string {
  return `npm run strata -- alerts show ${alertId}`;
}
