import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PipelineError } from '../pipelines/contracts/errors.ts';

const ANSWER_WITHIN_MS = 10_000;

export interface HttpServer {
  url: string;
  close(): Promise<void>;
}

export interface Place {
  host: string;
  /** 0: any free one. */
  port: number;
  /** What needs it and what to do, where it cannot be had for this reason. */
  refusal(code: string): string;
}

/** A small server of our own. @throws PipelineError PORT_UNAVAILABLE */
export async function openHttpServer(
  { host, port, refusal }: Place,
  answer: RequestListener,
): Promise<HttpServer> {
  const server = createServer(answer);
  server.requestTimeout = ANSWER_WITHIN_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ code = 'no reason given' }: NodeJS.ErrnoException) =>
      reject(new PipelineError('PORT_UNAVAILABLE', refusal(code), { port })),
    );
    server.listen({ host, port }, () => {
      // A connection that cannot be taken is its caller's loss, not the end of the process.
      server.on('error', () => undefined);
      resolve();
    });
  });
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
