import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RunSummary, STAGES } from '../../pipelines/contracts/run.ts';
import { workflowIds } from '../../pipelines/contracts/signatures.ts';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import { choosePort, LOOPBACK } from '../../scripts/services/ports.ts';
import { ID_MARK, writeShopExtract } from '../helpers/activity-extract.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../helpers/otlp-receiver.ts';
import { startSilentServer } from '../helpers/silent-server.ts';
import { openStrataHome, type StrataHome, untilProgress } from '../helpers/strata-home.ts';

// One Strata, whose command and worker tell traces to a receiver of OTLP, or to nobody.

const MINUTES = 60_000;
const SECRET = 'planted-otlp-credential';

let folder: string;
let strata: StrataHome;
let extract: string;
let receiver: OtlpReceiver;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-traces-'));
  extract = await writeShopExtract(folder, { customers: 600 });
  strata = await openStrataHome({ fewTrials: true });
}, 5 * MINUTES);
afterAll(async () => {
  await strata?.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  receiver = await startOtlpReceiver();
});
afterEach(() => receiver.close());

const otel = (endpoint: string) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${SECRET}`,
  OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
});

async function command(script: string, args: string[], env: Record<string, string>) {
  const { databaseUrl, temporal } = strata.services;
  const child = spawn(process.execPath, ['--import', 'tsx', `scripts/${script}.ts`, ...args], {
    cwd: PROJECT_FOLDER,
    env: {
      ...process.env,
      STRATA_HOME: strata.home,
      STRATA_DEFINITIONS: join(strata.home, 'definitions'),
      STRATA_DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: temporal.address,
      STRATA_LOG_FORMAT: 'json',
      ...env,
    },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdout.resume();
  const [code] = (await once(child, 'exit')) as [number];
  return { code, said };
}

/** `npm start -- --once` with a worker of its own on the services of this test. */
async function startOnce(env: Record<string, string>) {
  const json = join(folder, 'summary.json');
  const ended = await command('start', ['--once', '--json', json, '--extract', extract], env);
  return { ...ended, summary: JSON.parse(await readFile(json, 'utf8')) as RunSummary };
}

const named = (spans: readonly ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);

function one(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  expect(named(spans, name), name).toHaveLength(1);
  return named(spans, name)[0]!;
}

/** Every stage's attempt that did the work, under the run's workflow. */
function expectStages(spans: readonly ReceivedSpan[], summary: RunSummary): void {
  const run = one(spans, 'RunWorkflow:segmentCustomers');
  const stages = spans.filter(({ attributes }) => attributes['strata.stage'] !== undefined);
  expect(new Set(stages.map(({ attributes }) => attributes['strata.stage']))).toEqual(new Set(STAGES));
  for (const { name, parentSpanId, traceId, attributes, startMs, endMs } of stages) {
    expect({ name, parentSpanId, traceId }).toEqual({
      ...{ name, parentSpanId: run.spanId, traceId: run.traceId },
    });
    expect(attributes).toMatchObject({ 'strata.run': summary.runId, 'strata.pipeline': 'shop' });
    expect(startMs).toBeGreaterThanOrEqual(run.startMs);
    expect(endMs).toBeGreaterThanOrEqual(startMs);
  }
  expect(run.attributes).toMatchObject({
    ...{ 'strata.run': summary.runId, 'strata.outcome': 'published', 'strata.as_of': summary.asOf },
    ...{ temporalWorkflowId: summary.workflow.id, run_id: summary.workflow.runId },
  });
  expect(one(spans, 'RunActivity:fitClusters').attributes).toMatchObject({
    'strata.rows': summary.counts.customers,
  });
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
}

function expectNothingPlanted(words: string): void {
  for (const secret of [ID_MARK, SECRET]) expect(words).not.toContain(secret);
}

test(
  'a command, its start, the run, each stage and the keeping of its history are one trace, sent whole before the command ends',
  async () => {
    const { code, summary, said } = await startOnce(otel(receiver.url));
    expect(code).toBe(0);
    const { spans } = receiver;
    const command = one(spans, 'npm start');
    const start = one(spans, 'StartWorkflow:segmentCustomers');
    const run = one(spans, 'RunWorkflow:segmentCustomers');
    const kept = one(spans, 'RunWorkflow:preserveHistory');
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([command.traceId]));
    expect([command, start, run, kept].map(({ parentSpanId }) => parentSpanId)).toEqual([
      ...[undefined, command.spanId, start.spanId, run.spanId],
    ]);
    expectStages(spans, summary);
    for (const { resource } of spans)
      expect(resource).toMatchObject({ 'service.name': 'strata', 'deployment.environment.name': 'test' });
    expect(receiver.headers[0]).toMatchObject({ url: '/v1/traces', authorization: `Bearer ${SECRET}` });
    const sent = Buffer.concat(receiver.bodies).toString('utf8');
    for (const secret of [ID_MARK, folder, strata.home, 'postgres://', SECRET])
      expect(sent).not.toContain(secret);
    expectNothingPlanted(said);
  },
  3 * MINUTES,
);

test(
  'a run that a worker is killed in is one whole trace, no span of it told twice, and its log lines name their spans',
  async () => {
    const killed = await strata.startWorker({ env: otel(receiver.url) });
    const handle = await strata.startRun({ extract }, 'segment/test/killed');
    await handle.executeUpdate('pause', { args: [{ before: 'match' }] });
    await untilProgress(handle, ({ paused }) => paused?.standsBefore === 'match', 2 * MINUTES);
    // It has sent what it did a second later.
    for (let i = 0; i < 200 && named(receiver.spans, 'RunActivity:fitClusters').length === 0; i += 1)
      await sleep(50);
    await killed.kill();
    const next = await strata.startWorker({
      env: { ...otel(receiver.url), STRATA_LOG_FORMAT: 'json' },
    });
    let said = '';
    next.child.stderr!.on('data', (text: string) => {
      said += text;
    });
    await handle.executeUpdate('resume');
    const summary = await handle.result();
    await strata.client.workflow.getHandle(`history/${summary.runId}`).result();
    await next.stop();
    const spans = receiver.spans.filter(
      ({ traceId }) => traceId === summary.workflow.runId.replaceAll('-', ''),
    );
    expectStages(spans, summary);
    expect(one(spans, 'RunWorkflow:segmentCustomers').parentSpanId).toBeUndefined();
    const { events } = await handle.fetchHistory();
    const headers = (events ?? []).flatMap(
      ({ activityTaskScheduledEventAttributes: ofActivity, ...event }) =>
        (ofActivity ?? event.startChildWorkflowExecutionInitiatedEventAttributes)?.header ?? [],
    );
    expect(headers.length).toBeGreaterThan(STAGES.length);
    const { traceId: ofRun, spanId: ofItsSpan } = one(spans, 'RunWorkflow:segmentCustomers');
    for (const { fields } of headers) {
      expect(Object.keys(fields!)).toEqual(['_tracer-data']);
      const { data } = fields!['_tracer-data']!;
      expect(JSON.parse(Buffer.from(data!).toString())).toEqual({
        traceparent: `00-${ofRun}-${ofItsSpan}-01`,
      });
    }
    const lines = said
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const { traceId, spanId } = one(spans, 'RunActivity:persistRun');
    expect(lines).toContainEqual(
      expect.objectContaining({ stage: 'persist', trace_id: traceId, span_id: spanId }),
    );
  },
  3 * MINUTES,
);

/** Of a run, without the work of its stages: what waiting for a collector would make longer. */
async function secondsBetweenStages({ workflow, stages }: RunSummary): Promise<number> {
  const handle = strata.client.workflow.getHandle(workflow.id, workflow.runId);
  const { startTime, closeTime } = await handle.describe();
  return (closeTime!.getTime() - startTime.getTime() - stages.reduce((sum, { ms }) => sum + ms, 0)) / 1_000;
}

test(
  'a collector that is away, silent or refuses neither holds a run up nor fails it, and is told of once',
  async () => {
    // An export waits for it as long as one ever does, ten seconds.
    const silent = await startSilentServer();
    const nobody = `http://${LOOPBACK}:${await choosePort(24_318)}`;
    receiver.answer(403);
    const usual = await secondsBetweenStages((await startOnce({})).summary);
    for (const endpoint of [nobody, silent.url, receiver.url]) {
      const { code, summary, said } = await startOnce(otel(endpoint));
      expect([code, summary.outcome], endpoint).toEqual([0, 'published']);
      expect(said.match(/traces cannot be sent to/g), said).toHaveLength(1);
      expectNothingPlanted(said);
      // Each of a run's dozen activities would be ten seconds longer.
      expect(await secondsBetweenStages(summary), endpoint).toBeLessThan(usual + 30);
    }
    expect(silent.sockets.length).toBeGreaterThan(0);
    silent.close();
  },
  6 * MINUTES,
);

test(
  'a command that signals an inbox is a trace, which names of what was typed the command alone',
  async () => {
    const { code, said } = await command(
      'strata',
      ['signal', 'request-run', '--pipeline', 'shop'],
      otel(receiver.url),
    );
    expect([code, said], said).toEqual([0, expect.any(String)]);
    const { spans } = receiver;
    const typed = one(spans, 'strata signal');
    expect(one(spans, 'SignalWithStartWorkflow:pipelineInbox')).toMatchObject({
      ...{ traceId: typed.traceId, parentSpanId: typed.spanId },
    });
    await strata.client.workflow.getHandle(workflowIds.inbox('shop')).terminate();
  },
  MINUTES,
);
