import { counted, formatMoney, formatShare } from '../figures.ts';
import type { PublishedMessage } from '../publish.ts';
import type { AlertDigest, ToldAlert } from './digest.ts';

// Messages of the outbox as people read them: in a letter, in a chat, in the log.

export interface Letter {
  subject: string;
  text: string;
}

/** A message of the outbox in words; one whose form is not known is its event and its run. */
export function letterOf(payload: unknown): Letter {
  const message = payload as { event?: unknown; pipeline?: unknown; runId?: unknown } | null;
  if (message?.event === 'alerts') return alertLetter(payload as AlertDigest);
  if (message?.event === 'run.published' && 'segments' in message)
    return publishedLetter(payload as PublishedMessage);
  const subject = [message?.pipeline, message?.event, message?.runId]
    .filter((word) => typeof word === 'string')
    .join(' ');
  return { subject: subject || 'a message without a text', text: subject };
}

function alertLetter(digest: AlertDigest): Letter {
  const { pipeline, alerts, endedAs } = digest;
  const isOver = digest.moment === 'over';
  const critical = isOver ? 0 : alerts.filter(({ severity }) => severity === 'critical').length;
  const one = (alert: ToldAlert) => `${isOver ? 'resolved' : alert.severity}: ${alert.title}`;
  const subject = `${pipeline}: ${
    alerts.length === 1 ? one(alerts[0]!) : `${counted(alerts.length, 'alert')}${isOver ? ' resolved' : ''}`
  }${alerts.length > 1 && critical > 0 ? `, ${critical} critical` : ''}${endedAs ? `; it is ${endedAs} by now` : ''}`;
  const texts = alerts.map((alert) =>
    alertText(alert, digest.currency, isOver ? 'resolved' : alert.severity),
  );
  return { subject: oneLine(subject), text: [headOf(digest), ...texts].join('\n\n') };
}

function headOf({ pipeline, asOf, runId, moment, endedAs }: AlertDigest): string {
  const run = `Run ${runId} of ${pipeline}${dated(asOf)}`;
  switch (moment) {
    case 'held':
      return endedAs
        ? `${run} was held, and is ${endedAs} by now. There is nothing left to decide.`
        : `${run} is held. Readers see what they saw before.`;
    case 'published':
      return `${run} is published.\nwhat changed: npm run strata -- diff --pipeline ${pipeline}`;
    case 'missed':
      return `Runs of ${pipeline} that were due have not been started. Readers see what they saw before.\nall schedules: npm run strata -- schedules check ${pipeline}`;
    case 'over':
      return `Runs of ${pipeline} that were missing have been started.`;
  }
}

/** One alert, a line for each thing to know. */
function alertText(alert: ToldAlert, currency: string, label: string): string {
  const { title, details, owner, features, lookAt, gotWorse, rule } = alert;
  return [
    `${label.toUpperCase()} ${title}${gotWorse ? ' (got worse)' : ''}`,
    ...details,
    ...amountsOf(alert, currency),
    ...(features.length > 0 ? [`behind it: ${features.join(', ')}`] : []),
    `rule ${rule}${owner === null ? '' : `, owner ${owner}`}`,
    `look at: ${lookAt}`,
  ].join('\n');
}

export function amountsOf(
  { customers, spendCents }: Pick<ToldAlert, 'customers' | 'spendCents'>,
  currency: string,
): string[] {
  const amounts = [
    ...(customers === null ? [] : [counted(customers, 'customer')]),
    ...(spendCents === null ? [] : [formatMoney(spendCents / 100, currency)]),
  ];
  return amounts.length === 0 ? [] : [`about ${amounts.join(', ')}`];
}

function publishedLetter({ pipeline, runId, asOf, customers, segments }: PublishedMessage): Letter {
  const lines = segments.map(
    ({ name, customers: own, share }) => `${name}: ${counted(own, 'customer')}, ${formatShare(share)}`,
  );
  return {
    subject: oneLine(
      `${pipeline}: published${dated(asOf)}, ${counted(customers, 'customer')} in ${counted(segments.length, 'segment')}`,
    ),
    text: [`Run ${runId} of ${pipeline}${dated(asOf)} is published.`, '', ...lines].join('\n'),
  };
}

function dated(asOf: string | null): string {
  return asOf === null ? '' : ` as of ${asOf}`;
}

/** A name of a segment may hold anything; a header is one line. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

const SLACK_TEXT = 2_900;
const SLACK_BLOCKS = 49;

/** The body of a Slack-compatible webhook: text, and a block for each paragraph. */
export function slackBody(payload: unknown): { text: string; blocks: object[] } {
  const { subject, text } = letterOf(payload);
  const paragraphs = text.split('\n\n').filter((paragraph) => paragraph.trim() !== '');
  const shown = paragraphs.slice(0, SLACK_BLOCKS);
  const rest = paragraphs.length - shown.length;
  if (rest > 0) shown[SLACK_BLOCKS - 1] = `and ${rest + 1} more: npm run strata -- alerts list`;
  return {
    text: escaped(subject),
    blocks: shown.map((paragraph) => ({
      type: 'section',
      text: { type: 'mrkdwn', text: escaped(cut(paragraph, SLACK_TEXT)) },
    })),
  };
}

/** Without this a name such as `<!channel>` would call everybody. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
