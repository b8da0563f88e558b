import { type Client, type ScheduleDescription, ScheduleNotFoundError } from '@temporalio/client';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { nameOfSchedule, SCHEDULE_PREFIX } from '../../pipelines/stages/schedules/facts.ts';
import { MARK } from './to-temporal.ts';

export interface Found {
  id: string;
  isOurs: boolean;
  description: ScheduleDescription;
}

/**
 * What the server has of these ids, and of all others that Strata's schedules are called by, in the order of the ids.
 * The server's list lags behind a moment: what is asked for by its id does not.
 *
 * @param pipeline only of this one
 */
export async function foundSchedules(
  client: Client,
  { ids = [], pipeline }: { ids?: readonly string[]; pipeline?: string | undefined },
): Promise<Found[]> {
  const asked = new Set(ids);
  for await (const { scheduleId } of client.schedule.list()) {
    const named = scheduleId.startsWith(SCHEDULE_PREFIX) ? nameOfSchedule(scheduleId) : null;
    if (named && (pipeline === undefined || named.pipeline === pipeline)) asked.add(scheduleId);
  }
  const found = await Promise.all([...asked].sort().map((id) => findSchedule(client, id)));
  return found.filter((one) => one !== null);
}

export async function findSchedule(client: Client, id: string): Promise<Found | null> {
  try {
    const description = await client.schedule.getHandle(id).describe();
    return { id, isOurs: description.memo?.madeBy === MARK.madeBy, description };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}

/**
 * One that `apply` made, by what a person types: PIPELINE/NAME, or the whole id.
 *
 * @throws PipelineError INPUT_INVALID for one that there is not, with those there are, and for one of somebody else's
 */
export async function ownSchedule(client: Client, typed: string): Promise<Found> {
  const id = typed.startsWith(SCHEDULE_PREFIX) ? typed : `${SCHEDULE_PREFIX}${typed}`;
  const found = await findSchedule(client, id);
  if (found?.isOurs) return found;
  if (found) {
    throw new PipelineError(
      'INPUT_INVALID',
      `a schedule needs to be one that apply made, ${id} is not; use the Temporal UI`,
    );
  }
  const known = (await foundSchedules(client, {}))
    .filter(({ isOurs }) => isOurs)
    .map((one) => shortOf(one.id));
  throw new PipelineError(
    'INPUT_INVALID',
    `a schedule needs to be one that is on the server, ${JSON.stringify(typed.slice(0, 90))} is not; there are ${known.join(', ') || 'none, apply makes them'}`,
  );
}

export function shortOf(id: string): string {
  return id.slice(SCHEDULE_PREFIX.length);
}
