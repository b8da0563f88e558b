import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { readCustomers, readLabels, readValues } from '../../activities/columns.ts';
import { noiseBand } from '../../numeric/movement/noise-band.ts';
import type { Definition } from '../../pipelines/contracts/definition.ts';
import { createAssigner } from '../../pipelines/stages/assign.ts';
import { joinCustomers } from '../../pipelines/stages/match.ts';
import { parseModel } from '../../pipelines/stages/model.ts';
import { parseStabilityReport } from '../../pipelines/stages/stability-report.ts';
import { encodeColumns } from '../../store/artifacts/columns-file.ts';
import { decodeJson } from '../../store/artifacts/json.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import {
  closingOf,
  publishWalked,
  type Walked,
  type WalkedAssign,
  walkAssign,
  walkToStability,
} from '../helpers/activity-walk.ts';

let shop: ActivityShop;
let fitted: Walked;
let assigned: WalkedAssign;

beforeAll(async () => {
  shop = await openActivityShop();
}, 60_000);

afterAll(() => shop?.close());

const json = async (ref: Parameters<typeof shop.context.artifacts.read>[0]) =>
  decodeJson(await shop.context.artifacts.read(ref));
const idsOf = ({ match }: Pick<Walked, 'match'>) => match.segments.map(({ segmentId }) => segmentId);

async function changeDefinition(change: (definition: Definition) => object): Promise<() => Promise<void>> {
  const file = join(shop.context.definitionFolders[0]!, 'shop/pipeline.yaml');
  const before = await readFile(file, 'utf8');
  const definition = parse(before) as Definition;
  await writeFile(file, stringify({ ...definition, ...change(definition) }));
  return () => writeFile(file, before);
}

test('before anything is published there is nothing to assign by, and the way out is told', async () => {
  await expect(walkAssign(shop)).rejects.toMatchObject({
    type: 'CHAMPION_MISSING',
    message: expect.stringContaining('npm start -- --pipeline shop'),
  });
});

test('the seed and the number of segments are the model’s: an assign run takes neither', async () => {
  const { execution: workflow } = await shop.openWorkflow();
  const opening = { input: { k: 5 }, workflow, scheduledAt: null, kind: 'assign' as const };
  await expect(shop.perform('openRun', opening)).rejects.toMatchObject({ type: 'INPUT_INVALID' });
});

