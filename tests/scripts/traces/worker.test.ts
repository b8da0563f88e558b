import { defaultPayloadConverter } from '@temporalio/common';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PipelineError } from '../../../pipelines/contracts/errors.ts';
import { TRACE_HEADER } from '../../../pipelines/contracts/trace-context.ts';
import { type ActivityFacts, activityEnded } from '../../../scripts/observe/activity-ended.ts';
import { openTraces, type Traces } from '../../../scripts/traces/open-traces.ts';
import { traceWorker } from '../../../scripts/traces/worker.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../../helpers/otlp-receiver.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const traceparent = `00-${TRACE_ID}-${PARENT}-01`;
const headerOf = (value: unknown) => ({ [TRACE_HEADER]: defaultPayloadConverter.toPayload(value)! });

let receiver: OtlpReceiver;
let traces: Traces;
beforeEach(async () => {
  receiver = await startOtlpReceiver();
  const settings = { protocol: 'http/json', headers: {}, resource: { 'service.name': 'strata' } } as const;
  const ignore = () => undefined;
  traces = openTraces({ ...settings, url: `${receiver.url}/v1/traces` }, { warn: ignore, info: ignore });
});
afterEach(async () => {
  await traces.close();
  await receiver.close();
});

const facts: ActivityFacts = {
  ...{ activity: 'fitClusters', queue: 'strata-compute', workflowId: 'segment/shop/latest' },
  ...{ attempt: 1, waitSeconds: 0 },
};
const attempt = (headers: object, how: { result: unknown } | { error: unknown } = { result: null }) => {
  const span = traceWorker().activity({ activity: 'fitClusters', headers: headers as never, asOf: null });
  span.end(activityEnded(facts, { input: null, seconds: 1, endedAtMs: Date.now(), ...how }));
  return span;
};

test('an attempt is under the span that its header names, and of what failed tells our words alone', async () => {
  const coded = Object.assign(new Error('needs 20 customers'), { type: 'TOO_FEW_CUSTOMERS' });
  attempt(headerOf({ traceparent }));
  attempt(headerOf({ traceparent }), { error: new PipelineError('KERNEL_FAILED', 'the kernel broke', {}) });
  attempt(headerOf({ traceparent }), { error: coded });
  attempt(headerOf({ traceparent }), { error: new RangeError('kunde-17') });
  attempt(headerOf({ traceparent }), { error: { name: 'CancelledFailure' } });
  await traces.close();
  for (const { name, traceId, parentSpanId } of receiver.spans)
    expect({ name, traceId, parentSpanId }).toEqual({
      ...{ name: 'RunActivity:fitClusters', traceId: TRACE_ID, parentSpanId: PARENT },
    });
  expect(receiver.spans.map(({ attributes }) => attributes['error.type'])).toContain('CANCELLED');
  expect(receiver.spans.filter(({ status }) => status.code === 2).length).toBe(3);
  expect(Buffer.concat(receiver.bodies).toString()).not.toContain('kunde');
});

test.each([
  ['nothing', {}],
  ['no text', headerOf(7)],
  ['null', headerOf(null)],
  ['other words', headerOf({ traceparent: 'kunde-17' })],
  ['no payload', { [TRACE_HEADER]: { metadata: {}, data: new Uint8Array([1]) } }],
])('a header with %s begins a trace and breaks nothing', async (_, headers) => {
  const { ids } = attempt(headers);
  await traces.close();
  expect(receiver.spans).toMatchObject([{ traceId: ids.trace_id, spanId: ids.span_id }]);
  expect(receiver.spans[0]!.parentSpanId).toBeUndefined();
});

test('what a caller does not want told is not told', async () => {
  attempt(headerOf({ traceparent: traceparent.replace(/01$/, '00') }));
  await traces.close();
  expect(receiver.spans).toEqual([]);
});

test('a workflow is told under the id that its activities have as their parent, its type if it is ours', async () => {
  const { fn } = traceWorker().sinks.traces.ended;
  const ended = {
    ...{ traceId: TRACE_ID, spanId: 'a'.repeat(16), isSampled: true, parentSpanId: PARENT, run: null },
    ...{ startMs: 1_000_000, endMs: 1_002_500, outcome: 'failed', failure: 'TOO_FEW_ROWS' },
  };
  const info = { workflowId: 'by-hand', runId: 'r' } as never;
  await fn(info, { ...ended, workflowType: 'segmentCustomers' });
  await fn(info, { ...ended, spanId: 'b'.repeat(16), workflowType: 'kunde-17' });
  await traces.close();
  expect(receiver.spans).toMatchObject([
    {
      ...{ name: 'RunWorkflow:segmentCustomers', traceId: TRACE_ID, spanId: 'a'.repeat(16) },
      ...{ parentSpanId: PARENT, startMs: 1_000_000, endMs: 1_002_500 },
      status: { code: 2, message: 'TOO_FEW_ROWS' },
    },
    { name: 'RunWorkflow:other', spanId: 'b'.repeat(16) },
  ]);
});

test('a call of another namespace is under its caller’s span, and what it starts under it', async () => {
  const { nexus, client } = traceWorker().interceptors;
  const { startOperation } = nexus![0]!({} as never).inbound!;
  let sent: unknown;
  const [{ startWithDetails }] = client!.workflow as [
    { startWithDetails: (...given: unknown[]) => Promise<never> },
  ];
  const start = {
    workflowType: 'segmentCustomers',
    headers: {},
    options: { workflowId: 'segment/shop/latest' },
  };
  const next = async () =>
    startWithDetails(start, async ({ headers }: { headers: Parameters<typeof headerOf>[0] }) => {
      sent = defaultPayloadConverter.fromPayload((headers as ReturnType<typeof headerOf>)[TRACE_HEADER]!);
      return { runId: 'r' };
    });
  const ctx = { operation: 'run', service: 'segmentation', headers: { traceparent } };
  await startOperation!({ ctx } as never, next as never);
  await traces.close();
  const [started, call] = receiver.spans;
  expect(call).toMatchObject({ name: 'StartNexusOperation:run', traceId: TRACE_ID, parentSpanId: PARENT });
  expect(started).toMatchObject({ traceId: TRACE_ID, parentSpanId: call!.spanId });
  expect(sent).toEqual({ traceparent: `00-${TRACE_ID}-${started!.spanId}-01` });
});
