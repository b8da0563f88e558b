import { type AnsweringServer, startAnsweringServer } from './answering-server.ts';

/** A span as OTLP/JSON tells it, its attributes as one object. */
export interface ReceivedSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  startMs: number;
  endMs: number;
  attributes: Record<string, unknown>;
  status: { code?: number; message?: string };
  resource: Record<string, unknown>;
}

/** Its `url` is for OTEL_EXPORTER_OTLP_ENDPOINT; it answers 200 at first. */
export interface OtlpReceiver extends AnsweringServer {
  spans: ReceivedSpan[];
  /** All bodies as they came. */
  bodies: Buffer[];
  /** Of each request. */
  headers: Record<string, unknown>[];
}

type Pairs = { key: string; value: Record<string, unknown> }[];

/** What collectors are to a worker: takes OTLP over HTTP. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const [spans, bodies, headers] = [[], [], []] as [ReceivedSpan[], Buffer[], Record<string, unknown>[]];
  const server = await startAnsweringServer(200, (request, status) => {
    bodies.push(request.body);
    headers.push({ ...request.headers, url: request.path });
    if (status === 200 && request.headers['content-type'] === 'application/json')
      spans.push(...spansIn(JSON.parse(request.body.toString('utf8'))));
    return '{}';
  });
  return { ...server, spans, bodies, headers };
}

interface Sent {
  resourceSpans: {
    resource: { attributes: Pairs };
    scopeSpans: {
      spans: (Omit<ReceivedSpan, 'attributes' | 'resource' | 'startMs' | 'endMs'> & {
        attributes: Pairs;
        startTimeUnixNano: string;
        endTimeUnixNano: string;
      })[];
    }[];
  }[];
}

function spansIn({ resourceSpans }: Sent): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ startTimeUnixNano, endTimeUnixNano, parentSpanId, ...span }) => ({
        ...span,
        parentSpanId: parentSpanId || undefined,
        startMs: Number(BigInt(startTimeUnixNano) / 1_000_000n),
        endMs: Number(BigInt(endTimeUnixNano) / 1_000_000n),
        attributes: objectOf(span.attributes),
        resource: objectOf(resource.attributes),
      })),
    ),
  );
}

const objectOf = (pairs: Pairs) =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]));
