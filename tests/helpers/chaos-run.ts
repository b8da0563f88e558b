import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import type { Knex } from 'knex';
import type { RunSummary } from '../../pipelines/contracts/run.ts';
import { workflowIds } from '../../pipelines/contracts/signatures.ts';
import { stageOfActivity } from '../../pipelines/contracts/stage-activities.ts';
import { hasClosed } from '../../scripts/follow-run.ts';
import { encodeJson } from '../../store/artifacts/json.ts';
import { connect } from '../../store/postgres/connect.ts';
import type { Fault, FaultKind, Step } from './chaos-faults.ts';
import type { ChaosHome } from './chaos-home.ts';
import { differences, type Ledger, ledgerOf, namesIn } from './chaos-ledger.ts';
import { eventually as asking } from './eventually.ts';
import { digestsOf } from './strata-home.ts';

const LOOK_MS = 40;
const ANSWER_MS = 5_000;
/** Of a run that stands still for good; one on a machine with other work may take minutes. */
const ENDS_MS = 40 * 60_000;
const COMES_BACK_MS = 90_000;

/** What an undisturbed run leaves, and how long its activities take. */
export interface Undisturbed {
  asOf: string;
  /** Of {@link digestsOf}, by what they are of. */
  digests: Record<string, string>;
  ledger: Ledger;
  steps: Step[];
  ms: number;
}

export interface Hit {
  kind: FaultKind;
  /** The stage that went on, or the activity where it is none; `after the run` while its history is being kept. */
  at: string;
  /** Until the run had an activity done, beyond what was left of it undisturbed. */
  recoveredMs: number;
}

export interface Disturbed {
  asOf: string;
  runId: string | null;
  ms: number;
  hits: Hit[];
  activities: number;
  attempts: number;
  /** What must not be. */
  wrong: string[];
}

export async function undisturbedRun(home: ChaosHome, asOf: string): Promise<Undisturbed> {
  const handle = await startRun(home, asOf);
  const late = sleep(ENDS_MS, null, { ref: false });
  const summary = (await Promise.race([handle.result(), late])) as RunSummary | null;
  if (summary === null)
    throw new Error(`a run that nothing befell needs to end, it did not in ${ENDS_MS} ms`);
  if (summary.outcome !== 'published')
    throw new Error(`a run that nothing befell needs to be published, found ${summary.reasons}`);
  const { steps, ms } = await timelineOf(handle);
  const ledger = await withKnex(home, (knex) => ledgerOf(knex, home.artifacts));
  return { asOf, digests: await namedDigests(home, summary), ledger, steps, ms };
}

/** The same run while the faults happen; compared with what it is without them. */
export async function disturbedRun(
  home: ChaosHome,
  { asOf, faults }: { asOf: string; faults: readonly Fault[] },
  usual: Undisturbed,
): Promise<Disturbed> {
  const handle = await startRun(home, asOf);
  const caused = await disturb(home, handle, { faults, order: usual.steps.map(({ activity }) => activity) });
  await home.settled();
  const status = await eventually(async () => (await handle.describe()).status.name);
  const { steps, ms, endedAt } = await eventually(() => timelineOf(handle));
  const run = {
    asOf,
    ms,
    hits: caused.map((hit) => hitOf(hit, { steps, endedAt, usual })),
    activities: steps.length,
    attempts: steps.reduce((sum, { attempts }) => sum + attempts, 0),
  };
  if (status !== 'COMPLETED') {
    if (status === 'RUNNING') await handle.terminate('it needed to end by itself');
    return { ...run, runId: null, wrong: [`the workflow needs to be COMPLETED, found ${status}`] };
  }
  const summary = await eventually(() => handle.result() as Promise<RunSummary>);
  return { ...run, runId: summary.runId, wrong: await wrongIn(home, summary, usual) };
}

/** One that names runs differs between two Stratas, and is known by what it says otherwise. */
async function namedDigests(home: ChaosHome, summary: RunSummary): Promise<Record<string, string>> {
  const named = await withKnex(home, (knex) => namesIn(knex, home.artifacts));
  const digests = Object.entries(digestsOf(summary));
  // A summary that was kept has its keys in PostgreSQL's order.
  const told = (digest: unknown) =>
    encodeJson(JSON.parse(JSON.stringify(digest ?? 'none')))
      .toString()
      .trim();
  return Object.fromEntries(digests.map(([what, digest]) => [what, named(told(digest))]));
}

/** An attempt that nobody waits for any more may still be tidying up: it gets a while. */
async function wrongIn(home: ChaosHome, summary: RunSummary, usual: Undisturbed): Promise<string[]> {
  const { outcome, runId, counts } = summary;
  const wrong: string[] = [];
  if (outcome !== 'published') wrong.push(`the run needs to be published, found ${outcome}`);
  const digests = await eventually(() => namedDigests(home, summary));
  for (const [what, wanted] of Object.entries(usual.digests))
    if (digests[what] !== wanted) wrong.push(`${what}: needs ${wanted}, found ${digests[what]}`);
  let left: string[] = [];
  const deadline = performance.now() + COMES_BACK_MS;
  do {
    left = await eventually(() =>
      withKnex(home, async (knex) => differences(await ledgerOf(knex, home.artifacts), usual.ledger)),
    );
    if (left.length > 0) await sleep(1_000);
  } while (left.length > 0 && performance.now() < deadline);
  const rows = await eventually(() => withKnex(home, (knex) => countMemberships(knex, runId)));
  if (rows !== counts.customers)
    wrong.push(`memberships need a row for each of ${counts.customers} customers, found ${rows}`);
  return [...wrong, ...left];
}

