import {
  ASSIGN_STAGES,
  type Outcome,
  type RunCounts,
  type RunKind,
  type RunSummary,
  STAGES,
  type Stage,
  type StartInput,
  type Verdict,
} from '../../pipelines/contracts/run.ts';
import { WORKFLOWS } from '../../pipelines/contracts/signatures.ts';
import { type Estimate, estimate, type Going } from './estimate.ts';
import type { PendingActivity } from './execution.ts';
import type { RunFacts } from './facts.ts';
import { type Waiting, waitsOf } from './waits.ts';

export interface StageView {
  stage: Stage;
  /** `ahead`: not begun; `broke`: where a run failed or was cancelled; `never`: the run ended before it. */
  state: 'done' | 'running' | 'ahead' | 'broke' | 'never';
  /** Of the work; of a running one, so far. */
  ms: number | null;
  /** Of the time of all stages, in [0, 1]. */
  share: number | null;
  rows: number | null;
  /** What it found, in words. */
  says: string | null;
  /** More than 1: earlier attempts failed. */
  attempts: number;
}

export interface Retry {
  what: string;
  attempt: number;
  /** 0: as many as it takes. */
  of: number;
  fault: string;
  /** ISO time; null while the attempt is going on. */
  nextAt: string | null;
}

export interface RunView {
  runId: string | null;
  workflow: { id: string; runId: string };
  kind: RunKind;
  pipeline: string | null;
  asOf: string | null;
  /** Second and later runs of one as-of date are versions of it. */
  version: number | null;
  input: StartInput | null;
  /** `lost`: open, but its workflow is gone. */
  state: Outcome | 'running' | 'lost';
  isOver: boolean;
  isCancelRequested: boolean;
  verdict: Verdict | null;
  startedAt: string | null;
  endedAt: string | null;
  elapsedMs: number | null;
  stages: StageView[];
  now: (Going & { stageLeftMs: number | null; usualMs: number | null }) | null;
  /** What it is doing beside its stages: opening, waiting for its turn, closing. */
  beside: string | null;
  leftMs: number | null;
  basis: Estimate['basis'];
  usualRuns: number;
  waits: Waiting[];
  retries: Retry[];
  warnings: string[];
  reasons: string[];
  counts: RunCounts | null;
  summary: RunSummary | null;
  notes: string[];
}

/** What a person wants to know of a run, at a moment. */
export function viewOf(facts: RunFacts, nowMs: number): RunView {
  const { record, execution, progress, runId, workflow, usual, input, notes } = facts;
  const state = stateOf(facts);
  const isOver = state !== 'running' && state !== 'held' && state !== 'lost';
  const summary = summaryOf(facts);
  const kind = record?.kind ?? (execution?.type === WORKFLOWS.assignCustomers ? 'assign' : 'refit');
  const startedAt = record?.openedAt ?? execution?.startedAt ?? null;
  const endedAt = isOver ? (record?.closedAt ?? execution?.closedAt ?? null) : null;
  const going = isOver || state === 'held' ? null : goingOf(facts, nowMs);
  const stages = stagesOf(facts, { kind, state, going });
  const waits = isOver ? [] : waitsOf(facts, state);
  // How long it waits, nobody can tell; what still ends a stage before a pause does not wait yet.
  const isToCome = progress?.paused?.standsBefore === null;
  const isWaiting = waits.some(({ for: what }) => what !== 'pause' || !isToCome);
  const expected = state === 'running' && !isWaiting ? expectedOf(stages, going, usual) : null;
  return {
    runId,
    workflow,
    kind,
    pipeline:
      record?.pipeline ?? execution?.attributes.pipeline ?? progress?.pipeline ?? input?.pipeline ?? null,
    asOf: record?.asOf ?? progress?.asOf ?? execution?.attributes.asOf ?? input?.asOf ?? null,
    version: record?.version ?? null,
    input,
    state,
    isOver,
    isCancelRequested: !isOver && (execution?.isCancelRequested ?? false),
    verdict: record?.verdict ?? progress?.verdict ?? summary?.verdict ?? null,
    startedAt,
    endedAt,
    elapsedMs: startedAt === null ? null : elapsed(startedAt, endedAt, { isOver, nowMs }),
    stages,
    now: going && {
      ...going,
      stageLeftMs: expected?.stageLeftMs ?? null,
      usualMs: expected?.usualMs ?? null,
    },
    beside: isOver ? null : besideOf(facts),
    leftMs: expected?.leftMs ?? null,
    basis: expected?.basis ?? null,
    usualRuns: usual.runs,
    waits,
    retries: isOver ? [] : (execution?.activities ?? []).flatMap(retryOf),
    warnings: summary?.warnings ?? [],
    reasons: reasonsOf(facts, summary),
    counts: summary?.counts ?? null,
    summary,
    notes,
  };
}

