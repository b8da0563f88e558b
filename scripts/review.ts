import { Argument, Command } from 'commander';
import { HANDLERS, type ReviewDecision } from '../pipelines/contracts/signatures.ts';
import { type Config, readConfig } from './config.ts';
import { findNamedRun } from './find-run.ts';
import { createLog } from './log.ts';

interface Given {
  run: string;
  decision: ReviewDecision['decision'];
  note?: string;
}

/** `strata review`: a person's decision on a held run. Starts what `npm start` starts, since the run goes on with it. */
export function reviewCommand(signal: AbortSignal, setExitCode: (code: number) => void): Command {
  return new Command('review')
    .description('decides on a run that is held: publishes or rejects it, and follows it to its end')
    .argument('<run>', 'id of the run, or its beginning')
    .addArgument(new Argument('<decision>').choices(['publish', 'reject']))
    .option('--note <text>', 'why; kept with the run')
    .addHelpText('after', '\nEnds with 0 when it is published, 2 when it is rejected.')
    .allowExcessArguments(false)
    .action(async (run: string, decision: Given['decision'], { note }: { note?: string }) => {
      setExitCode(await review(readConfig(), { run, decision, ...(note && { note }) }, signal));
    });
}

async function review(config: Config, { run, ...decision }: Given, signal: AbortSignal): Promise<number> {
  const { currentExecution } = await import('./current-execution.ts');
  const { openStrata } = await import('./open-strata.ts');
  const { ask, isRunOpen, requireHeld } = await import('./run-in-hand.ts');
  const { followToEnd } = await import('./main-job.ts');
  const { EXIT_CODES, runReport, whereToLook } = await import('./run-report.ts');
  const broken = new AbortController();
  const either = AbortSignal.any([signal, broken.signal]);
  const strata = await openStrata({ config, log: createLog({ level: config.logLevel }), signal: either });
  strata.ended.catch((fault: unknown) => broken.abort(fault));
  try {
    const record = await findNamedRun(strata.repositories, run);
    // Its record outlives what Temporal knows of it.
    requireHeld({ record, isOpen: record.closedAt === null });
    const { execution: workflow, description } = await currentExecution(strata.client, record.workflow);
    requireHeld({ record, isOpen: isRunOpen(record, description) });
    const handle = strata.client.workflow.getHandle(workflow.id, workflow.runId);
    await ask(handle, HANDLERS.review, decision, either);
    const job = await followToEnd(strata, workflow, either);
    const { summary } = job;
    console.log(
      summary
        ? `\n${runReport(summary, await whereToLook(summary, { config, address: job.address }))}`
        : `\n${job.message ?? 'the run ended without a summary'}`,
    );
    return EXIT_CODES[job.outcome];
  } finally {
    await strata.close();
  }
}