/** Temporal and the worker are asked for as long as they are away. */
const eventually = <T>(ask: () => Promise<T>): Promise<T> => asking(ask, COMES_BACK_MS);

export const keptHistory = ({ strata }: ChaosHome, runId: string): Promise<unknown> =>
  eventually(() => strata.client.workflow.getHandle(workflowIds.history(runId)).result());

async function withKnex<T>({ strata }: ChaosHome, work: (knex: Knex) => Promise<T>): Promise<T> {
  const knex = connect(strata.services.databaseUrl, { pool: 1 });
  try {
    return await work(knex);
  } finally {
    await knex.destroy();
  }
}

async function countMemberships(knex: Knex, runId: string): Promise<number> {
  const [row] = await knex('memberships').where({ run_id: runId }).count<{ count: number }[]>();
  return row!.count;
}

function startRun({ strata }: ChaosHome, asOf: string): Promise<WorkflowHandle> {
  const workflowId = `segment/shop/${asOf}`;
  return eventually(async () => {
    await strata.startRun({ asOf, review: 'never' }, workflowId).catch((error: Error) => {
      // The answer to the first try was lost.
      if (error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
    });
    return strata.client.workflow.getHandle(workflowId);
  });
}

interface Caused {
  kind: FaultKind;
  atMs: number;
}

/** Causes each fault when its activity, or a later one, goes on; ends when the run has ended. */
async function disturb(
  home: ChaosHome,
  handle: WorkflowHandle,
  { faults, order }: { faults: readonly Fault[]; order: readonly string[] },
): Promise<Caused[]> {
  const left = [...faults];
  const caused: Caused[] = [];
  const deadline = performance.now() + ENDS_MS;
  while (performance.now() < deadline) {
    const seen = await home.strata.client
      .withDeadline(Date.now() + ANSWER_MS, () => handle.describe())
      .catch(() => null);
    if (seen && hasClosed(seen)) break;
    const going = seen?.raw.pendingActivities?.[0]?.activityType?.name ?? '';
    while (left[0] && order.indexOf(going) >= order.indexOf(left[0].activity)) {
      const { kind, afterMs } = left[0];
      await sleep(afterMs);
      const atMs = await home.cause(left[0]);
      left[0] = { ...left[0], afterMs: 0 };
      // What is not there now is on its way back, and is broken then.
      if (atMs === null) break;
      left.shift();
      caused.push({ kind, atMs });
    }
    await sleep(LOOK_MS);
  }
  return caused;
}

type Timed = Step & { scheduledAtMs: number; endedAtMs: number; attempts: number };
type Scheduled = Pick<Timed, 'activity' | 'scheduledAtMs' | 'attempts'>;

/** The activities of a run, as its history tells them. */
async function timelineOf(handle: WorkflowHandle) {
  const { events } = await handle.fetchHistory();
  const scheduled = new Map<string, Scheduled>();
  const firstAtMs = new Map<string, number>();
  const steps: Timed[] = [];
  const atMs = (event: { eventTime?: Parameters<typeof tsToMs>[0] | null }) => tsToMs(event.eventTime!);
  for (const event of events ?? []) {
    const begun = event.activityTaskScheduledEventAttributes;
    const started = event.activityTaskStartedEventAttributes;
    const ended = event.activityTaskCompletedEventAttributes;
    if (begun) {
      const activity = begun.activityType?.name ?? '';
      scheduled.set(String(event.eventId), { activity, scheduledAtMs: atMs(event), attempts: 1 });
      if (!firstAtMs.has(activity)) firstAtMs.set(activity, atMs(event));
    }
    if (started) scheduled.get(String(started.scheduledEventId))!.attempts = started.attempt ?? 1;
    if (!ended) continue;
    const step = scheduled.get(String(ended.scheduledEventId))!;
    const endedAtMs = atMs(event);
    const sinceFirstMs = step.scheduledAtMs - firstAtMs.get(step.activity)!;
    steps.push({ ...step, endedAtMs, ms: endedAtMs - step.scheduledAtMs, sinceFirstMs });
  }
  const startedAtMs = atMs(events![0]!);
  const endedAt = atMs(events!.at(-1)!);
  return { steps, endedAt, ms: endedAt - startedAtMs };
}

function hitOf(
  { kind, atMs }: Caused,
  { steps, endedAt, usual }: { steps: Timed[]; endedAt: number; usual: Undisturbed },
): Hit {
  if (atMs >= endedAt) return { kind, at: 'after the run', recoveredMs: 0 };
  const next = steps.find((step) => step.endedAtMs >= atMs);
  if (!next) return { kind, at: 'the end', recoveredMs: endedAt - atMs };
  const usualMs = usual.steps.find(({ activity }) => activity === next.activity)?.ms ?? 0;
  const leftMs = Math.max(0, usualMs - Math.max(0, atMs - next.scheduledAtMs));
  const at = stageOfActivity(next.activity) ?? next.activity;
  return { kind, at, recoveredMs: Math.max(0, next.endedAtMs - atMs - leftMs) };
}
