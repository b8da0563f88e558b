import { resolve } from 'node:path';
import { Command } from 'commander';
import { parseStartInput } from '../pipelines/contracts/input.ts';
import type { StartInput } from '../pipelines/contracts/run.ts';
import { endProcess } from './closing-stack.ts';
import { type Config, readConfig } from './config.ts';
import { errorText } from './error-text.ts';
import { clearSteps, type Log, openLog } from './log.ts';
import { checkInput, runMainJob } from './main-job.ts';
import { refuseKeptByNpm, tellOfNpm } from './npm-options.ts';
import { openStrata, type Strata } from './open-strata.ts';
import { FILE_KINDS, isoDate, SEGMENT_COUNTS, segmentCount } from './option-values.ts';
import { checkFolder, writeJson } from './output-file.ts';
import { EXIT_CODES, runReport, whereToLook } from './run-report.ts';
import type { Traces } from './traces/open-traces.ts';

const INTERRUPTED = 130;
const TYPED = 'npm start --';

interface Options {
  once: boolean;
  json?: string;
  input: StartInput;
}

endProcess(await main(process.argv.slice(2)));

async function main(argv: string[]): Promise<number> {
  // One end for all reasons: a signal's name when a person asks, an error when the worker broke.
  const end = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end.abort(signal));
  try {
    const config = readConfig();
    const options = readOptions(argv, config);
    await checkFolder('--json', options.json);
    await checkInput(options.input, config);
    const log = openLog(config);
    const traces = config.traces
      ? (await import('./traces/open-traces.ts')).openTraces(config.traces, log)
      : undefined;
    try {
      return await startAndRun({ ...options, config, log, traces }, end);
    } finally {
      await traces?.close();
    }
  } catch (error) {
    const { aborted, reason } = end.signal;
    if (aborted && !(reason instanceof Error)) return INTERRUPTED;
    clearSteps();
    console.error(errorText(aborted ? reason : error));
    return 1;
  }
}

type Start = Options & { config: Config; log: Log; traces: Traces | undefined };

async function startAndRun(options: Start, end: AbortController): Promise<number> {
  const { config, log } = options;
  const strata = await openStrata({ config, log, signal: end.signal });
  strata.ended.catch((fault: unknown) => end.abort(fault));
  try {
    return await runAndStay(strata, options, end.signal);
  } finally {
    await strata.close();
  }
}

async function runAndStay(strata: Strata, options: Start, end: AbortSignal): Promise<number> {
  const { log } = strata;
  const run = () => runMainJob(strata, options.input, end);
  const { traces } = options;
  const job = await (traces ? traces.command('npm start', run) : run()).catch((error: unknown) => {
    if (end.aborted && !(end.reason instanceof Error))
      log.warn('stopped before the run had ended: it is kept, and the same command goes on with it');
    throw error;
  });
  const address = options.once ? job.address : strata.addressOf(job.workflow);
  if (job.summary)
    await writeJson('--json', options.json, job.summary, `the run itself stands: ${job.summary.runId}`);
  if (job.summary)
    console.log(`\n${runReport(job.summary, await whereToLook(job.summary, { ...options, address }))}`);
  else console.error(`\n${job.message ?? 'the run ended without a summary'}\nrun  ${address}`);
  if (options.once) return EXIT_CODES[job.outcome];
  for (const [what, address] of Object.entries(strata.addresses)) log.info(`${what.padEnd(12)}  ${address}`);
  log.info('Strata stays up: press Ctrl-C to stop');
  await untilEnd(end);
  return 0;
}

function readOptions(argv: string[], { invokedFrom }: Config): Options {
  const command = new Command(TYPED)
    .description('Sets up what is missing, starts the services and runs the main job')
    .option('--once', 'stop everything when the run has ended', false)
    .option('--pipeline <name>', 'pipeline definition to run (default: shop)')
    .option('--extract <file>', `file to read in place of the definition's source: ${FILE_KINDS}`)
    .option('--as-of <date>', 'ISO date: only rows ordered before its midnight count', isoDate)
    .option(
      '--k <number>',
      `this many segments, ${SEGMENT_COUNTS}, in place of the number chosen from the data`,
      segmentCount,
    )
    .option('--json <file>', 'write the run summary to this file')
    .allowExcessArguments(false);
  refuseKeptByNpm(command, TYPED);
  tellOfNpm(command, TYPED);
  command.parse(argv, { from: 'user' });
  const given = command.opts<{
    once: boolean;
    pipeline?: string;
    extract?: string;
    asOf?: string;
    k?: number;
    json?: string;
  }>();
  const input = parseStartInput({
    ...(given.pipeline !== undefined && { pipeline: given.pipeline }),
    ...(given.extract !== undefined && { extract: resolve(invokedFrom, given.extract) }),
    ...(given.asOf !== undefined && { asOf: given.asOf }),
    ...(given.k !== undefined && { k: given.k }),
  });
  return { once: given.once, json: given.json && resolve(invokedFrom, given.json), input };
}

/** @throws the reason when it is a fault */
function untilEnd(signal: AbortSignal): Promise<void> {
  return new Promise((done, broke) => {
    const settle = () => (signal.reason instanceof Error ? broke(signal.reason) : done());
    if (signal.aborted) settle();
    signal.addEventListener('abort', settle, { once: true });
  });
}
