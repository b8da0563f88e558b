import { defineQuery, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../pipelines/contracts/policies.ts';
import { type Outcome, type Run, STAGES, type Stage, type Verdict } from '../pipelines/contracts/run.ts';
import { HANDLERS, type Pause, type RunProgress } from '../pipelines/contracts/signatures.ts';
import type { Timed } from '../pipelines/contracts/stages.ts';
import {
  type AttributeName,
  attribute,
  attributes,
  keepUnknownSignals,
  link,
  seconds,
  unknownSignalLines,
} from './board-parts.ts';

export const progressQuery = defineQuery<RunProgress>(HANDLERS.progress);

/**
 * What the Temporal UI shows of a run: a checklist in the current details, typed search attributes, and the
 * answer of the `progress` query. It only tells; nothing is decided from it.
 */
export interface RunBoard {
  readonly progress: RunProgress;
  opened(run: Run): void;
  waitsFor(workflowId: string | null): void;
  /** Null: it goes on. */
  paused(pause: Pause | null): void;
  dated(asOf: string): void;
  counted(customers: number): void;
  segmented(segments: number): void;
  judged(verdict: Verdict): void;
  began(stage: Stage): void;
  /** Of the stage that is going on, where it is done in parts. */
  parted(parts: NonNullable<RunProgress['parts']>): void;
  ended(stage: Stage, result: Timed, says: string): void;
  closed(outcome: Outcome, reasons: string[]): void;
  /** A held run goes on. */
  resumed(): void;
}

/** The board of a run with these stages; from here on its query is answered and unknown signals are kept by name. */
export function openRunBoard(stages: readonly Stage[] = STAGES): RunBoard {
  const progress: RunProgress = {
    runId: null,
    pipeline: null,
    asOf: null,
    stage: null,
    waitsFor: null,
    outcome: 'running',
    paused: null,
    verdict: null,
    reasons: [],
    done: [],
    unknownSignals: [],
  };
  const draw = () => setCurrentDetails(checklist(progress, stages));
  const board = tellers(progress, draw);
  answerQuestions(progress, draw);
  draw();
  return board;
}

function tellers(progress: RunProgress, draw: () => void): RunBoard {
  const say = (change: Partial<RunProgress>) => {
    Object.assign(progress, change);
    draw();
  };
  return {
    progress,
    opened(run) {
      // The UI's start form hands on the last run's attributes: a new run begins without its verdicts.
      attributes({ ...NOTHING_FOUND, StrataPipeline: run.pipeline });
      say({ runId: run.runId, pipeline: run.pipeline, asOf: run.asOf });
    },
    waitsFor: (workflowId) => say({ waitsFor: workflowId }),
    paused(pause) {
      // Listed as paused is what stands still, not what still ends a stage.
      if (pause?.standsBefore) attribute('StrataOutcome', 'paused');
      else if (progress.paused?.standsBefore) attribute('StrataOutcome', null);
      say({ paused: pause });
    },
    dated(asOf) {
      attribute('StrataAsOf', new Date(`${asOf}T00:00:00Z`));
      say({ asOf });
    },
    counted: (customers) => attribute('StrataCustomers', customers),
    segmented: (segments) => attribute('StrataSegments', segments),
    judged(verdict) {
      attribute('StrataVerdict', verdict);
      say({ verdict });
    },
    began(stage) {
      attribute('StrataStage', stage);
      say({ stage });
    },
    parted: (parts) => say({ parts }),
    ended(stage, result, says) {
      progress.done.push({ stage, ms: result.ms, says });
      delete progress.parts;
      say({ stage: null });
    },
    closed(outcome, reasons) {
      attribute('StrataOutcome', outcome);
      const paused = outcome === 'held' ? progress.paused : null;
      delete progress.parts;
      say({ outcome, reasons, paused, waitsFor: null, stage: null });
    },
    resumed() {
      attribute('StrataOutcome', null);
      say({ outcome: 'running', reasons: [] });
    },
  };
}

function answerQuestions(progress: RunProgress, draw: () => void): void {
  setHandler(progressQuery, () => progress, {
    description: 'How far the run is: its stage, what is done, and why it waits',
  });
  keepUnknownSignals(progress, ({ unknownSignals }) => {
    progress.unknownSignals = unknownSignals;
    draw();
  });
}

const NOTHING_FOUND = Object.fromEntries(
  Object.keys(SEARCH_ATTRIBUTES).map((name) => [name, null]),
) as Record<AttributeName, null>;

const SIGNS: Record<Outcome | 'running', string> = {
  running: '▸ running',
  published: '✓ published',
  held: '▪ held for review: send the update `review` with `{"decision": "publish"}` or `{"decision": "reject"}`',
  rejected: '✗ rejected',
  failed: '✗ failed',
  cancelled: '✗ cancelled',
};

/** Plain CommonMark: the UI renders neither tables nor HTML. */
function checklist(progress: RunProgress, stages: readonly Stage[]): string {
  const { runId, pipeline, asOf, outcome, paused, waitsFor, reasons, verdict } = progress;
  const title = runId
    ? `**${pipeline}** ${asOf ? `as of ${asOf} ` : ''}· run \`${runId}\``
    : '**opening the run**';
  const lines = [title, '', `${SIGNS[outcome]}${verdict ? ` · verdict *${verdict}*` : ''}`];
  if (paused) lines.push('', pauseLine(paused, progress.stage));
  if (waitsFor) lines.push('', `waits for ${link(waitsFor)}: runs of one pipeline go one after another`);
  for (const reason of reasons) lines.push('', `> ${reason}`);
  lines.push('');
  for (const stage of stages) lines.push(stageLine(progress, stage));
  lines.push(...unknownSignalLines(progress.unknownSignals));
  return lines.join('\n');
}

function pauseLine({ because, before, standsBefore }: Pause, stage: Stage | null): string {
  const until = 'until it is sent the update `resume`';
  const ends = stage ? `ends ${stage} and begins nothing after it` : 'begins no stage';
  const stops = before ? `stops before ${before}` : ends;
  const said = standsBefore ? `▪ paused before **${standsBefore}** ${until}` : `▪ pauses: ${stops} ${until}`;
  return because ? `${said} (${because})` : said;
}

function stageLine(progress: RunProgress, stage: Stage): string {
  const done = progress.done.find((report) => report.stage === stage);
  if (done) return `- ✓ **${stage}** ${done.says} (${seconds(done.ms)})`;
  if (progress.stage === stage) return `- ▸ **${stage}** …${partsLine(progress.parts)}`;
  return `- ○ ${stage}`;
}

function partsLine(parts: RunProgress['parts']): string {
  return parts ? ` ${parts.done} of ${parts.of} parts done` : '';
}
