import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ScheduleExecutionResult } from '@temporalio/client';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { dateIn } from '../../pipelines/contracts/shop-date.ts';
import { dayBegins } from '../../pipelines/stages/schedules/clock-changes.ts';
import { ownSchedule, shortOf } from './found.ts';

// What a person does to a schedule by hand. Each of it is for one that apply made.

export interface Switching {
  /** PIPELINE/NAME, or the whole id. */
  schedule: string;
  note: string | null;
  author: string;
}

/** @returns what a person reads */
export async function pause(client: Client, asked: Switching): Promise<string> {
  return switchTo(client, { ...asked, paused: true });
}

export async function unpause(client: Client, asked: Switching): Promise<string> {
  return switchTo(client, { ...asked, paused: false });
}

async function switchTo(
  client: Client,
  { schedule, note, author, paused }: Switching & { paused: boolean },
): Promise<string> {
  const { id, description } = await ownSchedule(client, schedule);
  const [word, other] = paused ? ['paused', 'unpause'] : ['running', 'pause'];
  if (description.state.paused === paused) {
    const why = description.state.note ? `: ${description.state.note}` : '';
    return `${shortOf(id)} is ${word} already${why}; nothing was changed`;
  }
  const said = `${paused ? 'paused' : 'unpaused'} by ${author}${note === null ? '' : `: ${note}`}`;
  const handle = client.schedule.getHandle(id);
  await (paused ? handle.pause(said) : handle.unpause(said));
  const { info } = await handle.describe();
  const next = info.nextActionTimes[0];
  const tail = paused
    ? `nothing starts until it is unpaused: npm run strata -- schedules ${other} ${shortOf(id)}`
    : next === undefined
      ? 'it is not due any more'
      : `next ${momentIn(next, description.spec.timezone)}`;
  return `${shortOf(id)} is ${said}\n${tail}`;
}

const APPEARS_WITHIN_MS = 10_000;
const POLL_MS = 100;

/** Starts a run now, whether or not the schedule is paused: it is as of the day on which it was triggered. */
export async function trigger(
  client: Client,
  schedule: string,
): Promise<{ id: string; timezone: string; action: ScheduleExecutionResult | null }> {
  const { id, description } = await ownSchedule(client, schedule);
  const before = description.info.numActionsTaken;
  const handle = client.schedule.getHandle(id);
  await handle.trigger();
  const deadline = performance.now() + APPEARS_WITHIN_MS;
  const timezone = description.spec.timezone || 'UTC';
  while (performance.now() < deadline) {
    const { info } = await handle.describe();
    if (info.numActionsTaken > before) return { id, timezone, action: info.recentActions.at(-1) ?? null };
    await sleep(POLL_MS);
  }
  return { id, timezone, action: null };
}

/**
 * Runs for the times at which the schedule was due on these days, one after the other, whatever its overlap policy:
 * a date that waits for an earlier one is never left out.
 *
 * @param from, to ISO dates by the schedule's clock, both included
 * @throws PipelineError INPUT_INVALID when from is after to
 */
export async function backfill(
  client: Client,
  { schedule, from, to }: { schedule: string; from: string; to: string },
): Promise<{ id: string; timezone: string }> {
  if (from > to)
    throw new PipelineError('INPUT_INVALID', `a backfill needs --from before --to, found ${from} and ${to}`);
  const { id, description } = await ownSchedule(client, schedule);
  const timezone = description.spec.timezone || 'UTC';
  await client.schedule.getHandle(id).backfill({
    // The server leaves out a time at the very start of the range, and takes one at its end.
    start: new Date(dayBegins(from, timezone) - SECOND_MS),
    end: new Date(dayBegins(dayAfter(to), timezone) - SECOND_MS),
    overlap: 'BUFFER_ALL',
  });
  return { id, timezone };
}

const SECOND_MS = 1000;

function dayAfter(date: string): string {
  return new Date(Date.parse(date) + 24 * 3_600_000).toISOString().slice(0, 10);
}

/** `2026-03-30 02:30` by the clock of the zone. */
export function momentIn(moment: Date, timezone = 'UTC'): string {
  const time = moment.toLocaleTimeString('en-GB', {
    timeZone: timezone,
    hour: '2-digit',
    minute: '2-digit',
  });
  return `${dateIn(moment.toISOString(), timezone)} ${time}`;
}
