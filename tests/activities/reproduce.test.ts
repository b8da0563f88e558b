import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import type {
  Difference,
  MadeAgain,
  OpenedReproduction,
  ReproduceStages,
  StageDigests,
} from '../../pipelines/contracts/reproduce.ts';
import type { Stage } from '../../pipelines/contracts/run.ts';
import type { Manifest } from '../../pipelines/stages/manifest.ts';
import { decodeJson, encodeJson } from '../../store/artifacts/json.ts';
import { type ActivityShop, openActivityShop } from '../helpers/activity-shop.ts';
import { type Walked, walkAssign, walkToStability } from '../helpers/activity-walk.ts';
import { assertRepeatable } from '../helpers/repeatable.ts';
import { publishRemembered, remembering } from '../helpers/walked-history.ts';

let shop: ActivityShop;
/** Published one after another: the first of all, one that is compared with it, one that assigns by its model. */
let first: Walked;
let second: Walked;
let assigned: Omit<Walked, 'profile'>;

beforeAll(async () => {
  shop = await openActivityShop();
  first = await published({ asOf: '2026-05-01' });
  // Between two runs and after them people rename: each run is to find the names of its own time.
  await rename(first.naming.segments[0]!.segmentId, 'Our best');
  second = await published({ asOf: '2026-06-01', seed: 7 });
  await rename(second.naming.segments[0]!.segmentId, 'Our very best');
  const { call, performed } = remembering(shop);
  assigned = await walkAssign(shop, { asOf: '2026-06-15' }, call);
  await publishRemembered(shop, assigned, performed);
  // An id that was given out since: none of these runs knew it.
  const [pipeline, born_in_run] = [assigned.run.pipeline, assigned.run.runId];
  await shop.database.knex('segments').insert({ segment_id: 'seg_000000000000', pipeline, born_in_run });
}, 120_000);

afterAll(() => shop?.close());

async function published(input: { asOf: string; seed?: number }): Promise<Walked> {
  const { call, performed } = remembering(shop);
  const walked = await walkToStability(shop, input, call);
  await publishRemembered(shop, walked, performed);
  return walked;
}

async function rename(segmentId: string, name: string): Promise<void> {
  const { names } = shop.context.repositories;
  const { version } = await names.find({ segment: segmentId });
  await names.set({ segmentId, name, by: 'ann', reason: 'campaign', seen: version });
}

let opened = 0;
const workflowOf = () => ({ id: 'reproduce/test', runId: `run-${++opened}` });

type Perform = <N extends keyof ReproduceStages>(
  name: N,
  input: Parameters<ReproduceStages[N]>[0],
) => Promise<Awaited<ReturnType<ReproduceStages[N]>>>;

const once: Perform = (name, input) => shop.perform(name, input as never) as never;
const twice: Perform = (name, input) =>
  assertRepeatable(
    () => once(name, input),
    () => shop.snapshot(),
  );

interface Reproduced {
  opened: OpenedReproduction;
  differences: Difference[];
  compared: number;
  /** Those of the stages, with their causes. */
  found: Difference[];
}

/** A reproduction as the workflow goes about it, and all let go of in the end. */
async function reproduce(runId: string, perform: Perform = once, context = shop): Promise<Reproduced> {
  const workflow = workflowOf();
  const opening = await perform('openReproduction', { input: { run: runId }, workflow });
  const { reproduction } = opening;
  const made: MadeAgain = {};
  const digests: StageDigests[] = [];
  const found: Difference[] = [];
  let compared = 0;
  if (reproduction === null) throw new Error(opening.reasons.join('; '));
  for (const stage of reproduction.stages) {
    const differing = [...new Set(found.map((one) => one.stage as Stage))];
    const again = await perform('reproduceStage', { reproduction, stage, made, differing });
    Object.assign(made, again.made);
    digests.push({ stage, digests: again.digests });
    found.push(...again.differences);
    compared += again.compared;
  }
  const { differences } = await perform('compareManifests', { reproduction, made, digests });
  await perform('closeReproduction', { workflow });
  expect((await context.snapshot()).files.filter((file) => file.includes('rep_'))).toEqual([]);
  return { opened: opening, differences, compared, found };
}

async function manifestOf(runId: string): Promise<{ ref: ArtifactRef; manifest: Manifest }> {
  const { artifacts, repositories } = shop.context;
  const ref = (await repositories.runs.get(runId)).manifest!;
  return { ref, manifest: decodeJson(await artifacts.read(ref)) as Manifest };
}

/** The run with another manifest in its record, for as long as it takes. */
async function withManifest(
  runId: string,
  change: (manifest: Manifest) => void,
  work: () => Promise<void>,
): Promise<void> {
  const { ref, manifest } = await manifestOf(runId);
  change(manifest);
  const about = { runId, ending: 'json', rows: 1 };
  const planted = await shop.context.artifacts.write('manifest', encodeJson(manifest), about);
  const runs = () => shop.database.knex('runs').where({ run_id: runId });
  await runs().update({ manifest: JSON.stringify(planted) });
  await work().finally(() => runs().update({ manifest: JSON.stringify(ref) }));
}

