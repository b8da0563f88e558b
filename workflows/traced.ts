import {
  ContinueAsNew,
  defaultPayloadConverter,
  isCancellation,
  proxySinks,
  type Sinks,
  TemporalFailure,
  type WorkflowInterceptors,
  workflowInfo,
} from '@temporalio/workflow';
import { isErrorCode } from '../pipelines/contracts/errors.ts';
import { OUTCOMES } from '../pipelines/contracts/run.ts';
import { WORKFLOWS } from '../pipelines/contracts/signatures.ts';
import {
  type EndedExecution,
  parseTraceparent,
  TRACE_HEADER,
  type TraceContext,
  traceOfExecution,
  traceparentOf,
} from '../pipelines/contracts/trace-context.ts';
import { nowMs } from './clock.ts';

// Part of the bundle only where traces are told. It hands every promise on as it is and adds no command, so that the
// order of a workflow's steps, and with it each kept history, is the same with and without it. Its span has an id made
// of the run id and is told by a sink, which is silent in a replay: a restart of the worker does not lose
// it. Temporal may refuse the last task (UnhandledCommand: a signal came meanwhile) and ask for it again; then it is told twice,
// with the same id.

type Headers = Parameters<
  NonNullable<NonNullable<WorkflowInterceptors['inbound']>[number]['execute']>
>[0]['headers'];

export interface TraceSinks extends Sinks {
  traces: { ended(execution: EndedExecution): void };
}

/** They serve many runs, each of which is a trace of its own. */
const SERVES_MANY: readonly string[] = [WORKFLOWS.pipelineInbox, WORKFLOWS.deliverMessages];

export const interceptors = (): WorkflowInterceptors => {
  const { runId, workflowType } = workflowInfo();
  const servesMany = SERVES_MANY.includes(workflowType);
  let startedIn: TraceContext | null = null;
  let context = traceOfExecution(runId, null);
  let run: EndedExecution['run'] = null;
  const withContext = <Input extends { headers: Headers }>(input: Input): Input => ({
    ...input,
    headers: { ...input.headers, [TRACE_HEADER]: headerOf(context) },
  });
  const withContextOfOne = <Input extends { headers: Headers }>(input: Input): Input =>
    servesMany ? input : withContext(input);
  return {
    inbound: [
      {
        execute(input, next) {
          startedIn = servesMany ? null : readHeader(input.headers);
          context = traceOfExecution(runId, startedIn);
          const result = next(input);
          const tell = (how: Pick<EndedExecution, 'outcome' | 'failure'>) => {
            if (!context.isSampled) return;
            const { runStartTime } = workflowInfo();
            proxySinks<TraceSinks>().traces.ended({
              ...context,
              ...{ parentSpanId: startedIn?.spanId ?? null, workflowType, run, ...how },
              ...{ startMs: runStartTime.getTime(), endMs: nowMs() },
            });
          };
          result.then(
            (value) => tell({ outcome: outcomeOf(value), failure: null }),
            (error) => {
              // Of any other the task is tried again: the workflow goes on.
              if (isEnd(error)) tell(endedWith(error));
            },
          );
          return result;
        },
      },
    ],
    outbound: [
      {
        scheduleActivity(input, next) {
          run = runIn(input.args[0]) ?? run;
          return next(withContext(input));
        },
        startChildWorkflowExecution: (input, next) => next(withContextOfOne(input)),
        continueAsNew: (input, next) => next(withContextOfOne(input)),
      },
    ],
  };
};

const headerOf = (context: TraceContext) =>
  defaultPayloadConverter.toPayload({ traceparent: traceparentOf(context) });

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

function runIn(argument: unknown): EndedExecution['run'] {
  const { runId, pipeline, asOf } =
    (argument as { run?: Partial<NonNullable<EndedExecution['run']>> } | null)?.run ?? {};
  if (typeof runId !== 'string' || typeof pipeline !== 'string') return null;
  return { runId, pipeline, asOf: typeof asOf === 'string' ? asOf : null };
}

function outcomeOf(result: unknown): string | null {
  const { outcome } = (result as { outcome?: unknown } | null | undefined) ?? {};
  return OUTCOMES.find((known) => known === outcome) ?? null;
}

const isEnd = (error: unknown) => error instanceof TemporalFailure || error instanceof ContinueAsNew;

function endedWith(error: unknown): Pick<EndedExecution, 'outcome' | 'failure'> {
  if (error instanceof ContinueAsNew) return { outcome: 'continued', failure: null };
  if (isCancellation(error)) return { outcome: 'cancelled', failure: null };
  return { outcome: 'failed', failure: codeOf(error) };
}

/** Of the innermost failure that has one of ours. */
function codeOf(error: unknown): string {
  let code = 'UNKNOWN';
  for (
    let fault = error as { type?: string; cause?: unknown } | undefined, depth = 0;
    fault && depth < 10;
  ) {
    if (isErrorCode(fault.type)) code = fault.type;
    fault = fault.cause as typeof fault;
    depth += 1;
  }
  return code;
}
