import { afterEach, expect, test, vi } from 'vitest';
import { tracedCommand } from '../../../scripts/traces/command.ts';
import { startSilentServer } from '../../helpers/silent-server.ts';

afterEach(() => vi.unstubAllEnvs());

test('a collector that does not answer costs the end of a command about a second', async () => {
  const silent = await startSilentServer();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', silent.url);
  let doneAt = 0;
  const work = async () => {
    doneAt = performance.now();
    return 'done';
  };
  expect(await tracedCommand('strata one', work)).toBe('done');
  const seconds = (performance.now() - doneAt) / 1_000;
  expect(silent.sockets.length).toBeGreaterThan(0);
  expect(seconds).toBeGreaterThan(0.9);
  expect(seconds).toBeLessThan(2.5);
  silent.close();
});
