import { setTimeout as sleep } from 'node:timers/promises';
import { context, diag, propagation, SpanStatusCode, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { Log } from '../log.ts';
import { createExporter } from './exporter.ts';
import type { TraceSettings } from './settings.ts';
import { SpanIds } from './span-ids.ts';

/** The traces of this process. */
export interface Traces {
  /** Span of a command: what it starts is part of its trace. */
  command<R>(name: string, work: () => Promise<R>): Promise<R>;
  /** Sends what is left, but keeps no process from ending. */
  close(): Promise<void>;
}

const CLOSE_WITHIN_MS = 3_000;
/** Spans are few; what was not sent goes with a worker that is lost. */
const SEND_EVERY_MS = 1_000;

export const spanIds = new SpanIds();
export const TRACER = 'strata';

/** From now on all that is asked of OpenTelemetry's API goes to the endpoint. */
export function openTraces(
  settings: TraceSettings,
  log: Pick<Log, 'warn' | 'info'>,
  { closeWithinMs = CLOSE_WITHIN_MS }: { closeWithinMs?: number } = {},
): Traces {
  const exporter = createExporter(settings, log);
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ ...settings.resource }),
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    idGenerator: spanIds,
    spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: SEND_EVERY_MS })],
  });
  provider.register();
  return {
    command: (name, work) =>
      trace.getTracer(TRACER).startActiveSpan(name, async (span) => {
        try {
          return await work();
        } catch (error) {
          const code = error instanceof PipelineError ? error.code : 'UNKNOWN';
          span.setAttribute('error.type', code);
          span.setStatus({ code: SpanStatusCode.ERROR, message: code });
          throw error;
        } finally {
          span.end();
        }
      }),
    async close() {
      const isLate = sleep(closeWithinMs, true, { ref: false });
      // What could not be sent, the exporter has told.
      const isOver = provider.shutdown().then(
        () => false,
        () => false,
      );
      if (await Promise.race([isOver, isLate])) exporter.giveUp();
      for (const api of [trace, context, propagation, diag]) api.disable();
    },
  };
}
