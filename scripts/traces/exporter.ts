import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { SpanExporter } from '@opentelemetry/sdk-trace-node';
import type { Log } from '../log.ts';
import type { TraceSettings } from './settings.ts';

/** Of one request with all its repetitions. */
const SEND_WITHIN_MS = 10_000;

export interface TellingExporter extends SpanExporter {
  /** The process ends before an answer came. */
  giveUp(): void;
}

/** Sends; when it cannot, says so once, and once more when it can again. What could not be sent is lost. */
export function createExporter(settings: TraceSettings, log: Pick<Log, 'warn' | 'info'>): TellingExporter {
  const { url, headers, protocol } = settings;
  const Exporter = protocol === 'http/json' ? JsonExporter : ProtobufExporter;
  const exporter = new Exporter({ url, headers: { ...headers }, timeoutMillis: SEND_WITHIN_MS });
  const { host } = new URL(url);
  let lost = 0;
  const tellLost = (spans: number, error?: Error) => {
    if (lost === 0) log.warn(`traces cannot be sent to ${host} (${reasonOf(error)}); runs go on without`);
    lost += spans;
  };
  return {
    giveUp: () => tellLost(1),
    export(spans, done) {
      exporter.export(spans, (result) => {
        const isSent = result.error === undefined && result.code === 0;
        if (isSent && lost > 0) log.info(`traces are sent to ${host} again, ${lost} spans were lost`);
        if (isSent) lost = 0;
        else tellLost(spans.length, result.error);
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}

/** A code or a status: words of others may quote what was sent. */
function reasonOf(error: Error | undefined): string {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  const known = [code, cause?.code].find((one) => typeof one === 'number' || /^[A-Z_]+$/.test(String(one)));
  return known === undefined ? 'no answer' : String(known);
}
