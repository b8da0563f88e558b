import type { ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import { artifactsIn } from '../../pipelines/contracts/artifacts.ts';
import { isErrorCode } from '../../pipelines/contracts/errors.ts';
import { OUTCOMES, type Outcome, type Run, type RunKind, type Stage } from '../../pipelines/contracts/run.ts';
import { isPartOfStage, stageOfActivity } from '../../pipelines/contracts/stage-activities.ts';
import type { Extract, Features, Persisted, Timed, Validation } from '../../pipelines/contracts/stages.ts';

/** Of an activity as Temporal knows it. */
export interface ActivityFacts {
  activity: string;
  queue: string;
  workflowId: string;
  attempt: number;
  /** From when it could have begun until it did. */
  waitSeconds: number;
}

/** How one attempt ended, in the figures that are told of it. */
export interface ActivityEnded extends ActivityFacts {
  run: Pick<Run, 'runId' | 'pipeline' | 'kind'> | null;
  stage: Stage | null;
  /** Whether it is a part of its stage: what joins the parts counts the rows of all. */
  isPart: boolean;
  seconds: number;
  /** Null: it did what it had to. */
  failure: { code: string; message: string | null } | null;
  /** What a stage came to; null of all else, of a failed one, and of one whose work an earlier attempt had done. */
  work: { seconds: number; rows: number | null; artifactBytes: number } | null;
  /** Of the one that closes a run. */
  outcome: Outcome | null;
}

/** Rounding of two clocks; a stage that was found done took far longer than looking it up. */
const CLOCKS_DIFFER_SECONDS = 0.01;

export function activityEnded(
  facts: ActivityFacts,
  call: { input: unknown; seconds: number; endedAtMs: number } & ({ result: unknown } | { error: unknown }),
): ActivityEnded {
  const { input, seconds, endedAtMs } = call;
  const run = runOf(input);
  const stage = stageOfActivity(facts.activity);
  const isPart = isPartOfStage(facts.activity);
  const ended = { ...facts, run, stage, isPart, seconds };
  if ('error' in call) return { ...ended, failure: failureOf(call.error), work: null, outcome: null };
  const { result } = call;
  return {
    ...ended,
    failure: null,
    work:
      run && stage && !isPart && isTimed(result)
        ? workOf(stage, { input, result, seconds, endedAtMs })
        : null,
    outcome: facts.activity === 'closeRun' ? outcomeOf(result) : null,
  };
}

/** An unknown shape is no run: what a caller sends decides no label. */
export function runOf(input: unknown): ActivityEnded['run'] {
  const run = (input as { run?: Partial<Run> } | null | undefined)?.run;
  if (typeof run?.runId !== 'string' || typeof run.pipeline !== 'string') return null;
  return {
    runId: run.runId,
    pipeline: run.pipeline,
    kind: run.kind === 'assign' ? 'assign' : KIND_OTHERWISE,
  };
}

const KIND_OTHERWISE: RunKind = 'refit';

function workOf(
  stage: Stage,
  attempt: { input: unknown; result: Timed; seconds: number; endedAtMs: number },
): ActivityEnded['work'] {
  const { input, result } = attempt;
  const workSeconds = result.ms / 1_000;
  if (wasDoneBefore(attempt)) return null;
  const artifactBytes = artifactsIn(result).reduce((sum, [, { bytes }]) => sum + bytes, 0);
  return { seconds: workSeconds, rows: rowsOf(stage, { input, result }), artifactBytes };
}

function wasDoneBefore({ input, result, seconds, endedAtMs }: Parameters<typeof workOf>[1]): boolean {
  const { since } = input as { since?: unknown };
  if (typeof since !== 'string') return result.ms / 1_000 > seconds + CLOCKS_DIFFER_SECONDS;
  // A stage in parts was begun by others, long before this attempt; whoever joined them did so within one.
  const joinedAtMs = Date.parse(since) + result.ms;
  return (endedAtMs - joinedAtMs) / 1_000 > seconds + CLOCKS_DIFFER_SECONDS;
}

/** Rows that went through a stage: those of the source at first, customers once there are features. */
function rowsOf(stage: Stage, { input, result }: { input: unknown; result: object }): number | null {
  if (!hasRows(stage)) return null;
  const made = result as Partial<Extract & Validation & Features & Persisted>;
  const given = input as { extract?: { artifact: ArtifactRef }; features?: Features };
  switch (stage) {
    case 'extract':
      return made.rowsRead ?? null;
    case 'validate':
      return made.counts?.rowsRead ?? null;
    case 'profile':
    case 'features':
      return given.extract?.artifact.rows ?? null;
    case 'persist':
      return made.memberships ?? null;
    default:
      return given.features?.customers.rows ?? null;
  }
}

/** Publishing and telling of it are one step for all rows. */
export const hasRows = (stage: Stage): boolean => stage !== 'publish' && stage !== 'notify';

const isTimed = (result: unknown): result is Timed =>
  typeof (result as Partial<Timed> | null | undefined)?.ms === 'number';

const outcomeOf = (result: unknown) =>
  OUTCOMES.find((outcome) => outcome === (result as { outcome?: unknown } | null)?.outcome) ?? null;

/** Our own messages hold nothing of a row; a driver's words may, and those of a RangeError that the engine throws. */
function failureOf(error: unknown): NonNullable<ActivityEnded['failure']> {
  const { name, type, message } = error as { name?: string; type?: string; message?: string };
  if (name === 'CancelledFailure' || name === 'AbortError') return { code: 'CANCELLED', message: null };
  if (type === 'VALUE_REFUSED') return { code: type, message: null };
  if (isErrorCode(type)) return { code: type, message: message ?? null };
  return { code: 'UNKNOWN', message: null };
}
