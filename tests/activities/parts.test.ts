import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { artifactsIn } from '../../pipelines/contracts/artifacts.ts';
import type { Definition } from '../../pipelines/contracts/definition.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { Run, StartInput } from '../../pipelines/contracts/run.ts';
import type { Extract } from '../../pipelines/contracts/stages.ts';
import type { FeaturePlan } from '../../pipelines/stages/parts.ts';
import { decodeJson } from '../../store/artifacts/json.ts';
import { writeShopExtract } from '../helpers/activity-extract.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { performThreeTimes } from '../helpers/activity-three-times.ts';
import {
  type Call,
  closingOf,
  publishWalked,
  type Walked,
  walkAssign,
  walkToStability,
} from '../helpers/activity-walk.ts';

const PARTS = 7;

let shop: ActivityShop;

beforeAll(async () => {
  shop = await openActivityShop();
}, 60_000);
afterAll(() => shop?.close());

const once: Call = (name, input) => shop.perform(name, input);
const threeTimes: Call = (name, input) => performThreeTimes(shop, name, input);

/** What a run made, but for what names the run itself. */
const digestsOf = ({ features, clustering, match }: Pick<Walked, 'features' | 'clustering' | 'match'>) => ({
  customers: features.customers.sha256,
  values: features.values.sha256,
  matrix: features.matrix.sha256,
  transforms: features.transforms.sha256,
  report: features.report?.sha256,
  labels: clustering.labels.sha256,
  model: clustering.model.sha256,
  relabelled: match.relabelled?.sha256,
});

/** A run with its extract. */
async function extracted(input: StartInput): Promise<{ run: Run; extract: Extract }> {
  const { execution: workflow } = await shop.openWorkflow();
  const opened = await shop.perform('openRun', { input, workflow, scheduledAt: null });
  const extract = await shop.perform('extractCustomers', { run: opened.run });
  return { run: { ...opened.run, asOf: extract.asOf }, extract };
}

/** Memberships of a run, cut into parts. */
async function planned({ run, features, clustering, match, naming }: Walked) {
  const product = { run, features, clustering, match, naming };
  const plan = await shop.perform('planMemberships', { ...product, parts: PARTS });
  return { ...product, ...plan, since: new Date().toISOString() };
}

async function membershipsOf(runId: string) {
  return shop.database
    .knex('memberships')
    .where({ run_id: runId })
    .orderBy('customer_id')
    .select('customer_id', 'segment_id', 'distance', 'margin', 'move_cause');
}

