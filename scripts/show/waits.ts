import type { RunFacts } from './facts.ts';

const HOUR_MS = 3_600_000;

/** Something outside the run that it waits for, and what a person can do. */
export interface Waiting {
  for: 'run' | 'review' | 'worker' | 'code' | 'pause' | 'temporal' | 'rescue';
  says: string;
  /** ISO time. */
  until: string | null;
  /** What to type. */
  commands: string[];
}

const START_WORKER = 'npm run worker (or npm start)';

export function waitsOf(facts: RunFacts, state: string): Waiting[] {
  if (state === 'lost') return [lost()];
  return [review(facts, state), turn(facts), worker(facts), code(facts), paused(facts), away(facts)].filter(
    (wait) => wait !== null,
  );
}

function review({ runId, record, review: settings }: RunFacts, state: string): Waiting | null {
  if (state !== 'held') return null;
  const until =
    settings && record?.heldAt
      ? new Date(Date.parse(record.heldAt) + settings.timeoutHours * HOUR_MS).toISOString()
      : null;
  const then = settings && until ? `; then the definition says ${settings.onTimeout}` : '';
  const command = `npm run strata -- review ${runId ?? 'RUN'}`;
  return {
    for: 'review',
    says: `waits for a person's review${then}`,
    until,
    commands: [`${command} publish`, `${command} reject`],
  };
}

/** Runs of one pipeline go one after another. */
function turn({ progress, earlier, execution }: RunFacts): Waiting | null {
  const isWaiting = execution?.activities.some(({ type }) => type === 'awaitTurn') ?? false;
  const workflowId = progress?.waitsFor ?? (isWaiting ? earlier?.workflow.id : null);
  if (!workflowId) return null;
  const runId = earlier?.workflow.id === workflowId ? earlier.runId : null;
  return {
    for: 'run',
    says: `waits for ${runId === null ? 'run' : `run ${runId} of`} ${workflowId}: runs of one pipeline go one after another`,
    until: null,
    commands: [`npm run strata -- show ${runId ?? workflowId}`],
  };
}

function worker({ execution }: RunFacts): Waiting | null {
  if (execution === null || execution.unattended.length === 0) return null;
  return {
    for: 'worker',
    says: `waits for a worker: none has asked for work on ${execution.unattended.join(', ')} in the last minutes`,
    until: null,
    commands: [START_WORKER],
  };
}

/** Its own code fails, or its history does not replay: no activity is to blame. */
function code({ execution }: RunFacts): Waiting | null {
  const task = execution?.task;
  if (!task || task.attempt <= 1) return null;
  return {
    for: 'code',
    says: `its workflow code fails, attempt ${task.attempt}${task.fault ? `: ${task.fault}` : ''}; it goes on by itself once a worker runs code that can`,
    until: null,
    commands: ['npm run replay'],
  };
}

/** By its own update, or by Temporal's command. */
function paused({ execution, progress, runId, workflow }: RunFacts): Waiting | null {
  const own = progress?.paused;
  if (own) {
    const { before, standsBefore, because } = own;
    const where =
      standsBefore === null
        ? `pauses ${before === null ? 'when its stage has ended' : `before ${before}`}`
        : `is paused before ${standsBefore}`;
    return {
      for: 'pause',
      says: `${where}${because ? ` (${because})` : ''}`,
      until: null,
      commands: [`npm run strata -- resume ${runId ?? workflow.id}`],
    };
  }
  const activity = execution?.activities.find(({ isPaused }) => isPaused);
  if (execution?.status !== 'PAUSED' && !activity) return null;
  const what = activity ? `activity ${activity.type}` : 'the workflow';
  return {
    for: 'pause',
    says: `${what} was paused in Temporal: unpause it there`,
    until: null,
    commands: [],
  };
}

/** An open run goes on, and is seen, only where its Temporal server is. */
function away({ temporal, record }: RunFacts): Waiting | null {
  if (temporal !== 'away' || record?.closedAt != null) return null;
  return {
    for: 'temporal',
    says: 'Temporal could not be asked: what it is doing now is not known',
    until: null,
    commands: ['npm run strata -- doctor'],
  };
}

function lost(): Waiting {
  return {
    for: 'rescue',
    says: 'its workflow is gone: it was deleted, or lost with its server. It does nothing any more; the next run of the pipeline closes it as failed and cleans up',
    until: null,
    commands: [],
  };
}
