import { defineQuery, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { InboxQuestion, InboxRun, InboxView, RunEnd, WaitingRun } from '../pipelines/contracts/inbox.ts';
import { LONGEST } from '../pipelines/contracts/inbox-message.ts';
import { HANDLERS } from '../pipelines/contracts/signatures.ts';
import { attribute, link } from './board-parts.ts';

const IDS_ANSWERED = 1_000;

export const inboxQuery = defineQuery<InboxView, [InboxQuestion?]>(HANDLERS.inbox);

/**
 * What the Temporal UI shows of an inbox, and the answer of its query.
 *
 * @returns to be called when something has changed
 */
export function openInboxBoard(
  pipeline: string,
  { view, runOf }: { view: () => InboxView; runOf: (id: string) => number | null },
): () => void {
  attribute('StrataPipeline', pipeline);
  setHandler(
    inboxQuery,
    (question?: InboxQuestion) => {
      const ids: unknown[] = Array.isArray(question?.ids) ? question.ids.slice(0, IDS_ANSWERED) : [];
      // One that is longer is no message's, and a thousand of them no answer.
      const texts = ids.filter((id): id is string => typeof id === 'string' && id.length <= LONGEST.id);
      if (texts.length === 0) return view();
      return { ...view(), messages: Object.fromEntries(texts.map((id) => [id, runOf(id)])) };
    },
    {
      description:
        'What waits, what runs, the last runs and refusals; {"ids": ["load-17"]} asks in which runs messages are',
    },
  );
  return () => setCurrentDetails(listOf(view()));
}

const MARKS: Record<RunEnd['outcome'], string> = {
  published: '✓',
  held: '▪',
  rejected: '✗',
  failed: '✗',
  cancelled: '✗',
  unknown: '?',
};

/** Plain CommonMark: the UI renders neither tables nor HTML. */
function listOf({
  pipeline,
  settings,
  blocked,
  unsorted,
  waiting,
  running,
  last,
  refused,
  counts,
}: InboxView): string {
  const waitsFor =
    settings && settings.inputs.length > 0 ? ` · a run needs ${settings.inputs.join(', ')}` : '';
  const lines = [
    `**${pipeline}**: inbox${waitsFor}`,
    '',
    `${counted(counts.taken, 'message')} taken, ${counts.repeated} repeated, ${counts.refused} refused · ${counted(counts.runs, 'run')}`,
  ];
  if (blocked !== null) lines.push('', `> no run starts, ${counted(unsorted, 'message')} kept: ${blocked}`);
  lines.push('', running ? `▸ ${runWords(running)} ${link(running.workflowId)}` : '○ no run is going on', '');
  for (const run of waiting) lines.push(`- ○ ${waitingWords(run)}`);
  if (last.length > 0) lines.push('', '**Last runs**', '');
  for (const run of last) {
    const why = run.reason === null ? '' : `: ${run.reason}`;
    lines.push(`- ${MARKS[run.outcome]} ${run.outcome} ${runWords(run)} ${link(run.workflowId)}${why}`);
  }
  if (refused.length > 0) lines.push('', '**Last refusals**', '');
  for (const { at, message, reason } of refused) lines.push(`- ${at} \`${message}\`: ${reason}`);
  return lines.join('\n');
}

function runWords({ number, kind, asOf, messages, missing }: InboxRun): string {
  const without = missing.length > 0 ? `, without ${missing.join(', ')}` : '';
  return `**run ${number}** (${kind}${asOf ? ` as of ${asOf}` : ''}, ${counted(messages, 'message')}${without})`;
}

function waitingWords({ number, kind, asOf, messages, landed, missing, startsAt }: WaitingRun): string {
  const what = `**run ${number}** (${kind}${asOf ? ` as of ${asOf}` : ''}, ${counted(messages, 'message')})`;
  const has = landed.length > 0 ? ` has ${landed.join(', ')}` : '';
  if (missing.length === 0) return `${what}${has} starts at ${startsAt}, or when the run before it has ended`;
  return `${what}${has} waits for ${missing.join(', ')}${startsAt ? `, until ${startsAt} at the latest` : ''}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
