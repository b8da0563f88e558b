import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Profile } from '../../pipelines/contracts/stages.ts';
import type { ProfileChanges } from '../../pipelines/stages/profile/compare-profiles.ts';
import { decodeJson } from '../../store/artifacts/json.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { closingOf, publishWalked, type Walked, walkToStability } from '../helpers/activity-walk.ts';

let shop: ActivityShop;
let first: Walked;
let profile: Profile;

beforeAll(async () => {
  shop = await openActivityShop();
  first = await walkToStability(shop, { asOf: '2026-05-01' });
  profile = await shop.perform('profileExtract', { run: first.run, extract: first.extract });
}, 120_000);

afterAll(() => shop?.close());

const changesOf = async ({ changes }: Profile) =>
  decodeJson(await shop.context.artifacts.read(changes!)) as ProfileChanges;

/** Publishes the walked run with the profile in its summary, as a workflow's closing has it. */
async function publish(walked: Walked, { report, page }: Profile): Promise<void> {
  await publishWalked(shop, walked, (name, input) => {
    if (name !== 'closeRun') return shop.perform(name, input);
    const closing = closingOf(walked, 'published');
    const digests = { report: report.sha256, page: page.sha256 };
    const stages = [...closing.stages, { stage: 'profile' as const, ms: 1, artifact: page, digests }];
    return shop.perform(name, { ...input, closing: { ...closing, stages } });
  });
}

test('before anything is published there is nothing to compare with', () => {
  expect(profile.changes).toBeNull();
});

test('the page is what the log of stages knows the profile by', async () => {
  const log = await shop.context.repositories.stages.forRun(first.run.runId);
  expect(log.find(({ stage }) => stage === 'profile')?.artifact).toEqual(profile.page);
});

test('a later run is compared with the published one, a profile that is gone is said to be', async () => {
  await publish(first, profile);
  const second = await walkToStability(shop, { asOf: '2026-06-01' });
  const perform = () => shop.perform('profileExtract', { run: second.run, extract: second.extract });
  const later = await perform();
  const { since, missing, findings } = await changesOf(later);
  expect(since).toEqual({ runId: first.run.runId, asOf: '2026-05-01' });
  expect(missing).toBeNull();
  expect(findings.map(({ code }) => code)).not.toContain('no-newer-rows');
  const page = (await shop.context.artifacts.read(later.page)).toString();
  expect(page).toContain('What changed');

  await rm(join(shop.context.artifactsFolder, profile.report.uri));
  await shop.forgetSteps(second.run.runId);
  const without = await perform();
  expect((await changesOf(without)).missing).toContain('not among the artifacts any more');
  // The report itself knows nothing of what was before.
  expect(without.report).toEqual(later.report);
}, 120_000);