function stateOf({ record, execution, progress, temporal, result }: RunFacts): RunView['state'] {
  if (record?.closedAt != null) return record.outcome ?? 'failed';
  if (execution === null)
    return temporal === 'forgotten' ? 'lost' : record?.outcome === 'held' ? 'held' : 'running';
  if (execution.isOpen) {
    // The run's own word is the newest: a record says `held` until the decision has had its effect.
    const outcome = progress?.outcome ?? execution.attributes.outcome ?? record?.outcome;
    return outcome === 'held' ? 'held' : 'running';
  }
  if (result !== null) return result.outcome;
  if (record?.outcome === 'published') return 'published';
  if (execution.status === 'CANCELLED') return 'cancelled';
  return execution.status === 'COMPLETED' && isOutcome(progress?.outcome) ? progress.outcome : 'failed';
}

function isOutcome(word: string | undefined): word is Outcome {
  return word === 'published' || word === 'rejected' || word === 'cancelled';
}

/** A held run's summary is what it knew then: it counts while it is held, and not once it goes on. */
function summaryOf(facts: RunFacts): RunSummary | null {
  const { record, result } = facts;
  const kept = record?.summary ?? null;
  if (record?.closedAt != null) return kept;
  return result ?? (kept !== null && stateOf(facts) === 'held' ? kept : null);
}

function reasonsOf({ record, progress, failure }: RunFacts, summary: RunSummary | null): string[] {
  if (summary !== null) return summary.reasons;
  if (record !== null && record.reasons.length > 0) return record.reasons;
  const told = progress?.reasons ?? [];
  return told.length === 0 && failure !== null ? [failure] : told;
}

function elapsed(
  startedAt: string,
  endedAt: string | null,
  { isOver, nowMs }: { isOver: boolean; nowMs: number },
): number | null {
  if (isOver && endedAt === null) return null;
  return Math.max(0, (endedAt === null ? nowMs : Date.parse(endedAt)) - Date.parse(startedAt));
}

/** The stage at work: as its activity says, else as the run does. */
function goingOf({ execution, progress }: RunFacts, nowMs: number): Going | null {
  const working = (execution?.activities ?? []).filter(({ stage }) => stage !== null);
  const [activity] = working;
  const stage = activity?.stage ?? progress?.stage ?? null;
  if (stage === null) return null;
  const { parts } = progress ?? {};
  if (parts) {
    // What is done of the parts that are going on counts, too: of few parts each takes long.
    const begun = working.reduce(
      (sum, { heartbeat }) => sum + (heartbeat?.of ? heartbeat.done / heartbeat.of : 0),
      0,
    );
    const done = Math.min(parts.of, parts.done + begun);
    const elapsedMs = Math.max(0, nowMs - Date.parse(parts.since));
    return { stage, done, of: parts.of, unit: 'parts', elapsedMs };
  }
  const since = activity && (activity.startedAt ?? activity.scheduledAt);
  const { done, of } = activity?.heartbeat ?? { done: 0, of: 0 };
  return { stage, done, of, elapsedMs: since ? Math.max(0, nowMs - Date.parse(since)) : 0 };
}

