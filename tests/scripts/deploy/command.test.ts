import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PROJECT_FOLDER } from '../../../scripts/config.ts';
import { deployCommand } from '../../../scripts/deploy/command.ts';
import { requirePromotable } from '../../../scripts/deploy/rules.ts';
import { deployment, version } from './deployment.ts';

/** What the server knows, and what it is told; tests/workflows/deploy.test.ts asks a real one. */
const server = vi.hoisted(() => ({
  found: {} as ReturnType<typeof deployment>,
  running: '',
  promoted: [] as string[],
}));
vi.mock('../../../scripts/with-temporal.ts', () => ({
  withTemporal: (_config: unknown, _signal: unknown, work: (access: object) => unknown) =>
    work({ client: {} }),
}));
vi.mock('../../../scripts/deploy/server.ts', () => ({
  lookAt: async () => server.found,
  awaitPromotable: async (_client: unknown, _name: string, { buildId }: { buildId: string }) => ({
    found: server.found,
    version: requirePromotable(server.found, buildId),
  }),
  setCurrent: async (_client: unknown, _found: unknown, buildId: string) => {
    server.promoted.push(buildId);
  },
}));
vi.mock('../../../scripts/replay-sources.ts', () => ({
  runningHistories: async function* () {
    yield { name: 'deliver/shop', read: async () => server.running };
  },
}));
// There is one in a process, and there are two replays here.
vi.mock('../../../scripts/temporal-logger.ts', () => ({ installRuntime: () => undefined }));
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
});

beforeEach(async () => {
  vi.stubEnv('STRATA_BUILD_ID', 'b');
  vi.stubEnv('STRATA_LOG_LEVEL', 'error');
  for (const print of ['log', 'error'] as const) vi.spyOn(console, print).mockReturnValue(undefined);
  server.found = deployment({ current: 'a', versions: [version('a', { status: 'current' }), version('b')] });
  server.running = await readFile(join(PROJECT_FOLDER, 'tests/histories/delivered.json'), 'utf8');
  server.promoted = [];
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** @returns the exit code */
async function deploy(...args: string[]): Promise<number> {
  let exitCode = 0;
  const command = deployCommand(new AbortController().signal, (code) => {
    exitCode = code;
  });
  await command.parseAsync([...args, '--deployment', 'strata'], { from: 'user' });
  return exitCode;
}

test('status ends with 0, and with 2 when work stands still', async () => {
  expect(await deploy('status')).toBe(0);
  server.found = deployment({ current: 'a', versions: [version('a', { status: 'current', workers: [] })] });
  expect(await deploy('status')).toBe(2);
});

test('promote --replay ends with 1 and promotes nothing when what would go on does not replay', async () => {
  const sound = server.running;
  server.running = sound.replaceAll('deliverPipeline', 'deliverNothing');
  expect(server.running).not.toBe(sound);
  expect(await deploy('promote', '--replay')).toBe(1);
  expect(console.error).toHaveBeenCalledWith(expect.stringContaining('now decides otherwise'));
  expect(server.promoted).toEqual([]);
  server.running = sound;
  expect(await deploy('promote', '--replay')).toBe(0);
  expect(server.promoted).toEqual(['b']);
});

test('promote --replay is refused for a version whose code is not here', async () => {
  await expect(deploy('promote', 'a', '--replay')).rejects.toMatchObject({ code: 'DEPLOY_REFUSED' });
  expect(server.promoted).toEqual([]);
});
