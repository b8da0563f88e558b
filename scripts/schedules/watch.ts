import type { Client, ScheduleDescription } from '@temporalio/client';
import { WORKFLOWS, workflowIds } from '../../pipelines/contracts/signatures.ts';
import {
  everyText,
  factsOfWatch,
  figure,
  NOTHING,
  type ScheduleFacts,
  SERVER_ZONE,
  startsText,
  WATCH_CATCHUP_HOURS,
  WATCH_ID,
  WATCH_KIND,
} from '../../pipelines/stages/schedules/facts.ts';
import { type PlannedSchedule, planSchedules } from '../../pipelines/stages/schedules/plan.ts';
import { TASK_QUEUES } from '../../temporal.config.ts';
import { type Applied, carryOut, withKey } from './apply.ts';
import { findSchedule } from './found.ts';
import { besidesOf } from './to-temporal.ts';

// The schedule of `watchSchedules`, which tells missed runs: there is one as long as a definition has a schedule.

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export interface Watch {
  everyMinutes: number;
  /** Whether one of the definitions that were asked about has a schedule. */
  isWanted: boolean;
  /** Whether these are all there are: only then nobody else's can be what it is for. */
  isOfAll: boolean;
}

/** None, or what is to be done about the watch. */
export async function planOfWatch(
  client: Client,
  { everyMinutes, isWanted, isOfAll }: Watch,
): Promise<PlannedSchedule[]> {
  if (!isWanted && !isOfAll) return [];
  const found = await findSchedule(client, WATCH_ID);
  return planSchedules(
    isWanted ? [{ id: WATCH_ID, facts: factsOfWatch(everyMinutes, TASK_QUEUES.workflows) }] : [],
    found ? [{ id: WATCH_ID, isOurs: found.isOurs, facts: factsOn(client, found.description) }] : [],
  );
}

export async function applyWatch(
  client: Client,
  watch: Watch,
  { deletes }: { deletes: boolean },
): Promise<Applied[]> {
  const applied: Applied[] = [];
  for (const planned of await planOfWatch(client, watch))
    applied.push({
      ...planned,
      done: await carryOut(client, planned, { deletes, options: optionsOf(watch.everyMinutes) }),
    });
  return applied;
}

function optionsOf(everyMinutes: number): Parameters<typeof carryOut>[2]['options'] {
  return {
    spec: { intervals: [{ every: everyMinutes * MINUTE_MS }], timezone: SERVER_ZONE },
    action: {
      type: 'startWorkflow',
      workflowType: WORKFLOWS.watchSchedules,
      workflowId: workflowIds.watch(),
      taskQueue: TASK_QUEUES.workflows,
      args: [{}],
      staticSummary: 'looks whether each due time of the schedules has its run',
    },
    policies: { overlap: 'SKIP', catchupWindow: WATCH_CATCHUP_HOURS * HOUR_MS, pauseOnFailure: false },
  };
}

function factsOn(client: Client, description: ScheduleDescription): ScheduleFacts {
  const { spec, action, policies } = description;
  const { workflowType, workflowId, taskQueue, args } = action;
  const [interval] = spec.intervals ?? [];
  const isOnly = spec.intervals?.length === 1 && (spec.calendars ?? []).length === 0;
  const besides = besidesOf(description).filter((one) => one !== 'intervals');
  const facts = {
    kind: workflowType === WORKFLOWS.watchSchedules ? WATCH_KIND : workflowType,
    frequency: isOnly ? everyText(interval!.every / MINUTE_MS) : 'something else',
    overlap: (policies.overlap ?? 'skip').toLowerCase(),
    catchupWindowHours: figure(policies.catchupWindow / HOUR_MS),
    starts: startsText(workflowId ?? '', taskQueue, args?.[0]),
    besides: besides.join(', ') || NOTHING,
  };
  return withKey(client, { description, facts });
}