function stagesOf(
  { stages: log, progress, record, execution }: RunFacts,
  about: { kind: RunKind; state: RunView['state']; going: Going | null },
): StageView[] {
  const { kind, state, going } = about;
  const logged = new Map(log.map((row) => [row.stage, row]));
  const told = new Map((progress?.done ?? []).map((row) => [row.stage, row]));
  const summed = new Map((record?.summary?.stages ?? []).map((row) => [row.stage, row.ms]));
  // After a reset the log still has what the execution before it had done: the run's own word counts.
  const isRunsWord = progress !== null && (execution?.isOpen ?? false);
  const views = (kind === 'assign' ? ASSIGN_STAGES : STAGES).map((stage): StageView => {
    const [row, own] = [logged.get(stage), told.get(stage)];
    const isGoing = going?.stage === stage;
    const isDone =
      !isGoing && (own !== undefined || (!isRunsWord && (row !== undefined || summed.has(stage))));
    const ms = isGoing ? going.elapsedMs : isDone ? (own?.ms ?? row?.ms ?? summed.get(stage) ?? null) : null;
    const attempts = isGoing ? attemptOf(execution?.activities, stage) : (row?.attempt ?? 1);
    return {
      ...{ stage, state: isGoing ? 'running' : isDone ? 'done' : 'ahead', ms, share: null },
      ...{ rows: isDone ? (row?.rows ?? null) : null, says: own?.says ?? null },
      attempts: isGoing || isDone ? attempts : 1,
    };
  });
  // One that was never registered broke before its first stage.
  return withShares(withEnds(views, { state, hasBegun: record !== null }));
}

function attemptOf(activities: readonly PendingActivity[] | undefined, stage: Stage): number {
  return activities?.find((activity) => activity.stage === stage)?.attempt ?? 1;
}

/** Of a run that is over: where it broke, and what it never came to. */
function withEnds(
  views: StageView[],
  { state, hasBegun }: { state: RunView['state']; hasBegun: boolean },
): StageView[] {
  if (state === 'running' || state === 'held' || state === 'lost') return views;
  const broken = hasBegun && (state === 'failed' || state === 'cancelled');
  const first = views.findIndex((view) => view.state !== 'done');
  return views.map((view, i) => {
    if (view.state === 'done') return view;
    return { ...view, state: broken && i === first ? 'broke' : 'never' };
  });
}

function withShares(views: StageView[]): StageView[] {
  const allMs = views.reduce((sum, { ms }) => sum + (ms ?? 0), 0);
  return views.map((view) => ({ ...view, share: view.ms === null || allMs === 0 ? null : view.ms / allMs }));
}

function expectedOf(stages: readonly StageView[], going: Going | null, usual: RunFacts['usual']): Estimate {
  const done = stages.filter(({ state }) => state === 'done');
  return estimate({
    stages: stages.map(({ stage }) => stage),
    doneMs: Object.fromEntries(done.map(({ stage, ms }) => [stage, ms ?? 0])),
    going,
    usual,
  });
}

const BESIDE: Readonly<Record<string, string>> = {
  openRun: 'opening the run: checking the input, freezing the definition',
  takeTurn: 'asking whether it is its turn',
  awaitTurn: 'waiting for its turn',
  adoptChampion: 'taking the published model',
  holdRun: 'asking a person',
  closeRun: 'closing the run',
  decideRefit: 'asking whether a refit is due',
};

function besideOf({ execution }: RunFacts): string | null {
  const framing = execution?.activities.find(({ stage }) => stage === null);
  return framing ? (BESIDE[framing.type] ?? framing.type) : null;
}

function retryOf(activity: PendingActivity): Retry[] {
  const { type, stage, attempt, maximumAttempts, fault, nextAt, isStarted } = activity;
  if (attempt <= 1 || fault === null) return [];
  return [{ what: stage ?? type, attempt, of: maximumAttempts, fault, nextAt: isStarted ? null : nextAt }];
}
