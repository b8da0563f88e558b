import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunSummary } from '../../pipelines/contracts/run.ts';
import { METRICS } from '../../scripts/observe/catalogue.ts';
import { choosePort, LOOPBACK } from '../../scripts/services/ports.ts';
import type { WorkerProcess } from '../../scripts/worker-process.ts';
import { ID_MARK, writeShopExtract } from '../helpers/activity-extract.ts';
import { type Cuttable, cuttable } from '../helpers/cuttable.ts';
import { metricsAsked } from '../helpers/dashboard.ts';
import { parseSamples } from '../helpers/samples.ts';
import { openStrataHome, type StrataHome, untilProgress } from '../helpers/strata-home.ts';

// One Strata, one worker, one run: looked at as Prometheus and as what runs containers do.

/** Of Temporal's SDK, which tells of a counter when it first counts. */
const AFTER_A_FAULT = ['temporal_workflow_task_execution_failed_total', 'temporal_request_failure_total'];

let folder: string;
let strata: StrataHome;
let database: Cuttable;
let worker: WorkerProcess;
let url: string;
let summary: RunSummary;
let pages: Record<'before' | 'during' | 'after', string>;
let said = '';

const page = async (path: string) => {
  const answer = await fetch(`${url}${path}`);
  return { status: answer.status, body: await answer.text() };
};
const readyz = async () => {
  const { status, body } = await page('/readyz');
  return { status, ...(JSON.parse(body) as { state: string; checks: Record<string, string> }) };
};
async function until<R>(look: () => Promise<R>, isWanted: (seen: R) => boolean): Promise<R> {
  for (const deadline = performance.now() + 30_000; ; await sleep(50)) {
    const seen = await look();
    if (isWanted(seen)) return seen;
    if (performance.now() > deadline) throw new Error(`never seen: ${JSON.stringify(seen)}`);
  }
}
/** Where much else goes on, PostgreSQL may take longer than a page waits for it. */
async function pageWith(text: string) {
  const { body } = await until(
    () => page('/metrics'),
    (seen) => seen.body.includes(text),
  );
  return body;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-extracts-'));
  strata = await openStrataHome({ fewTrials: true });
  database = await cuttable(strata.services.databaseUrl);
  const port = await choosePort(19_464);
  url = `http://${LOOPBACK}:${port}`;
  const env = { STRATA_METRICS_PORT: String(port), STRATA_LOG_FORMAT: 'json' };
  const through = { ...strata.services, databaseUrl: database.url };
  worker = await strata.startWorker({ env, through });
  worker.child.stderr!.on('data', (text: string) => {
    said += text;
  });
  const extract = await writeShopExtract(folder, { customers: 600 });
  const before = await pageWith('strata_worker_ready{check="all"} 1');
  const handle = await strata.startRun({ extract });
  await handle.executeUpdate('pause', { args: [{ before: 'match' }] });
  await untilProgress(handle, ({ paused }) => paused?.standsBefore === 'match', 120_000);
  const during = await pageWith('strata_open_runs{');
  await handle.executeUpdate('resume');
  summary = await handle.result();
  await strata.client.workflow.getHandle(`history/${summary.runId}`).result();
  pages = { before, during, after: await pageWith('strata_published_customers{') };
}, 300_000);

afterAll(async () => {
  await strata?.close();
  await database?.cut().catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
});

