import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunSummary, Stage } from '../../pipelines/contracts/run.ts';
import type { Scale } from '../../pipelines/contracts/scale-settings.ts';
import type { S3Place } from '../../store/artifacts/s3-place.ts';
import { writeShopExtract } from '../helpers/activity-extract.ts';
import { type S3Server, startS3Server } from '../helpers/s3-server.ts';
import { digestsOf, openStrataHome, type StrataHome, untilProgress } from '../helpers/strata-home.ts';
import { findVersitygw } from '../helpers/versitygw.ts';

const MINUTES = 60_000;
/** Longer than the client tries by itself. */
const AWAY_MS = 4_000;
const versitygw = await findVersitygw();

/** Identities of the workers that were given activities of these types. */
function whoDid({ events }: temporal.api.history.v1.IHistory, types: readonly string[]): string[] {
  const scheduled = new Set(
    events!.flatMap(({ eventId, activityTaskScheduledEventAttributes: activity }) =>
      types.includes(activity?.activityType?.name ?? '') ? [String(eventId)] : [],
    ),
  );
  return events!.flatMap(({ activityTaskStartedEventAttributes: started }) =>
    scheduled.has(String(started?.scheduledEventId)) ? [started!.identity!] : [],
  );
}

/** Artifacts by name; a history has ids of its own. */
async function artifactsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((name) => !/^(\.|history\/)/.test(name))
    .sort();
}

describe.skipIf(versitygw === null)(
  'three workers, each with a folder of its own, that do a run in parts with the artifacts in a bucket (needs versitygw)',
  () => {
    let server: S3Server;
    let place: S3Place;
    let extracts: string;
    let extract: string;
    const homes: StrataHome[] = [];

    async function refitAndAssign(
      env: Record<string, string>,
      { folders, scale, disturbed = [] }: { folders: string[]; scale?: Scale; disturbed?: Stage[] },
    ): Promise<RunSummary[]> {
      const home = await openStrataHome({
        fewTrials: true,
        change: (shop) => ({ ...shop, ...(scale && { scale }) }),
      });
      homes.push(home);
      if (folders.length === 0) await home.startWorker({ threads: 2, env });
      for (const folder of folders) await home.startWorker({ home: folder, threads: 1, env });
      const run = await home.startRun({ extract, asOf: '2026-05-01' });
      for (const stage of disturbed) {
        await untilProgress(
          run,
          ({ stage: now, done }) => now === stage || done.some((each) => each.stage === stage),
        );
        await server.kill();
        await sleep(AWAY_MS);
        await server.start();
      }
      const refit = await run.result();
      const assign = await home.client.workflow.execute<(input: object) => Promise<RunSummary>>(
        'assignCustomers',
        {
          ...{ workflowId: 'assign/shop/2026-05-15', taskQueue: 'strata' },
          args: [{ extract, asOf: '2026-05-15' }],
        },
      );
      return [refit, assign];
    }

    let inFolder: RunSummary[];
    let inBucket: RunSummary[];
    let folders: string[];

    beforeAll(async () => {
      extracts = await mkdtemp(join(tmpdir(), 'strata-extracts-'));
      extract = await writeShopExtract(extracts, { customers: 2_000 });
      server = await startS3Server(versitygw!);
      place = await server.place('shop', 'strata');
      inFolder = await refitAndAssign({}, { folders: [] });
      folders = [1, 2, 3].map((worker) => join(extracts, `worker-${worker}`));
      inBucket = await refitAndAssign(server.environment(place), {
        ...{ folders, scale: { parts: 6, atOnce: 6 }, disturbed: ['validate', 'features', 'persist'] },
      });
    }, 6 * MINUTES);

    afterAll(async () => {
      for (const home of homes) await home.close();
      await server?.close();
      await rm(extracts, { recursive: true, force: true });
    });

    test('a refit, through kills of the S3 server, and an assign run come to the digests of one worker with a folder that does them as a whole', () => {
      expect(inBucket.map(({ outcome }) => outcome)).toEqual(['published', 'published']);
      expect(inBucket.map(digestsOf)).toEqual(inFolder.map(digestsOf));
    });

    test('the bucket has the very artifacts of the folder, by name', async () => {
      const inHome = await artifactsIn(join(homes[0]!.home, 'artifacts'));
      expect(inHome.length).toBeGreaterThan(20);
      expect(await artifactsIn(server.fileOf(place))).toEqual(inHome);
    });

    test('nothing passes by local disk: no worker has a folder of artifacts, and several did a part', async () => {
      expect(existsSync(join(homes[0]!.home, 'artifacts'))).toBe(true);
      for (const home of [homes[1]!.home, ...folders])
        expect(existsSync(join(home, 'artifacts'))).toBe(false);
      const history = await homes[1]!.client.workflow.getHandle('segment/test/latest').fetchHistory();
      const workers = new Set(whoDid(history, ['aggregatePart', 'loadMemberships']));
      // Who takes a task is Temporal's to say.
      expect(workers.size).toBeGreaterThan(1);
    });
  },
);
