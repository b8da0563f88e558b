import colors from 'picocolors';
import { quoteText } from '../pipelines/contracts/sql-quote.ts';
import type { Backtest } from '../pipelines/stages/alerts/backtest.ts';
import { amountsOf } from '../pipelines/stages/alerts/text.ts';
import type { AlertRecord, Handled } from '../store/postgres/alerts.ts';
import type { WaitingMessage } from '../store/postgres/outbox.ts';
import { bar, counted, table } from './terminal.ts';

const PAINT = { critical: colors.red, warning: colors.yellow, info: colors.dim } as const;

/** Alerts, the newest first, and what could not be sent yet. */
export function listReport(alerts: readonly AlertRecord[], waiting: readonly WaitingMessage[]): string {
  const lines = alerts.map((alert) => {
    const { alertId, severity, state, pipeline, rule, title, occurrences, owner } = alert;
    const runs =
      alert.lastSeenRun === null ? '' : `, seen in ${occurrences} runs, last in ${alert.lastSeenRun}`;
    const seen = occurrences > 1 ? runs : '';
    return [
      `${PAINT[severity](severity.padEnd(8))}  ${alertId}  ${dayOf(alert.openedAt)}  ${pipeline}  ${state}`,
      `          ${title}`,
      colors.dim(`          rule ${rule}${owner === null ? '' : `, owner ${owner}`}${seen}`),
    ].join('\n');
  });
  const head = alerts.length === 0 ? 'No alerts.' : counted(alerts.length, 'alert');
  return [head, ...lines, ...waitingLines(waiting)].join('\n');
}

function waitingLines(waiting: readonly WaitingMessage[]): string[] {
  if (waiting.length === 0) return [];
  const lines = waiting.map(
    ({ pipeline, runId, alertId, event, channel, attempts, lastError, notBefore }) => {
      const why = lastError ?? (notBefore ? `postponed until ${notBefore.toISOString()}` : 'not tried yet');
      return `  ${pipeline} ${runId ?? alertId} ${event} to ${channel.replace(/^\d+:/, '')}: ${why}${attempts > 0 ? ` (${counted(attempts, 'attempt')})` : ''}`;
    },
  );
  return ['', `${counted(waiting.length, 'message')} in the outbox:`, ...lines];
}

/** One alert, with the way to the customers behind it. */
export function showReport(alert: AlertRecord, currency: string): string {
  const { finding } = alert;
  const facts: [string, string][] = [
    ['alert', `${alert.alertId}, ${alert.state}`],
    ['pipeline', alert.pipeline],
    ['rule', `${alert.rule} (${finding.kind})`],
    ...(alert.owner === null ? [] : [['owner', alert.owner] as [string, string]]),
    ...seenLines(alert),
    ...handledLine('acknowledged', alert.acknowledged),
    ...handledLine('resolved', alert.resolved),
    ...(finding.pValue === null ? [] : [['by chance', chanceOf(finding.pValue)] as [string, string]]),
  ];
  const width = Math.max(...facts.map(([what]) => what.length));
  return [
    `${PAINT[alert.severity](alert.severity.toUpperCase())} ${alert.title}`,
    ...finding.details,
    ...amountsOf(finding, currency),
    ...(finding.features.length > 0 ? [`behind it: ${finding.features.join(', ')}`] : []),
    '',
    ...facts.map(([what, text]) => `${colors.dim(what.padEnd(width))}  ${text}`),
    ...sqlOf(alert),
  ].join('\n');
}

function seenLines(alert: AlertRecord): [string, string][] {
  const [opened, last] = [timeOf(alert.openedAt), timeOf(alert.lastSeenAt)];
  if (alert.openedInRun === null)
    return [
      ['opened', `${opened} by the watch over schedules`],
      ['last seen', `${last}, of ${counted(alert.occurrences, 'due time')} in all`],
    ];
  return [
    ['opened', `${opened} by run ${alert.openedInRun}`],
    ['last seen', `${last} by run ${alert.lastSeenRun}, in ${counted(alert.occurrences, 'run')}`],
  ];
}

function chanceOf(pValue: number): string {
  return pValue < 1e-6
    ? 'in fewer than one of a million runs'
    : `in a share of ${pValue.toPrecision(2)} of runs without a change`;
}

function handledLine(what: string, handled: Handled | null): [string, string][] {
  if (handled === null) return [];
  return [
    [what, `${timeOf(handled.at)} by ${handled.by}${handled.note === null ? '' : `: ${handled.note}`}`],
  ];
}

/** Of a segment: its moves customer by customer, which no message may hold. */
function sqlOf({ finding, lastSeenRun }: AlertRecord): string[] {
  const segment = /(seg_[^\s:]+)$/.exec(finding.subject)?.[1];
  if (!segment || lastSeenRun === null) return [];
  const id = quoteText(segment);
  return [
    '',
    'The customers behind it, in SQL:',
    `  select * from segment_moves_of(${quoteText(lastSeenRun)})`,
    `  where ${id} in (from_segment_id, to_segment_id);`,
  ];
}

export function handledReport({ alert, isNew }: { alert: AlertRecord; isNew: boolean }): string {
  const { alertId, state, title } = alert;
  const handled = (state === 'resolved' ? alert.resolved : alert.acknowledged)!;
  const who = `by ${handled.by}, ${timeOf(handled.at)}`;
  return isNew
    ? `${alertId} is ${state} ${who}\n${title}`
    : `${alertId} was ${state} already ${who}: nothing was changed`;
}

const BAR_WIDTH = 20;

/** Per rule and per month, against the budget. */
export function backtestReport(pipeline: string, result: Backtest): string {
  const { runs, months, perMonth, falseAlarmsPerMonth, isWithinBudget, significance } = result;
  const spoke = counted(result.told.length, 'alert');
  const verdict = isWithinBudget ? colors.green('inside') : colors.red('beyond');
  const names = Object.keys(result.byMonth);
  const most = Math.max(1, ...Object.values(result.byMonth));
  return [
    `${pipeline}: ${counted(runs, 'publication')} in ${months.toFixed(1)} months, ${spoke} would have been told:`,
    `${perMonth.toFixed(2)} a month, ${verdict} the budget of ${falseAlarmsPerMonth} if all of them were false`,
    `Rules that test for chance speak in at most ${(significance * 100).toPrecision(2)} % of runs without a change.`,
    '',
    table(
      ['rule', 'severity', 'told', 'a month', 'worst month'],
      result.rules.map(({ rule, severity, spoke: told, perMonth: monthly, byMonth }) => [
        ...[rule, severity, String(told), monthly.toFixed(2)],
        worstOf(byMonth),
      ]),
      [2, 3],
    ),
    '',
    table(
      ['month', 'told', ''],
      names.map((name) => [name, String(result.byMonth[name]), bar(result.byMonth[name]! / most, BAR_WIDTH)]),
      [1],
    ),
    ...(result.told.length > 0 ? ['', 'What they would have told:'] : []),
    ...result.told.map(
      ({ asOf, rule, title, gotWorse }) =>
        `  ${asOf ?? 'no date'}  ${rule}: ${title}${gotWorse ? ' (got worse)' : ''}`,
    ),
  ].join('\n');
}

function worstOf(byMonth: Readonly<Record<string, number>>): string {
  const [worst] = Object.entries(byMonth).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return worst && worst[1] > 0 ? `${worst[1]} in ${worst[0]}` : '';
}

function dayOf(time: string): string {
  return time.slice(0, 10);
}

function timeOf(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`;
}
