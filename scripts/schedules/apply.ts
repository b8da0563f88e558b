import type { Client, ScheduleDescription } from '@temporalio/client';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import {
  factsOfSchedule,
  MARK,
  NOTHING,
  type ScheduleFacts,
} from '../../pipelines/stages/schedules/facts.ts';
import { type PlannedSchedule, planSchedules } from '../../pipelines/stages/schedules/plan.ts';
import { TASK_QUEUES } from '../../temporal.config.ts';
import { isEncryptedOtherwise } from '../codec/read-payload.ts';
import { foundSchedules } from './found.ts';
import { factsOfDescription, toTemporal } from './to-temporal.ts';
import type { Wanted } from './wanted.ts';

/** The difference between the files and the server. @param pipeline only of this one */
export async function planOf(
  client: Client,
  wanted: readonly Wanted[],
  pipeline?: string,
): Promise<PlannedSchedule[]> {
  const found = await foundSchedules(client, { ids: wanted.map(({ id }) => id), pipeline });
  return planSchedules(
    wanted.map((one) => ({ id: one.id, facts: factsOfSchedule(one, TASK_QUEUES.workflows) })),
    found.map(({ description, ...one }) => ({
      ...one,
      facts: withKey(client, { description, facts: factsOfDescription(description) }),
    })),
  );
}

/** What it hands to its runs is written anew when the key has changed: else they would need the old one for ever. */
export function withKey(
  client: Client,
  { description, facts }: { description: ScheduleDescription; facts: ScheduleFacts },
): ScheduleFacts {
  const input = description.raw.schedule?.action?.startWorkflow?.input?.payloads?.[0];
  if (!isEncryptedOtherwise(client, input)) return facts;
  const words = 'an input under another key';
  return { ...facts, besides: facts.besides === NOTHING ? words : `${facts.besides}, ${words}` };
}

/** What apply did to a schedule, or why it left it. */
export interface Applied extends PlannedSchedule {
  done: 'created' | 'updated' | 'deleted' | 'left' | 'nothing';
}

/** Makes the server agree with the files; one that stands in no file any more is deleted only when that is asked. */
export async function apply(
  client: Client,
  wanted: readonly Wanted[],
  { pipeline, deletes }: { pipeline?: string | undefined; deletes: boolean },
): Promise<Applied[]> {
  const applied: Applied[] = [];
  for (const planned of await planOf(client, wanted, pipeline)) {
    const done = await applyOne(client, planned, { wanted, deletes }).catch((cause: unknown) => {
      throw refusedByServer(planned.id, cause);
    });
    applied.push({ ...planned, done });
  }
  return applied;
}

/** A zone that the server's own list lacks, say: the SDK makes a TypeError of what the server says of a specification. */
function refusedByServer(id: string, cause: unknown): unknown {
  if (!(cause instanceof TypeError)) return cause;
  const message = `schedule ${id} needs times and a zone that the Temporal server takes: it says ${cause.message}`;
  return new PipelineError('DEFINITION_INVALID', message, {}, { cause });
}

async function applyOne(
  client: Client,
  planned: PlannedSchedule,
  { wanted, deletes }: { wanted: readonly Wanted[]; deletes: boolean },
): Promise<Applied['done']> {
  const one = wanted.find(({ id }) => id === planned.id);
  return carryOut(client, planned, {
    deletes,
    ...(one && { options: toTemporal(one, TASK_QUEUES.workflows), ...one.schedule }),
  });
}

interface CarryingOut {
  deletes: boolean;
  /** What it is to be; absent of one that is not wanted. */
  options?: ReturnType<typeof toTemporal>;
  /** Absent: left to people. */
  paused?: boolean | undefined;
  note?: string | undefined;
}

/** Makes one schedule of the server as it is planned. */
export async function carryOut(
  client: Client,
  { id, state }: PlannedSchedule,
  { deletes, options, paused, note }: CarryingOut,
): Promise<Applied['done']> {
  if (state === 'same') return 'nothing';
  if (state === 'foreign' || (state === 'gone' && !deletes)) return 'left';
  const handle = client.schedule.getHandle(id);
  if (state === 'gone') {
    await handle.delete();
    return 'deleted';
  }
  if (state === 'new') {
    await client.schedule.create({
      scheduleId: id,
      ...options!,
      memo: MARK,
      state: { paused: paused ?? false, ...(note !== undefined && { note }) },
    });
    return 'created';
  }
  await handle.update(({ state: present }) => {
    const isSwitched = paused !== undefined && paused !== present.paused;
    const words = isSwitched ? `${paused ? 'paused' : 'unpaused'} by pipeline.yaml` : present.note;
    return {
      ...options!,
      // A pause, and its reason, are a person's where the file says nothing of them.
      state: { paused: paused ?? present.paused, ...(words !== undefined && { note: words }) },
    };
  });
  return 'updated';
}
