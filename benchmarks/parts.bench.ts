import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import type { temporal } from '@temporalio/proto';
import { parse, stringify } from 'yaml';
import { MOST_PARTS } from '../pipelines/contracts/parts.ts';
import type { RunSummary } from '../pipelines/contracts/run.ts';
import { ClosingStack } from '../scripts/closing-stack.ts';
import { PROJECT_FOLDER, readConfig } from '../scripts/config.ts';
import { createLog, type Log } from '../scripts/log.ts';
import { startServices } from '../scripts/services/index.ts';
import { startWorkerProcess } from '../scripts/worker-process.ts';
import { startS3Server } from '../tests/helpers/s3-server.ts';
import { findVersitygw } from '../tests/helpers/versitygw.ts';
import { keepFigures } from './figures.ts';
import { generatedExtract } from './generated-extract.ts';
import { watchMemoryOfAll } from './memory-of-all.ts';
import { benchCommand, count } from './options.ts';
import { type Done, differing, type MeasuredParts, partsReport } from './parts-report.ts';

interface Options {
  rows: number;
  parts: number;
  workers: number[];
  whole: boolean;
  json?: string;
}

/**
 * One run over and over: as a whole by one worker with a folder, then in parts by one worker and by several, each a process
 * with a folder of its own and one thread, over a bucket of a real S3 server where one can be had. Seconds of the parts,
 * memory of all processes together, and whether every product has the same digest.
 */
export async function bench(args: string[]): Promise<void> {
  const options = benchCommand('parts')
    .option(
      '--rows <customers>',
      'customers; each has about ten transactions in twelve months',
      count,
      1_000_000,
    )
    .option('--parts <parts>', `parts of each stage, at most ${MOST_PARTS}`, count, 8)
    .option('--workers <counts>', 'workers that do them, one run for each count', counts, [1, 2])
    .option('--no-whole', 'leave out the run that one worker does as a whole')
    .option('--json <file>', 'write the figures to this file')
    .parse(args, { from: 'user' })
    .opts<Options>();
  const home = join(PROJECT_FOLDER, '.strata', 'bench');
  const log = createLog();
  const extract = await generatedExtract(join(home, 'extracts'), options.rows, log);
  const asked = [
    ...(options.whole ? [{ name: 'whole', workers: 1, parts: 1 }] : []),
    ...options.workers.map((workers) => ({
      ...{ name: `${workers} ${workers === 1 ? 'worker' : 'workers'}`, workers, parts: options.parts },
    })),
  ];
  const runs: MeasuredParts[] = [];
  for (const one of asked) {
    const step = log.step(`${one.name}, ${one.parts} ${one.parts === 1 ? 'part' : 'parts'}`);
    runs.push({ ...one, ...(await measure(join(home, 'parts'), { ...one, extract, log })) });
    step.done(`${runs.at(-1)!.seconds.toFixed(1)} s`);
  }
  console.log(`\n${partsReport(runs)}`);
  await keepFigures(options.json, { options, runs });
  if (differing(runs).length > 0) process.exitCode = 1;
}

function counts(text: string): number[] {
  return text.split(',').map(count);
}

type Measured = Omit<MeasuredParts, 'name' | 'workers' | 'parts'>;

async function measure(
  home: string,
  { workers, parts, extract, log }: { workers: number; parts: number; extract: string; log: Log },
): Promise<Measured> {
  const stack = new ClosingStack();
  try {
    await rm(home, { recursive: true, force: true });
    const definitions = await writeDefinition(join(home, 'definitions'), parts);
    const services = await startServices({ home, log: createLog({ level: 'error' }) });
    stack.defer(() => services.stop());
    const env = {
      ...readConfig().tools.childEnvironment,
      ...(parts > 1 && (await bucketFor(stack, log))),
      STRATA_DEFINITIONS: definitions,
    };
    for (let worker = 1; worker <= workers; worker++) {
      const own = join(home, `worker-${worker}`);
      const started = await startWorkerProcess({ home: own, services, threads: 1, env });
      stack.defer(() => started.stop());
    }
    const connection = await Connection.connect(services.temporal.connectionOptions);
    stack.defer(() => connection.close());
    const client = new Client({ connection, namespace: services.temporal.namespace });
    return await measureRun(client, extract, process.pid);
  } finally {
    await stack.close();
    await rm(home, { recursive: true, force: true });
  }
}

async function bucketFor(stack: ClosingStack, log: Log): Promise<Record<string, string>> {
  const program = await findVersitygw();
  if (program === null) {
    log.info(
      'No S3 server can be had (versitygw, or Go to build it): each worker would need one folder, so there is one',
    );
    return { STRATA_ARTIFACTS: join(PROJECT_FOLDER, '.strata', 'bench', 'parts', 'artifacts') };
  }
  const server = await startS3Server(program);
  stack.defer(() => server.close());
  return server.environment(await server.place('parts'));
}

async function writeDefinition(folder: string, parts: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  await cp(join(PROJECT_FOLDER, 'pipelines/definitions/shop'), join(folder, 'shop'), { recursive: true });
  const file = join(folder, 'shop/pipeline.yaml');
  const shop = parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, stringify({ ...shop, scale: { parts } }));
  return folder;
}

async function measureRun(client: Client, extract: string, pid: number): Promise<Measured> {
  const memory = watchMemoryOfAll(() => [pid]);
  const began = performance.now();
  try {
    const handle = await client.workflow.start('segmentCustomers', {
      workflowId: 'bench/parts',
      taskQueue: 'strata',
      args: [{ pipeline: 'shop', extract, review: 'never' }],
    });
    const summary = (await handle.result()) as RunSummary;
    const seconds = (performance.now() - began) / 1000;
    const history = await handle.fetchHistory();
    const { raw } = await handle.describe();
    return {
      seconds,
      memory: await memory.stop(),
      historyBytes: Number(raw.workflowExecutionInfo?.historySizeBytes ?? 0),
      customers: summary.counts.customers,
      transactions: summary.counts.rowsRead,
      activities: activitiesOf(history),
      products: Object.fromEntries(summary.stages.map(({ stage, digests }) => [stage, digests])),
    };
  } finally {
    await memory.stop();
  }
}

function activitiesOf({ events }: temporal.api.history.v1.IHistory): Done[] {
  const at = new Map(
    events!.map(({ eventId, eventTime }) => [String(eventId), optionalTsToMs(eventTime)! / 1000]),
  );
  const began = Math.min(...at.values());
  const names = new Map<string, string>();
  return events!.flatMap((event): Done[] => {
    const { activityTaskScheduledEventAttributes: scheduled, activityTaskCompletedEventAttributes: ended } =
      event;
    if (scheduled) names.set(String(event.eventId), scheduled.activityType!.name!);
    if (!ended) return [];
    const since = (id: unknown) => at.get(String(id))! - began;
    return [
      {
        activity: names.get(String(ended.scheduledEventId))!,
        scheduled: since(ended.scheduledEventId),
        started: since(ended.startedEventId),
        ended: since(event.eventId),
      },
    ];
  });
}
