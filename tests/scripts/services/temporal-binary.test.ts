import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../../../scripts/config.ts';
import { ensureTemporalBinary, findTemporalBinary } from '../../../scripts/services/temporal-binary.ts';
import { TEMPORAL_CLI_VERSION } from '../../../scripts/services/temporal-supply.ts';
import { createQuietLog } from './homes.ts';

/** What the CLI prints when built by Go, and when released. */
const BUILT = 'temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)';
const RELEASED = 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strata-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the places are searched in the documented order', async () => {
  const places = [
    { file: 'named/cli', source: 'TEMPORAL_CLI_PATH' },
    { file: 'path/temporal', source: 'PATH' },
    { file: 'gobin/temporal', source: "Go's bin folder" },
    { file: `cache/strata/temporal/${TEMPORAL_CLI_VERSION}/temporal`, source: "Strata's cache" },
  ];
  for (const { file } of places) writeProgram(file, RELEASED);
  for (const { file, source } of places) {
    const path = join(folder, file);
    expect(await find({ TEMPORAL_CLI_PATH: source === 'TEMPORAL_CLI_PATH' ? path : '' })).toMatchObject({
      path,
      source,
    });
    rmSync(path);
  }
  expect(await find({})).toBeUndefined();
});

test.each([RELEASED, BUILT])('"%s" is a usable CLI', async (version) => {
  writeProgram('path/temporal', version);
  expect(await find({})).toMatchObject({ version });
});

test.each([
  ['an old server', 'temporal version 1.0.0 (Server 1.24.2, UI 2.28.0)', 'holds server 1.24'],
  ['another program', 'temporal anomaly 3', 'does not answer --version as a Temporal CLI does'],
])('%s on PATH is passed over with a warning', async (_, version, warning) => {
  writeProgram('path/temporal', version);
  writeProgram('gobin/temporal', RELEASED);
  const { log, lines } = createQuietLog();
  expect(await findTemporalBinary({ tools: toolsOf({}), log })).toMatchObject({ source: "Go's bin folder" });
  expect(lines.join('')).toContain(warning);
});

test('a TEMPORAL_CLI_PATH that does not work is an error, not passed over', async () => {
  writeProgram('path/temporal', RELEASED);
  await expect(find({ TEMPORAL_CLI_PATH: join(folder, 'nothing') })).rejects.toMatchObject({
    code: 'TEMPORAL_NOT_AVAILABLE',
    message: expect.stringContaining('TEMPORAL_CLI_PATH'),
  });
});

test('two that build at once build once; the second waits and says so', async () => {
  // Stands for Go: counts its runs and "builds" a CLI into GOBIN. No network is near: the download fails.
  writeFileSync(join(folder, 'answer'), `#!/bin/sh\necho '${BUILT}'\n`, { mode: 0o755 });
  writeScript('go/go', `echo run >> ${folder}/runs; sleep 0.5; cp ${folder}/answer "$GOBIN/temporal"`);
  const environment = { PATH: `${join(folder, 'go')}:/usr/bin:/bin`, ...NO_NETWORK };
  const first = createQuietLog();
  const second = createQuietLog();
  const tools = toolsOf(environment);
  const binaries = await Promise.all([
    ensureTemporalBinary({ tools, log: first.log }),
    ensureTemporalBinary({ tools, log: second.log }),
  ]);
  expect(binaries.map(({ source }) => source).sort()).toEqual(["Strata's cache", 'a build with Go']);
  expect([...first.lines, ...second.lines].filter((line) => line.includes('waiting for it'))).toHaveLength(1);
}, 60_000);

test('without any way the error names every way out', async () => {
  writeScript('go/go', 'echo "no module mirror" >&2; exit 1');
  const tools = toolsOf({ PATH: join(folder, 'go'), ...NO_NETWORK });
  const failed = ensureTemporalBinary({ tools, log: createQuietLog().log });
  await expect(failed).rejects.toMatchObject({ code: 'TEMPORAL_NOT_AVAILABLE' });
  const words = [
    'TEMPORAL_ADDRESS',
    'TEMPORAL_CLI_PATH',
    'PATH',
    'download',
    'install Go',
    'no module mirror',
  ];
  for (const word of words) await expect(failed).rejects.toThrow(word);
}, 60_000);

/** Port 9 (discard) refuses at once, on a machine with network too. */
const NO_NETWORK = { HTTPS_PROXY: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9' };

function toolsOf(environment: Record<string, string>) {
  return readConfig({
    HOME: folder,
    PATH: join(folder, 'path'),
    GOBIN: join(folder, 'gobin'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    ...environment,
  }).tools;
}

function find(environment: Record<string, string>) {
  return findTemporalBinary({ tools: toolsOf(environment), log: createQuietLog().log });
}

function writeProgram(file: string, version: string): void {
  writeScript(file, `echo '${version}'`);
}

function writeScript(file: string, code: string): void {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${code}\n`);
  chmodSync(path, 0o755);
}
