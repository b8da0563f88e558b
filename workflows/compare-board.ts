import { defineQuery, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { CandidateOutcome, CompareProgress, OpenedComparison } from '../pipelines/contracts/compare.ts';
import { HANDLERS } from '../pipelines/contracts/signatures.ts';
import { attribute, keepUnknownSignals, seconds, unknownSignalLines } from './board-parts.ts';

export const compareProgressQuery = defineQuery<CompareProgress>(HANDLERS.progress);

/** What the Temporal UI shows of a comparison: a list of its candidates, and the answer of the `progress` query. */
export interface CompareBoard {
  readonly progress: CompareProgress;
  opened(opened: OpenedComparison): void;
  dated(asOf: string): void;
  counted(customers: number): void;
  began(step: string): void;
  ended(step: string, result: { ms: number }, says: string): void;
  measured(outcome: CandidateOutcome): void;
  closed(outcome: CompareProgress['outcome'], reasons: string[]): void;
}

export function openCompareBoard(): CompareBoard {
  const progress: CompareProgress = {
    comparisonId: null,
    pipeline: null,
    asOf: null,
    outcome: 'running',
    reasons: [],
    step: null,
    done: [],
    candidates: [],
    unknownSignals: [],
  };
  const say = (change: Partial<CompareProgress>) => {
    Object.assign(progress, change);
    setCurrentDetails(checklist(progress));
  };
  answerQuestions(progress, say);
  say({});
  return { progress, ...tellers(progress, say) };
}

function tellers(
  progress: CompareProgress,
  say: (change: Partial<CompareProgress>) => void,
): Omit<CompareBoard, 'progress'> {
  return {
    opened({ run, plan }) {
      attribute('StrataPipeline', run.pipeline);
      const candidates = plan.candidates.map((candidate) => ({
        candidate,
        status: 'waiting' as const,
        says: '',
      }));
      say({ comparisonId: run.runId, pipeline: run.pipeline, asOf: run.asOf, candidates });
    },
    dated(asOf) {
      attribute('StrataAsOf', new Date(`${asOf}T00:00:00Z`));
      say({ asOf });
    },
    counted: (customers) => attribute('StrataCustomers', customers),
    began: (step) => say({ step }),
    ended: (step, { ms }, says) => say({ step: null, done: [...progress.done, { step, ms, says }] }),
    measured({ candidate, status, k, reason, ms }) {
      const says = reason ?? `best at k = ${k}, measured in ${seconds(ms)}`;
      const candidates = progress.candidates.map((own) =>
        own.candidate === candidate ? { candidate, status, says } : own,
      );
      say({ candidates });
    },
    closed: (outcome, reasons) => say({ outcome, reasons, step: null }),
  };
}

function answerQuestions(progress: CompareProgress, say: (change: Partial<CompareProgress>) => void): void {
  setHandler(compareProgressQuery, () => progress, {
    description: 'How far the comparison is: its step, and every candidate with what came of it',
  });
  keepUnknownSignals(progress, say);
}

const SIGNS: Record<CompareProgress['outcome'], string> = {
  running: '▸ running',
  compared: '✓ compared',
  refused: '✗ the extract does not satisfy its contract',
  failed: '✗ failed',
  cancelled: '✗ cancelled',
};

const MARKS: Record<CompareProgress['candidates'][number]['status'], string> = {
  waiting: '○',
  measured: '✓',
  partly: '◐',
  failed: '✗',
};

/** Plain CommonMark: the UI renders neither tables nor HTML. */
function checklist(progress: CompareProgress): string {
  const { comparisonId, pipeline, asOf, outcome, reasons, step, done, candidates } = progress;
  const title = comparisonId
    ? `**${pipeline}** ${asOf ? `as of ${asOf} ` : ''}· comparison \`${comparisonId}\``
    : '**opening the comparison**';
  const lines = [title, '', SIGNS[outcome]];
  for (const reason of reasons) lines.push('', `> ${reason}`);
  lines.push('', ...done.map(({ step: name, ms, says }) => `- ✓ **${name}** ${says} (${seconds(ms)})`));
  if (step) lines.push(`- ▸ **${step}** …`);
  lines.push(...candidates.map(({ candidate, status, says }) => `- ${MARKS[status]} ${candidate} ${says}`));
  lines.push(...unknownSignalLines(progress.unknownSignals));
  return lines.join('\n');
}
