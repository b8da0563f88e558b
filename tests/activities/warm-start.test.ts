import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createClusterActivities } from '../../activities/cluster.ts';
import { readLabels } from '../../activities/columns.ts';
import type { ActivityContext } from '../../activities/context.ts';
import { adjustedRand } from '../../numeric/compare/adjusted-rand.ts';
import { columnOf } from '../../numeric/matrix.ts';
import { createRandom } from '../../numeric/random/random.ts';
import type { ArtifactKind } from '../../pipelines/contracts/artifacts.ts';
import type { Run } from '../../pipelines/contracts/run.ts';
import type { Clustering, Features } from '../../pipelines/contracts/stages.ts';
import { createModel } from '../../pipelines/stages/model.ts';
import { applyTransforms, fitTransforms } from '../../pipelines/stages/transform.ts';
import type { ArtifactStore } from '../../store/artifacts/artifact-store.ts';
import { encodeColumns } from '../../store/artifacts/columns-file.ts';
import { createDiskArtifacts } from '../../store/artifacts/disk-artifacts.ts';
import { encodeJson } from '../../store/artifacts/json.ts';
import { createRepositories, type Repositories } from '../../store/postgres/repositories.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';
import { memberships, newRun, publishRun, segment, segmentation } from '../store/postgres/fixture.ts';

let database: TestDatabase;
let repositories: Repositories;
let folder: string;
let artifacts: ArtifactStore;

beforeAll(async () => {
  database = await testDatabase({ migrated: false });
  repositories = createRepositories(database.knex);
}, 60_000);

afterAll(() => database?.drop());

beforeEach(async () => {
  await database.clear();
  folder = await mkdtemp(join(tmpdir(), 'strata-warm-'));
  artifacts = createDiskArtifacts({ root: folder });
  return () => rm(folder, { recursive: true, force: true });
});

/**
 * Four like blobs at the corners of a square: two clusters are left and right, or low and high, and both are as good.
 * Fresh starts find one of them; which is chance.
 */
const random = createRandom(1);
const BLOB = Array.from(
  { length: 50 },
  () => [0.3 * random.normal(), 0.3 * random.normal()] as const,
).flatMap(([a, b]) => [
  [a, b],
  [b, a],
]);
const PLACES = [0, 1, 2, 3].flatMap((corner) => BLOB.map(([a, b]) => ({ corner, a: a!, b: b! })));
const COLUMNS = {
  x: Float64Array.from(PLACES, ({ corner, a }) => (corner % 2) * 4 + a + 2),
  y: Float64Array.from(PLACES, ({ corner, b }) => (corner >> 1) * 4 + b + 2),
};
/** Groups of customers as somebody may have published them. */
const PARTS = {
  beside: PLACES.map(({ corner }) => corner % 2),
  above: PLACES.map(({ corner }) => corner >> 1),
  corners: PLACES.map(({ corner }) => corner),
};

const CLUSTERING = {
  ...{ k: { min: 2, max: 3 }, smallestShare: 0.02, starts: 3 },
  ...{ bootstraps: 10, nullDraws: 19, sampleRows: 500 },
};

const definitionOf = ({ warmStart, sql }: { warmStart: boolean; sql: string }) => ({
  pipeline: 'shop',
  version: 1,
  clustering: { ...CLUSTERING, ...(warmStart && { warmStart }) },
  features: {
    aggregate: [
      { name: 'x', sql, unit: 'orders', why: 'how often' },
      { name: 'y', sql: 'sum(amount)', unit: 'EUR', why: 'how much' },
    ],
    derive: [],
    cluster: ['x', 'y'].map((feature) => ({ feature, transforms: ['standard' as const] })),
  },
});

/** An open run and the features of its customers. */
async function prepare(runId: string, { warmStart = false, sql = 'count(*)', columns = COLUMNS } = {}) {
  const definition = definitionOf({ warmStart, sql });
  const write = (kind: ArtifactKind, bytes: Buffer) =>
    artifacts.write(kind, bytes, { runId, ending: 'x', rows: PLACES.length });
  const transforms = fitTransforms(columns, definition.features.cluster);
  const matrix = applyTransforms(columns, transforms);
  await repositories.runs.open(newRun(runId));
  const refs = {
    customers: await write('customers', encodeColumns({ offsets: new Uint32Array(1) })),
    values: await write('features', encodeColumns(columns)),
    matrix: await write('matrix', encodeColumns({ x: columnOf(matrix, 0), y: columnOf(matrix, 1) })),
    transforms: await write('transforms', encodeJson(transforms)),
  };
  const { input: _, ...opened } = newRun(runId);
  const run = {
    ...{ ...opened, kind: 'refit', asOf: null, extract: null, review: 'never', k: 2 },
    definition: await write('definition', encodeJson(definition)),
  } as Run;
  return {
    run,
    features: { ...refs, columns: ['x', 'y'], ms: 0 } as Features,
    definition,
    transforms,
    matrix,
  };
}

