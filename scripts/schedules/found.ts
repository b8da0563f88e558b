import type { Client } from '@temporalio/client';
import { type Found, findSchedule, foundSchedules } from '../../activities/read-schedules.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { SCHEDULE_PREFIX } from '../../pipelines/stages/schedules/facts.ts';

export { type Found, findSchedule, foundSchedules };

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
