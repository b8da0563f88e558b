import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { parse, stringify } from 'yaml';
import type { ActivityContext } from '../../activities/context.ts';
import { type Activities, createActivities } from '../../activities/index.ts';
import type { Definition } from '../../pipelines/contracts/definition.ts';
import { createDiskArtifacts } from '../../store/artifacts/disk-artifacts.ts';
import { createRepositories } from '../../store/postgres/repositories.ts';
import { type TestDatabase, testDatabase } from './postgres.ts';
import { allRows } from './postgres-rows.ts';
import { temporalAddress } from './temporal.ts';

export type ActivityName = keyof Activities;
export type InputOf<N extends ActivityName> = Parameters<Activities[N]>[0];
export type ResultOf<N extends ActivityName> = Awaited<ReturnType<Activities[N]>>;

/** A shop small enough that a test can go through every activity of a run: real stores, real server. */
export interface ActivityShop {
  database: TestDatabase;
  context: ActivityContext;
  activities: Activities;
  client: Client;
  /** Runs one activity as the worker would; `environment` to watch its heartbeats or to cancel it. */
  perform<N extends ActivityName>(
    name: N,
    input: InputOf<N>,
    environment?: MockActivityEnvironment,
  ): Promise<ResultOf<N>>;
  environment(attempt?: number): MockActivityEnvironment;
  /** A workflow execution that stays open until it is terminated: no worker knows it. */
  openWorkflow(): Promise<WorkflowHandle & { execution: { id: string; runId: string } }>;
  /** Takes away what stages remember of a run, so that the next attempt has to do the work. */
  forgetSteps(runId: string): Promise<void>;
  /** All rows of PostgreSQL and all files of the artifact store, but for the times of attempts. */
  snapshot(): Promise<{ rows: Record<string, unknown[]>; files: string[] }>;
  close(): Promise<void>;
}

const DEFINITIONS = fileURLToPath(new URL('../../pipelines/definitions', import.meta.url));
/** The SDK tells of every activity that fails; here many are meant to. */
const silent = new DefaultLogger('ERROR', () => undefined);

const SMALL_SHOP = { customers: 400, months: 6 };
const FEW_TRIALS = { bootstraps: 10, nullDraws: 19, starts: 3, sampleRows: 500 };

export async function openActivityShop(
  options: { definition?: Partial<Definition>; secrets?: Record<string, string> } = {},
): Promise<ActivityShop> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-activities-'));
  const database = await testDatabase();
  const connection = await Connection.connect({ address: temporalAddress() });
  const client = new Client({ connection });
  const context = await contextIn(folder, database, options);
  const activities = createActivities(context);
  const workflows: WorkflowHandle[] = [];
  const environment = (attempt = 1) => new MockActivityEnvironment({ attempt }, { client, logger: silent });
  return {
    database,
    context,
    activities,
    client,
    environment,
    perform: (name, input, inEnvironment = environment()) =>
      inEnvironment.run(activities[name] as (input: unknown) => Promise<never>, input),
    async openWorkflow() {
      const workflowId = `test/${randomUUID()}`;
      const handle = await client.workflow.start('unknown', { workflowId, taskQueue: workflowId });
      workflows.push(handle);
      return Object.assign(handle, { execution: { id: workflowId, runId: handle.firstExecutionRunId } });
    },
    forgetSteps: (runId) =>
      rm(join(context.artifactsFolder, '.steps', runId), { recursive: true, force: true }),
    snapshot: async () => ({
      rows: withoutTimes(await allRows(database.knex)),
      files: await filesIn(context.artifactsFolder),
    }),
    async close() {
      await Promise.all(workflows.map((handle) => handle.terminate().catch(() => undefined)));
      await connection.close();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function contextIn(
  folder: string,
  database: TestDatabase,
  { definition = {}, secrets = {} }: { definition?: Partial<Definition>; secrets?: Record<string, string> },
): Promise<ActivityContext> {
  const [definitionsFolder, artifactsFolder, scratchFolder] = ['definitions', 'artifacts', 'scratch'].map(
    (name) => join(folder, name),
  ) as [string, string, string];
  await mkdir(join(definitionsFolder, 'shop'), { recursive: true });
  await mkdir(scratchFolder);
  const shop = parse(await readFile(join(DEFINITIONS, 'shop/pipeline.yaml'), 'utf8')) as Definition;
  const { contract: _, ...changes } = definition;
  await writeFile(
    join(definitionsFolder, 'shop/pipeline.yaml'),
    stringify({
      ...shop,
      source: { ...shop.source, ...SMALL_SHOP },
      clustering: { ...shop.clustering, k: { min: 3, max: 5 }, ...FEW_TRIALS },
      ...changes,
    }),
  );
  await copyFile(join(DEFINITIONS, 'shop/contract.yaml'), join(definitionsFolder, 'shop/contract.yaml'));
  return {
    artifacts: createDiskArtifacts({ root: artifactsFolder }),
    repositories: createRepositories(database.knex),
    definitionFolders: [definitionsFolder],
    artifactsFolder,
    scratchFolder,
    threads: 2,
    memoryLimitMb: 512,
    codeVersion: 'c0de',
    secret: (name) => secrets[name],
    log: { info: () => undefined },
  };
}

/** The run log tells when a stage was begun and which attempt got through: no two attempts agree in that. */
function withoutTimes(rows: Record<string, unknown[]>): Record<string, unknown[]> {
  const run_stages = (rows.run_stages ?? []).map((row) => {
    const { attempts, started_at, duration_ms, ...rest } = JSON.parse(row as string);
    return rest;
  });
  return { ...rows, run_stages };
}

/** Files below a folder, by their paths in it, in order; none when there is no such folder. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