/** What readers see: a model of these parts, fitted on the customers of last time. */
async function publishParts(parts: number[], { emptyPart = false, columns = COLUMNS } = {}): Promise<void> {
  const { features, definition, transforms, matrix } = await prepare('published', { columns });
  const k = Math.max(...parts) + 1;
  const mean = (part: number, column: number) => {
    const own = columnOf(matrix, column).filter((_, row) => parts[row] === part);
    return own.reduce((sum, value) => sum + value, 0) / own.length;
  };
  const centers = Array.from({ length: k }, (_, part) => [mean(part, 0), mean(part, 1)]);
  // Where nobody is any more.
  if (emptyPart) centers.push([90, 90]);
  const sizes = centers.map((_, part) => parts.filter((one) => one === part).length || 1);
  const model = createModel({
    ...{ definition, seed: 1, transforms, sizes, columns },
    centers: Float64Array.from(centers.flat()),
  });
  const about = { runId: 'published', ending: 'x', rows: k };
  const kept = await artifacts.write('model', encodeJson(model), about);
  const segments = centers.map((_, cluster) => segment(`seg_${cluster}`, { cluster }));
  await repositories.segmentations.save('published', {
    ...segmentation(segments),
    artifacts: {
      ...segmentation([]).artifacts,
      customers: features.customers,
      values: features.values,
      model: kept,
    },
  });
  await repositories.memberships.load('published', memberships(['c1'], ['seg_0']));
  await publishRun(repositories, 'published');
}

async function refit(options: Parameters<typeof prepare>[1] & { runId?: string } = {}): Promise<Clustering> {
  const { run, features } = await prepare(options.runId ?? 'refit', options);
  const context = { artifacts, repositories, threads: 1, codeVersion: '1' } as ActivityContext;
  const { fitClusters } = createClusterActivities(context);
  const fitting = fitClusters as (given: { run: Run; features: Features }) => Promise<Clustering>;
  return new MockActivityEnvironment({ attempt: 1 }).run(fitting, { run, features });
}

const isAs = async ({ labels }: Clustering, parts: number[]) =>
  adjustedRand((await readLabels(artifacts, labels)).labels, Uint8Array.from(parts)) === 1;

/** Of fresh starts, and what they have not found though it is as good. */
async function freshAndOther(): Promise<{ fresh: Clustering; other: number[] }> {
  const fresh = await refit({ runId: 'fresh' });
  const isBeside = await isAs(fresh, PARTS.beside);
  // One of the two, or this test would say nothing.
  expect(await isAs(fresh, isBeside ? PARTS.beside : PARTS.above)).toBe(true);
  return { fresh, other: isBeside ? PARTS.above : PARTS.beside };
}

const productsOf = ({ labels, model, candidates }: Clustering) => [
  ...[labels.sha256, model.sha256, candidates.sha256],
];

describe('a refit that is to begin from what is published', () => {
  test('goes on from its centres where fresh starts find what is no better', async () => {
    const { other } = await freshAndOther();
    await publishParts(other);
    expect(await isAs(await refit({ warmStart: true }), other)).toBe(true);
  });

  test('finds them on the scale of its own customers, whatever the scale was', async () => {
    const { other } = await freshAndOther();
    // The figures of last time were twice as large: the same centres lie elsewhere among them.
    const columns = { x: COLUMNS.x.map((x) => 2 * x - 4), y: COLUMNS.y.map((y) => 2 * y - 4) };
    await publishParts(other, { columns });
    expect(await isAs(await refit({ warmStart: true }), other)).toBe(true);
  });

  test('is the same twice on the same publication', async () => {
    const { other } = await freshAndOther();
    await publishParts(other);
    const [first, second] = [
      await refit({ warmStart: true, runId: 'one' }),
      await refit({ warmStart: true, runId: 'two' }),
    ];
    expect(productsOf(second)).toEqual(productsOf(first));
  });
});

describe('comes to the bytes of fresh starts', () => {
  test.each<[string, (other: number[]) => Promise<void>, Parameters<typeof prepare>[1]]>([
    ['before anything is published', async () => undefined, { warmStart: true }],
    ['without the setting', (other) => publishParts(other), {}],
    [
      'where features are made another way',
      (other) => publishParts(other),
      { warmStart: true, sql: '2 * count(*)' },
    ],
    ['where another number of segments is published', () => publishParts(PARTS.corners), { warmStart: true }],
    [
      'where nobody is left in a published segment',
      (other) => publishParts(other, { emptyPart: true }),
      { warmStart: true },
    ],
  ])('%s', async (_, publish, options) => {
    const { other } = await freshAndOther();
    await publish(other);
    const { sql = 'count(*)' } = options!;
    const fresh = await refit({ runId: 'again', sql });
    expect(productsOf(await refit(options))).toEqual(productsOf(fresh));
  });
});
