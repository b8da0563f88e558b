import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readLabels } from '../../activities/columns.ts';
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

const definitionWith = (sql: string, stability: { hysteresis?: boolean }) => ({
  pipeline: 'shop',
  version: 1,
  stability,
  features: {
    aggregate: [{ name: 'orders', sql, unit: 'orders', why: 'how often' }],
    derive: [],
    cluster: [{ feature: 'orders', transforms: ['log1p' as const, 'standard' as const] }],
  },
});

/** Customers as numbers from..to, each with so many orders, in one cluster. */
type Group = { from: number; to: number; orders: number };

/** What the features and cluster stages leave for a run whose clusters are these groups. */
async function prepare(
  runId: string,
  groups: Group[],
  { sql = 'count(*)', hysteresis = false, margin = 0 } = {},
) {
  const definition = definitionWith(sql, hysteresis ? { hysteresis } : {});
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
  // Refits agree from a margin of 0.2 on.
  const confidence = { margins: [0.1, 0.2], shares: [0.5, 0.9] };
  const model = createModel({ definition, seed: 1, transforms, centers, sizes, columns, confidence });
  await repositories.runs.open(newRun(runId));
  const refs = {
    customers: await write('customers', encodeColumns({ offsets, bytes })),
    values: await write('features', encodeColumns(columns)),
    labels: await write(
      'labels',
      encodeColumns({ labels, distance: zeros, margin: zeros.map(() => margin) }),
    ),
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
function match({ run, refs, sizes }: Prepared, codeVersion = '1', store = artifacts): Promise<Match> {
  const context = { artifacts: store, repositories, codeVersion, threads: 1 } as ActivityContext;
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
    artifacts: { ...refs, labels: found.members ?? refs.labels, identities: found.identities },
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

test('where features are made another way and nobody is common, centres say which segment goes on', async () => {
  const ids = idsOf(await publishFirst());
  const later = [
    { from: 300, to: 340, orders: 18 },
    { from: 400, to: 460, orders: 1 },
  ];
  const found = await match(await prepare('b', later, { sql: 'count(distinct order_id)' }));
  expect((await identitiesOf(found.identities)).method).toBe('centers');
  expect(idsOf(found)).toEqual(ids.toReversed());
  expect(found.segments.map(({ event }) => event)).toEqual(['survived', 'survived']);
});

test('what became of every segment is kept with its shares and changes', async () => {
  const [newcomers, regulars] = idsOf(await publishFirst());
  const { identities } = await match(
    await prepare('b', [
      { from: 0, to: 60, orders: 1 },
      { from: 60, to: 80, orders: 15 },
      { from: 80, to: 100, orders: 25 },
    ]),
  );
  const { transitions, segments } = await identitiesOf(identities);
  expect(transitions!.of).toBe('members');
  expect(transitions!.previous).toMatchObject([
    { segmentId: newcomers, kind: 'survives', into: [{ segmentId: newcomers, share: 1 }] },
    {
      ...{ segmentId: regulars, kind: 'split', customers: 40, compared: 40 },
      into: segments.slice(1).map(({ segmentId }) => ({ segmentId, share: 0.5 })),
    },
  ]);
  expect(transitions!.internal).toMatchObject([
    { segmentId: newcomers, size: 'same', compactness: 'same', location: 'same', distance: 0 },
  ]);
});

test('broken off at any write and begun again, it makes no second key', async () => {
  await publishFirst();
  const split = await prepare('b', [
    { from: 0, to: 60, orders: 1 },
    { from: 60, to: 80, orders: 15 },
    { from: 80, to: 100, orders: 25 },
  ]);
  const found = await match(split);
  for (let writes = 0; writes < 2; writes++) {
    let left = writes;
    const failing: ArtifactStore = {
      ...artifacts,
      write: (...given) => {
        if (left-- === 0) throw new Error('the disk is gone');
        return artifacts.write(...given);
      },
    };
    await expect(match(split, `broken ${writes}`, failing)).rejects.toThrow('the disk is gone');
    const again = await match(split, `broken ${writes}`);
    expect(again.identities.sha256).toBe(found.identities.sha256);
  }
});

describe('with hysteresis', () => {
  /** Customers 40 to 60, whose figures are now nearer to the others', within the noise band or beyond it. */
  const moved: Group[] = [
    { from: 0, to: 40, orders: 1 },
    { from: 40, to: 100, orders: 20 },
  ];
  const publish = async (runId: string, groups: Group[], margin: number) => {
    const run = await prepare(runId, groups, { hysteresis: true, margin });
    const found = await match(run);
    await save(run, found);
    await repositories.memberships.load(runId, memberships(['c1000'], idsOf(found)));
    await publishRun(repositories, runId, { expectedBase: found.base?.publicationId ?? null });
    return found;
  };
  const membersIn = async ({ members }: Match) => [...(await readLabels(artifacts, members!)).labels];
  const first: Group[] = [
    { from: 0, to: 60, orders: 1 },
    { from: 60, to: 100, orders: 20 },
  ];

  test('customers at a border stay for one run, and go when they are seen there again', async () => {
    await publish('a', first, 0.1);
    const held = await publish('b', moved, 0.1);
    expect(held.held).toBe(20);
    expect((await membersIn(held)).filter((label) => label === 0)).toHaveLength(60);
    const gone = await publish('c', moved, 0.1);
    expect(gone.held).toBe(0);
    expect((await membersIn(gone)).filter((label) => label === 0)).toHaveLength(40);
  });

  test('the same date seen again is no second sight', async () => {
    const asOf = (run_id: string, as_of: string) =>
      database
        .knex('runs')
        .where({ run_id })
        .update({ as_of, version: run_id === 'b' ? 1 : 2 });
    await publish('a', first, 0.1);
    await publish('b', moved, 0.1);
    await asOf('b', '2026-07-01');
    const again = await prepare('c', moved, { hysteresis: true, margin: 0.1 });
    await asOf('c', '2026-07-01');
    expect((await match(again)).held).toBe(20);
    await asOf('c', '2026-07-02');
    expect((await match(again, 'another build')).held).toBe(0);
  });

  test('beyond the noise band they go at once', async () => {
    await publish('a', first, 0.1);
    const found = await match(await prepare('b', moved, { hysteresis: true, margin: 0.3 }));
    expect(found.held).toBe(0);
    expect((await membersIn(found)).filter((label) => label === 0)).toHaveLength(40);
  });

  test('without it nothing is held, and nothing more is kept', async () => {
    await publishFirst();
    const found = await match(await prepare('b', moved));
    expect(found).not.toHaveProperty('members');
    expect(found).not.toHaveProperty('held');
  });
});
