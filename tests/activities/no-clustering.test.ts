import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeJson } from '../../store/artifacts/json.ts';
import { writeFeatures } from '../helpers/activity-features.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';

let shop: ActivityShop;

beforeAll(async () => {
  const clustering = {
    ...{ k: { min: 11, max: 12 }, smallestShare: 0.02, starts: 3 },
    ...{ bootstraps: 10, nullDraws: 19, sampleRows: 1000 },
  };
  shop = await openActivityShop({ definition: { clustering } });
}, 60_000);

afterAll(() => shop?.close());

test('where no k makes segments the verdict is none, with the evidence kept and the fixed grid offered', async () => {
  const { execution: workflow } = await shop.openWorkflow();
  const { run } = await shop.perform('openRun', { input: {}, workflow, scheduledAt: null });
  const features = await writeFeatures(shop.context.artifacts, run, 1500);
  const found = await shop.perform('fitClusters', { run, features });
  if (found.verdict !== 'none') throw new Error(`needs no clustering, found ${found.k} clusters`);
  expect(found.reasons[0]).toMatch(/^there is no reproducible segmentation for k from 11 to 12/);
  expect(found.reasons.at(-1)).toMatch(
    /^the fixed grid of this definition's stages and values would make \d+ groups by rule: .+ \d/,
  );
  const kept = decodeJson(await shop.context.artifacts.read(found.candidates!)) as {
    verdict: string;
    candidates: { k: number; verdict: string }[];
  };
  expect(kept.verdict).toBe('none');
  expect(kept.candidates.map(({ k, verdict }) => [k, verdict])).toEqual([
    [11, 'none'],
    [12, 'none'],
  ]);
});

test('a k that a person fixed makes segments all the same', async () => {
  const { execution: workflow } = await shop.openWorkflow();
  const { run } = await shop.perform('openRun', { input: { k: 4 }, workflow, scheduledAt: null });
  const features = await writeFeatures(shop.context.artifacts, run, 1500);
  const found = await shop.perform('fitClusters', { run, features });
  if (found.verdict === 'none') throw new Error(found.reasons.join());
  expect([found.k, found.quality.decidedBy]).toEqual([4, 'person']);
  expect(found.reasons[0]).toMatch(/^k = 4 was fixed by a person; the evidence/);
});
