import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { Readiness } from './readiness.ts';

export interface ObserverServer {
  url: string;
  close(): Promise<void>;
}

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
const ANSWER_WITHIN_MS = 10_000;
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
): Promise<ObserverServer> {
  const server = createServer((request, response) => {
    answer(pages, request).then(
      (said) => send(response, said, request.method === 'HEAD'),
      () => send(response, { status: 500, type: TEXT, body: 'the page could not be made\n' }, false),
    );
  });
  server.requestTimeout = ANSWER_WITHIN_MS;
  await listen(server, host, port);
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${name}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
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

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ code = 'no reason given' }: NodeJS.ErrnoException) => {
      const name = OF_THE_PORT.has(code) ? 'STRATA_METRICS_PORT' : 'STRATA_METRICS_HOST';
      const found = `the worker's metrics need port ${port} on ${host}, found ${code}`;
      reject(new PipelineError('PORT_UNAVAILABLE', `${found}; name another with ${name}`, { port }));
    });
    server.listen({ host, port }, () => {
      // A connection that cannot be taken is its caller's loss, not the worker's end.
      server.on('error', () => undefined);
      resolve();
    });
  });
}