test('it is ready when it polls, and nothing is open or published before the first run', async () => {
  expect(await until(readyz, ({ status }) => status === 200)).toMatchObject({
    state: 'running',
    checks: { temporal: 'ok', postgresql: 'ok', polling: 'ok' },
  });
  expect(parseSamples(pages.before)).toMatchObject({ 'strata_worker_ready{check="polling"}': 1 });
  expect(pages.before).not.toMatch(/^strata_(published|open)[a-z_]*[{ ]/m);
  // An alert sees a counter grow from nothing only where there was a zero.
  expect(parseSamples(pages.before)).toMatchObject({
    'strata_runs_total{pipeline="online-retail",kind="assign",outcome="failed"}': 0,
    'strata_stage_seconds_count{pipeline="shop",kind="refit",stage="publish"}': 0,
  });
});

test('a run that goes on is open, with the stages that it has come through', () => {
  const samples = parseSamples(pages.during);
  expect(samples['strata_open_runs{pipeline="shop",state="running"}']).toBe(1);
  const countOf = (stage: string) =>
    samples[`strata_stage_seconds_count{pipeline="shop",kind="refit",stage="${stage}"}`];
  expect(['extract', 'features', 'cluster', 'match', 'publish'].map(countOf)).toEqual([1, 1, 1, 0, 0]);
  expect(pages.during).not.toMatch(/^strata_published/m);
});

test('its figures are those of its summary', () => {
  const samples = parseSamples(pages.after);
  const of = (stage: string) => `{pipeline="shop",kind="refit",stage="${stage}"}`;
  expect(summary.outcome).toBe('published');
  for (const { stage, ms, artifact } of summary.stages) {
    expect(samples[`strata_stage_seconds_sum${of(stage)}`], stage).toBeCloseTo(ms / 1_000, 6);
    const bytes = samples[`strata_stage_artifact_bytes_total${of(stage)}`];
    expect(bytes, stage).toBeGreaterThanOrEqual(artifact?.bytes ?? 0);
  }
  const { counts, k, quality } = summary;
  expect(samples).toMatchObject({
    [`strata_stage_rows_total${of('extract')}`]: counts.rowsRead,
    [`strata_stage_rows_total${of('validate')}`]: counts.rowsRead,
    [`strata_stage_rows_total${of('cluster')}`]: counts.customers,
    [`strata_stage_rows_total${of('persist')}`]: counts.customers,
    'strata_runs_total{pipeline="shop",kind="refit",outcome="published"}': 1,
    'strata_published_customers{pipeline="shop"}': counts.customers,
    'strata_published_segments{pipeline="shop"}': k,
    'strata_published_silhouette{pipeline="shop"}': quality!.silhouette,
    'strata_published_min_jaccard{pipeline="shop"}': quality!.minJaccard,
    'strata_published_as_of_timestamp_seconds{pipeline="shop"}': Date.parse(summary.asOf!) / 1_000,
    'strata_published_quarantined_ratio{pipeline="shop"}': counts.rowsQuarantined / counts.rowsRead,
  });
  expect(pages.after).not.toMatch(/^strata_(open_runs|published_adjusted_rand)[{ ]/m);
});

test('all that a panel or an alert asks for is exported', async () => {
  const exported = [...pages.after.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name, type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name!],
  );
  const names = new Set([...exported, ...AFTER_A_FAULT]);
  expect([...names].filter((name) => name.startsWith('temporal_')).length).toBeGreaterThan(10);
  for (const name of Object.keys(METRICS)) expect(pages.after).toContain(`# TYPE ${name} `);
  expect((await metricsAsked()).filter((name) => !names.has(name))).toEqual([]);
});

test('no page tells a customer, a file or a run, and there are few series', () => {
  for (const body of Object.values(pages)) {
    for (const secret of [ID_MARK, folder, strata.home, summary.runId, summary.workflow.id, 'postgres://'])
      expect(body).not.toContain(secret);
    expect(Object.keys(parseSamples(body)).length).toBeLessThan(3_000);
  }
});

test('its log is one object a line, which says of each stage whose it was', () => {
  const lines = said
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const { runId: run, workflow, stages } = summary;
  const done = lines.filter(({ run: of, stage, rows }) => of === run && stage && rows !== undefined);
  expect(done.map(({ stage }) => stage)).toEqual(expect.arrayContaining(['extract', 'cluster', 'persist']));
  const cluster = done.find(({ stage }) => stage === 'cluster');
  expect(cluster).toMatchObject({
    ...{ level: 'info', workflow: workflow.id, pipeline: 'shop', activity: 'fitClusters', attempt: 1 },
    seconds: stages.find(({ stage }) => stage === 'cluster')!.ms / 1_000,
  });
  expect(lines).toContainEqual(expect.objectContaining({ run, outcome: 'published' }));
  expect(said).not.toContain(ID_MARK);
});

test('while PostgreSQL is away it lives, is not ready, and tells nothing old; then it is ready again', async () => {
  await database.cut();
  const away = await until(readyz, ({ checks }) => checks.postgresql !== 'ok' && checks.temporal === 'ok');
  expect(away).toMatchObject({ status: 503, state: 'running', checks: { polling: 'ok' } });
  expect(away.checks.postgresql).toMatch(/^(does not answer|no answer)/);
  expect((await page('/healthz')).status).toBe(200);
  const { status, body } = await page('/metrics');
  expect(status).toBe(200);
  expect(body).not.toMatch(/^strata_published/m);
  expect(parseSamples(body)).toMatchObject({
    'strata_worker_ready{check="postgresql"}': 0,
    'strata_runs_total{pipeline="shop",kind="refit",outcome="published"}': 1,
  });
  await database.mend();
  await until(readyz, ({ status: now }) => now === 200);
}, 60_000);

test('told to leave, it says at once that it is not ready, and answers until it is gone', async () => {
  const left = worker.stop();
  const seen: Awaited<ReturnType<typeof readyz>>[] = [];
  for (;;) {
    const one = await readyz().catch(() => null);
    if (one === null) break;
    seen.push(one);
  }
  const leaving = seen.slice(seen.findIndex(({ state }) => state === 'draining'));
  expect(leaving.length).toBeGreaterThan(0);
  for (const one of leaving) expect(one).toMatchObject({ status: 503, state: 'draining' });
  await left;
  expect(worker.child.exitCode).toBe(0);
}, 60_000);
