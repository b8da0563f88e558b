import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AnsweringServer {
  url: string;
  /** Answers with this from now on. */
  answer(status: number): void;
  close(): Promise<void>;
}

interface Request {
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/**
 * An HTTP server on a port of its own that takes whatever comes.
 *
 * @param onRequest is told of each request and of the status it is answered with; gives the answer's body
 */
export async function startAnsweringServer(
  first: number,
  onRequest: (request: Request, status: number) => string,
): Promise<AnsweringServer> {
  let status = first;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { url = '', headers } = request;
      const body = onRequest({ path: url, headers, body: Buffer.concat(parts) }, status);
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
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
