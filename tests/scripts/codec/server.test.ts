import { createSecretKey, randomBytes } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import { JSONToPayload, payloadToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterEach, describe, expect, test } from 'vitest';
import { type CodecServerOptions, startCodecServer } from '../../../scripts/codec/server.ts';
import type { HttpServer } from '../../../scripts/http-server.ts';
import { createLog } from '../../../scripts/log.ts';

const UI = 'http://127.0.0.1:8233';
const codecKeys = [{ id: 'a', key: createSecretKey(randomBytes(32)) }];
const servers: HttpServer[] = [];
const lines: string[] = [];
const log = createLog({ stream: { write: (text: string) => lines.push(text) } as never, level: 'debug' });

async function serve(options: Partial<CodecServerOptions> = {}): Promise<HttpServer> {
  const server = await startCodecServer({ codecKeys, port: 0, allowedOrigins: [UI], log, ...options });
  servers.push(server);
  return server;
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const json = { 'content-type': 'application/json' };
const payload = payloadToJSON(defaultPayloadConverter.toPayload({ pipeline: 'planted-name' }));

const post = (url: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${url}${path}`, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) });

const valueIn = async (response: Response) => {
  const { payloads } = (await response.json()) as { payloads: never[] };
  return payloads.map((one) => defaultPayloadConverter.fromPayload(JSONToPayload(one)));
};

describe('the codec server', () => {
  test('encrypts and reads as the Temporal UI asks it to, and logs how many payloads, nothing of them', async () => {
    const { url } = await serve();
    const headers = { origin: UI, 'x-namespace': 'default', authorization: 'Bearer of-the-ui' };
    const encoded = await post(url, '/encode', { payloads: [payload] }, headers);
    expect(encoded.status).toBe(200);
    expect(encoded.headers.get('access-control-allow-origin')).toBe(UI);
    const body = (await encoded.json()) as { payloads: never[] };
    expect(JSON.stringify(body)).not.toContain(payload.data);
    const decoded = await post(url, '/decode', body, headers);
    expect(await valueIn(decoded)).toEqual([{ pipeline: 'planted-name' }]);
    expect(lines.join('')).toContain('decode 1 payloads');
    expect(lines.join('')).not.toMatch(/planted|of-the-ui/);
  });

  test('answers a preflight with what the UI sends, its access to this machine too', async () => {
    const { url } = await serve();
    const { status, headers } = await fetch(`${url}/decode`, {
      method: 'OPTIONS',
      headers: {
        origin: UI,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-namespace',
      },
    });
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-headers')).toMatch(/authorization.*content-type.*x-namespace/);
    expect(headers.get('access-control-allow-methods')).toContain('POST');
    expect(headers.get('access-control-allow-private-network')).toBe('true');
  });

  test.each(['https://evil.example', 'http://127.0.0.1:8234', 'null', `${UI}.evil.example`])(
    'answers no page of %s, not even a preflight',
    async (origin) => {
      const { url } = await serve();
      for (const method of ['POST', 'OPTIONS']) {
        const response = await fetch(`${url}/decode`, {
          method,
          headers: { ...json, origin },
          ...(method === 'POST' && { body: JSON.stringify({ payloads: [payload] }) }),
        });
        expect(response.status).toBe(403);
        expect(response.headers.get('access-control-allow-origin')).toBeNull();
      }
    },
  );

  test('answers programs that send no origin, as Temporal’s CLI', async () => {
    const { url } = await serve();
    const response = await post(url, '/decode', { payloads: [payload] });
    expect(await valueIn(response)).toEqual([{ pipeline: 'planted-name' }]);
  });

  test('with a token answers nobody without it', async () => {
    const { url } = await serve({ token: 'planted-token' });
    const ask = async (headers: Record<string, string>) =>
      (await post(url, '/decode', { payloads: [] }, headers)).status;
    expect(await ask({})).toBe(401);
    expect(await ask({ authorization: 'Bearer another' })).toBe(401);
    expect(await ask({ authorization: 'Bearer planted-token' })).toBe(200);
  });

  test('says which key is missing, so that the page can show it', async () => {
    const other = await serve({ codecKeys: [{ id: 'b', key: createSecretKey(randomBytes(32)) }] });
    const encoded = await (await post(other.url, '/encode', { payloads: [payload] })).json();
    const { url } = await serve();
    const response = await post(url, '/decode', encoded, { origin: UI });
    expect(response.status).toBe(503);
    expect(response.headers.get('access-control-allow-origin')).toBe(UI);
    expect(await response.json()).toMatchObject({
      code: 'CODEC_KEY_MISSING',
      message: expect.stringContaining('needs the key b'),
    });
  });

  test('refuses what is no request of a remote codec, by what it should be', async () => {
    const { url } = await serve();
    const body = JSON.stringify({ payloads: [] });
    const status = async (path: string, init: RequestInit) => (await fetch(url + path, init)).status;
    expect(await status('/other', { method: 'POST', body, headers: json })).toBe(404);
    expect(await status('/decode', { method: 'GET' })).toBe(405);
    expect(await status('/decode', { method: 'POST', body })).toBe(415);
    for (const bad of ['', 'null', '{}', '{"payloads": [1]}', '{"payloads": {}}', '[]'])
      expect(await status('/decode', { method: 'POST', body: bad, headers: json }), bad).toBe(400);
    const large = Buffer.alloc((8 << 20) + 1, 32);
    expect(await status('/decode', { method: 'POST', body: large, headers: json })).toBe(413);
  });

  test('says so when its port is taken', async () => {
    const { url } = await serve();
    await expect(serve({ port: Number(new URL(url).port) })).rejects.toMatchObject({
      code: 'PORT_UNAVAILABLE',
      message: expect.stringContaining('EADDRINUSE'),
    });
  });
});
