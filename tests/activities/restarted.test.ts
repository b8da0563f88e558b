import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ActivityContext } from '../../activities/context.ts';
import { createActivities } from '../../activities/index.ts';
import type { AlertSettings } from '../../pipelines/contracts/alert-settings.ts';
import type { Definition } from '../../pipelines/contracts/definition.ts';
import {
  type ActivityName,
  type ActivityShop,
  type InputOf,
  openActivityShop,
  type ResultOf,
} from '../helpers/activity-shop.ts';
import { type Call, closingOf, type Walked, walkToStability } from '../helpers/activity-walk.ts';

let shop: ActivityShop;

const RULES = [
  { name: 'waits', kind: 'verdict', severity: 'critical', verdicts: ['drifted', 'unstable'] },
  { name: 'agreement', kind: 'stability', below: 1 },
  { name: 'events', kind: 'segment-events' },
];

beforeAll(async () => {
  shop = await openActivityShop({
    definition: {
      clustering: {
        ...{ k: { min: 3, max: 3 }, smallestShare: 0.02, starts: 3 },
        ...{ bootstraps: 10, nullDraws: 19, sampleRows: 500 },
      },
      notify: [{ kind: 'log' }],
      alerts: { rules: RULES } as unknown as AlertSettings,
    } as Partial<Definition>,
  });
}, 60_000);

afterAll(() => shop?.close());

/** Those that have a part in keys, names and alerts. */
const KILLED: readonly ActivityName[] = [
  ...(['openRun', 'matchIdentities', 'nameSegments', 'persistRun'] as const),
  ...(['measureStability', 'holdRun', 'publishRun', 'closeRun'] as const),
];

/** All that leaves something behind, in files and in PostgreSQL. */
const WRITES: Partial<Record<keyof ActivityContext['repositories'], readonly string[]>> = {
  runs: ['open', 'hold', 'close'],
  stages: ['record'],
  segmentations: ['save'],
  memberships: ['load'],
  stability: ['save'],
  publications: ['publish'],
  alerts: ['check', 'settleHeld'],
};

/** The stores of a worker that is killed after so many writes: from then on it writes nothing more. */
function killedAfter(writes: number) {
  let left = writes;
  const counting = <T extends object>(store: T, names: readonly string[] = []): T =>
    new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (!names.includes(String(name)) || typeof value !== 'function') return value;
        return async (...given: unknown[]) => {
          if (left-- <= 0) throw new Error('killed');
          return value.apply(target, given);
        };
      },
    });
  const { artifacts, repositories } = shop.context;
  const context: ActivityContext = {
    ...shop.context,
    artifacts: counting(artifacts, ['write', 'take', 'writeStep']),
    repositories: Object.fromEntries(
      Object.entries(repositories).map(([name, repository]) => [
        name,
        counting(repository, WRITES[name as keyof typeof WRITES]),
      ]),
    ) as unknown as ActivityContext['repositories'],
  };
  return { activities: createActivities(context), isDead: () => left < 0 };
}

/** How often each activity was killed. */
const kills: Partial<Record<ActivityName, number>> = {};

/** Killed before the first write, restarted, killed before the second, and so on until it gets through. */
const killedAtEveryWrite: Call = async <N extends ActivityName>(
  name: N,
  input: InputOf<N>,
): Promise<ResultOf<N>> => {
  if (!KILLED.includes(name)) return shop.perform(name, input);
  let isAnswerLost = false;
  for (let writes = 0; ; writes++) {
    const { activities, isDead } = killedAfter(writes);
    const activity = activities[name] as (given: unknown) => Promise<never>;
    try {
      const result = await shop.environment(writes + 1).run(activity, input);
      // Its answer is lost, too, before one arrives.
      if (!isDead() && isAnswerLost) return result as ResultOf<N>;
      isAnswerLost = !isDead();
    } catch (error) {
      if (!isDead()) throw error;
    }
    kills[name] = writes + 1;
  }
};

async function publish(walked: Walked, call: Call): Promise<void> {
  const { run, match, naming, stability } = walked;
  await call('publishRun', { run, match, naming, review: 'Ada', verdict: stability.verdict });
  await call('closeRun', { run, closing: closingOf(walked, 'published') });
}

/** A first run, then by these calls one with more segments that is held before it is published. What is kept of both. */
async function twoRuns(call: Call) {
  await shop.database.clear();
  const first = await walkToStability(shop, { asOf: '2026-05-01', k: 3 });
  await publish(first, (name, input) => shop.perform(name, input));
  const second = await walkToStability(shop, { asOf: '2026-06-01', k: 5 }, call);
  await call('holdRun', { run: second.run, closing: closingOf(second, 'held', ['asked for']) });
  await publish(second, call);
  return ledger([first, second].map(({ run }) => run.runId));
}

/** Keys, what became of them, their names, alerts and messages: nothing that differs from one life to the next. */
async function ledger(runIds: string[]) {
  const { knex } = shop.database;
  const numbered = (value: unknown) =>
    typeof value === 'string'
      ? runIds.reduce((text, id, i) => text.replaceAll(id, `run ${i + 1}`), value)
      : value;
  const rows = async (table: string, columns: string[]) => {
    const found: Record<string, unknown>[] = await knex(table).select(columns);
    return found.map((row) => JSON.stringify(columns.map((column) => numbered(row[column])))).sort();
  };
  return {
    runs: await rows('runs', ['run_id', 'outcome', 'version', 'membership_rows', 'membership_sha256']),
    segments: await rows('segments', ['segment_id', 'born_in_run', 'retired_in_run']),
    edges: await rows('segment_snapshots', ['run_id', 'segment_id', 'cluster', 'event', 'name', 'customers']),
    parents: await rows('segments', ['segment_id', 'parents']),
    names: await rows('segment_names', ['segment_id', 'version', 'name', 'author', 'run_id']),
    publications: await rows('publications', ['run_id', 'reviewed_by']),
    movements: await rows('movements', ['run_id', 'from_segment_id', 'to_segment_id', 'cause', 'customers']),
    alerts: await rows('alerts', ['rule', 'subject', 'state', 'title', 'occurrences', 'opened_in_run']),
    checks: await rows('alert_checks', ['run_id', 'moment']),
    outbox: await rows('outbox', ['run_id', 'event', 'channel']),
  };
}

test('killed at every write and restarted, a run makes neither a second key nor a second alert', async () => {
  const undisturbed = await twoRuns((name, input) => shop.perform(name, input));
  // There is something that could be there twice.
  expect(undisturbed.segments).toHaveLength(5);
  expect(undisturbed.edges.join()).toMatch(/"split"/);
  expect(undisturbed.outbox).toEqual([
    '["run 1","run.published","0:log"]',
    '["run 2","alerts.held","0:log"]',
    '["run 2","alerts.published","0:log"]',
    '["run 2","run.published","0:log"]',
  ]);
  expect(await twoRuns(killedAtEveryWrite)).toEqual(undisturbed);
  for (const name of KILLED) expect(kills[name], name).toBeGreaterThanOrEqual(2);
}, 240_000);
