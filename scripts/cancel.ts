import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { Command } from 'commander';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Outcome, Run } from '../pipelines/contracts/run.ts';
import { checkReason } from '../pipelines/contracts/segment-name.ts';
import { type Config, readConfig } from './config.ts';
import type { RunInHand } from './run-in-hand.ts';

interface Given {
  because?: string;
}

/** `strata cancel`: ends a run, waits until nothing of it is left, and says what readers see. */
export function cancelCommand(signal: AbortSignal, setExitCode: (code: number) => void): Command {
  return new Command('cancel')
    .description('cancels a run and waits until it has ended; readers see what they saw before')
    .argument('<run>', 'id of the run, or its beginning')
    .option('--because <text>', 'why; kept with the run')
    .addHelpText(
      'after',
      '\nEnds with 0 when the run is cancelled, 2 when it is too late: a run whose pointer has moved is published.',
    )
    .allowExcessArguments(false)
    .action(async (run: string, given: Given) => {
      setExitCode(await cancel(readConfig(), { run, ...given }, signal));
    });
}

async function cancel(
  config: Config,
  { run: asked, because }: Given & { run: string },
  signal: AbortSignal,
): Promise<number> {
  const reason = because === undefined ? '' : checkReason(because);
  const { requireOpen, withRun } = await import('./run-in-hand.ts');
  return withRun({ config, asked, signal }, async (run) => {
    const { runId } = run.record;
    if (await run.repositories.publications.ofRun(runId)) return tooLate(run);
    requireOpen('a cancel', run);
    const beganMs = performance.now();
    await requestCancel(run, reason);
    const step = run.log.step(`cancelling ${runId}`);
    await run.needWorker(run.execution);
    await ended(run);
    const seconds = ((performance.now() - beganMs) / 1_000).toFixed(1);
    step.done();
    const { outcome } = await run.repositories.runs.get(runId);
    if (outcome === 'published') return tooLate(run);
    if (outcome !== 'cancelled') throw endedOtherwise(run, outcome);
    console.log(`✓ ${runId} is cancelled, ${seconds} s after it was asked to, and cleaned up`);
    console.log(await whatReadersSee(run));
    return 0;
  });
}

/** The client's own `cancel` takes no reason; the run's record gets it from the history. */
async function requestCancel({ client, execution }: RunInHand, reason: string): Promise<void> {
  await client.workflowService.requestCancelWorkflowExecution({
    namespace: client.options.namespace,
    identity: client.options.identity,
    requestId: randomUUID(),
    workflowExecution: { workflowId: execution.id, runId: execution.runId },
    reason,
  });
}

async function ended({ client, execution, handleOf, signal }: RunInHand): Promise<void> {
  try {
    await client.withAbortSignal(signal, () => handleOf(execution).result());
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof WorkflowFailedError)) throw error;
  }
}

async function tooLate({ record: { runId, pipeline }, repositories }: RunInHand): Promise<number> {
  const current = await repositories.publications.current(pipeline);
  const seen = current?.runId === runId ? 'readers see it' : `readers see ${current?.runId}, published since`;
  console.log(`it is too late to cancel ${runId}: it is published, ${seen}`);
  return 2;
}

async function whatReadersSee({ record: { pipeline }, repositories }: RunInHand): Promise<string> {
  const current = await repositories.publications.current(pipeline);
  return current
    ? `readers of ${pipeline} see ${current.runId} as of ${current.asOf}, as before`
    : `readers of ${pipeline} see nothing, as before: no run of it is published`;
}

function endedOtherwise(
  { record: { runId } }: { record: Pick<Run, 'runId'> },
  outcome: Outcome | null,
): PipelineError {
  return new PipelineError(
    'INPUT_INVALID',
    `${runId} was to be cancelled and ended as ${outcome ?? 'something that is not recorded yet'} before that; readers see what they saw before`,
    { runId },
  );
}
