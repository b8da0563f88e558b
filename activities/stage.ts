import { Context } from '@temporalio/activity';
import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { Run, Stage } from '../pipelines/contracts/run.ts';
import type { Timed } from '../pipelines/contracts/stages.ts';
import { digestOf } from '../store/artifacts/json.ts';
import { beating } from './beat.ts';
import { leavingClosedRuns } from './closed-run.ts';
import type { ActivityContext } from './context.ts';

/** What a stage's work may use of Temporal without knowing it. */
export interface Work {
  /** Aborted when the run is cancelled or the worker stops. */
  signal: AbortSignal;
  onProgress(done: number, of: number): void;
}

export interface StageCall {
  stage: Stage;
  run: Run;
  /** What the result depends on beside the definition, the seed and the code. */
  inputs: (ArtifactRef | string | number | null)[];
  /** ISO time, of a stage that began before this activity. */
  since?: string | undefined;
}

/**
 * Runs a stage so that a second attempt finds what the first one finished: the result is kept under the
 * digest of its inputs. Heartbeats go out while the work runs, and the run's log gets its row.
 */
export async function runStage<R extends Timed>(
  context: Pick<ActivityContext, 'artifacts' | 'repositories' | 'codeVersion'>,
  call: StageCall,
  work: (work: Work) => Promise<Omit<R, 'ms'>>,
): Promise<R> {
  const { stage, run } = call;
  const { artifacts, repositories } = context;
  const key = keyOf(call, context.codeVersion);
  const attempt = Context.current().info.attempt;
  const kept = (await artifacts.readStep(run.runId, stage, key)) as (R & { startedAt: string }) | null;
  if (kept) {
    const { startedAt, ...result } = kept;
    await repositories.stages.record({
      runId: run.runId,
      stage,
      startedAt,
      attempt,
      ...logOf(result as unknown as R),
    });
    return result as unknown as R;
  }
  // Of a stage that others did in parts, from when the first was given out.
  const startedAt = call.since === undefined ? new Date() : new Date(call.since);
  return leavingClosedRuns(context, run.runId, async () => {
    const product = await withHeartbeats(stage, work);
    const result = { ...product, ms: Math.max(0, Date.now() - startedAt.getTime()) } as R;
    await artifacts.writeStep(run.runId, stage, key, { ...result, startedAt: startedAt.toISOString() });
    await repositories.stages.record({
      runId: run.runId,
      stage,
      startedAt: startedAt.toISOString(),
      attempt,
      ...logOf(result),
    });
    return result;
  });
}

/** Heartbeats with the newest progress while the work goes on, which ends with a cancel. */
export async function withHeartbeats<R>(stage: string, work: (work: Work) => Promise<R>): Promise<R> {
  const { cancellationSignal: signal } = Context.current();
  const progress = { stage, done: 0, of: 0 };
  return beating(progress, async () => {
    try {
      const product = await work({
        signal,
        onProgress: (done, of) => Object.assign(progress, { done, of }),
      });
      // A cancel that came while the last file was written still counts: what was written is cleaned up.
      signal.throwIfAborted();
      return product;
    } catch (error) {
      // Whatever the aborted work threw, what happened is the cancel.
      if (signal.aborted) throw signal.reason;
      throw error;
    }
  });
}

function keyOf({ stage, run, inputs }: StageCall, codeVersion: string): string {
  return digestOf({
    stage,
    inputs: inputs.map((input) => (input !== null && typeof input === 'object' ? input.sha256 : input)),
    definition: run.definition.sha256,
    seed: run.seed,
    asOf: run.asOf,
    extract: run.extract,
    ...(run.releases && { releases: run.releases.sha256 }),
    codeVersion,
  });
}

function logOf(result: Timed): { ms: number; rows: number | null; artifact: ArtifactRef | null } {
  // By name, since a result that was kept comes back with its keys sorted: every attempt logs the same one.
  const byName = Object.entries(result).sort(([left], [right]) => (left < right ? -1 : 1));
  const artifacts = byName.filter((entry): entry is [string, ArtifactRef] => isArtifact(entry[1]));
  // A page is what a person who looks at the log wants to open.
  const artifact = (artifacts.find(([name]) => name === 'page') ?? artifacts[0])?.[1] ?? null;
  return { ms: result.ms, rows: artifact?.rows ?? null, artifact };
}

function isArtifact(value: unknown): value is ArtifactRef {
  return value !== null && typeof value === 'object' && 'sha256' in value;
}
