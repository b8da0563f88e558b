import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CompareInput, OpenedComparison } from '../../pipelines/contracts/compare.ts';
import type { Features, Validation } from '../../pipelines/contracts/stages.ts';
import { buildKernels } from '../../scripts/build-kernels.mjs';
import { type ActivityShop, filesIn, openActivityShop } from '../helpers/activity-shop.ts';
import { assertRepeatable } from '../helpers/repeatable.ts';

const QUICK = { ks: { min: 3, max: 4 }, bootstraps: 2, nullDraws: 2, sampleRows: 300, trialRows: 150 };

let shop: ActivityShop;
beforeAll(async () => {
  await buildKernels();
  shop = await openActivityShop();
});
afterAll(() => shop?.close());

let opened = 0;

async function open(input: CompareInput = {}): Promise<OpenedComparison> {
  const workflow = { id: 'compare/shop/latest', runId: `run-${++opened}` };
  return shop.perform('openComparison', { input: { ...QUICK, ...input }, workflow, scheduledAt: null });
}

type Walked = OpenedComparison & { features: Features; validation: Validation };
/** How a walk does its steps: once, or twice with a look at what was left. */
type Step = <R>(step: () => Promise<R>) => Promise<R>;

/** A comparison up to its features. */
async function walk(input: CompareInput = {}, step: Step = (once) => once()): Promise<Walked> {
  const workflow = { id: 'compare/shop/latest', runId: `run-${++opened}` };
  const opening = { input: { ...QUICK, ...input }, workflow, scheduledAt: null };
  const { run: begun, plan } = await step(() => shop.perform('openComparison', opening));
  const extract = await step(() => shop.perform('extractForComparison', { run: begun }));
  const run = { ...begun, asOf: extract.asOf };
  const validation = await step(() => shop.perform('validateForComparison', { run, extract }));
  const features = await step(() => shop.perform('buildFeaturesForComparison', { run, extract, validation }));
  return { run, plan, features, validation };
}

const snapshot = () => shop.snapshot();

describe('a comparison', () => {
  test('goes from the source to a report, each activity twice over, and no record of runs knows it', async () => {
    const twice: Step = (step) => assertRepeatable(step, snapshot);
    const { run, plan, features, validation } = await walk({}, twice);
    const candidates = [];
    for (const candidate of ['rule-grid', 'random-groups', 'k-means']) {
      const input = { run, plan, candidate, features };
      candidates.push(await assertRepeatable(() => shop.perform('fitCandidate', input), snapshot));
    }
    expect(candidates.map(({ status, reason }) => [status, reason])).toEqual(
      new Array(3).fill(['measured', null]),
    );
    const { counts } = validation;
    const input = { run, plan, features, counts, candidates };
    const written = await assertRepeatable(() => shop.perform('writeComparison', input), snapshot);
    expect(written.leaderboard.map(({ candidate }) => candidate)).toEqual([
      'rule-grid',
      'random-groups',
      'k-means',
    ]);
    expect(written.leaderboard[2]).toMatchObject({ rank: 1, smallestShare: expect.any(Number) });
    const report = JSON.parse((await shop.context.artifacts.read(written.report)).toString());
    // Each cell of the rule grid has its share, rounded.
    expect(report.rows).toEqual({ all: features.customers.rows, scored: report.rows.scored, trial: 150 });
    expect(Math.abs(report.rows.scored - 300)).toBeLessThan(10);
    expect(report.agreement.matrix[2][2]).toBe(1);
    const page = (await shop.context.artifacts.read(written.page)).toString();
    expect(page).toContain('<h2>Leaderboard</h2>');
    const { rows } = await shop.snapshot();
    for (const table of ['runs', 'run_stages', 'models']) expect(rows[table] ?? []).toEqual([]);

    await assertRepeatable(() => shop.perform('closeComparison', { run, isKept: true }), snapshot);
    const left = (await filesIn(shop.context.artifactsFolder)).filter((file) => !file.startsWith('.'));
    expect([...new Set(left.map((file) => file.split('/')[0]))].sort()).toEqual(['comparison', 'definition']);
  });

  test('fits again after a lost result and finds the same segments and scores; times alone differ', async () => {
    const { run, plan, features } = await walk();
    const fit = async () => {
      const { record } = await shop.perform('fitCandidate', { run, plan, candidate: 'k-means', features });
      const { fits } = JSON.parse((await shop.context.artifacts.read(record!)).toString());
      return fits.map(({ fitMs, peakMegabytes, ...rest }: Record<string, unknown>) => rest);
    };
    const first = await fit();
    await shop.forgetSteps(run.runId);
    expect(await fit()).toEqual(first);
    await shop.perform('closeComparison', { run, isKept: false });
  });

  test('that is not kept leaves nothing behind', async () => {
    const before = await filesIn(shop.context.artifactsFolder);
    const { run, plan, features } = await walk({ seed: 7 });
    await shop.perform('fitCandidate', { run, plan, candidate: 'rule-grid', features });
    await shop.perform('closeComparison', { run, isKept: false });
    expect(await filesIn(shop.context.artifactsFolder)).toEqual(before);
  });
});

