import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ScheduleExecutionResult } from '@temporalio/client';
import { dueTimes, withoutJitter, zoneOf } from '../../activities/read-schedules.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { dateIn } from '../../pipelines/contracts/shop-date.ts';
import { dayBegins } from '../../pipelines/stages/schedules/clock-changes.ts';
import { type Found, ownSchedule, shortOf } from './found.ts';

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
 * @param from, to ISO dates by the schedule's clock, or moments as YYYY-MM-DDTHH:MMZ; both included
 * @throws PipelineError INPUT_INVALID when from is after to
 */
export async function backfill(
  client: Client,
  { schedule, from, to }: { schedule: string; from: string; to: string },
): Promise<{ id: string; timezone: string }> {
  const refused = new PipelineError(
    'INPUT_INVALID',
    `a backfill needs --from before --to, found ${from} and ${to}`,
  );
  if (from.length === to.length && from > to) throw refused;
  const { id, description } = await ownSchedule(client, schedule);
  const { spec } = description;
  const timezone = zoneOf(spec);
  const first = from.includes('T') ? Date.parse(from) : dayBegins(from, timezone);
  const last = to.includes('T') ? Date.parse(to) : dayBegins(dayAfter(to), timezone) - SECOND_MS;
  if (first > last) throw refused;
  // The server leaves out a time at the very start of the range, and takes one at its end.
  const start = first - SECOND_MS;
  const end = Math.max(last, await lastStart(client, { id, spec, start, last }));
  await client.schedule
    .getHandle(id)
    .backfill({ start: new Date(start), end: new Date(end), overlap: 'BUFFER_ALL' });
  return { id, timezone };
}

const SECOND_MS = 1000;

/** When what is due until `last` starts. The server looks at that alone: jitter may carry it over the end of the range. */
async function lastStart(
  client: Client,
  { id, spec, start, last }: { id: string; spec: Found['description']['spec']; start: number; last: number },
): Promise<number> {
  if (!spec.jitter) return last;
  const [since, until] = [start, last + spec.jitter].map((moment) => new Date(moment).toISOString());
  const late = await dueTimes(client, id, { since: since!, until: until! });
  const due = withoutJitter(spec, late);
  const latest = late.findLast((_, i) => Date.parse(due[i]!) <= last);
  return latest === undefined ? last : Date.parse(latest);
}

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
