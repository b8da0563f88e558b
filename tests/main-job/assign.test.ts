import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Knex } from 'knex';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { readCustomers, readValues } from '../../activities/columns.ts';
import { idAt } from '../../pipelines/contracts/customers.ts';
import type { RunSummary, SegmentSummary, StartInput } from '../../pipelines/contracts/run.ts';
import { parseModel } from '../../pipelines/stages/model.ts';
import { modelToSql } from '../../pipelines/stages/model-sql.ts';
import { createDiskArtifacts } from '../../store/artifacts/disk-artifacts.ts';
import { decodeJson } from '../../store/artifacts/json.ts';
import { connect } from '../../store/postgres/connect.ts';
import { createRepositories, type Repositories } from '../../store/postgres/repositories.ts';
import { writeShopExtract } from '../helpers/activity-extract.ts';
import { digestsOf, openStrataHome, type StrataHome } from '../helpers/strata-home.ts';

const MINUTES = 60_000;

let folder: string;
let extract: string;
let strata: StrataHome;
let knex: Knex;
let repositories: Repositories;
let refit: RunSummary;
let assigned: RunSummary;

const assignIn = async ({ client }: StrataHome, input: StartInput): Promise<RunSummary> =>
  client.workflow.execute('assignCustomers', {
    workflowId: `assign/shop/${input.asOf}`,
    taskQueue: 'strata',
    args: [{ extract, ...input }],
  });

async function refitAndAssign(home: StrataHome): Promise<[refit: RunSummary, assigned: RunSummary]> {
  const fitted = await (await home.startRun({ extract, asOf: '2026-05-01' })).result();
  return [fitted, await assignIn(home, { asOf: '2026-05-15' })];
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-extracts-'));
  extract = await writeShopExtract(folder, { customers: 2_000 });
  strata = await openStrataHome({ fewTrials: true });
  await strata.startWorker({ threads: 2 });
  knex = connect(strata.services.databaseUrl);
  repositories = createRepositories(knex);
  [refit, assigned] = await refitAndAssign(strata);
}, 4 * MINUTES);

afterAll(async () => {
  await knex?.destroy();
  await strata?.close();
  await rm(folder, { recursive: true, force: true });
});

const idsOf = ({ segments }: RunSummary) => segments.map(({ segmentId }) => segmentId);

test('a run that assigns publishes the segments of the model, with nobody left out', async () => {
  expect(assigned).toMatchObject({
    ...{ outcome: 'published', kind: 'assign', asOf: '2026-05-15' },
    champion: { runId: refit.runId, asOf: '2026-05-01' },
    refit: { due: false, started: null },
  });
  expect(idsOf(assigned)).toEqual(idsOf(refit));
  expect(await repositories.memberships.count(assigned.runId)).toBe(assigned.counts.customers);
  const { movements } = await repositories.stability.ofRun(assigned.runId);
  expect(movements.length).toBeGreaterThan(0);
  expect(movements.map(({ cause }) => cause)).not.toContain('model');
});

test(
  'its memberships are what the SQL of the published model says',
  async () => {
    const published = (await repositories.publications.current('shop'))!;
    const artifacts = createDiskArtifacts({ root: join(strata.home, 'artifacts') });
    const model = parseModel(decodeJson(await artifacts.read(published.artifacts.model)));
    const customers = await readCustomers(artifacts, published.artifacts.customers);
    const columns = await readValues(artifacts, published.artifacts.values);
    const names = Object.keys(columns);
    const ids = [...columns[names[0]!]!].map((_, row) => idAt(customers, row));
    await knex.raw(`create table customers (id text, ${names.map(() => '?? double precision').join(', ')})`, [
      ...names,
    ]);
    await knex.raw(
      `insert into customers select * from unnest(?::text[], ${names.map(() => '?::double precision[]').join(', ')})`,
      [ids, ...names.map((name) => [...columns[name]!])] as never,
    );
    const sql = modelToSql(model, {
      ...{ dialect: 'postgres', source: ['customers'], customerId: 'id', derived: 'columns' },
      segments: published.segments.map(({ segmentId }) => segmentId),
    });
    const said = await knex.raw(
      `select customer_id, segment_id, distance, margin from (${sql}) s order by customer_id collate "C"`,
    );
    const stored = await knex('memberships')
      .where({ run_id: assigned.runId })
      .orderByRaw('customer_id collate "C"')
      .select('customer_id', 'segment_id', 'distance', 'margin');
    const single = (rows: { distance: number; margin: number }[]) =>
      rows.map((row) => ({
        ...row,
        distance: Math.fround(row.distance),
        margin: Math.fround(row.margin),
      }));
    expect(stored.length).toBeGreaterThan(1_000);
    expect(single(stored)).toEqual(single(said.rows));
  },
  MINUTES,
);

test(
  'elsewhere, with one thread, it comes to the same digests',
  async () => {
    const other = await openStrataHome({ fewTrials: true });
    try {
      await other.startWorker({ threads: 1 });
      const [fitted, again] = await refitAndAssign(other);
      expect(digestsOf(fitted)).toEqual(digestsOf(refit));
      expect(digestsOf(again)).toEqual(digestsOf(assigned));
    } finally {
      await other.close();
    }
  },
  3 * MINUTES,
);

describe('after it', () => {
  test(
    'the same date again is a version of the same truth: nobody has moved',
    async () => {
      const again = await assignIn(strata, { asOf: '2026-05-15' });
      const productsOf = ({ stages }: RunSummary) =>
        stages
          .slice(0, stages.findIndex(({ stage }) => stage === 'assign') + 1)
          .map(({ digests }) => digests);
      expect(productsOf(again)).toEqual(productsOf(assigned));
      expect(again.segments).toEqual(assigned.segments);
      expect(again).toMatchObject({ verdict: 'stable', quality: { adjustedRand: 1, movedShare: 0 } });
      expect((await repositories.runs.get(again.runId)).version).toBe(2);
    },
    MINUTES,
  );

  test(
    'a refit that is due is started by itself, and the segments keep their ids',
    async () => {
      await changeShop(strata, { refit: { maximumAgeDays: 20, start: true } });
      const due = await assignIn(strata, { asOf: '2026-06-01' });
      expect(due.refit).toEqual({
        due: true,
        reasons: ['the model is 31 days old, fitted as of 2026-05-01 (at most 20)'],
        started: 'segment/shop/2026-06-01',
      });
      const started: RunSummary = await strata.client.workflow.getHandle(due.refit!.started!).result();
      expect(started).toMatchObject({ kind: 'refit', outcome: 'published', asOf: '2026-06-01' });
      // Of which k comes out the ids do not depend: what continues a segment has its id, and no one else has.
      const goesOn = ({ event }: SegmentSummary) => event === 'survived' || event === 'merged';
      expect(started.segments.filter(goesOn).length).toBeGreaterThanOrEqual(2);
      for (const segment of started.segments)
        expect(idsOf(refit).includes(segment.segmentId)).toBe(goesOn(segment));
      const next = await assignIn(strata, { asOf: '2026-06-02' });
      expect(next.champion).toEqual({ runId: started.runId, asOf: '2026-06-01' });
      expect(next.refit).toMatchObject({ due: false });
    },
    4 * MINUTES,
  );
});

async function changeShop({ home }: StrataHome, change: object): Promise<void> {
  const file = join(home, 'definitions/shop/pipeline.yaml');
  await writeFile(file, stringify({ ...parse(await readFile(file, 'utf8')), ...change }));
}