interface Beat {
  stage: string;
  done: number;
  of: number;
}

function watched() {
  const environment = shop.environment();
  const beats: Beat[] = [];
  environment.on('heartbeat', (details) => beats.push({ ...details }));
  return { environment, beats };
}

/** Whoever works to the end tells of it every second: most of the work was never begun. */
function expectEndedEarly(beats: readonly Beat[]) {
  const { done, of } = beats.at(-1)!;
  expect(done).toBeLessThanOrEqual(of / 2);
}

test('a candidate heartbeats how far it is, by its name, while it is measured', async () => {
  const { run, plan, features } = await walk();
  const { environment, beats } = watched();
  environment.on('heartbeat', ({ done }) => done > 0 && environment.cancel());
  const long = { ...plan, ks: { min: 3, max: 12 }, bootstraps: 200 };
  const fitting = shop.perform('fitCandidate', { run, plan: long, candidate: 'ward', features }, environment);
  await expect(fitting).rejects.toThrow(/cancel/i);
  expect(beats.at(-1)).toMatchObject({ stage: 'ward', of: 10 * (1 + 200 + plan.nullDraws) });
  await shop.perform('closeComparison', { run, isKept: false });
});

describe('a candidate that does not work out is a result with its reason', () => {
  test('out of time: what was measured by then is kept', async () => {
    const { run, plan, features } = await walk({ bootstraps: 200 });
    const { environment, beats } = watched();
    const short = { ...plan, ks: { min: 3, max: 32 }, budgetSeconds: 2 };
    const outcome = await shop.perform(
      'fitCandidate',
      { run, plan: short, candidate: 'k-medoids', features },
      environment,
    );
    expect(['partly', 'failed']).toContain(outcome.status);
    expect(outcome.reason).toBe('took longer than the 2 s that each candidate has');
    expectEndedEarly(beats);
    await shop.perform('closeComparison', { run, isKept: false });
  });

  test('no segmentation at any number of segments', async () => {
    const { run, plan, features } = await walk();
    const many = { ...plan, ks: { min: 100, max: 100 } };
    const outcome = await shop.perform('fitCandidate', { run, plan: many, candidate: 'k-means', features });
    expect(outcome).toMatchObject({ status: 'failed', k: null, labels: null });
    expect(outcome.reason).toContain('found 100');
    await shop.perform('closeComparison', { run, isKept: false });
  });

  test('a cancel ends its thread long before it is through, and is no result', async () => {
    const { run, plan, features } = await walk();
    const { environment, beats } = watched();
    const long = { ...plan, bootstraps: 200, ks: { min: 3, max: 32 } };
    const fitting = shop.perform(
      'fitCandidate',
      { run, plan: long, candidate: 'k-medoids', features },
      environment,
    );
    environment.on('heartbeat', ({ done }) => done > 0 && environment.cancel());
    await expect(fitting).rejects.toThrow(/cancel/i);
    expectEndedEarly(beats);
    await shop.perform('closeComparison', { run, isKept: false });
  });
});

describe('what is asked for', () => {
  test.each([
    [{ candidates: ['k-mean'] }, /"k-mean" not known; there are rule-grid, random-groups, k-means/],
    [{ kays: 3 }, /fields: pipeline, asOf, extract, seed, ks, candidates/],
    [{ ks: { min: 5, max: 3 } }, /needs min <= max/],
  ])('%j is refused with the way out', async (input, message) => {
    await expect(open(input as CompareInput)).rejects.toThrow(message);
  });

  test('yardsticks are measured whatever is asked for', async () => {
    const { plan } = await open({ candidates: ['ward'] });
    expect(plan.candidates).toEqual(['rule-grid', 'random-groups', 'ward']);
  });

  test('bands of features that are not clustered: the rule grid says why it is not there, the rest goes on', async () => {
    const file = join(shop.context.definitionFolders[0]!, 'shop/pipeline.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/(stage:\s+feature: )recencyDays/, '$1tenureDays'));
    try {
      const { run, plan, features, validation } = await walk();
      const fit = (candidate: string) => shop.perform('fitCandidate', { run, plan, candidate, features });
      const candidates = [await fit('rule-grid'), await fit('k-means')];
      expect(candidates[0]).toMatchObject({
        status: 'failed',
        reason:
          'the rule grid needs its stage and value features among those that are clustered, and at most 255 cells',
      });
      const { counts } = validation;
      const { leaderboard } = await shop.perform('writeComparison', {
        run,
        plan,
        features,
        counts,
        candidates,
      });
      expect(leaderboard.map(({ candidate, rank }) => [candidate, rank])).toEqual([
        ['rule-grid', null],
        ['k-means', 1],
      ]);
      await shop.perform('closeComparison', { run, isKept: false });
    } finally {
      await writeFile(file, text);
    }
  });
});
