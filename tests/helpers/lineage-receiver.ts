import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunEvent } from '../../pipelines/stages/openlineage/facets.ts';

export interface LineageReceiver {
  /** For OPENLINEAGE_URL. */
  url: string;
  /** Those that it took, in the order in which they came. */
  events: RunEvent[];
  /** Of every request, those that it did not take, too. */
  requests: { path: string; authorization: string | undefined; body: string }[];
  /** Answers with this from now on; default 201, as Marquez does. */
  answer(status: number): void;
  close(): Promise<void>;
}

/** What Marquez and others are to a worker: takes OpenLineage events, on a port of its own. */
export async function startLineageReceiver(): Promise<LineageReceiver> {
  const events: RunEvent[] = [];
  const requests: LineageReceiver['requests'] = [];
  let status = 201;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      requests.push({ path: request.url!, authorization: request.headers.authorization, body });
      if (status < 300) events.push(JSON.parse(body));
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ events, requests },
    answer: (next) => {
      status = next;
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
