import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { isErrorCode, PipelineError } from '../pipelines/contracts/errors.ts';
import { parseStartInput } from '../pipelines/contracts/input.ts';
import type { Outcome, RunSummary, StartInput } from '../pipelines/contracts/run.ts';
import { type Config, readConfig } from './config.ts';
import { innermostMessage } from './follow-run.ts';
import { createLog } from './log.ts';
import { checkInput, runMainJob } from './main-job.ts';
import { openStrata, type Strata } from './open-strata.ts';
import { runReport } from './run-report.ts';

const EXIT_CODES: Record<Outcome, number> = { published: 0, held: 0, rejected: 2, failed: 1, cancelled: 1 };
const INTERRUPTED = 130;

interface Options {
  once: boolean;
  json?: string;
  input: StartInput;
}

process.exitCode = await main(process.argv.slice(2));

async function main(argv: string[]): Promise<number> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => interrupt.abort(signal));
  try {
    const config = readConfig();
    const options = readOptions(argv, config);
    await checkInput(options.input);
    const log = createLog({ level: config.logLevel });
    const strata = await openStrata({ config, log, signal: interrupt.signal });
    try {
      return await runAndStay(strata, { ...options, artifacts: config.artifacts }, interrupt.signal);
    } finally {
      await strata.close();
    }
  } catch (error) {
    if (interrupt.signal.aborted) return INTERRUPTED;
    console.error(errorText(error));
    return 1;
  }
}

async function runAndStay(
  strata: Strata,
  options: Options & { artifacts: string },
  interrupted: AbortSignal,
): Promise<number> {
  const { log } = strata;
  const job = await runMainJob(strata, options.input, interrupted);
  if (options.json && job.summary) await writeSummary(options.json, job.summary);
  if (job.summary) console.log(`\n${runReport(job.summary, links(job.summary, { ...options, ...job }))}`);
  else console.error(`\n${job.message ?? 'the run ended without a summary'}\nrun  ${job.address}`);
  if (options.once) return EXIT_CODES[job.outcome];
  for (const [what, address] of Object.entries(strata.addresses)) log.info(`${what.padEnd(12)}  ${address}`);
  log.info('Strata stays up: press Ctrl-C to stop');
  await untilAborted(interrupted);
  return 0;
}

/** Where to look: the run, and the page that describes its extract. */
function links({ stages }: RunSummary, { artifacts, address }: { artifacts: string; address: string }) {
  const page = stages.find(({ stage }) => stage === 'profile')?.artifact;
  return { run: address, ...(page && { profile: join(artifacts, page.uri) }) };
}

function readOptions(argv: string[], { invokedFrom }: Config): Options {
  const command = new Command('npm start --')
    .description('Sets up what is missing, starts the services and runs the main job')
    .option('--once', 'stop everything when the run has ended', false)
    .option('--pipeline <name>', 'pipeline definition to run (default: shop)')
    .option('--extract <file>', "CSV (also .gz) or Parquet file to read in place of the definition's source")
    .option('--as-of <date>', 'ISO date: only rows ordered before its midnight count', isoDate)
    .option('--json <file>', 'write the run summary to this file')
    .allowExcessArguments(false)
    .parse(argv, { from: 'user' });
  const given = command.opts<{
    once: boolean;
    pipeline?: string;
    extract?: string;
    asOf?: string;
    json?: string;
  }>();
  const input = parseStartInput({
    ...(given.pipeline !== undefined && { pipeline: given.pipeline }),
    ...(given.extract !== undefined && { extract: resolve(invokedFrom, given.extract) }),
    ...(given.asOf !== undefined && { asOf: given.asOf }),
  });
  return { once: given.once, json: given.json && resolve(invokedFrom, given.json), input };
}

function isoDate(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(Date.parse(text))) {
    throw new InvalidArgumentError('needs an ISO date such as 2026-06-30.');
  }
  return text;
}

async function writeSummary(file: string, summary: RunSummary): Promise<void> {
  try {
    await writeFile(file, `${JSON.stringify(summary, null, 2)}\n`);
  } catch (cause) {
    throw new PipelineError(
      'CONFIG_INVALID',
      `--json ${file} cannot be written: ${innermostMessage(cause)}`,
      {},
      { cause },
    );
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    signal.addEventListener('abort', () => done(), { once: true });
  });
}

function errorText(error: unknown): string {
  if (error instanceof PipelineError) return `${error.message} (${error.code})`;
  const message = innermostMessage(error);
  return isErrorCode((error as { type?: string }).type)
    ? message
    : `${message}\n${(error as Error).stack ?? ''}`;
}
