// How a trace goes from a command through Temporal to activities: in the header that the OpenTelemetry interceptors of
// all of Temporal's SDKs use, so that callers in other languages are part of it. Nobody encrypts headers: this one holds
// ids and nothing else.

/** Name of the header; its value is JSON `{ "traceparent": "00-…" }`. */
export const TRACE_HEADER = '_tracer-data';

/** A span that others are made under. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  /** Whether whoever began the trace wants it told. */
  isSampled: boolean;
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const NOTHING = /^0+$/;
const HEX = 16;
const SAMPLED = 1;

/** Null: it is none. Source: W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header */
export function parseTraceparent(sent: unknown): TraceContext | null {
  const [, traceId, spanId, flags] = (typeof sent === 'string' && TRACEPARENT.exec(sent)) || [];
  if (traceId === undefined || spanId === undefined || NOTHING.test(traceId) || NOTHING.test(spanId))
    return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags!, HEX) & SAMPLED) === SAMPLED };
}

export const traceparentOf = ({ traceId, spanId, isSampled }: TraceContext): string =>
  `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;

/**
 * The span of a workflow execution, by its run id: the same in every replay and on every worker. The trace is the one
 * that it was started in; without one it begins its own, whose id is the run id without dashes.
 */
export function traceOfExecution(workflowRunId: string, startedIn: TraceContext | null): TraceContext {
  const spanId = spanIdOf(workflowRunId);
  if (startedIn) return { ...startedIn, spanId };
  const digits = workflowRunId.replaceAll('-', '').toLowerCase();
  const traceId = /^[0-9a-f]{32}$/.test(digits) ? digits : `${spanId}${spanIdOf(`trace ${workflowRunId}`)}`;
  return { traceId, spanId, isSampled: true };
}

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/** 64-bit FNV-1a of the text's UTF-16 units. Source: http://www.isthe.com/chongo/tech/comp/fnv/ */
function spanIdOf(text: string): string {
  let hash = FNV_OFFSET;
  for (let i = 0; i < text.length; i += 1)
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(i))) * FNV_PRIME);
  // The id that is nothing is for none.
  return (hash || 1n).toString(HEX).padStart(16, '0');
}

/** What a workflow tells of itself when it has ended, for its span. */
export interface EndedExecution extends TraceContext {
  /** The span it was started in; null: it began the trace. */
  parentSpanId: string | null;
  workflowType: string;
  startMs: number;
  endMs: number;
  /** Of its run, where it has one. */
  run: { runId: string; pipeline: string; asOf: string | null } | null;
  /** `continued`: as new; null: it says none. */
  outcome: string | null;
  /** Code of what it failed with, by the catalogue where it has one; null: it did not. */
  failure: string | null;
}
