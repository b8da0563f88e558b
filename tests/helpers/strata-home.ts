import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { parse, stringify } from 'yaml';
import type { RunSummary, StartInput } from '../../pipelines/contracts/run.ts';
import type { RunProgress } from '../../pipelines/contracts/signatures.ts';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import { createLog } from '../../scripts/log.ts';
import { startServices } from '../../scripts/services/index.ts';
import { startWorkerProcess, type WorkerProcess } from '../../scripts/worker-process.ts';

/** A Strata of its own: services, a worker process and a client, in a folder that goes with it. */
export interface StrataHome {
  home: string;
  client: Client;
  services: Awaited<ReturnType<typeof startServices>>;
  /**
   * @param options.through other addresses than the services' own
   * @param options.home a folder of the worker's own, as on another machine
   */
  startWorker(options?: {
    home?: string;
    threads?: number;
    env?: Record<string, string>;
    through?: StrataHome['services'];
  }): Promise<WorkerProcess>;
  startRun(
    input?: StartInput,
    workflowId?: string,
  ): Promise<WorkflowHandle & { result(): Promise<RunSummary> }>;
  close(): Promise<void>;
}

type ShopFile = { clustering: object; source: object };
type ChangeShop = (shop: ShopFile) => object;

/** Enough to find the built-in shop's segments again, in a tenth of the time. */
const FEW_TRIALS = { bootstraps: 20, nullDraws: 19, starts: 3, sampleRows: 1_500 };

/**
 * @param options.fewTrials the built-in shop chooses its segments on fewer trials: for what is not about them
 * @param options.change what else is otherwise in its definition
 * @param options.ports the first ones that its servers try
 */
export async function openStrataHome({
  fewTrials = false,
  change,
  ports,
}: {
  fewTrials?: boolean;
  change?: ChangeShop;
  ports?: { temporal: number; postgres: number };
} = {}): Promise<StrataHome> {
  const home = await mkdtemp(join(tmpdir(), 'strata-home-'));
  // PostgreSQL does not run as root: its own user has to get in.
  await chmod(home, 0o755);
  const definitions = fewTrials ? await writeQuickShop(home, change) : null;
  const services = await startServices({
    home,
    log: createLog({ level: 'error' }),
    ...(ports && {
      env: {
        ...process.env,
        STRATA_TEMPORAL_PORT: String(ports.temporal),
        STRATA_POSTGRES_PORT: String(ports.postgres),
      },
    }),
  });
  const connection = await Connection.connect(services.temporal.connectionOptions);
  const client = new Client({ connection });
  const workers: WorkerProcess[] = [];
  return {
    home,
    client,
    services,
    async startWorker({ through = services, ...options } = {}) {
      const worker = await startWorkerProcess({
        home,
        services: through,
        ...options,
        env: {
          ...process.env,
          ...(definitions && { STRATA_DEFINITIONS: definitions }),
          ...options.env,
        },
      });
      workers.push(worker);
      return worker;
    },
    startRun: (input = {}, workflowId = 'segment/test/latest') =>
      client.workflow.start('segmentCustomers', { workflowId, taskQueue: 'strata', args: [input] }),
    async close() {
      await Promise.all(workers.map((worker) => worker.kill()));
      await connection.close();
      await services.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function writeQuickShop(home: string, change: ChangeShop = (shop) => shop): Promise<string> {
  const definitions = join(home, 'definitions');
  const file = join(definitions, 'shop/pipeline.yaml');
  await cp(join(PROJECT_FOLDER, 'pipelines/definitions/shop'), join(definitions, 'shop'), {
    recursive: true,
  });
  const shop = parse(await readFile(file, 'utf8')) as ShopFile;
  const quick = { ...shop, clustering: { ...shop.clustering, ...FEW_TRIALS } };
  await writeFile(file, stringify(change(quick)));
  return definitions;
}

/** Waits until a run's progress is as wanted; a worker or server that is away for a moment is waited for. */
export async function untilProgress(
  handle: WorkflowHandle,
  isWanted: (progress: RunProgress) => boolean,
  timeoutMs = 60_000,
): Promise<RunProgress> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const progress = await handle.query<RunProgress>('progress').catch(() => null);
    if (progress && isWanted(progress)) return progress;
    if (performance.now() > deadline)
      throw new Error(`never seen within ${timeoutMs} ms: ${JSON.stringify(progress)}`);
    await sleep(20);
  }
}

/** What two runs of the same inputs have to agree in, to the bit. */
export function digestsOf({ stages, manifest, counts, segments }: RunSummary) {
  return {
    manifest: manifest?.sha256,
    stages: stages.map(({ stage, artifact }) => [stage, artifact?.sha256]),
    counts,
    segments,
  };
}
