import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { MOST_MEMBERSHIP_PARTS, MOST_PARTS } from '../../pipelines/contracts/parts.ts';
import type { ReproductionSummary } from '../../pipelines/contracts/reproduce.ts';
import type { RunSummary } from '../../pipelines/contracts/run.ts';
import type { Scale } from '../../pipelines/contracts/scale-settings.ts';
import type { WorkerProcess } from '../../scripts/worker-process.ts';
import { connect } from '../../store/postgres/connect.ts';
import { createRepositories } from '../../store/postgres/repositories.ts';
import { ID_MARK, writeShopExtract } from '../helpers/activity-extract.ts';
import { filesIn } from '../helpers/activity-shop.ts';
import { openStrataHome, type StrataHome, untilProgress } from '../helpers/strata-home.ts';

const MINUTES = 60_000;
const KILOBYTE = 1024;

let folder: string;
let extract: string;
let strata: StrataHome;
let workers: WorkerProcess[];
let whole: RunSummary;
let runs = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-extracts-'));
  extract = await writeShopExtract(folder, { customers: 3_000 });
  strata = await openStrataHome({ fewTrials: true });
  workers = [await strata.startWorker({ threads: 1 }), await strata.startWorker({ threads: 1 })];
  await (await start({ asOf: '2026-06-01' })).result();
  whole = await rejected(await start({ review: 'always' }));
}, 3 * MINUTES);

afterAll(async () => {
  await strata?.close();
  await rm(folder, { recursive: true, force: true });
});

const start = (input: object) => strata.startRun({ extract, ...input }, `segment/in-parts/${runs++}`);
type Handle = Awaited<ReturnType<typeof start>>;

/** So that the next run is compared with the same publication. */
async function rejected(handle: Handle): Promise<RunSummary> {
  await untilProgress(handle, ({ outcome }) => outcome === 'held', 2 * MINUTES);
  await handle.executeUpdate('review', { args: [{ decision: 'reject' }] });
  return handle.result();
}

/** From now on runs of the shop are done so. */
async function scaleTo(scale: Scale | null): Promise<void> {
  const file = join(strata.home, 'definitions/shop/pipeline.yaml');
  const { scale: _, ...shop } = parse(await readFile(file, 'utf8')) as { scale?: Scale };
  await writeFile(file, stringify(scale ? { ...shop, scale } : shop));
}

const productsOf = ({ stages }: RunSummary) => stages.map(({ stage, digests }) => [stage, digests]);

describe('a run that two workers do in parts', () => {
  let parted: RunSummary;
  let handle: Handle;

  test(
    'ends with the digests of one that is done as a whole, every product of every stage',
    async () => {
      await scaleTo({ parts: MOST_PARTS, atOnce: 4 });
      handle = await start({ review: 'always' });
      parted = await rejected(handle);
      expect(productsOf(parted)).toEqual(productsOf(whole));
      expect(Object.keys(Object.fromEntries(productsOf(parted)).features as object)).toContain('matrix');
      expect(parted.counts).toEqual(whole.counts);
      expect(parted.segments).toEqual(whole.segments);
    },
    3 * MINUTES,
  );

  test('with as many parts as may be leaves a history below 200 KB, and no payload of 64 KB or with a customer', async () => {
    const { historySize } = await handle.describe();
    expect(historySize).toBeLessThan(200 * KILOBYTE);
    const history = await handle.fetchHistory();
    const text = historyToJSON(history);
    const payloads = Array.from(text.matchAll(/"data": ?"([A-Za-z0-9+/=]*)"/g), ([, data]) =>
      Buffer.from(data!, 'base64'),
    );
    expect(Math.max(...payloads.map(({ byteLength }) => byteLength))).toBeLessThan(64 * KILOBYTE);
    expect(text.match(/aggregatePart/g)!.length).toBeGreaterThanOrEqual(MOST_PARTS);
    expect(text.match(/loadMemberships/g)!.length).toBe(MOST_MEMBERSHIP_PARTS);
    for (const payload of payloads) expect(payload.toString()).not.toContain(ID_MARK);
  });

  test('leaves no file of a part, and no table of one', async () => {
    const files = await filesIn(join(strata.home, 'artifacts'));
    expect(files.filter((file) => file.startsWith('part/'))).toEqual([]);
    const knex = connect(strata.services.databaseUrl);
    try {
      const { sequence } = await createRepositories(knex).runs.get(parted.runId);
      const start = `memberships\\_${sequence}`;
      expect(await knex('pg_class').where('relname', 'like', `${start}%`).pluck('relname')).toEqual([]);
    } finally {
      await knex.destroy();
    }
  });
});

describe('a worker that is killed in the middle of its parts', () => {
  test(
    'costs no customer: the other one does them, and readers see what they would have seen',
    async () => {
      await scaleTo({ parts: 6, atOnce: 3 });
      const handle = await start({ review: 'never' });
      await untilProgress(handle, ({ stage, parts }) => stage === 'features' && (parts?.done ?? 0) >= 1);
      await workers[0]!.kill();
      const summary = await handle.result();
      expect(summary.outcome).toBe('published');
      const upTo = (products: unknown[]) => products.slice(0, productsOf(whole).length);
      expect(upTo(productsOf(summary))).toEqual(productsOf(whole));

      await strata.client.workflow.getHandle(`history/${summary.runId}`).result();
      const again = await strata.client.workflow.execute('reproduceRun', {
        workflowId: `reproduce/${summary.runId}`,
        taskQueue: 'strata',
        args: [{ run: summary.runId }],
      });
      expect((again as ReproductionSummary).verdict).toBe('reproduced');
    },
    4 * MINUTES,
  );
});
