import { resolve } from 'node:path';
import { Command } from 'commander';
import type { NamesFile } from '../activities/name.ts';
import { parseStartInput } from '../pipelines/contracts/input.ts';
import type { RunSummary, Stage, StartInput } from '../pipelines/contracts/run.ts';
import { type Config, readConfig } from './config.ts';
import { createLog } from './log.ts';
import type { MainJob } from './main-job.ts';
import { openArtifacts } from './open-artifacts.ts';
import { FILE_KINDS, isoDate } from './option-values.ts';
import { checkFolder, writeJson } from './output-file.ts';
import type { SinceLast } from './run-report.ts';

interface Given {
  pipeline: string;
  extract?: string;
  asOf?: string;
  json?: string;
}

/** `strata assign`: starts what `npm start` starts, assigns by the published model, reports, stops what it started. */
export function assignCommand(signal: AbortSignal, setExitCode: (code: number) => void): Command {
  return new Command('assign')
    .description(
      'puts the customers of a new extract into the published segments by the published model, fits nothing, and publishes',
    )
    .requiredOption('--pipeline <name>', 'pipeline whose published model is used')
    .option('--extract <file>', `file to read in place of the definition's source: ${FILE_KINDS}`)
    .option('--as-of <date>', 'ISO date: only rows ordered before its midnight count', isoDate)
    .option('--json <file>', 'write the run summary to this file')
    .addHelpText(
      'after',
      '\nEnds with 0 when it is published or held, 2 when it is rejected, 1 when it failed.',
    )
    .allowExcessArguments(false)
    .action(async (given: Given) => setExitCode(await assign(readConfig(), given, signal)));
}

async function assign(config: Config, given: Given, signal: AbortSignal): Promise<number> {
  const { pipeline, extract, asOf } = given;
  const json = given.json && resolve(config.invokedFrom, given.json);
  const input = parseStartInput(
    {
      pipeline,
      ...(extract !== undefined && { extract: resolve(config.invokedFrom, extract) }),
      ...(asOf !== undefined && { asOf }),
    },
    'assign',
  );
  await checkFolder('--json', json);
  // Half of the start is Temporal and DuckDB: no one who asks for --help or mistypes an option waits for them.
  const { checkInput } = await import('./main-job.ts');
  const { EXIT_CODES, runReport, whereToLook } = await import('./run-report.ts');
  await checkInput(input, config);
  const [job, refit] = await follow(config, input, signal);
  if (job.summary) {
    const { summary } = job;
    await writeJson('--json', json, summary, `the run itself stands: ${summary.runId}`);
  }
  for (const { summary, message, address } of refit ? [job, refit] : [job]) {
    if (summary === null) {
      console.error(`\n${message ?? 'the run ended without a summary'}\nrun  ${address}`);
      continue;
    }
    const places = await whereToLook(summary, { config, address });
    console.log(`\n${runReport(summary, places, await changesOf(config, summary))}`);
  }
  return EXIT_CODES[job.outcome];
}

/** The run; and the refit that it started, which would stand still without the worker of this process. */
async function follow(
  config: Config,
  input: StartInput,
  signal: AbortSignal,
): Promise<[job: MainJob, refit: MainJob | null]> {
  const { openStrata } = await import('./open-strata.ts');
  const { followToEnd, runMainJob } = await import('./main-job.ts');
  const broken = new AbortController();
  const either = AbortSignal.any([signal, broken.signal]);
  const strata = await openStrata({ config, log: createLog({ level: config.logLevel }), signal: either });
  strata.ended.catch((fault: unknown) => broken.abort(fault));
  try {
    const job = await runMainJob(strata, { ...input, kind: 'assign' }, either);
    const started = job.summary?.refit?.started;
    if (!started) return [job, null];
    const { runId } = await strata.client.workflow.getHandle(started).describe();
    const execution = { id: started, runId };
    strata.log.info(`a refit was started  ${strata.addressOf(execution)}`);
    return [job, await followToEnd(strata, execution, either)];
  } finally {
    await strata.close();
  }
}

/** Null for a run that came to no comparison, or let go of it. */
async function changesOf(config: Config, summary: RunSummary): Promise<SinceLast | null> {
  const productOf = (of: Stage) => summary.stages.find(({ stage }) => stage === of)?.artifact;
  const [report, named] = [productOf('stability'), productOf('name')];
  const isKept = summary.outcome === 'published' || summary.outcome === 'held';
  if (summary.kind !== 'assign' || !isKept || !report || !named) return null;
  const { decodeJson } = await import('../store/artifacts/json.ts');
  const { parseStabilityReport } = await import('../pipelines/stages/stability-report.ts');
  const { sinceLast } = await import('./assign-report.ts');
  const artifacts = await openArtifacts(config);
  const { movements } = parseStabilityReport(decodeJson(await artifacts.read(report)));
  const { names } = decodeJson(await artifacts.read(named)) as NamesFile;
  return movements && sinceLast(summary, movements, names);
}
