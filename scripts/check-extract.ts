import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { ActivityContext } from '../activities/context.ts';
import { createExtractActivities } from '../activities/extract.ts';
import { createValidateActivities } from '../activities/validate.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import type { Run, TableCounts } from '../pipelines/contracts/run.ts';
import type { Extract, Validation } from '../pipelines/contracts/stages.ts';
import type { validationReport } from '../pipelines/stages/judge.ts';
import { createDiskArtifacts } from '../store/artifacts/disk-artifacts.ts';
import { decodeJson, encodeJson } from '../store/artifacts/json.ts';
import type { Config } from './config.ts';

type ValidationReport = ReturnType<typeof validationReport>;

/** Of the table beside the transactions, that of the customers. */
export interface CheckedTable extends TableCounts {
  rules: Omit<ValidationReport['rules'][number], 'limit'>[];
}

type CheckReport = ValidationReport & { tables?: CheckedTable[] };

export interface CheckedExtract {
  extract: Extract;
  validation: Validation;
  report: CheckReport;
}

const MEMORY_MB = 700;

/**
 * Reads and validates an extract as a run does, with the same activities, in a folder that goes afterwards: no
 * server, no database, and nothing is left behind.
 */
export async function checkExtract(
  config: Config,
  given: { definition: Definition; file: string | null; asOf: string | null },
  signal: AbortSignal,
): Promise<CheckedExtract> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-check-'));
  // The SDK tells of every activity that fails; here the error itself is told.
  const environment = new MockActivityEnvironment(
    {},
    { logger: new DefaultLogger('ERROR', () => undefined) },
  );
  const cancel = () => environment.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const context = await contextIn(folder, config);
    const run = await runOf(context, given);
    const extract = (await environment.run(() =>
      createExtractActivities(context).extractCustomers({ run }),
    )) as Extract;
    const validation = (await environment.run(() =>
      createValidateActivities(context).validateExtract({ run, extract }),
    )) as Validation;
    const report = decodeJson(await context.artifacts.read(validation.report)) as CheckReport;
    return { extract, validation, report };
  } finally {
    signal.removeEventListener('abort', cancel);
    await rm(folder, { recursive: true, force: true });
  }
}

async function contextIn(folder: string, { threads, tools }: Config): Promise<ActivityContext> {
  const [artifactsFolder, scratchFolder] = [join(folder, 'artifacts'), join(folder, 'scratch')];
  await mkdir(scratchFolder);
  const nothing = async () => undefined;
  return {
    artifacts: createDiskArtifacts({ root: artifactsFolder }),
    // No run is kept, so that there is nothing to write of it.
    repositories: {
      runs: { describeExtract: nothing },
      stages: { record: nothing },
    } as unknown as ActivityContext['repositories'],
    definitionFolders: [],
    artifactsFolder,
    scratchFolder,
    threads,
    memoryLimitMb: MEMORY_MB,
    codeVersion: 'check',
    secret: tools.secret,
    log: { info: () => undefined },
  };
}

async function runOf(
  { artifacts }: ActivityContext,
  { definition, file, asOf }: { definition: Definition; file: string | null; asOf: string | null },
): Promise<Run> {
  const runId = randomUUID();
  const frozen = await artifacts.write('definition', encodeJson(definition), {
    runId,
    ending: 'json',
    rows: 1,
  });
  return {
    ...{ runId, kind: 'refit', pipeline: definition.pipeline, asOf, seed: definition.seed },
    ...{ definition: frozen, extract: file, review: 'never', workflow: { id: 'check', runId } },
  };
}
