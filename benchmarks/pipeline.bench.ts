import { rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { Command, InvalidArgumentError } from 'commander';
import { PROJECT_FOLDER, readConfig } from '../scripts/config.ts';
import { createLog } from '../scripts/log.ts';
import { startServices } from '../scripts/services/index.ts';
import { startWorkerProcess } from '../scripts/worker-process.ts';
import { connect } from '../store/postgres/connect.ts';
import { createRepositories } from '../store/postgres/repositories.ts';
import { median, type StageFigures, stageTable } from './figures.ts';
import { generatedExtract, SHOP } from './generated-extract.ts';
import { startMemoryWatch } from './memory-watch.ts';

const MEGABYTE = 2 ** 20;

interface Options {
  rows: number;
  repeat: number;
  threads: number;
  json?: string;
}

interface MeasuredRun {
  seconds: number;
  transactions: number;
  customers: number;
  k: number;
  historyBytes: number;
  stages: StageFigures[];
}

/**
 * The main job as a data engineer runs it: Temporal, PostgreSQL and a worker process, on generated
 * transactions. Prints seconds and the worker's peak memory per stage. The first run has nothing published to be
 * compared with; the later ones have.
 */
export async function bench(args: string[]): Promise<void> {
  const options = readOptions(args);
  const home = join(PROJECT_FOLDER, '.strata', 'bench');
  const log = createLog();
  const extract = await generatedExtract(join(home, 'extracts'), options.rows, log);
  const stateHome = join(home, `pipeline-${options.rows}`);
  await rm(stateHome, { recursive: true, force: true });
  const services = await startServices({ home: stateHome, log });
  const worker = await startWorkerProcess({
    home: stateHome,
    services,
    threads: options.threads,
    env: readConfig().tools.childEnvironment,
  });
  try {
    const runs: MeasuredRun[] = [];
    for (let i = 0; i < options.repeat; i++) {
      const step = log.step(`Run ${i + 1} of ${options.repeat}`);
      runs.push(await measureRun({ services, extract, workerPid: worker.pid }));
      step.done(`${runs.at(-1)!.seconds.toFixed(1)} s`);
    }
    report(runs, options);
    if (options.json) await writeFile(options.json, `${JSON.stringify({ options, runs }, null, 2)}\n`);
  } finally {
    await worker.stop();
    await services.stop();
  }
}

function readOptions(args: string[]): Options {
  const whole = (text: string) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('needs a whole number from 1.');
    return value;
  };
  return new Command('npm run bench -- pipeline')
    .option(
      '--rows <customers>',
      'customers; each has about ten transactions in twelve months',
      whole,
      100_000,
    )
    .option('--repeat <runs>', 'runs on the same extract', whole, 3)
    .option('--threads <threads>', 'threads of the worker', whole, cpus().length)
    .option('--json <file>', 'write the figures to this file')
    .parse(args, { from: 'user' })
    .opts<Options>();
}

async function measureRun(options: {
  services: Awaited<ReturnType<typeof startServices>>;
  extract: string;
  workerPid: number;
}): Promise<MeasuredRun> {
  const { services, extract, workerPid } = options;
  const connection = await Connection.connect(services.temporal.connectionOptions);
  const knex = connect(services.databaseUrl);
  const memory = startMemoryWatch(workerPid);
  try {
    const client = new Client({ connection, namespace: services.temporal.namespace });
    const startedAt = performance.now();
    const handle = await client.workflow.start('segmentCustomers', {
      workflowId: `bench/${Math.round(startedAt)}`,
      taskQueue: 'strata',
      args: [{ pipeline: 'shop', extract, review: 'never' }],
    });
    const summary = await handle.result();
    const seconds = (performance.now() - startedAt) / 1000;
    const samples = memory.stop();
    const log = await createRepositories(knex).stages.forRun(summary.runId);
    const { raw } = await handle.describe();
    const stages = log.map(({ stage, startedAt: began, ms }) => {
      const from = Date.parse(began);
      const inStage = samples.filter(({ at }) => at >= from && at <= from + ms);
      return {
        stage,
        seconds: ms / 1000,
        peakMegabytes: Math.max(0, ...inStage.map(({ bytes }) => bytes)) / MEGABYTE,
      };
    });
    const { rowsRead, customers } = summary.counts;
    const historyBytes = Number(raw.workflowExecutionInfo?.historySizeBytes ?? 0);
    return { seconds, transactions: rowsRead, customers, k: summary.k, historyBytes, stages };
  } finally {
    memory.stop();
    await knex.destroy();
    await connection.close();
  }
}

function report(runs: MeasuredRun[], { threads }: Options): void {
  const { transactions, customers, k } = runs[0]!;
  console.log(
    `\n${transactions.toLocaleString('en-US')} transactions, ${customers.toLocaleString('en-US')} customers in ${SHOP.months} months, k = ${k}, ${threads} threads, ${runs.length} runs; medians, in brackets the first run`,
  );
  console.log(stageTable(runs.map(({ stages }) => stages)));
  const peaks = runs.map(({ stages }) => Math.max(...stages.map(({ peakMegabytes }) => peakMegabytes)));
  console.log(
    `whole run ${median(runs.map(({ seconds }) => seconds)).toFixed(1)} s (${runs[0]!.seconds.toFixed(1)} s), worker's peak ${Math.round(Math.max(...peaks))} MB, history ${Math.round(runs.at(-1)!.historyBytes / 1000)} KB`,
  );
}
