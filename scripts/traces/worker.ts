import {
  type Context,
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { InjectedSinks, NexusInboundCallsInterceptor, WorkerInterceptors } from '@temporalio/worker';
import { segmentation } from '../../pipelines/contracts/segmentation-service.ts';
import { WORKFLOWS } from '../../pipelines/contracts/signatures.ts';
import {
  parseTraceparent,
  TRACE_HEADER,
  type TraceContext,
} from '../../pipelines/contracts/trace-context.ts';
import type { TraceSinks } from '../../workflows/traced.ts';
import type { ActivityEnded } from '../observe/activity-ended.ts';
import { traceStarts } from './client.ts';
import { spanIds, TRACER } from './open-traces.ts';
import { attributesOfActivity, attributesOfExecution } from './span-attributes.ts';

/** What a worker's options take so that its work is traced. */
export interface WorkerTraces {
  /** Around each attempt at an activity. */
  activity: ActivityTraces;
  interceptors: Pick<WorkerInterceptors, 'client' | 'nexus'>;
  sinks: InjectedSinks<TraceSinks>;
}

/** An attempt at an activity as a span. */
export interface ActivitySpan {
  ids: { trace_id: string; span_id: string };
  /** All that is done within is under the span. */
  within<R>(work: () => Promise<R>): Promise<R>;
  end(ended: ActivityEnded): void;
}

export type ActivityTraces = (call: {
  activity: string;
  headers: Headers;
  /** As the run knows it. */
  asOf: string | null;
}) => ActivitySpan;

export const traceWorker = (): WorkerTraces => ({
  activity: beginActivity,
  interceptors: { client: traceStarts(), nexus: [() => ({ inbound: nexusCalls })] },
  sinks: { traces: { ended: { fn: tellExecution, callDuringReplay: false } } },
});

const beginActivity: ActivityTraces = ({ activity, headers, asOf }) => {
  const span = trace
    .getTracer(TRACER)
    .startSpan(`RunActivity:${activity}`, { kind: SpanKind.CONSUMER }, contextOf(readHeader(headers)));
  const { traceId, spanId } = span.spanContext();
  return {
    ids: { trace_id: traceId, span_id: spanId },
    within: (work) => context.with(trace.setSpan(context.active(), span), work),
    end(ended) {
      span.setAttributes(attributesOfActivity(ended, asOf));
      const { failure } = ended;
      // A person's cancel is no fault.
      if (failure && failure.code !== 'CANCELLED') {
        const { code, message } = failure;
        span.setStatus({ code: SpanStatusCode.ERROR, message: message ? `${message} (${code})` : code });
      }
      span.end();
    },
  };
};

/** Of the end of a workflow: the span that its activities have had as their parent since it began. */
const tellExecution: WorkerTraces['sinks']['traces']['ended']['fn'] = (info, execution) => {
  const { parentSpanId, traceId, spanId, isSampled, startMs, endMs, failure } = execution;
  // Whoever starts a workflow names its type.
  const type = Object.hasOwn(WORKFLOWS, execution.workflowType) ? execution.workflowType : 'other';
  const parent = parentSpanId === null ? null : { traceId, spanId: parentSpanId, isSampled };
  const options = { kind: SpanKind.CONSUMER, startTime: startMs };
  const span = spanIds.using({ traceId, spanId }, () =>
    trace.getTracer(TRACER).startSpan(`RunWorkflow:${type}`, options, contextOf(parent)),
  );
  span.setAttributes(attributesOfExecution(execution, { id: info.workflowId, runId: info.runId }));
  if (failure !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
  span.end(endMs);
};

/** A call of another namespace: what it starts is part of the caller's trace. */
const nexusCalls: NexusInboundCallsInterceptor = {
  async startOperation(input, next) {
    const { operation, headers } = input.ctx;
    const parent = contextOf(parseTraceparent(headers.traceparent));
    const name = `StartNexusOperation:${Object.hasOwn(segmentation.operations, operation) ? operation : 'other'}`;
    const span = trace.getTracer(TRACER).startSpan(name, { kind: SpanKind.SERVER }, parent);
    return context.with(trace.setSpan(parent, span), async () => {
      try {
        return await next(input);
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).name });
        throw error;
      } finally {
        span.end();
      }
    });
  },
};

function contextOf(parent: TraceContext | null): Context {
  if (parent === null) return ROOT_CONTEXT;
  const { traceId, spanId, isSampled } = parent;
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

/** What a caller put there may be anything. */
function readHeader(headers: Headers): TraceContext | null {
  const payload = headers[TRACE_HEADER];
  if (!payload) return null;
  try {
    const sent = defaultPayloadConverter.fromPayload<{ traceparent?: unknown } | null>(payload);
    return parseTraceparent(sent?.traceparent);
  } catch {
    return null;
  }
}