describe('after a refit was published', () => {
  beforeAll(async () => {
    await closeOpenRuns();
    fitted = await walkToStability(shop, { asOf: '2026-05-01' });
    await publishWalked(shop, fitted);
    assigned = await walkAssign(shop, { asOf: '2026-06-01' });
  }, 60_000);

  test('new customers get the segments that its model gives them one by one, with the same ids', async () => {
    const { artifacts } = shop.context;
    const { features, clustering } = assigned;
    const assign = createAssigner(parseModel(await json(fitted.clustering.model)));
    const columns = await readValues(artifacts, features.values);
    const { labels, distance, margin } = await readLabels(artifacts, clustering.labels);
    expect(labels.length).toBeGreaterThan(fitted.features.customers.rows);
    for (let row = 0; row < labels.length; row++) {
      const one = assign(Object.fromEntries(Object.entries(columns).map(([name, of]) => [name, of[row]!])));
      expect([labels[row], distance[row], margin[row]]).toEqual([one.cluster, one.distance, one.margin]);
    }
    expect(idsOf(assigned)).toEqual(idsOf(fitted));
    expect(features.transforms.sha256).toBe(fitted.features.transforms.sha256);
    expect(clustering.model.sha256).toBe(fitted.clustering.model.sha256);
  });

  test('the scores are those of the fit, what is measured stands beside them', () => {
    const { assigned: measured, ...ofFit } = assigned.clustering.quality;
    expect(ofFit).toEqual({ ...fitted.clustering.quality, adjustedRand: null, movedShare: null });
    expect(measured).toMatchObject({
      customers: assigned.features.customers.rows,
      whenFitted: { customers: fitted.features.customers.rows },
    });
    expect(measured!.simplifiedSilhouette).toBeGreaterThan(0.2);
    expect(measured!.novelShare).toBeLessThan(0.02);
  });

  test('no move is the model’s', async () => {
    const { movements } = parseStabilityReport(await json(assigned.stability.report));
    expect(movements!.moved!.behaviour.customers).toBeGreaterThan(0);
    expect(movements!.moved!.model.customers).toBe(0);
    expect(movements!.movements.map(({ cause }) => cause)).not.toContain('model');
    expect(assigned.stability.verdict).not.toBe('unstable');
  });

  test('the next run is compared with it, and its model stays the one that was fitted', async () => {
    await publishWalked(shop, assigned);
    const { repositories } = shop.context;
    const published = (await repositories.publications.current('shop'))!;
    expect(published).toMatchObject({ runId: assigned.run.runId, fittedIn: fitted.run.runId });
    expect(published.artifacts.model.sha256).toBe(fitted.clustering.model.sha256);
    const next = await walkAssign(shop, { asOf: '2026-06-02' });
    expect(next.match.base?.runId).toBe(assigned.run.runId);
    expect(next.run.champion).toMatchObject({ runId: fitted.run.runId, asOf: '2026-05-01' });
    expect(next.naming.segments.map(({ name }) => name)).toEqual(
      assigned.naming.segments.map(({ name }) => name),
    );
    await publishWalked(shop, next);
    const refit = await walkToStability(shop, { asOf: '2026-06-03' });
    expect(refit.match.base?.runId).toBe(next.run.runId);
    expect(await json(refit.profile.changes!)).toMatchObject({ since: { runId: fitted.run.runId } });
    expect(idsOf(refit).filter((id) => idsOf(fitted).includes(id)).length).toBeGreaterThan(0);
    await reject(refit);
  }, 60_000);

  test('letting go of a run that assigned leaves the model to others', async () => {
    const { artifacts } = shop.context;
    await reject(await walkAssign(shop, { asOf: '2026-06-04' }));
    await expect(artifacts.read(fitted.clustering.model)).resolves.toBeInstanceOf(Buffer);
  }, 60_000);

  test('with hysteresis those at a border stay where they are, once, and are counted as held', async () => {
    const { artifacts } = shop.context;
    const restore = await changeDefinition(({ stability }) => ({
      stability: { ...stability, hysteresis: true },
    }));
    try {
      const before = (await shop.context.repositories.publications.current('shop'))!;
      const first = await walkAssign(shop, { asOf: '2026-06-25' });
      const { match, features, clustering, stability, run } = first;
      const said = await readLabels(artifacts, clustering.labels);
      const settled = await readLabels(artifacts, match.members!);
      const was = await readLabels(artifacts, before.artifacts.labels);
      const { previousRow } = joinCustomers(
        await readCustomers(artifacts, before.artifacts.customers),
        await readCustomers(artifacts, features.customers),
      );
      const { confidence } = parseModel(await json(clustering.model));
      const band = noiseBand(confidence!);
      let held = 0;
      for (let row = 0; row < said.labels.length; row++) {
        const previous = previousRow[row]! < 0 ? said.labels[row]! : was.labels[previousRow[row]!]!;
        const isHeld = previous !== said.labels[row] && said.margin[row]! <= band;
        if (isHeld) held++;
        expect(settled.labels[row], `row ${row}`).toBe(isHeld ? previous : said.labels[row]);
      }
      // Some stayed and some went, or this would say nothing.
      expect(held).toBeGreaterThan(0);
      expect(match.held).toBe(held);
      expect(
        settled.labels.some(
          (label, row) => previousRow[row]! >= 0 && label !== was.labels[previousRow[row]!],
        ),
      ).toBe(true);
      const { metrics } = parseStabilityReport(await json(stability.report));
      expect(metrics.find(({ metric }) => metric === 'held-share')!.value).toBe(held / said.labels.length);
      // Readers get them as they were settled.
      const sizes = await shop.database
        .knex('memberships')
        .where({ run_id: run.runId })
        .groupBy('segment_id')
        .select('segment_id')
        .count<{ segment_id: string; count: string }[]>({ count: '*' });
      expect(new Map(sizes.map((row) => [row.segment_id, Number(row.count)]))).toEqual(
        new Map(
          match.segments.map(({ segmentId, cluster }) => [
            segmentId,
            settled.labels.filter((label) => label === cluster).length,
          ]),
        ),
      );
      // Done anew it comes to the same.
      await shop.forgetSteps(run.runId);
      const { ms: _, ...again } = await shop.perform('keepIdentities', { run, features, clustering });
      expect(match).toMatchObject(again);

      // The same date seen again is no second sight.
      await publishWalked(shop, first);
      const sameDate = await walkAssign(shop, { asOf: '2026-06-25' });
      expect(sameDate.match.held).toBe(held);
      await reject(sameDate);
      // Seen there on the next date, too, they go.
      const next = await walkAssign(shop, { asOf: '2026-06-26' });
      const saidNext = await readLabels(artifacts, next.clustering.labels);
      const settledNext = await readLabels(artifacts, next.match.members!);
      const join = joinCustomers(
        await readCustomers(artifacts, features.customers),
        await readCustomers(artifacts, next.features.customers),
      );
      const waited = [...join.previousRow.entries()].filter(
        ([row, before]) => before >= 0 && settled.waiting![before] === saidNext.labels[row],
      );
      expect(waited.length).toBeGreaterThan(0);
      for (const [row] of waited) expect(settledNext.labels[row]).toBe(saidNext.labels[row]);
      await reject(next);
    } finally {
      await restore();
    }
  }, 60_000);

  test('features that the definition makes otherwise by now wait for a refit, and are told', async () => {
    const restore = await changeDefinition(({ features, ...definition }) => ({
      ...definition,
      features: {
        ...features,
        aggregate: features.aggregate.map((one) =>
          one.name === 'orders' ? { ...one, sql: '2 * count(DISTINCT order_id)' } : one,
        ),
      },
    }));
    try {
      const changed = await walkAssign(shop, { asOf: '2026-06-05' });
      expect(changed.warnings).toEqual([expect.stringContaining("the definition's features changed")]);
      const { orders } = await readValues(shop.context.artifacts, changed.features.values);
      expect(Math.min(...orders!)).toBe(1);
      await reject(changed);
    } finally {
      await restore();
    }
  }, 60_000);

  test('one as of an older date never moves readers back by itself where older runs are kept aside', async () => {
    const restore = await changeDefinition(({ review }) => ({
      review: { ...review, policy: 'never', beforePublished: 'aside' },
    }));
    try {
      const seen = (await shop.context.repositories.publications.current('shop'))!;
      const older = await walkAssign(shop, { asOf: '2026-05-15' });
      expect(older.match.base?.runId).toBe(seen.runId);
      expect(older.stability.decision).toBe('hold');
      expect(older.stability.reasons[0]).toContain('the run is as of 2026-05-15 and readers see');
      await reject(older);
    } finally {
      await restore();
    }
  }, 60_000);

  test('an extract that leaves a segment empty is a verdict about the data', async () => {
    const { execution: workflow } = await shop.openWorkflow();
    const opening = { input: {}, workflow, scheduledAt: null, kind: 'assign' as const };
    const { run: opened } = await shop.perform('openRun', opening);
    const { run } = await shop.perform('adoptChampion', { run: opened });
    const { artifacts } = shop.context;
    const columns = await readValues(artifacts, assigned.features.values);
    const one = Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [name, values.slice(0, 1)]),
    );
    const values = await artifacts.write('features', encodeColumns(one), {
      ...{ runId: run.runId, ending: 'columns', rows: 1 },
    });
    const found = await shop.perform('assignSegments', { run, features: { ...assigned.features, values } });
    expect(found.verdict).toBe('none');
    expect(found.reasons[0]).toMatch(/^no customer of this extract is in "/);
    expect(found.reasons[0]!.match(/"[^"]+"/g)).toHaveLength(fitted.clustering.k - 1);
  });
});

async function reject(walked: Omit<Walked, 'profile'>): Promise<void> {
  await shop.perform('closeRun', { run: walked.run, closing: closingOf(walked, 'rejected', ['not now']) });
}

/** Those that were refused half way would hold the line. */
async function closeOpenRuns(): Promise<void> {
  const { runs } = shop.context.repositories;
  for (const { runId, closedAt } of await runs.list({ limit: 9 }))
    if (closedAt === null) await runs.abandon(runId, 'refused');
}
