import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ClosingStack } from '../../scripts/closing-stack.ts';
import { PROJECT_FOLDER, readConfig } from '../../scripts/config.ts';
import { openWorker } from '../../scripts/open-strata.ts';
import { withTemporal as withSchedules } from '../../scripts/schedules/open-temporal.ts';
import { withConnection } from '../../scripts/services/temporal-namespace.ts';
import { withTemporal } from '../../scripts/with-temporal.ts';
import { createQuietLog } from './services/homes.ts';

const ENVIRONMENT = {
  TEMPORAL_ADDRESS: 'temporal.example:7233',
  TEMPORAL_NAMESPACE: 'marketing',
  TEMPORAL_API_KEY: 'planted-api-key',
  TEMPORAL_TLS_CLIENT_CERT_DATA: 'planted certificate',
  TEMPORAL_TLS_CLIENT_KEY_DATA: 'planted private key',
  TEMPORAL_TLS_SERVER_CA_CERT_DATA: 'planted authority',
  TEMPORAL_TLS_SERVER_NAME: 'inside.example',
};
const config = readConfig(ENVIRONMENT);

vi.mock('../../scripts/services/index.ts', () => ({
  startServices: async () => ({ temporal: { ...config.temporal }, stop: async () => undefined }),
}));

interface Tls {
  serverNameOverride: string;
  serverRootCACertificate: Uint8Array;
  clientCertPair: { crt: Uint8Array; key: Uint8Array };
}

const SEEN = new Error('seen');

/** What a connection is asked for; it is never made. */
function watch(kind: typeof Connection | typeof NativeConnection) {
  return vi.spyOn(kind, 'connect').mockRejectedValue(SEEN);
}

afterEach(() => vi.restoreAllMocks());

const { signal } = new AbortController();
const nothing = async () => undefined;
const { log } = createQuietLog();
const worker = () =>
  openWorker(
    { config, services: { temporal: { ...config.temporal } }, context: {}, log } as never,
    new ClosingStack(),
  );

describe('TLS and the API key of the environment', () => {
  test.each<[string, typeof Connection | typeof NativeConnection, () => Promise<unknown>]>([
    ['commands', Connection, () => withTemporal(config, signal, nothing)],
    ['schedules', Connection, () => withSchedules(config, signal, nothing)],
    [
      'the look at a server before it is used',
      Connection,
      () => withConnection(config.temporal.connectionOptions, 1_000, nothing),
    ],
    ['the worker', NativeConnection, worker],
  ])('reach the connection of %s', async (_, kind, connect) => {
    const asked = watch(kind);
    await expect(connect()).rejects.toBe(SEEN);
    expect(asked).toHaveBeenCalledTimes(1);
    const { address, apiKey, tls } = asked.mock.calls[0]![0] as { address: string; apiKey: string; tls: Tls };
    expect({ address, apiKey }).toEqual({ address: 'temporal.example:7233', apiKey: 'planted-api-key' });
    expect(tls.serverNameOverride).toBe('inside.example');
    const { crt, key } = tls.clientCertPair;
    const texts = [crt, key, tls.serverRootCACertificate].map((bytes) => Buffer.from(bytes).toString());
    expect(texts).toEqual(['planted certificate', 'planted private key', 'planted authority']);
  });

  test('an API key alone turns TLS on, and TLS can be had without one', () => {
    const { TEMPORAL_ADDRESS, TEMPORAL_API_KEY } = ENVIRONMENT;
    const options = (env: object) => readConfig({ TEMPORAL_ADDRESS, ...env }).temporal.connectionOptions;
    expect(options({ TEMPORAL_API_KEY })).toMatchObject({ apiKey: TEMPORAL_API_KEY, tls: true });
    expect(options({ TEMPORAL_TLS: 'true' }).tls).toBeTruthy();
    expect(options({}).tls).toBeUndefined();
  });
});

describe('whoever speaks with Temporal', () => {
  const FOLDERS = ['scripts', 'activities', 'api'];
  const files = FOLDERS.flatMap((folder) => {
    try {
      return readdirSync(join(PROJECT_FOLDER, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(folder, name));
    } catch {
      return [];
    }
  });
  const calls = (pattern: RegExp) =>
    files.flatMap((file) =>
      [...readFileSync(join(PROJECT_FOLDER, file), 'utf8').matchAll(pattern)].map(
        ([, options]) => `${file}: ${options!.replace(/\s+/g, ' ').trim()}`,
      ),
    );

  test('connects with the options of the environment, never with an address alone', () => {
    const made = calls(/Connection\.(?:connect|lazy)\(([\s\S]*?)\);/g);
    expect(made.length).toBeGreaterThanOrEqual(4);
    const bare = made.filter((call) => !/connectionOptions|\.\.\.options/.test(call));
    expect(bare).toEqual([]);
  });

  test('reads and writes payloads with the keys of the environment', () => {
    const made = calls(/(?:new Client|startWorker)\(\s*([^;]*?)\);/g);
    expect(made.length).toBeGreaterThanOrEqual(4);
    expect(made.filter((call) => !call.includes('dataConverter'))).toEqual([]);
  });
});
