import { defineQuery, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { OpenedReproduction, ReproduceProgress } from '../pipelines/contracts/reproduce.ts';
import type { Stage } from '../pipelines/contracts/run.ts';
import { HANDLERS } from '../pipelines/contracts/signatures.ts';
import { attribute, keepUnknownSignals, seconds, unknownSignalLines } from './board-parts.ts';

export const reproduceProgressQuery = defineQuery<ReproduceProgress>(HANDLERS.progress);

/** What the Temporal UI shows of a reproduction: its stages as a list, and the answer of the `progress` query. */
export interface ReproduceBoard {
  readonly progress: ReproduceProgress;
  opened(opened: OpenedReproduction): void;
  began(stage: Stage): void;
  ended(stage: Stage, result: { ms: number }, says: string): void;
  closed(verdict: ReproduceProgress['verdict'], reasons: string[]): void;
}

export function openReproduceBoard(): ReproduceBoard {
  const progress: ReproduceProgress = {
    runId: null,
    pipeline: null,
    asOf: null,
    verdict: 'running',
    reasons: [],
    stage: null,
    stages: [],
    done: [],
    unknownSignals: [],
  };
  const say = (change: Partial<ReproduceProgress>) => {
    Object.assign(progress, change);
    setCurrentDetails(checklist(progress));
  };
  setHandler(reproduceProgressQuery, () => progress, {
    description: 'How far the reproduction is: its stage, and what was the same and what was not',
  });
  keepUnknownSignals(progress, say);
  say({});
  return {
    progress,
    opened({ runId, pipeline, asOf, reproduction }) {
      attribute('StrataPipeline', pipeline);
      if (asOf !== null) attribute('StrataAsOf', new Date(`${asOf}T00:00:00Z`));
      say({ runId, pipeline, asOf, stages: reproduction?.stages ?? [] });
    },
    began: (stage) => say({ stage }),
    ended: (stage, { ms }, says) => say({ stage: null, done: [...progress.done, { stage, ms, says }] }),
    closed: (verdict, reasons) => say({ verdict, reasons, stage: null }),
  };
}

const SIGNS: Record<ReproduceProgress['verdict'], string> = {
  running: '▸ running',
  reproduced: '✓ reproduced: every digest and figure is as the manifest says',
  differs: '✗ differs from the manifest',
  cannot: '✗ cannot be reproduced',
  failed: '✗ failed',
  cancelled: '✗ cancelled',
};

/** Plain CommonMark: the UI renders neither tables nor HTML. */
function checklist(progress: ReproduceProgress): string {
  const { runId, pipeline, asOf, verdict, reasons, stage, stages, done } = progress;
  const title = runId
    ? `**${pipeline}** ${asOf ? `as of ${asOf} ` : ''}· run \`${runId}\` computed again`
    : '**looking for the run**';
  const lines = [title, '', SIGNS[verdict]];
  for (const reason of reasons) lines.push('', `> ${reason}`);
  lines.push('');
  for (const name of stages) {
    const report = done.find((one) => one.stage === name);
    if (report) lines.push(`- ${report.says} (${seconds(report.ms)})`);
    else lines.push(name === stage ? `- ▸ **${name}** …` : `- ○ ${name}`);
  }
  lines.push(...unknownSignalLines(progress.unknownSignals));
  return lines.join('\n');
}