describe('a run in parts', () => {
  test('can be done again at any point, and makes what one worker makes of it, row for row', async () => {
    const asOf = '2026-06-01';
    const whole = await walkToStability(shop, { asOf });
    await publishWalked(shop, whole);
    const parted = await walkToStability(shop, { asOf }, threeTimes, PARTS);
    expect({ ...digestsOf(parted), relabelled: null }).toEqual({ ...digestsOf(whole), relabelled: null });
    const rows = await membershipsOf(parted.run.runId);
    expect(rows).toHaveLength(parted.features.customers.rows);
    const withoutMoves = (list: typeof rows) => list.map(({ move_cause: _, ...row }) => row);
    expect(withoutMoves(rows)).toEqual(withoutMoves(await membershipsOf(whole.run.runId)));
    expect(await publishWalked(shop, parted)).toMatchObject({ outcome: 'published' });
  }, 120_000);

  test('tells why customers moved as one that is done as a whole', async () => {
    const whole = await walkToStability(shop, { asOf: '2026-07-01' });
    const parted = await walkToStability(shop, { asOf: '2026-07-01' }, once, PARTS);
    expect(digestsOf(parted)).toEqual(digestsOf(whole));
    const moves = await membershipsOf(whole.run.runId);
    expect(moves.some(({ move_cause: cause }) => cause !== null)).toBe(true);
    expect(await membershipsOf(parted.run.runId)).toEqual(moves);
  }, 120_000);

  test('assigns by the published model as one worker does', async () => {
    const whole = await walkAssign(shop, { asOf: '2026-07-05' });
    const parted = await walkAssign(shop, { asOf: '2026-07-05' }, threeTimes, PARTS);
    expect(digestsOf(parted)).toEqual(digestsOf(whole));
    expect(parted.clustering.quality).toEqual(whole.clustering.quality);
    expect(await membershipsOf(parted.run.runId)).toEqual(await membershipsOf(whole.run.runId));
  }, 120_000);

  test('leaves no file of a part once it is published, and a part that ends late takes nothing but itself', async () => {
    const walked = await walkToStability(shop, { asOf: '2026-07-06' }, once, PARTS);
    const { run, extract, validation, match, naming, features, clustering } = walked;
    await shop.perform('publishRun', { run, match, naming, review: null });
    const filesOfRun = async () =>
      (await shop.snapshot()).files.filter((file) => file.startsWith('.runs/') && file.includes(run.runId));
    const parts = (files: string[]) => files.filter((file) => file.includes('part'));
    expect(parts(await filesOfRun()).length).toBeGreaterThan(PARTS);
    await shop.perform('closeRun', { run, closing: closingOf(walked, 'published'), hadParts: true });
    const left = await filesOfRun();
    expect(parts(left)).toEqual([]);

    // Its worker stood still all the while: nobody has told it that the run is over.
    const late = { type: 'RUN_ABANDONED', nonRetryable: true };
    await expect(shop.perform('planParts', { run, extract, parts: PARTS })).rejects.toMatchObject(late);
    await expect(shop.perform('buildFeatures', { run, extract, validation })).rejects.toMatchObject(late);
    expect(await filesOfRun()).toEqual(left);
    for (const [, ref] of artifactsIn({ ...extract, ...features, ...clustering, ...match, ...naming }))
      await shop.context.artifacts.verify(ref);
  }, 120_000);

  test('leaves no file of a part where its workflow was terminated after it was published, also at a second try', async () => {
    const { run, match, naming } = await walkToStability(shop, { asOf: '2026-07-07' }, once, PARTS);
    await shop.perform('publishRun', { run, match, naming, review: null });
    await shop.client.workflow.getHandle(run.workflow.id).terminate();
    const settling = vi.spyOn(shop.context.repositories.alerts, 'settleHeld');
    settling.mockRejectedValueOnce(new PipelineError('POSTGRES_UNREACHABLE', 'for the test'));
    const keep = () => shop.perform('keepHistory', { runId: run.runId, workflow: run.workflow });
    const parts = async () =>
      (await shop.snapshot()).files
        .filter((file) => file.startsWith('.runs/') && file.includes(run.runId))
        .filter((file) => file.includes('part'));
    expect((await parts()).length).toBeGreaterThan(PARTS);
    await expect(keep()).rejects.toMatchObject({ type: 'POSTGRES_UNREACHABLE' });
    settling.mockRestore();
    await keep();
    expect(await parts()).toEqual([]);
    expect((await shop.context.repositories.runs.get(run.runId)).outcome).toBe('published');
  }, 120_000);

  test('has no more parts than customers, and every row in one of them', async () => {
    const path = await writeShopExtract(shop.context.scratchFolder, { customers: 5 });
    const { run, extract } = await extracted({ extract: path });
    const { plan, parts } = await shop.perform('planParts', { run, extract, parts: 32 });
    const planned = decodeJson(await shop.context.artifacts.read(plan)) as FeaturePlan;
    const pieces = planned.parts.flat();
    expect(planned.parts).toHaveLength(parts);
    // Lines without a customer are a customer here, whom no feature sees.
    expect(parts).toBeLessThanOrEqual(6);
    expect(parts).toBeGreaterThan(1);
    expect([0, ...pieces.map(({ end }) => end)]).toEqual([
      ...pieces.map(({ first }) => first),
      extract.artifact.rows,
    ]);
  }, 60_000);
});

describe('a run in parts of a definition with words, and many features that few customers have', () => {
  test('has the products of one that is done as a whole, and says as little of each part', async () => {
    const file = join(shop.context.definitionFolders[0]!, 'shop/pipeline.yaml');
    const text = await readFile(file, 'utf8');
    const { features, ...rest } = parse(text) as Definition;
    const rare = Array.from({ length: 60 }, (_, i) => ({
      ...{ name: `rare${i}`, unit: 'cents', why: 'Of few customers.', whenMissing: 0 },
      sql: `sum(amount) FILTER (WHERE quantity > ${90 + i}) * 100`,
    }));
    const words = [{ name: 'lastChannel', why: 'Where they buy.', sql: 'arg_max(channel, ordered_at)' }];
    const aggregate = [...features.aggregate, ...rare];
    await writeFile(file, stringify({ ...rest, features: { ...features, aggregate, categories: words } }));
    try {
      const bytes: number[] = [];
      const measuring: Call = (name, input) => {
        bytes.push(JSON.stringify(input).length);
        return once(name, input);
      };
      const whole = await walkToStability(shop, { asOf: '2026-07-07' });
      const parted = await walkToStability(shop, { asOf: '2026-07-07' }, measuring, 32);
      expect(digestsOf(parted)).toEqual(digestsOf(whole));
      expect(parted.features.categories?.sha256).toBe(whole.features.categories!.sha256);
      expect(Math.max(...bytes)).toBeLessThan(32_000);
    } finally {
      await writeFile(file, text);
    }
  }, 120_000);
});

