import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Payload } from '@temporalio/common';
import { JSONToPayload, payloadToJSON } from '@temporalio/common/lib/proto-utils.js';
import { ERRORS, PipelineError } from '../../pipelines/contracts/errors.ts';
import { type HttpServer, openHttpServer } from '../http-server.ts';
import type { Log } from '../log.ts';
import { LOOPBACK } from '../services/ports.ts';
import type { CodecKey } from './keys.ts';
import { createPayloadCodec } from './payload-codec.ts';

// What the Temporal UI and its CLI ask to read and write payloads: POST /decode and /encode, as Temporal's remote codecs
// do. Whoever may ask can read everything, so it listens on this machine, answers pages of the given origins only, and
// says of a payload nothing but how many there were.

/** Temporal keeps 2 MB in one payload at most; one request holds those of one event, as base64. */
const LARGEST_BODY_BYTES = 8 << 20;
const DIRECTIONS = { '/encode': 'encode', '/decode': 'decode' } as const;

export interface CodecServerOptions {
  codecKeys: readonly CodecKey[];
  host?: string;
  /** 0: any free one. */
  port: number;
  /** Of the pages that may ask, as browsers send it: scheme, host and port. */
  allowedOrigins: readonly string[];
  /** Where given, a request needs it as `Authorization: Bearer …`. */
  token?: string | undefined;
  log: Pick<Log, 'debug'>;
}

/** @throws PipelineError PORT_UNAVAILABLE */
export async function startCodecServer(options: CodecServerOptions): Promise<HttpServer> {
  const { host = LOOPBACK, port } = options;
  const refusal = (code: string) =>
    `the codec server needs port ${port} on ${host}, found ${code}; name another with --port`;
  return openHttpServer({ host, port, refusal }, (request, response) => {
    answer(options, request).then(
      (said) => send(response, said),
      (fault) => send(response, refusalOf(fault)),
    );
  });
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

class Refusal extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;
  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

async function answer(options: CodecServerOptions, request: IncomingMessage): Promise<Answer> {
  const { codecKeys, allowedOrigins, log } = options;
  const { origin } = request.headers;
  // A browser says where a page is from; the CLI and other programs send no origin.
  if (origin !== undefined && !allowedOrigins.includes(origin))
    throw new Refusal(403, `pages of ${origin} may not ask; allow them with --allow-origin`);
  const headers = origin === undefined ? {} : corsHeaders(origin);
  try {
    const { pathname } = new URL(request.url ?? '/', 'http://codec');
    const direction = Object.hasOwn(DIRECTIONS, pathname)
      ? DIRECTIONS[pathname as keyof typeof DIRECTIONS]
      : undefined;
    if (direction === undefined) throw new Refusal(404, 'there are /encode and /decode');
    if (request.method === 'OPTIONS') return { status: 204, headers: { ...headers, ...PREFLIGHT } };
    if (request.method !== 'POST')
      throw new Refusal(405, 'only POST is answered', { allow: 'POST, OPTIONS' });
    requireToken(options.token, request.headers.authorization);
    const payloads = await readPayloads(request);
    const answered = await createPayloadCodec(codecKeys)[direction](payloads);
    log.debug(`codec server: ${direction} ${payloads.length} payloads`);
    return { status: 200, headers, body: { payloads: answered.map((one) => payloadToJSON(one)) } };
  } catch (fault) {
    // With them a page can read the reason; without, a browser shows a network error.
    const { status, body, headers: own } = refusalOf(fault);
    return { status, body, headers: { ...headers, ...own } };
  }
}

const PREFLIGHT = {
  'access-control-allow-methods': 'POST, OPTIONS',
  'access-control-allow-headers': 'authorization, content-type, x-namespace, authorization-extras',
  'access-control-allow-private-network': 'true',
  'access-control-max-age': '600',
};

function corsHeaders(origin: string): Record<string, string> {
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    vary: 'Origin',
  };
}

function requireToken(token: string | undefined, given: string | undefined): void {
  if (token === undefined) return;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (!timingSafeEqual(digest(`Bearer ${token}`), digest(given ?? '')))
    throw new Refusal(401, 'this codec server needs its token', { 'www-authenticate': 'Bearer' });
}

async function readPayloads(request: IncomingMessage): Promise<Payload[]> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
    throw new Refusal(415, 'the body needs to be application/json');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LARGEST_BODY_BYTES) {
      throw new Refusal(413, `the body needs to be at most ${LARGEST_BODY_BYTES} bytes`, {
        connection: 'close',
      });
    }
    chunks.push(chunk);
  }
  try {
    const { payloads } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { payloads: never[] };
    return payloads.map((one) => JSONToPayload(one));
  } catch {
    throw new Refusal(400, 'the body needs to be {"payloads": [...]}, each with metadata and data in base64');
  }
}

function refusalOf(fault: unknown): Answer {
  if (fault instanceof Refusal)
    return { status: fault.status, headers: fault.headers, body: { message: fault.message } };
  if (fault instanceof PipelineError) {
    const { code, message } = fault;
    return { status: ERRORS[code].http, body: { code, message } };
  }
  return { status: 500, body: { message: 'the codec server failed' } };
}

function send(response: ServerResponse, { status, headers = {}, body }: Answer): void {
  response.writeHead(status, {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...headers,
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
