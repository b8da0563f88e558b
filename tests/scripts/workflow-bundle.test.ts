import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ENCODED_FAILURES } from '../../scripts/codec/data-converter.ts';
import { bundleName, bundleWorkflows } from '../../scripts/workflow-bundle.ts';

const bundled = vi.hoisted(() =>
  vi.fn(async ({ workflowsPath }: { workflowsPath: string }) => ({ code: workflowsPath })),
);
vi.mock('@temporalio/worker', async (original) => ({
  ...(await original<typeof import('@temporalio/worker')>()),
  bundleWorkflowCode: bundled,
}));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-bundle-'));
});
afterEach(async () => {
  bundled.mockClear();
  await rm(folder, { recursive: true, force: true });
});

const places = () => [join(folder, 'cache'), join(folder, 'build')] as const;

test('what the build left is taken, and nothing is bundled or written', async () => {
  const [cache, build] = places();
  await mkdir(build);
  await writeFile(join(build, await bundleName({ isVersioned: true })), 'built');
  expect(await bundleWorkflows(cache, { isVersioned: true }, build)).toEqual({ code: 'built' });
  expect(bundled).not.toHaveBeenCalled();
  await expect(readdir(cache)).rejects.toThrow('ENOENT');
});

test('what was built of other code is not: it is bundled once, and kept in the cache', async () => {
  const [cache, build] = places();
  await mkdir(build);
  await writeFile(join(build, 'workflows-0123456789abcdef.js'), 'of other code');
  for (let start = 0; start < 2; start++)
    expect((await bundleWorkflows(cache, {}, build)).code).toMatch(/workflows\/index\.ts$/);
  expect(bundled).toHaveBeenCalledTimes(1);
  expect(await readdir(cache)).toEqual([await bundleName({})]);
});

test('workers with and without a version, traces and keys each have a bundle of their own', async () => {
  const variants = [{}, { isVersioned: true }]
    .flatMap((one) => [one, { ...one, isTraced: true }])
    .flatMap((one) => [one, { ...one, failureConverterPath: ENCODED_FAILURES }]);
  expect(new Set(await Promise.all(variants.map(bundleName)))).toHaveProperty('size', 8);
  const [cache, build] = places();
  expect((await bundleWorkflows(cache, { isVersioned: true }, build)).code).toMatch(
    /workflows\/versioned\.ts$/,
  );
});

test('without traces nothing of them is in a bundle', async () => {
  const [cache, build] = places();
  const interceptors = async (isTraced: boolean) => {
    await bundleWorkflows(cache, { isTraced }, build);
    const { workflowInterceptorModules } = bundled.mock.lastCall![0] as unknown as {
      workflowInterceptorModules: string[];
    };
    return workflowInterceptorModules.map((path) => basename(path));
  };
  expect(await interceptors(false)).toEqual(['readable-payloads.ts']);
  expect(await interceptors(true)).toEqual(['readable-payloads.ts', 'traced.ts']);
});