describe('a part', () => {
  test('whose run was closed meanwhile is not taken, and leaves no file', async () => {
    const { run, extract } = await extracted({ asOf: '2026-05-01' });
    const before = (await shop.context.artifacts.list('part')).length;
    await shop.context.repositories.runs.abandon(run.runId, 'for the test');
    await shop.context.artifacts.release(run.runId, ['extract', 'definition']);
    await expect(shop.perform('planParts', { run, extract, parts: 2 })).rejects.toMatchObject({
      type: 'RUN_ABANDONED',
      nonRetryable: true,
    });
    expect(await shop.context.artifacts.list('part')).toHaveLength(before);
  }, 60_000);

  test('of memberships is not kept waiting by another one that is being loaded, and is loaded again where it was lost', async () => {
    const walked = await walkToStability(shop, { asOf: '2026-07-08' }, once, PARTS);
    const { run, features, plan, parts, since } = await planned(walked);
    const other = await shop.database.knex.transaction();
    await other('runs').where({ run_id: run.runId }).forShare();
    try {
      const loading = shop.perform('loadMemberships', { run, plan, since, part: 0 });
      expect(await loading).toMatchObject({ rows: expect.any(Number) });
    } finally {
      await other.rollback();
    }
    const { sequence } = await shop.context.repositories.runs.get(run.runId);
    await shop.database.knex.raw('drop table ?? cascade', [`memberships_${sequence}`]);
    for (let part = 0; part < parts; part++)
      await shop.perform('loadMemberships', { run, plan, since, part });
    await shop.perform('persistRun', { ...walked, loaded: { plan, parts } });
    expect(await shop.context.repositories.memberships.count(run.runId)).toBe(features.customers.rows);
  }, 60_000);

  test('whose run was closed meanwhile leaves no file when it is cancelled, too', async () => {
    const before = (await shop.context.artifacts.list('part')).length;
    const { run, extract } = await extracted({ asOf: '2026-05-03' });
    const { plan } = await shop.perform('planParts', { run, extract, parts: 2 });
    await shop.context.repositories.runs.abandon(run.runId, 'for the test');
    const environment = shop.environment();
    const { write } = shop.context.artifacts;
    const writing = vi.spyOn(shop.context.artifacts, 'write');
    writing.mockImplementation(async (...args) => {
      const ref = await write(...args);
      environment.cancel();
      return ref;
    });
    const late = shop.perform('aggregatePart', { run, plan, part: 0 }, environment);
    await expect(late).rejects.toBeInstanceOf(CancelledFailure);
    expect(writing).toHaveBeenCalledOnce();
    writing.mockRestore();
    expect(await shop.context.artifacts.list('part')).toHaveLength(before);
  }, 60_000);

  test('of memberships that are being attached hears of a cancel while it waits', async () => {
    const walked = await walkToStability(shop, { asOf: '2026-07-09' }, once, PARTS);
    const { run, plan, parts, since } = await planned(walked);
    for (let part = 0; part < parts; part++)
      await shop.perform('loadMemberships', { run, plan, since, part });
    const other = await shop.database.knex.transaction();
    await other('runs').where({ run_id: run.runId }).forUpdate();
    try {
      const environment = shop.environment();
      let heartbeats = 0;
      environment.on('heartbeat', () => {
        heartbeats += 1;
        if (heartbeats === 3) environment.cancel();
      });
      const attaching = shop.perform('persistRun', { ...walked, loaded: { plan, parts } }, environment);
      await expect(attaching).rejects.toBeInstanceOf(CancelledFailure);
    } finally {
      await other.rollback();
    }
  }, 60_000);

  test('stops at a cancel, and leaves no file', async () => {
    const { run, extract } = await extracted({ asOf: '2026-05-02' });
    const { plan } = await shop.perform('planParts', { run, extract, parts: 2 });
    const before = await shop.snapshot();
    const environment = shop.environment();
    environment.on('heartbeat', () => environment.cancel());
    const aggregating = shop.perform('aggregatePart', { run, plan, part: 0 }, environment);
    await expect(aggregating).rejects.toBeInstanceOf(CancelledFailure);
    expect(await shop.snapshot()).toEqual(before);
  }, 60_000);
});
