import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Repositories } from '../store/postgres/repositories.ts';
import type { RunRecord } from '../store/postgres/run-records.ts';
import { type AskedRun, describedRun, findRun, LATEST_RUN } from './find-run.ts';
import { counted } from './terminal.ts';

/** As many as a person takes in at a glance. */
const RUNS_TOLD = 5;

export interface QuarantinedRun {
  run: RunRecord;
  quarantine: ArtifactRef;
}

/**
 * A run by its id or the beginning of it, or the latest one of a pipeline, with its quarantine.
 *
 * @throws PipelineError RUN_UNKNOWN with the latest runs there are, INPUT_INVALID for one without a quarantine
 */
export async function findQuarantine(repositories: Repositories, asked: AskedRun): Promise<QuarantinedRun> {
  if (asked.run === LATEST_RUN && asked.pipeline === undefined) {
    throw new PipelineError('INPUT_INVALID', `the run "${LATEST_RUN}" needs a pipeline: add --pipeline NAME`);
  }
  const run = await findRun(repositories, asked);
  const quarantine = await repositories.stages.quarantineOf(run.runId);
  if (quarantine !== null) return { run, quarantine };
  throw await withoutQuarantine(repositories, run);
}

async function withoutQuarantine(repositories: Repositories, run: RunRecord): Promise<PipelineError> {
  const why =
    run.closedAt === null
      ? 'its rows are not checked yet; ask again when they are'
      : 'it ended before its rows were checked';
  const others = await repositories.runs.list({ pipeline: run.pipeline, limit: RUNS_TOLD });
  const hint: string[] = [];
  for (const other of others) {
    if ((await repositories.stages.quarantineOf(other.runId)) === null) continue;
    hint.push(`; the latest that has one is ${describedRun(other)}`);
    break;
  }
  return new PipelineError(
    'INPUT_INVALID',
    `run ${run.runId} (${run.outcome ?? 'running'}) has no quarantine: ${why}${hint.join('')}`,
    { runId: run.runId },
  );
}

/** The error that an artifact is not there, with what became of it. */
export function explainMissing(error: unknown, { run, quarantine }: QuarantinedRun): unknown {
  if (!(error instanceof PipelineError) || error.code !== 'ARTIFACT_MISSING') return error;
  const wasRemoved = run.outcome === 'failed' || run.outcome === 'cancelled';
  const why = wasRemoved
    ? `a run that ended as ${run.outcome} keeps none of its data; run it again`
    : 'bring it back from a backup, or check that STRATA_ARTIFACTS names the place that the worker writes to';
  return new PipelineError(
    'ARTIFACT_MISSING',
    `the quarantine of run ${run.runId} (${counted(quarantine.rows, 'row')}) is gone: ${why}`,
    { runId: run.runId },
    { cause: error },
  );
}
