/** Workflow tasks and short activities; heavy activities; activities that only wait. */
export const TASK_QUEUES = {
  workflows: 'strata',
  compute: 'strata-compute',
  /** Of its own: each open run waits in a slot, and a hundred held ones must not leave the rest without. */
  waits: 'strata-waits',
} as const;

/** Typed search attributes a run carries; registered at start. */
export const SEARCH_ATTRIBUTES = {
  StrataPipeline: 'KEYWORD',
  StrataStage: 'KEYWORD',
  StrataOutcome: 'KEYWORD',
  StrataVerdict: 'KEYWORD',
  StrataCustomers: 'INT',
  StrataSegments: 'INT',
  StrataAsOf: 'DATETIME',
} as const;

/** Closed runs stay in Temporal's own list for this long; their histories are kept as artifacts for ever. */
export const RETENTION_DAYS = 90;

/** Short and repeatable: a database or a disk may be restarting, so it is tried for an hour. */
export const IO = {
  taskQueue: TASK_QUEUES.workflows,
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '1 hour',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '15 seconds' },
} as const;

/**
 * Minutes of work, watched by heartbeat: a killed worker is noticed after half a minute and another takes
 * over. Attempts are many because a restarting database or a killed worker spends them too; what cannot
 * get better is marked as not worth a retry where the error is born.
 */
export const COMPUTE = {
  taskQueue: TASK_QUEUES.compute,
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '30 seconds',
  // A run is cleaned up after a cancel: an activity still writing at that moment would leave files behind.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: {
    initialInterval: '1 second',
    backoffCoefficient: 2,
    maximumInterval: '30 seconds',
    maximumAttempts: 10,
  },
} as const;

/**
 * Waits for something outside the run, for as long as it takes; watched by heartbeat. A repeat costs nothing, so a killed
 * worker is noticed sooner than elsewhere: whoever has just decided on a run waits until its history is kept.
 */
export const WAIT = {
  taskQueue: TASK_QUEUES.waits,
  startToCloseTimeout: '30 days',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
} as const;
