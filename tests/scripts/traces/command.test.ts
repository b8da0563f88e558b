import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { tracedCommand } from '../../../scripts/traces/command.ts';

afterEach(() => vi.unstubAllEnvs());

test('a collector that does not answer costs the end of a command about a second', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  let doneAt = 0;
  const work = async () => {
    doneAt = performance.now();
    return 'done';
  };
  expect(await tracedCommand('strata one', work)).toBe('done');
  const seconds = (performance.now() - doneAt) / 1_000;
  expect(sockets.length).toBeGreaterThan(0);
  expect(seconds).toBeGreaterThan(0.9);
  expect(seconds).toBeLessThan(2.5);
  for (const socket of sockets) socket.destroy();
  silent.close();
});
