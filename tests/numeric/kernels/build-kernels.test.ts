import { readdir, readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { buildKernels } from '../../../scripts/build-kernels.mjs';

beforeAll(async () => {
  await buildKernels();
});

test('an unchanged build is skipped', async () => {
  const lines: string[] = [];
  const { built } = await buildKernels({ log: (line) => lines.push(line) });
  expect([built, lines]).toEqual([false, []]);
});

test('two builds at once leave one good file and nothing beside it', async () => {
  const builds = await Promise.all([buildKernels(), buildKernels()]);
  const folder = new URL('../../../numeric/kernels/build/', import.meta.url);
  expect((await readdir(folder)).toSorted()).toEqual(['kernels.stamp', 'kernels.wasm']);
  const module = new WebAssembly.Module(await readFile(builds[0]!.path));
  expect(module).toBeInstanceOf(WebAssembly.Module);
});
