import { Command } from 'commander';
import { checkReason } from '../pipelines/contracts/segment-name.ts';
import { HANDLERS, type PauseRequest } from '../pipelines/contracts/signatures.ts';
import { readConfig } from './config.ts';

/** `strata pause`: a run ends the stage that is going on, and begins no other. */
export function pauseCommand(signal: AbortSignal): Command {
  return new Command('pause')
    .description('stops a run before its next stage, or before one that is named, until it is resumed')
    .argument('<run>', 'id of the run, or its beginning')
    .option('--before <stage>', 'stage that is to come; left out: the next one')
    .option('--because <text>', 'why; shown with the run')
    .addHelpText('after', '\nA paused run still has its turn: later runs of its pipeline wait for it.')
    .allowExcessArguments(false)
    .action((run: string, { before, because }: { before?: string; because?: string }) =>
      send(HANDLERS.pause, run, { ...(before && { before }), ...reason(because) }, signal),
    );
}

/** `strata resume`: a paused run goes on. */
export function resumeCommand(signal: AbortSignal): Command {
  return new Command('resume')
    .description('lets a paused run go on')
    .argument('<run>', 'id of the run, or its beginning')
    .option('--because <text>', 'why; kept with the run')
    .allowExcessArguments(false)
    .action((run: string, { because }: { because?: string }) =>
      send(HANDLERS.resume, run, reason(because), signal),
    );
}

function reason(because: string | undefined): Pick<PauseRequest, 'because'> {
  return because === undefined ? {} : { because: checkReason(because) };
}

async function send(
  update: 'pause' | 'resume',
  asked: string,
  sent: object,
  signal: AbortSignal,
): Promise<void> {
  const { ask, requireOpen, withRun } = await import('./run-in-hand.ts');
  await withRun({ config: readConfig(), asked, signal }, async (run) => {
    const { runId } = run.record;
    requireOpen(update, run);
    await run.needWorker(run.execution);
    console.log(`${runId}: ${await ask(run.handleOf(run.execution), update, sent, run.signal)}`);
    if (update === 'pause')
      console.log(
        `to let it go on: npm run strata -- resume ${runId}; to end it: npm run strata -- cancel ${runId}`,
      );
    else console.log(`where it is: ${run.addressOf(run.execution)}`);
  });
}