describe('a run that is computed again', () => {
  test('is the same to the byte, each activity twice over, and leaves neither rows nor files', async () => {
    const before = await shop.snapshot();
    const { differences, found, compared, opened: opening } = await reproduce(first.run.runId, twice);
    expect([differences, found, opening.damaged, opening.notes]).toEqual([[], [], [], []]);
    const { manifest } = await manifestOf(first.run.runId);
    const all = manifest.stages.flatMap(({ stage, digests }) =>
      stage === 'extract' ? [] : Object.keys(digests),
    );
    expect(compared).toBe(all.length);
    expect(await shop.snapshot()).toEqual(before);
  }, 60_000);

  test('finds what was published in its own time, under the names of then, though people renamed since', async () => {
    const before = await shop.snapshot();
    expect(second.match.base).not.toBeNull();
    const { differences, opened: opening } = await reproduce(second.run.runId);
    expect(differences).toEqual([]);
    expect(opening.reproduction!.run.seed).toBe(7);
    expect(await shop.snapshot()).toEqual(before);
  }, 60_000);

  test('that assigned by a model which is another run’s, too; results that it kept for retries are not used', async () => {
    const steps = join(shop.context.artifactsFolder, '.steps', assigned.run.runId);
    for (const file of await readdir(steps)) await writeFile(join(steps, file), '{"ms":1}');
    const { differences, opened: opening } = await reproduce(assigned.run.runId);
    expect(differences).toEqual([]);
    expect(opening.reproduction!.stages).toContain('assign');
  }, 60_000);

  test('without being named is the one that readers see', async () => {
    const opening = await once('openReproduction', { input: {}, workflow: workflowOf() });
    expect(opening.runId).toBe(assigned.run.runId);
  });
});

describe('what is not as it was is named', () => {
  test(
    'another seed and another digest in the manifest',
    () =>
      withManifest(
        second.run.runId,
        (manifest) => {
          manifest.seed = 8;
          manifest.stages.find(({ stage }) => stage === 'cluster')!.digests.labels = 'f'.repeat(64);
        },
        async () => {
          const { differences, found } = await reproduce(second.run.runId);
          const why = "the manifest says otherwise than the run's own history";
          expect(differences).toMatchObject([
            { stage: 'run', product: 'seed', before: '8', now: '7', why },
            { stage: 'cluster', product: 'labels', before: 'f'.repeat(64) },
          ]);
          expect(found).toMatchObject([{ stage: 'cluster', product: 'labels', where: [], why }]);
        },
      ),
    60_000,
  );

  test('a kept file that was changed', async () => {
    const { artifacts } = shop.context;
    const ref = first.validation.report;
    const path = await artifacts.path(ref);
    const bytes = await readFile(path);
    await writeFile(
      path,
      bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte)),
    );
    try {
      const opening = await once('openReproduction', {
        input: { run: first.run.runId },
        workflow: workflowOf(),
      });
      expect(opening.damaged).toMatchObject([
        { stage: 'validate', product: 'report', before: ref.sha256, now: null },
      ]);
      expect(opening.damaged[0]!.why).toContain('the kept file is damaged');
    } finally {
      await writeFile(path, bytes);
    }
  });

  test('a name that was in force then and is told otherwise by now: what follows from it says so', async () => {
    const names = () => shop.database.knex('segment_names').where({ author: 'manual', name: 'Our best' });
    await names().update({ name: 'Our worst' });
    try {
      const { found } = await reproduce(second.run.runId);
      expect(found.map(({ stage, product }) => [stage, product])).toEqual([['name', 'names']]);
      expect(found[0]!.why).toContain('a name in force, is not as it was');
      expect(found[0]!.where.some((path) => path.startsWith('names['))).toBe(true);
    } finally {
      await shop.database.knex('segment_names').where({ name: 'Our worst' }).update({ name: 'Our best' });
    }
  }, 60_000);
});

describe('a run that cannot be computed again says why', () => {
  test('without its extract', async () => {
    const { artifact } = first.extract;
    const path = await shop.context.artifacts.path(artifact);
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(1));
    try {
      const opening = await once('openReproduction', {
        input: { run: first.run.runId },
        workflow: workflowOf(),
      });
      expect(opening.reproduction).toBeNull();
      expect(opening.reasons[0]).toContain('ARTIFACT_CORRUPT');
    } finally {
      await writeFile(path, bytes);
    }
  });

  test('one that is still going on, and one that is not there', async () => {
    const { execution: workflow } = await shop.openWorkflow();
    const { run } = await shop.perform('openRun', { input: {}, workflow, scheduledAt: null });
    const opening = await once('openReproduction', { input: { run: run.runId }, workflow: workflowOf() });
    expect(opening).toMatchObject({
      reproduction: null,
      reasons: [expect.stringContaining('still going on')],
    });
    await expect(
      once('openReproduction', { input: { run: 'run_0' }, workflow: workflowOf() }),
    ).rejects.toMatchObject({ type: 'RUN_UNKNOWN' });
    await expect(
      once('openReproduction', { input: { rum: 'run_0' } as never, workflow: workflowOf() }),
    ).rejects.toMatchObject({
      type: 'INPUT_INVALID',
      message: expect.stringContaining('fields: run, pipeline'),
    });
    await expect(
      once('openReproduction', { input: { pipeline: 'none' }, workflow: workflowOf() }),
    ).rejects.toMatchObject({ type: 'RUN_UNKNOWN', message: expect.stringContaining('none is published') });
  });
});
