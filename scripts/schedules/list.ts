import type { Client, ScheduleDescription, ScheduleExecutionResult } from '@temporalio/client';
import { dateIn } from '../../pipelines/contracts/shop-date.ts';
import type { ScheduleFacts } from '../../pipelines/stages/schedules/facts.ts';
import { foundSchedules } from './found.ts';
import { factsOfDescription } from './to-temporal.ts';

export interface ListedSchedule {
  id: string;
  facts: ScheduleFacts;
  timezone: string;
  paused: boolean;
  /** Why it is paused, or what was said when it was made or last unpaused. */
  note: string | null;
  /** ISO times; none while it is paused. */
  next: string[];
  /** Newest first. */
  last: ListedRun[];
  missed: number;
  skipped: number;
}

export interface ListedRun {
  workflow: { id: string; runId: string };
  /** ISO time for which it was scheduled. */
  dueAt: string;
  /** By the schedule's clock. */
  asOf: string;
  /** Of the run; where it has none yet, or its workflow broke, how that stands. */
  outcome: string;
}

const SHOWN_RUNS = 3;
const SHOWN_TIMES = 3;

/** The schedules that apply made, with what is due and what came of the last runs. */
export async function listSchedules(client: Client, pipeline?: string): Promise<ListedSchedule[]> {
  const found = await foundSchedules(client, { pipeline });
  return Promise.all(
    found
      .filter(({ isOurs }) => isOurs)
      .map(async ({ id, description }) => ({ id, ...(await listed(client, description)) })),
  );
}

async function listed(client: Client, description: ScheduleDescription): Promise<Omit<ListedSchedule, 'id'>> {
  const { spec, state, info } = description;
  const timezone = spec.timezone || 'UTC';
  return {
    facts: factsOfDescription(description),
    timezone,
    paused: state.paused,
    note: state.note || null,
    next: state.paused ? [] : info.nextActionTimes.slice(0, SHOWN_TIMES).map((time) => time.toISOString()),
    last: await lastRuns(client, description, SHOWN_RUNS),
    missed: info.numActionsMissedCatchupWindow,
    skipped: info.numActionsSkippedOverlap,
  };
}

/** Newest first. */
export function lastRuns(
  client: Client,
  { info, spec }: ScheduleDescription,
  most: number,
): Promise<ListedRun[]> {
  const last = info.recentActions.slice(-most).reverse();
  return Promise.all(last.map((action) => listedRun(client, action, spec.timezone || 'UTC')));
}

async function listedRun(
  client: Client,
  { action, scheduledAt }: ScheduleExecutionResult,
  timezone: string,
): Promise<ListedRun> {
  const { workflowId: id, firstExecutionRunId: runId } = action.workflow;
  const known = await askRun(client, { id, runId });
  const moment = (known.dueAt ?? scheduledAt).toISOString();
  return {
    workflow: { id, runId },
    dueAt: moment,
    asOf: dateIn(moment, timezone),
    outcome: known.outcome,
  };
}

interface KnownRun {
  outcome: string;
  /** Without the jitter that the schedule's own record counts in. */
  dueAt: Date | null;
}

/** A run says itself what came of it; one that Temporal has forgotten ended longer ago than it keeps them. */
async function askRun(client: Client, { id, runId }: ListedRun['workflow']): Promise<KnownRun> {
  try {
    const { status, searchAttributes } = await client.workflow.getHandle(id, runId).describe();
    const [outcome, due] = [
      searchAttributes.StrataOutcome?.[0],
      searchAttributes.TemporalScheduledStartTime?.[0],
    ];
    return {
      outcome: typeof outcome === 'string' ? outcome : status.name.toLowerCase().replaceAll('_', ' '),
      dueAt: due instanceof Date ? due : null,
    };
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError')
      return { outcome: 'forgotten', dueAt: null };
    throw error;
  }
}
