import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunSummary } from '../../pipelines/contracts/run.ts';
import { connect } from '../../store/postgres/connect.ts';
import { createRepositories } from '../../store/postgres/repositories.ts';
import { writeShopExtract } from '../helpers/activity-extract.ts';
import { openStrataHome, type StrataHome } from '../helpers/strata-home.ts';

const MINUTES = 60_000;

let folder: string;
let extract: string;
let strata: StrataHome;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-extracts-'));
  extract = await writeShopExtract(folder, { customers: 3_000 });
  strata = await openStrataHome({
    fewTrials: true,
    change: (shop) => ({
      ...shop,
      clustering: { ...shop.clustering, k: { min: 3, max: 4 }, sampleRows: 1000, coresetRows: 1000 },
    }),
  });
  await strata.startWorker({ threads: 2 });
}, 2 * MINUTES);

afterAll(async () => {
  await strata?.close();
  await rm(folder, { recursive: true, force: true });
});

test(
  'a definition with coresetRows publishes all customers, says what the sample cost, and is reproduced to the bit',
  async () => {
    const { workflow } = strata.client;
    const run: RunSummary = await (await strata.startRun({ extract, asOf: '2026-05-01' })).result();
    expect(run.outcome).toBe('published');
    const { coreset } = run.quality!;
    expect(coreset).toMatchObject({ of: run.counts.customers });
    expect(coreset!.rows).toBeGreaterThan(700);
    expect(coreset!.rows).toBeLessThanOrEqual(1000);
    expect(Math.abs(coreset!.inertiaError)).toBeLessThan(0.2);
    expect(coreset!.stepGain).toBeLessThan(0.05);
    expect(run.segments.reduce((sum, { customers }) => sum + customers, 0)).toBe(run.counts.customers);
    const knex = connect(strata.services.databaseUrl);
    const { memberships } = createRepositories(knex);
    expect(await memberships.count(run.runId).finally(() => knex.destroy())).toBe(run.counts.customers);

    const assigned: RunSummary = await workflow.execute('assignCustomers', {
      ...{ workflowId: 'assign/shop/2026-05-15', taskQueue: 'strata' },
      args: [{ extract, asOf: '2026-05-15' }],
    });
    expect([assigned.outcome, assigned.quality!.coreset]).toEqual(['published', coreset]);

    const again = await workflow.execute('reproduceRun', {
      ...{ workflowId: `reproduce/${run.runId}`, taskQueue: 'strata' },
      args: [{ run: run.runId }],
    });
    expect(again).toMatchObject({ verdict: 'reproduced', differences: [], reasons: [] });
  },
  4 * MINUTES,
);
