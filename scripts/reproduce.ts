import { resolve } from 'node:path';
import { Command } from 'commander';
import type { ReproductionVerdict } from '../pipelines/contracts/reproduce.ts';
import type { Repositories } from '../store/postgres/repositories.ts';
import type { RunRecord } from '../store/postgres/run-records.ts';
import { type Config, readConfig } from './config.ts';
import type { AskedRun } from './find-run.ts';
import { createLog } from './log.ts';
import { checkFolder, writeJson } from './output-file.ts';

const EXIT_CODES: Record<ReproductionVerdict, number> = { reproduced: 0, differs: 2, cannot: 1 };

/** `strata reproduce`: starts what `npm start` starts, computes a run again, tells what differs, stops what it started. */
export function reproduceCommand(signal: AbortSignal, setExitCode: (code: number) => void): Command {
  return new Command('reproduce')
    .description('computes a published run again from its kept extract and compares every digest')
    .argument('<run>', 'id of the run, the beginning of it, or latest')
    .option('--pipeline <name>', 'of which the latest published run is meant (default: shop)')
    .option('--json <file>', 'write what came out to this file, as JSON')
    .addHelpText(
      'after',
      '\nIt changes nothing of the run and publishes nothing. Ends with 0 when all is the same, 2 when something differs,\n' +
        '1 when the run cannot be computed again. Example:\n' +
        '  npm run strata -- reproduce latest --pipeline online-retail',
    )
    .allowExcessArguments(false)
    .action(async (run: string, { pipeline, json }: { pipeline?: string; json?: string }) => {
      const config = readConfig();
      const file = json && resolve(config.invokedFrom, json);
      await checkFolder('--json', file);
      setExitCode(await reproduce(config, { run, ...(pipeline && { pipeline }), json: file }, signal));
    });
}

async function reproduce(
  config: Config,
  asked: AskedRun & { json: string | undefined },
  signal: AbortSignal,
): Promise<number> {
  // Half of the start is Temporal and DuckDB: no one who asks for --help or mistypes an option waits for them.
  const { openStrata } = await import('./open-strata.ts');
  const { awaitHistory } = await import('./main-job.ts');
  const { followReproduction } = await import('./follow-reproduction.ts');
  const { reproductionReport } = await import('./reproduce-report.ts');
  const log = createLog({ level: config.logLevel });
  const strata = await openStrata({ config, log, signal });
  const broken = new AbortController();
  strata.ended.catch((fault: unknown) => broken.abort(fault));
  try {
    const { runId } = await meantRun(strata.repositories, asked);
    const summary = await followReproduction(
      strata,
      { run: runId },
      AbortSignal.any([signal, broken.signal]),
    );
    await awaitHistory(strata.client, summary.workflow.runId, { log });
    await writeJson('--json', asked.json, summary);
    console.log(`\n${reproductionReport(summary, { reproduction: strata.addressAfter(summary.workflow) })}`);
    return EXIT_CODES[summary.verdict];
  } finally {
    await strata.close();
  }
}

/** The latest that readers see, where no run is named. */
async function meantRun(
  repositories: Pick<Repositories, 'runs' | 'publications'>,
  { run, pipeline }: AskedRun,
): Promise<Pick<RunRecord, 'runId'>> {
  const { DEFAULT_PIPELINE } = await import('../pipelines/contracts/same-start.ts');
  const { findRun, LATEST_RUN } = await import('./find-run.ts');
  if (run !== LATEST_RUN) return findRun(repositories, { run, ...(pipeline && { pipeline }) });
  const ofPipeline = pipeline ?? DEFAULT_PIPELINE;
  const published = await repositories.publications.current(ofPipeline);
  if (published !== null) return published;
  const { PipelineError } = await import('../pipelines/contracts/errors.ts');
  throw new PipelineError(
    'RUN_UNKNOWN',
    `nothing of pipeline ${ofPipeline} is published yet; name another with --pipeline`,
  );
}
