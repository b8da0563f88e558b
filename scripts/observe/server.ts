import type { IncomingMessage, ServerResponse } from 'node:http';
import { type HttpServer, openHttpServer } from '../http-server.ts';
import type { Readiness } from './readiness.ts';

export interface ObserverPages {
  readiness: Pick<Readiness, 'report'>;
  metrics: { contentType: string; read(): Promise<string> };
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

const TEXT = 'text/plain; charset=utf-8';
/** It is taken, or not for everyone; all else is the host's. */
const OF_THE_PORT: ReadonlySet<string> = new Set(['EADDRINUSE', 'EACCES']);

/**
 * /metrics for Prometheus, /healthz and /readyz for whatever runs the process. No log-in: it tells no customer, and
 * listens on this machine alone unless told otherwise.
 *
 * @throws PipelineError PORT_UNAVAILABLE
 */
export async function startObserverServer(
  { port, host }: { port: number; host: string },
  pages: ObserverPages,
): Promise<HttpServer> {
  const refusal = (code: string) => {
    const name = OF_THE_PORT.has(code) ? 'STRATA_METRICS_PORT' : 'STRATA_METRICS_HOST';
    return `the worker's metrics need port ${port} on ${host}, found ${code}; name another with ${name}`;
  };
  return openHttpServer({ host, port, refusal }, (request, response) => {
    answer(pages, request).then(
      (said) => send(response, said, request.method === 'HEAD'),
      () => send(response, { status: 500, type: TEXT, body: 'the page could not be made\n' }, false),
    );
  });
}

async function answer({ readiness, metrics }: ObserverPages, request: IncomingMessage): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, type: TEXT, body: 'only GET is answered\n' };
  switch (request.url?.split('?', 1)[0]) {
    case '/metrics':
      return { status: 200, type: metrics.contentType, body: await metrics.read() };
    // That it is answered at all says that the event loop turns.
    case '/healthz':
      return { status: 200, type: TEXT, body: 'ok\n' };
    case '/readyz': {
      const report = await readiness.report();
      const body = `${JSON.stringify(report, null, 2)}\n`;
      return { status: report.isReady ? 200 : 503, type: 'application/json', body };
    }
    default:
      return { status: 404, type: TEXT, body: 'there are /metrics, /healthz and /readyz\n' };
  }
}

function send(response: ServerResponse, { status, type, body }: Answer, isHead: boolean): void {
  response.writeHead(status, {
    ...{ 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' },
    ...(status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(isHead ? undefined : body);
}
