import type { Outcome, RunKind, Stage, Verdict } from './run.ts';

/** Names of the workflow types. */
export const WORKFLOWS = {
  segmentCustomers: 'segmentCustomers',
  assignCustomers: 'assignCustomers',
  preserveHistory: 'preserveHistory',
  compareAlgorithms: 'compareAlgorithms',
  backfillRuns: 'backfillRuns',
  reproduceRun: 'reproduceRun',
  deliverMessages: 'deliverMessages',
  pipelineInbox: 'pipelineInbox',
  watchSchedules: 'watchSchedules',
} as const;

/** Who answers to what on a run (the first five); `more`: on what delivers its messages; the last three: on a pipeline's inbox. */
export const HANDLERS = {
  progress: 'progress',
  review: 'review',
  pause: 'pause',
  resume: 'resume',
  renameSegment: 'renameSegment',
  more: 'more',
  inbox: 'inbox',
  extractLanded: 'extractLanded',
  requestRun: 'requestRun',
} as const;

/** A person's decision on a held run. */
export interface ReviewDecision {
  decision: 'publish' | 'reject';
  note?: string;
}

/** Sent with `pause`; nothing is enough, as it is for `resume`, which takes a reason alone. */
export interface PauseRequest {
  /** A stage that is to come, where it stops; left out: the next one. */
  before?: Stage;
  because?: string;
}

/** A run that a person has stopped between two stages, or will have when the one that is going on is ended. */
export interface Pause {
  because: string | null;
  /** Where it is to stop; null: at the next stage. */
  before: Stage | null;
  /** What it begins when it is resumed; null as long as it does not stand still. */
  standsBefore: Stage | null;
}

/** Answer of the `progress` query. */
export interface RunProgress {
  runId: string | null;
  pipeline: string | null;
  asOf: string | null;
  /** What the run is doing; null before its first stage and after its last. */
  stage: Stage | null;
  /** Of a stage in parts: how many are done, since when, as an ISO time; absent where it is done as a whole. */
  parts?: { done: number; of: number; since: string };
  waitsFor: string | null;
  outcome: Outcome | 'running';
  /** Null when it is not paused; absent in the answer of an older worker. */
  paused?: Pause | null;
  verdict: Verdict | null;
  reasons: string[];
  done: { stage: Stage; ms: number; says: string }[];
  /** Names of signals that no one answers to. */
  unknownSignals: string[];
}

/** Answer of the `progress` query of what goes on beside runs. */
export interface ChoreProgress {
  /** What it does, and for which run or pipeline; null: it was started with something else. */
  does: string | null;
  unknownSignals: string[];
}

/** Workflow ids: what a run is found under in Temporal. */
export const workflowIds = {
  segment: (pipeline: string, asOf: string | undefined) => `segment/${pipeline}/${asOf ?? 'latest'}`,
  assign: (pipeline: string, asOf: string | undefined) => `assign/${pipeline}/${asOf ?? 'latest'}`,
  history: (runId: string) => `history/${runId}`,
  reproduce: (runId: string) => `reproduce/${runId}`,
  deliver: (pipeline: string) => `deliver/${pipeline}`,
  /** Of its schedule, which adds the time of each look. */
  watch: () => 'watch-schedules',
  compare: (pipeline: string, asOf: string | undefined) => `compare/${pipeline}/${asOf ?? 'latest'}`,
  backfill: (pipeline: string, from: string | undefined, to: string | undefined) =>
    `backfill/${pipeline}/${from ?? 'next'}..${to ?? 'latest'}`,
  /** No slash: Temporal's HTTP API finds no workflow whose id has one. */
  inbox: (pipeline: string) => `inbox-${pipeline}`,
  /** A run that an inbox starts: beside one of the same date that a person has started, and told apart from it. */
  inboxRun: (
    pipeline: string,
    { kind, asOf, number }: { kind: RunKind; asOf: string | null; number: number },
    inboxRunId: string,
  ) =>
    `${kind === 'assign' ? 'assign' : 'segment'}/${pipeline}/${asOf ?? 'latest'}/inbox-${inboxRunId.slice(0, 8)}-${number}`,
};
