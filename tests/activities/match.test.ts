import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ActivityContext } from '../../activities/context.ts';
import { createMatchActivities } from '../../activities/match.ts';
import { columnOf } from '../../numeric/matrix.ts';
import type { ArtifactKind, ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import { toCustomerIds } from '../../pipelines/contracts/customers.ts';
import type { Run } from '../../pipelines/contracts/run.ts';
import type { Clustering, Features, Match } from '../../pipelines/contracts/stages.ts';
import type { Identities } from '../../pipelines/stages/identity.ts';
import { createModel } from '../../pipelines/stages/model.ts';
import { applyTransforms, fitTransforms } from '../../pipelines/stages/transform.ts';
import type { ArtifactStore } from '../../store/artifacts/artifact-store.ts';
import { encodeColumns } from '../../store/artifacts/columns-file.ts';
import { createDiskArtifacts } from '../../store/artifacts/disk-artifacts.ts';
import { decodeJson, encodeJson } from '../../store/artifacts/json.ts';
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
  folder = await mkdtemp(join(tmpdir(), 'strata-match-'));
  artifacts = createDiskArtifacts({ root: folder });
  return () => rm(folder, { recursive: true, force: true });
});

const definitionWith = (sql: string) => ({
  pipeline: 'shop',
  version: 1,
  features: {
    aggregate: [{ name: 'orders', sql, unit: 'orders', why: 'how often' }],
    derive: [],
    cluster: [{ feature: 'orders', transforms: ['log1p' as const, 'standard' as const] }],
  },
});

/** Customers as numbers from..to, each with so many orders, in one cluster. */
type Group = { from: number; to: number; orders: number };

/** What the features and cluster stages leave for a run whose clusters are these groups. */
async function prepare(runId: string, groups: Group[], { sql = 'count(*)' } = {}) {
  const definition = definitionWith(sql);
  const write = (kind: ArtifactKind, bytes: Buffer) =>
    artifacts.write(kind, bytes, { runId, ending: 'x', rows: 1 });
  const rows = groups
    .flatMap(({ from, to, orders }, label) =>
      Array.from({ length: to - from }, (_, i) => ({ id: `c${1000 + from + i}`, orders, label })),
    )
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const columns = { orders: Float64Array.from(rows, ({ orders }) => orders) };
  const transforms = fitTransforms(columns, definition.features.cluster);
  const matrix = applyTransforms(columns, transforms);
  const centers = Float64Array.from(
    groups,
    (_, label) => columnOf(matrix, 0)[rows.findIndex((row) => row.label === label)]!,
  );
  const sizes = groups.map(({ from, to }) => to - from);
  const { offsets, bytes } = toCustomerIds(rows.map(({ id }) => id));
  const zeros = new Float32Array(rows.length);
  const labels = Uint8Array.from(rows, ({ label }) => label);
  const model = createModel({ definition, seed: 1, transforms, centers, sizes, columns });
  await repositories.runs.open(newRun(runId));
  const refs = {
    customers: await write('customers', encodeColumns({ offsets, bytes })),
    values: await write('features', encodeColumns(columns)),
    labels: await write('labels', encodeColumns({ labels, distance: zeros, margin: zeros })),
    model: await write('model', encodeJson(model)),
  };
  const { input: _, ...opened } = newRun(runId);
  const run: Run = {
    ...opened,
    kind: 'refit',
    asOf: null,
    definition: await write('definition', encodeJson(definition)),
    extract: null,
    review: 'never',
  };
  return { run, refs, sizes };
}

type Prepared = Awaited<ReturnType<typeof prepare>>;

/** @param codeVersion another one finds no kept result, so that the work is done again */
function match({ run, refs, sizes }: Prepared, codeVersion = '1'): Promise<Match> {
  const context = { artifacts, repositories, codeVersion, threads: 1 } as ActivityContext;
  return new MockActivityEnvironment().run(createMatchActivities(context).matchIdentities, {
    run,
    features: refs as unknown as Features,
    clustering: { ...refs, sizes } as unknown as Clustering,
  });
}

async function save({ run, refs }: Prepared, found: Match): Promise<void> {
  const segments = found.segments.map(({ cluster, segmentId, event }) =>
    segment(segmentId, { cluster, event }),
  );
  await repositories.segmentations.save(run.runId, {
    ...segmentation(segments),
    artifacts: { ...refs, identities: found.identities },
  });
}

const identitiesOf = async (ref: ArtifactRef) => decodeJson(await artifacts.read(ref)) as Identities;
const idsOf = ({ segments }: Match) => segments.map(({ segmentId }) => segmentId);

/** Publishes a first run of 60 newcomers and 40 regulars. */
async function publishFirst(): Promise<Match> {
  const first = await prepare('a', [
    { from: 0, to: 60, orders: 1 },
    { from: 60, to: 100, orders: 20 },
  ]);
  const found = await match(first);
  await save(first, found);
  await repositories.memberships.load('a', memberships(['c1000'], idsOf(found)));
  await publishRun(repositories, 'a');
  return found;
}

/** The newcomers have become regulars, the regulars are gone, others are new. */
const LATER: Group[] = [
  { from: 0, to: 60, orders: 20 },
  { from: 200, to: 240, orders: 1 },
];

test('the published model says which cluster continues which segment', async () => {
  const [newcomers, regulars] = idsOf(await publishFirst());
  const found = await match(await prepare('b', LATER));
  expect(found.base).toMatchObject({ runId: 'a' });
  expect(idsOf(found)).toEqual([regulars, newcomers]);
  expect((await identitiesOf(found.identities)).method).toBe('model');
});

test('where a feature is made another way, members decide', async () => {
  const [newcomers] = idsOf(await publishFirst());
  const found = await match(await prepare('b', LATER, { sql: 'count(distinct order_id)' }));
  expect((await identitiesOf(found.identities)).method).toBe('members');
  expect(idsOf(found)[0]).toBe(newcomers);
});

test('done again after the run was persisted, it gives the same ids', async () => {
  await publishFirst();
  const split = await prepare('b', [
    { from: 0, to: 60, orders: 1 },
    { from: 60, to: 80, orders: 15 },
    { from: 80, to: 100, orders: 25 },
  ]);
  const found = await match(split);
  expect(found.segments.map(({ event }) => event)).toEqual(['survived', 'split', 'split']);
  await save(split, found);
  const { ms: _, ...again } = await match(split, '2');
  expect(found).toMatchObject(again);
});
