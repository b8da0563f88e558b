import colors from 'picocolors';
import type { InboxRun, InboxView, RunEnd, WaitingRun } from '../pipelines/contracts/inbox.ts';
import { counted, dot, links, table } from './terminal.ts';

const MISSING = '–';
const SIGNS: Record<RunEnd['outcome'], (text: string) => string> = {
  published: colors.green,
  held: colors.yellow,
  rejected: colors.red,
  failed: colors.red,
  cancelled: colors.red,
  unknown: colors.yellow,
};

/** What a person reads of an inbox. */
export function inboxReport(view: InboxView, address: string): string {
  const { pipeline, blocked, unsorted, waiting, running, last, refused, counts } = view;
  const lines = [
    `${colors.bold(pipeline)}  ${waitsFor(view)}`,
    `${counted(counts.taken, 'message')} taken, ${counts.repeated} repeated, ${counts.refused} refused ${dot} ${counted(counts.runs, 'run')}`,
  ];
  if (blocked !== null)
    lines.push(colors.red(`✗ no run starts, ${counted(unsorted, 'message')} kept: ${blocked}`));
  lines.push('', running ? `${colors.cyan('▸')} ${going(running)}` : `○ no run is going on`);
  for (const run of waiting) lines.push(`○ ${waits(run)}`);
  if (last.length > 0) lines.push('', ...lastRuns(last));
  if (refused.length > 0) lines.push('', colors.bold('refused, newest first'));
  for (const { at, message, reason } of refused) lines.push(`  ${dot} ${minute(at)}  ${message}: ${reason}`);
  lines.push('', ...links({ inbox: address }));
  return lines.join('\n');
}

function waitsFor({ settings }: InboxView): string {
  if (settings === null || settings.inputs.length === 0) return 'each message is enough for a run';
  const { inputs, deadlineMinutes } = settings;
  const deadline = deadlineMinutes === null ? '' : `, or ${deadlineMinutes} minutes after the first`;
  return `a run starts when there is ${inputs.join(', ')}${deadline}`;
}

function going(run: InboxRun): string {
  return `${named(run)} since ${minute(run.startedAt)}${without(run)}  ${colors.dim(run.workflowId)}`;
}

function waits(run: WaitingRun): string {
  const { landed, missing, startsAt } = run;
  const has = landed.length > 0 ? [`has ${landed.join(', ')}`] : [];
  const at = startsAt === null ? '' : minute(startsAt);
  const needs =
    missing.length > 0
      ? `waits for ${missing.join(', ')}${at && `, until ${at} at the latest`}`
      : `starts at ${at}, or when the run before it has ended`;
  return `${named(run)} ${[...has, needs].join(', ')}`;
}

function named({ number, kind, asOf, messages }: InboxRun | WaitingRun): string {
  return `run ${number}: ${kind}${asOf === null ? '' : ` as of ${asOf}`}, ${counted(messages, 'message')},`;
}

function without({ missing }: InboxRun): string {
  return missing.length > 0 ? `, without ${missing.join(', ')}` : '';
}

function lastRuns(last: InboxView['last']): string[] {
  const titles = ['run', 'kind', 'as of', 'outcome', 'messages', 'without', 'ended', 'id'];
  const rows = last.map(({ number, kind, asOf, outcome, messages, missing, endedAt, runId }) => [
    ...[`${number}`, kind, asOf ?? 'latest', outcome, `${messages}`, missing.join(', ') || MISSING],
    ...[minute(endedAt), runId ?? MISSING],
  ]);
  const [head, ...body] = table(titles, rows, [0, 4]).split('\n');
  const drawn = body.map((line, i) => line.replace(last[i]!.outcome, SIGNS[last[i]!.outcome]));
  const reasons = last.flatMap(({ number, reason }) =>
    reason === null ? [] : [`  ${dot} run ${number}: ${reason}`],
  );
  return [head!, ...drawn, ...reasons];
}

/** Of a time with seconds, in UTC as everything here. */
function minute(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)}Z`;
}
