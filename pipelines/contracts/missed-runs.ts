import type { AlertMessage, Finding } from './alerts.ts';

// Due times of schedules that have no run, between the server that starts runs, the rules and the database.

/** Why: nobody started it; another run was going on and the schedule does not wait; the schedule is paused. */
export type MissedCause = 'missed' | 'overlap' | 'paused';

export interface DueTime {
  /** Its name in pipeline.yaml. */
  schedule: string;
  /** ISO time. */
  dueAt: string;
}

export interface MissedTime extends DueTime {
  cause: MissedCause;
}

/** A due time of which an alert was made. */
export interface KnownMissed extends MissedTime {
  alertId: string;
  /** Whether its alert is not resolved. */
  isOpen: boolean;
  /** Whether its run has come since. */
  isMet: boolean;
}

/** A message about no run: of the alerts in it the first stands in the run's place. */
export interface MissedMessage extends AlertMessage {
  alertId: string;
}

/** What a look at the schedules of a pipeline makes of its alerts. */
export interface MissedChanges {
  opened: { alertId: string; finding: Finding; times: MissedTime[] }[];
  /** Open alerts about more due times than before, `times`, or about fewer, since runs have come. */
  changed: { alertId: string; finding: Finding; times: MissedTime[] }[];
  met: DueTime[];
  /** Alerts whose runs have all come. */
  resolved: string[];
  messages: MissedMessage[];
}

/** What `watchSchedules` answers: how things stand, not what is new, so that a repeated look says the same. */
export interface Watched {
  schedules: number;
  /** Due times without a run, those told before included. */
  missing: number;
  /** Due times that wait for a run that is going on. */
  waiting: number;
  /** Pipelines whose definition cannot be read: nobody is told of their runs until it can. */
  unread: { pipeline: string; reason: string }[];
}

/** Activities of `watchSchedules`. */
export interface WatchStages {
  /**
   * Tells due times that have no run, and those that have one after all.
   *
   * @param input.now ISO time of the look
   * @param input.settleSeconds where something new is missing it is looked at once more after so long: a server that
   *   was away starts what it missed in its first seconds
   */
  tellMissedRuns(input: { now: string; settleSeconds: number }): Promise<Watched>;
}
