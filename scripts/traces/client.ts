import { type Attributes, context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ClientInterceptors } from '@temporalio/client';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import { TRACE_HEADER, traceparentOf } from '../../pipelines/contracts/trace-context.ts';
import { TRACER } from './open-traces.ts';

/** Each start of a workflow is a span, which the workflow's is under; questions and other messages are none. */
export function traceStarts(): ClientInterceptors {
  return {
    workflow: [
      {
        startWithDetails: (input, next) =>
          started(
            `StartWorkflow:${input.workflowType}`,
            { temporalWorkflowId: input.options.workflowId },
            (of) => next({ ...input, headers: of(input.headers) }),
          ),
        signalWithStart: (input, next) =>
          started(
            `SignalWithStartWorkflow:${input.workflowType}`,
            { temporalWorkflowId: input.options.workflowId },
            (of) => next({ ...input, headers: of(input.headers) }),
          ),
      },
    ],
  };
}

function started<R>(
  name: string,
  attributes: Attributes,
  start: (withContext: (headers: Headers) => Headers) => Promise<R>,
): Promise<R> {
  const span = trace.getTracer(TRACER).startSpan(name, { kind: SpanKind.PRODUCER, attributes });
  const { traceId, spanId, traceFlags } = span.spanContext();
  const traceparent = traceparentOf({ traceId, spanId, isSampled: (traceFlags & 1) === 1 });
  const header = defaultPayloadConverter.toPayload({ traceparent });
  return context.with(trace.setSpan(context.active(), span), async () => {
    try {
      return await start((headers) => ({ ...headers, [TRACE_HEADER]: header }));
    } catch (error) {
      // The server's words may quote what was sent.
      span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).name });
      throw error;
    } finally {
      span.end();
    }
  });
}
