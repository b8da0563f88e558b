import type { InboxSettings } from './inbox-settings.ts';
import type { Outcome, RunKind, RunSummary } from './run.ts';

// The inbox of a pipeline, as those outside see it: what one may send it, what it answers, and what it shows.

/** An extract has landed where the pipeline reads it. */
export interface ExtractLanded {
  /** Which of the definition's `inbox.inputs`; may be left out where there is one, or none. */
  input?: string;
  /** The file to read in place of the definition's source, as the worker sees it. */
  extract?: string;
  /** ISO date: rows ordered before this midnight count. Default: the day after the newest row. */
  asOf?: string;
  /** Names the message: the same one sent again changes nothing. */
  id?: string;
}

/** A run is wanted, whatever has landed. */
export interface RunRequest {
  /** Default: what the definition's `inbox.run` says. */
  kind?: RunKind;
  extract?: string;
  asOf?: string;
  id?: string;
}

/** What became of a message. */
export interface MessageAnswer {
  /** `taken`: it is in run `number` of this inbox; `repeated`: it had been before. */
  answer: 'taken' | 'repeated';
  number: number;
  /** What that run waits for, in words. */
  says: string;
}

/** A run that messages have asked for and that has not begun. */
export interface WaitingRun {
  number: number;
  kind: RunKind;
  /** Null: as of the day after the newest row. */
  asOf: string | null;
  /** Null: the definition's source. */
  extract: string | null;
  messages: number;
  landed: string[];
  missing: string[];
  /** ISO with time: the first message, and when the run starts at the latest; null: when all is there. */
  since: string;
  startsAt: string | null;
}

export interface InboxRun {
  number: number;
  kind: RunKind;
  asOf: string | null;
  extract: string | null;
  messages: number;
  /** Inputs that had not landed when it started. */
  missing: string[];
  workflowId: string;
  startedAt: string;
}

/** What came of a run. */
export interface RunEnd {
  /** `unknown`: Temporal could not tell any more. */
  outcome: Outcome | 'unknown';
  /** In PostgreSQL; null where it came to none. */
  runId: string | null;
  /** Why it was not published; null where it was. */
  reason: string | null;
}

export interface Refusal {
  at: string;
  /** Name of the signal or update. */
  message: string;
  reason: string;
}

/** Answer of the `inbox` query. */
export interface InboxView {
  pipeline: string;
  /** Null before they were read. */
  settings: InboxSettings | null;
  /** Why messages cannot be sorted into runs at present; null: they can. */
  blocked: string | null;
  /** Messages that are not sorted into runs yet. */
  unsorted: number;
  waiting: WaitingRun[];
  running: InboxRun | null;
  /** Newest first, as the refusals. */
  last: (InboxRun & RunEnd & { endedAt: string })[];
  refused: Refusal[];
  counts: { taken: number; repeated: number; refused: number; runs: number };
  /** Of the ids that were asked for: the run each message is in; null for one that is not known (any more). */
  messages?: Record<string, number | null>;
}

/** What the query may be asked for beside the state. */
export interface InboxQuestion {
  ids?: string[];
}

/** Activities of the inbox; its runs have their own. */
export interface InboxStages {
  /** The definition's section `inbox`, or what stands for it. */
  readInbox(input: { pipeline: string }): Promise<{ settings: InboxSettings }>;
  /** Waits, heartbeating, until a run has ended that an earlier execution of the inbox has started. */
  awaitRun(input: { workflowId: string }): Promise<RunEnd>;
}

const REASON_LENGTH = 200;

export function endOf({ outcome, runId, reasons }: RunSummary): RunEnd {
  const reason = outcome === 'published' ? null : shortened(reasons[0] ?? 'no reason was given');
  return { outcome, runId, reason };
}

export function shortened(text: string, length = REASON_LENGTH): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
