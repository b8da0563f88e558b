import type {
  ReproduceInput,
  ReproduceProgress,
  ReproductionSummary,
} from '../pipelines/contracts/reproduce.ts';
import { WORKFLOWS, workflowIds } from '../pipelines/contracts/signatures.ts';
import { followWorkflow, startOrJoinWorkflow } from './join-workflow.ts';
import type { Log, Step } from './log.ts';
import type { Strata } from './open-strata.ts';
import { plainWords } from './reproduce-report.ts';

const NOUN = 'reproduction';
/** How long one that was interrupted may take to stop. */
const CANCEL_WITHIN_MS = 15_000;

/**
 * Starts the reproduction of a run, or joins the one that is going on, and follows it to its end, with a line for each
 * stage. An interrupt cancels it: it leaves nothing.
 *
 * @throws PipelineError TEMPORAL_UNREACHABLE; the workflow's failure; the signal's reason
 */
export async function followReproduction(
  { client, log, addressOf }: Pick<Strata, 'client' | 'log' | 'addressOf'>,
  input: ReproduceInput & { run: string },
  signal: AbortSignal,
): Promise<ReproductionSummary> {
  const execution = await startOrJoinWorkflow(client, {
    noun: NOUN,
    type: WORKFLOWS.reproduceRun,
    workflowId: workflowIds.reproduce(input.run),
    input,
    summary: `compute ${input.run} again`,
  });
  log.info(`reproduction  ${addressOf(execution)}`);
  const handle = client.workflow.getHandle(execution.id, execution.runId);
  const teller = stageTeller(log);
  try {
    return await followWorkflow<ReproduceProgress, ReproductionSummary>(handle, {
      ...{ noun: NOUN, signal, cancelWithinMs: CANCEL_WITHIN_MS },
      onLook: (progress) => teller.tell(progress),
    });
  } finally {
    teller.stop();
  }
}

function stageTeller(log: Log) {
  let told = 0;
  let step: { stage: string; step: Step } | null = null;
  const begin = (stage: string): Step => {
    if (step?.stage !== stage) step = { stage, step: log.step(stage) };
    return step.step;
  };
  return {
    tell({ done, stage }: ReproduceProgress) {
      for (const { stage: ended, says } of done.slice(told)) {
        const isSame = says.startsWith('✓');
        begin(ended)[isSame ? 'done' : 'fail'](plainWords(says, ended));
        step = null;
      }
      told = Math.max(told, done.length);
      if (stage !== null) begin(stage);
    },
    stop() {
      step?.step.skip();
    },
  };
}
