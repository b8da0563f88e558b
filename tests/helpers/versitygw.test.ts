import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { findVersitygw } from './versitygw.ts';

let folder: string;
let program: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-versitygw-'));
  program = join(folder, 'versitygw');
  for (const name of ['STRATA_VERSITYGW', 'GOBIN', 'GOPATH']) vi.stubEnv(name, undefined);
  vi.stubEnv('HOME', folder);
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
  vi.stubEnv('PATH', folder);
  // Found before any that could build one.
  await writeFile(join(folder, 'go'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const telling = (version: string, text = '') =>
  writeFile(program, `#!/bin/sh\necho 'Version  : ${version}'\nexit\n${text}\n`, { mode: 0o755 });

test.each(['v1.8.0', '1.8.0'])('an S3 server that tells %s is taken', async (version) => {
  await telling(version);
  expect(await findVersitygw()).toBe(program);
});

test('one that Go has installed is taken by the version that is written in it', async () => {
  await telling('git', 'mod\tgithub.com/versity/versitygw\tv1.8.0\th1:abc');
  expect(await findVersitygw()).toBe(program);
});

test.each([
  ['v1.7.0', ''],
  ['v1.8.0-rc1', ''],
  ['git', 'mod\tgithub.com/versity/versitygw\tv1.7.0\th1:abc'],
])('another (%s %s) is not: tests would pass or fail by what a machine has', async (version, text) => {
  await telling(version, text);
  expect(await findVersitygw()).toBeNull();
});

test('the one in the cache goes before all others', async () => {
  const cached = join(folder, 'cache', 'strata', 'versitygw', 'v1.8.0', 'versitygw');
  await mkdir(dirname(cached), { recursive: true });
  await writeFile(cached, '');
  await telling('v1.8.0');
  expect(await findVersitygw()).toBe(cached);
});

test('one that a person names is taken as it is', async () => {
  await telling('v1.7.0');
  vi.stubEnv('STRATA_VERSITYGW', program);
  expect(await findVersitygw()).toBe(program);
});
