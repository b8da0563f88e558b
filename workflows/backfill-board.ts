import { defineQuery, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type {
  BackfilledDate,
  BackfillPlan,
  BackfillProgress,
  BackfillSummary,
} from '../pipelines/contracts/backfill.ts';
import { HANDLERS } from '../pipelines/contracts/signatures.ts';
import { attribute, keepUnknownSignals, link, unknownSignalLines } from './board-parts.ts';

/** The list of a long backfill begins with those that were not published; of the others the last ones are told. */
const DATES_SHOWN = 24;

export const backfillProgressQuery = defineQuery<BackfillProgress>(HANDLERS.progress);

/** What the Temporal UI shows of a backfill: a list of its dates, and the answer of the `progress` query. */
export interface BackfillBoard {
  planned(plan: BackfillPlan, done: readonly BackfilledDate[]): void;
  began(asOf: string, workflowId: string): void;
  ended(date: BackfilledDate): void;
  closed(outcome: BackfillSummary['outcome'] | 'failed' | 'cancelled', reasons: string[]): void;
}

export function openBackfillBoard(): BackfillBoard {
  const progress: BackfillProgress = {
    pipeline: null,
    outcome: 'running',
    reasons: [],
    dates: 0,
    current: null,
    done: [],
    unknownSignals: [],
  };
  const say = (change: Partial<BackfillProgress>) => {
    Object.assign(progress, change);
    setCurrentDetails(checklist(progress));
  };
  answerQuestions(progress, say);
  say({});
  return {
    planned({ pipeline, dates, reasons }, done) {
      attribute('StrataPipeline', pipeline);
      say({ pipeline, dates: dates.length, done: [...done], reasons });
    },
    began: (asOf, workflowId) => say({ current: { asOf, workflowId } }),
    ended: (date) => say({ current: null, done: [...progress.done, date] }),
    closed: (outcome, reasons) => say({ outcome, reasons, current: null }),
  };
}

function answerQuestions(progress: BackfillProgress, say: (change: Partial<BackfillProgress>) => void): void {
  setHandler(backfillProgressQuery, () => progress, {
    description:
      'How far the backfill is: the dates that are done with what came of them, and the one going on',
  });
  keepUnknownSignals(progress, say);
}

const SIGNS: Record<BackfillProgress['outcome'], string> = {
  running: '▸ running',
  completed: '✓ completed',
  stopped: '▪ stopped before its last date',
  failed: '✗ failed',
  cancelled: '✗ cancelled',
};

const MARKS: Record<BackfilledDate['outcome'], string> = {
  published: '✓',
  skipped: '–',
  rejected: '✗',
  failed: '✗',
  cancelled: '✗',
};

/** Plain CommonMark: the UI renders neither tables nor HTML. */
function checklist(progress: BackfillProgress): string {
  const { pipeline, outcome, reasons, dates, current, done, unknownSignals } = progress;
  const title = pipeline
    ? `**${pipeline}** · ${done.length} of ${dates} as-of dates`
    : '**opening the backfill**';
  const lines = [title, '', SIGNS[outcome]];
  for (const reason of reasons) lines.push('', `> ${reason}`);
  const last = done.length - DATES_SHOWN;
  const shown = done.filter(({ reason }, i) => i >= last || reason !== undefined);
  const before = done.length - shown.length;
  lines.push('', ...(before > 0 ? [`- ✓ ${before} earlier dates`] : []), ...shown.map(dateLine));
  if (current) {
    lines.push(
      `- ▸ **${current.asOf}** ${link(current.workflowId)} (a run that asks for review waits there for its decision)`,
    );
  }
  lines.push(...unknownSignalLines(unknownSignals));
  return lines.join('\n');
}

function dateLine({ asOf, outcome, verdict, customers, k, movedShare, reason }: BackfilledDate): string {
  const figures = [
    verdict && `*${verdict}*`,
    k !== null && `k = ${k}`,
    customers > 0 && `${customers} customers`,
    movedShare !== null && `${(movedShare * 100).toFixed(1)} % moved`,
    reason,
  ].filter(Boolean);
  return `- ${MARKS[outcome]} **${asOf}** ${[outcome, ...figures].join(', ')}`;
}
