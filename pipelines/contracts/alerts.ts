import type { AlertRule, Severity } from './alert-settings.ts';
import type { Verdict } from './run.ts';

// What alerts are made of, between the database that keeps it and the rules that read it. No customer ids anywhere.

/** What one run measured, and of what it was compared with: all that rules look at. */
export interface RunMeasurement {
  runId: string;
  /** ISO date; null where it is not known. */
  asOf: string | null;
  /** Of the publication it was compared with; null as above, and when there was none. */
  previousAsOf: string | null;
  verdict: Verdict | null;
  /** In the order of their ids. */
  segments: MeasuredSegment[];
  /** Of the publication it was compared with; null when there was none. */
  previousSegments: MeasuredSegment[] | null;
  movements: MeasuredMovement[];
  metrics: { metric: string; subject: string; value: number | null; threshold: number | null }[];
}

export interface MeasuredSegment {
  segmentId: string;
  /** The name people know it by now. */
  name: string;
  customers: number;
  spendShare: number | null;
  event: 'born' | 'survived' | 'split' | 'merged';
  isQuestionable: boolean;
  /** What sets it apart, strongest first. */
  typical: string[];
}

export interface MeasuredMovement {
  /** Segment id; null: no customers before. */
  from: string | null;
  /** Segment id; null: no customers any more. */
  to: string | null;
  cause: string;
  customers: number;
  spendCents: number | null;
}

/** Something a rule found in a run, whether or not it was told before. */
export interface Finding {
  rule: string;
  kind: AlertRule['kind'];
  severity: Severity;
  owner: string | null;
  /** Names or kinds of channels; null: all that take alerts. */
  channels: string[] | null;
  worseBy: number;
  /** A segment id, a feature, or what else tells one finding of a rule from another; empty for the run. */
  subject: string;
  /** Grows as it gets worse: what a repeated finding is compared by. */
  magnitude: number;
  /** What moved, in one sentence. */
  title: string;
  /** What else there is to know, sentence by sentence. */
  details: string[];
  /** Customers it is about; null where it is about figures. */
  customers: number | null;
  /** Their money; null where it is not known. */
  spendCents: number | null;
  /** Features behind it, strongest first, with their figures. */
  features: string[];
  /** p-value that counts the rule's other tests; null where chance is not asked. */
  pValue: number | null;
}

export const ALERT_STATES = ['open', 'acknowledged', 'resolved'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** An alert that is not resolved, as rules see it. */
export interface OpenAlert {
  alertId: string;
  rule: string;
  subject: string;
  state: Exclude<AlertState, 'resolved'>;
  /** What was told last. */
  toldMagnitude: number;
  /** Publications since it spoke last. */
  silentRuns: number;
}

/** When rules are asked: when a run is held for a person, and when it is published. */
export type AlertMoment = 'held' | 'published';

/** What a message is about: a run at one of these moments, runs that were missed, or missed ones that have come. */
export type DigestMoment = AlertMoment | 'missed' | 'over';

/** A message for the outbox; `notBefore` ISO, null: at once. */
export interface AlertMessage {
  event: string;
  channel: string;
  settings: unknown;
  payload: unknown;
  notBefore: string | null;
}

/** What a run makes of the alerts there are. */
export interface AlertChanges {
  opened: { alertId: string; finding: Finding }[];
  /** Spoke again; `isTold`: worse by the stated step, so that it is sent and open again. */
  repeated: { alertId: string; finding: Finding; isTold: boolean }[];
  /** Did not speak in a publication. */
  silent: string[];
  /** Not for so many publications that they are over. */
  resolved: string[];
  messages: AlertMessage[];
}
