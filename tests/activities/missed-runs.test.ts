import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createWatchActivities } from '../../activities/missed-runs.ts';
import { createNotifyActivities } from '../../activities/notify.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { type DueSchedule, makeDueSchedule } from '../helpers/due-schedule.ts';
import { assertRepeatable } from '../helpers/repeatable.ts';
import { shortDefinition } from '../helpers/short-definition.ts';

const pipeline = `p${randomUUID().slice(0, 8)}`;
/** Names of its schedules: the server knows runs of one that was deleted. */
let made = 0;
const HOURLY = '{ name: hourly, kind: assign, frequency: "0 * * * *", overlap: skip }\n';

let shop: ActivityShop;
let folder: string;
let receiver: Server;
let posts: { key: string; body: { moment: string; alerts: { title: string }[] } }[];
let schedule: DueSchedule;
let tellMissedRuns: (input: { now: string; settleSeconds: number }) => Promise<unknown>;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      posts.push({ key: String(request.headers['idempotency-key']), body });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening));
  const address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  shop = await openActivityShop({ secrets: { OPS: address } });
  folder = await mkdtemp(join(tmpdir(), 'strata-watched-'));
  const { tellMissedRuns: tell } = createWatchActivities({ ...shop.context, definitionFolders: [folder] });
  tellMissedRuns = (input) => shop.environment().run(tell, input);
}, 60_000);

afterAll(async () => {
  receiver?.close();
  await shop?.client.workflow
    .getHandle(`deliver/${pipeline}`)
    .terminate()
    .catch(() => undefined);
  await shop?.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  posts = [];
  await define(HOURLY);
  schedule = await makeDueSchedule(shop.client, pipeline, `hourly-${made++}`);
});

afterEach(async () => {
  await schedule.remove();
  await shop.database.clear();
});

async function define(sections: string): Promise<void> {
  const files = shortDefinition({ pipeline, schedule: sections });
  await mkdir(join(folder, pipeline), { recursive: true });
  await writeFile(
    join(folder, pipeline, 'pipeline.yaml'),
    `${files.pipeline}notify: [{ kind: webhook, urlFrom: OPS }]\n`,
  );
  await writeFile(join(folder, pipeline, 'contract.yaml'), files.contract);
}

const look = (settleSeconds = 0) => tellMissedRuns({ now: schedule.later, settleSeconds });
const alerts = () => shop.context.repositories.alerts.list({ pipeline, all: true });
const rows = async () => (await shop.snapshot()).rows;
const deliver = () =>
  shop.environment().run(createNotifyActivities(shop.context).deliverPipeline, { pipeline });

describe('due times that have no run', () => {
  test('become one alert that is delivered once, however often they are looked at', async () => {
    // Other tests make and delete schedules of theirs meanwhile: what a look answers is counted over all of them.
    await assertRepeatable(async () => void (await look()), rows);
    expect(await alerts()).toMatchObject([
      {
        ...{ rule: 'missed-run', state: 'open', occurrences: 3, openedInRun: null, lastSeenRun: null },
        title: expect.stringMatching(/^hourly-\d has no run for 3 due times, \d{4}-.* \(UTC\)$/),
      },
    ]);
    const [alert] = await alerts();
    // By a workflow that outlives the look.
    const handle = shop.client.workflow.getHandle(`deliver/${pipeline}`);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await deliver();
    await look();
    await deliver();
    expect(posts).toMatchObject([
      {
        key: `${alert!.alertId}/alerts.missed/0:webhook`,
        body: { event: 'alerts', pipeline, runId: null, moment: 'missed', alerts: [{ title: alert!.title }] },
      },
    ]);
  });

  test('leave the alert when their runs come, and the last of them ends it, which is told once', async () => {
    await look();
    const [first, second, third] = schedule.due;
    await schedule.run(second);
    await assertRepeatable(async () => void (await look()), rows);
    expect(await alerts()).toMatchObject([{ state: 'open', title: expect.stringContaining('2 due times') }]);
    await schedule.run(first);
    await schedule.run(third);
    await assertRepeatable(async () => void (await look()), rows);
    expect(await alerts()).toMatchObject([
      { state: 'resolved', resolved: { by: 'strata', note: 'its runs have been started' } },
    ]);
    await deliver();
    expect(posts.map(({ body }) => body.moment)).toEqual(['missed', 'over']);
  }, 60_000);

  test('are not told where the run starts while it is waited whether it does', async () => {
    const looking = look(3);
    await sleep(300);
    for (const dueAt of schedule.due) await schedule.run(dueAt);
    await looking;
    expect(await alerts()).toEqual([]);
  }, 60_000);

  test('of a definition that cannot be read are told once it can', async () => {
    await define('{ kind: never }\n');
    expect(await look()).toMatchObject({
      unread: expect.arrayContaining([{ pipeline, reason: expect.stringContaining('DEFINITION_INVALID') }]),
    });
    expect(await alerts()).toEqual([]);
    await define(HOURLY);
    await look();
    expect(await alerts()).toHaveLength(1);
  });
});
