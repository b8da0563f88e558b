import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { DEFAULT_ALERTS } from '../pipelines/contracts/alert-settings.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { KnownMissed, MissedChanges, WatchStages } from '../pipelines/contracts/missed-runs.ts';
import { decideMissed, isNothing, type JudgedSchedule } from '../pipelines/stages/alerts/missed-runs.ts';
import { unmetOf } from '../pipelines/stages/schedules/missed.ts';
import { digestOf } from '../store/artifacts/json.ts';
import { loadDefinition } from '../store/definitions.ts';
import type { ActivityContext } from './context.ts';
import { handOver } from './notify.ts';
import { readSchedules } from './read-schedules.ts';
import { withHeartbeats } from './stage.ts';

/** As `strata schedules check` looks back. */
const LOOK_BACK_DAYS = 30;
const DAY_MS = 24 * 3_600_000;

/** Due times without a run -> alerts, one for each; and the end of these, where a run has come after all. */
export function createWatchActivities(context: ActivityContext): WatchStages {
  return {
    tellMissedRuns: ({ now, settleSeconds }) =>
      withHeartbeats('watch', async ({ signal }) => {
        let seen = await look(context, now);
        if (settleSeconds > 0 && seen.some(({ changes }) => changes.opened.length > 0)) {
          await sleep(settleSeconds * 1000, undefined, { signal });
          seen = await look(context, now);
        }
        for (const one of seen) await keep(context, one);
        const schedules = seen.flatMap((one) => one.schedules);
        return {
          schedules: schedules.length,
          missing: schedules.reduce((sum, { missing }) => sum + missing.length, 0),
          waiting: schedules.reduce((sum, { waiting }) => sum + waiting, 0),
          unread: seen.flatMap(({ pipeline, reason }) => (reason === null ? [] : [{ pipeline, reason }])),
        };
      }),
  };
}

/** What a look found of one pipeline. */
interface Seen {
  pipeline: string;
  schedules: (JudgedSchedule & { waiting: number })[];
  since: string;
  /** Why nobody can be told; null where somebody can. */
  reason: string | null;
  definitionSha256: string;
  decide: (known: KnownMissed[]) => MissedChanges;
  /** As far as can be said without a lock. */
  changes: MissedChanges;
}

async function look(context: ActivityContext, now: string): Promise<Seen[]> {
  const { missedRuns } = context.repositories;
  const since = new Date(Date.parse(now) - LOOK_BACK_DAYS * DAY_MS).toISOString();
  const runsSince = await missedRuns.earliestOpen();
  const read = await readSchedules(Context.current().client, { now, days: LOOK_BACK_DAYS, runsSince });
  const judged = read.map((one) => {
    const { missing, waiting } = unmetOf(one);
    return { ...one, missing, waiting: waiting.length };
  });
  const pipelines = [...new Set(judged.map(({ pipeline }) => pipeline))];
  return Promise.all(
    pipelines.map(async (pipeline): Promise<Seen> => {
      const schedules = judged.filter((one) => one.pipeline === pipeline);
      const { definition, reason } = await definitionOf(context, pipeline);
      const decide = (known: KnownMissed[]) =>
        definition ? decideFor(definition, { schedules, known, now }) : NOTHING;
      const changes = decide(await missedRuns.known(pipeline, since));
      const definitionSha256 = definition ? digestOf(definition) : '';
      return { pipeline, schedules, since, reason, definitionSha256, decide, changes };
    }),
  );
}

const NOTHING: MissedChanges = { opened: [], changed: [], met: [], resolved: [], messages: [] };

/** One that cannot be read keeps nobody else from being told; what it missed is told once it can. */
async function definitionOf(
  { definitionFolders }: ActivityContext,
  pipeline: string,
): Promise<{ definition: Definition | null; reason: string | null }> {
  try {
    return { definition: (await loadDefinition(definitionFolders, pipeline)).definition, reason: null };
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return { definition: null, reason: `${error.message.slice(0, REASON_LENGTH)} (${error.code})` };
  }
}

const REASON_LENGTH = 300;

function decideFor(
  { pipeline, alerts = DEFAULT_ALERTS, notify, currency, source }: Definition,
  { schedules, known, now }: { schedules: Seen['schedules']; known: KnownMissed[]; now: string },
): MissedChanges {
  return decideMissed(schedules, known, {
    ...{ pipeline, settings: alerts, notify, currency, timezone: source.timezone, now },
    idOf: (schedule, dueAt) => missedAlertId({ pipeline, schedule, dueAt }),
  });
}

function missedAlertId({
  pipeline,
  schedule,
  dueAt,
}: Record<'pipeline' | 'schedule' | 'dueAt', string>): string {
  const digest = createHash('sha256').update(['missed', pipeline, schedule, dueAt].join('\0')).digest('hex');
  return `alr_${digest.slice(0, 16)}`;
}

async function keep(context: ActivityContext, seen: Seen): Promise<void> {
  const { pipeline, definitionSha256, since, decide, changes, reason } = seen;
  if (!isNothing(changes))
    await context.repositories.missedRuns.record({ pipeline, definitionSha256, since, decide });
  if (reason !== null) context.log.info(`nobody can be told of missed runs of ${pipeline}: ${reason}`);
  // Also of what an attempt before this one kept, and did not come to hand over.
  await handOver(context, pipeline);
}
