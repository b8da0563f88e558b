import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { bundleWorkflowCode, type DataConverter, type WorkflowBundle } from '@temporalio/worker';
import { PROJECT_FOLDER } from './config.ts';
import { digestOfSources, LOCK_FILE } from './source-digest.ts';

/** Part of every bundle of workflows. */
export const WORKFLOW_INTERCEPTORS = [join(PROJECT_FOLDER, 'workflows/readable-payloads.ts')];
/** Only where traces are told. */
const TRACED = join(PROJECT_FOLDER, 'workflows/traced.ts');

/** Where `npm run build` leaves what a worker needs at its start, for images whose disk cannot be written. */
export const BUILD_FOLDER = join(PROJECT_FOLDER, 'build');

/** More are of versions that nobody runs any more. */
const BUNDLES_KEPT = 8;
const BUNDLE_NAME = /^workflows-[0-9a-f]+(-versioned)?(-traced)?\.js$/;

interface BundleOptions extends Pick<DataConverter, 'failureConverterPath'> {
  /** For a worker of a deployment, see workflows/versioned.ts. */
  isVersioned?: boolean;
  /** For a worker that tells traces. */
  isTraced?: boolean;
}

/**
 * The workflow code, bundled once per version of it: as `npm run build` left it, else as it is kept in `cacheFolder`,
 * where every home finds it. A folder that cannot be written costs a bundling at each start, nothing else. The failure
 * converter is part of it.
 */
export async function bundleWorkflows(
  cacheFolder: string,
  options: BundleOptions = {},
  buildFolder = BUILD_FOLDER,
): Promise<WorkflowBundle> {
  const name = await bundleName(options);
  for (const file of [join(buildFolder, name), join(cacheFolder, name)])
    if (existsSync(file)) return { code: await readFile(file, 'utf8') };
  const code = await makeBundle(options);
  const file = join(cacheFolder, name);
  await writeBundle(file, code)
    .then(() => forgetOld(cacheFolder))
    .catch(() => undefined);
  return { code };
}

/** Says which code it is of: a file of this name is never of another. */
export async function bundleName(options: BundleOptions): Promise<string> {
  const { failureConverterPath, isVersioned, isTraced } = options;
  const version = await digestOfSources(PROJECT_FOLDER, {
    folders: ['workflows', 'pipelines/contracts'],
    files: [LOCK_FILE, ...(failureConverterPath ? [relative(PROJECT_FOLDER, failureConverterPath)] : [])],
  });
  const variant = `${isVersioned ? '-versioned' : ''}${isTraced ? '-traced' : ''}`;
  return `workflows-${version.slice(0, 16)}${variant}.js`;
}

export async function makeBundle(options: BundleOptions): Promise<string> {
  const { failureConverterPath, isVersioned, isTraced } = options;
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(PROJECT_FOLDER, 'workflows', isVersioned ? 'versioned.ts' : 'index.ts'),
    workflowInterceptorModules: [...WORKFLOW_INTERCEPTORS, ...(isTraced ? [TRACED] : [])],
    ...(failureConverterPath && { failureConverterPath }),
    logger: silent,
  });
  return code;
}

/** Half a file is never under its name. */
export async function writeBundle(file: string, code: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const incoming = `${file}.${process.pid}`;
  await writeFile(incoming, code);
  await rename(incoming, file);
}

async function forgetOld(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => BUNDLE_NAME.test(name));
  const bundles = await Promise.all(
    names.map(async (name) => ({ name, keptAtMs: (await stat(join(folder, name))).mtimeMs })),
  );
  const old = bundles.sort((a, b) => b.keptAtMs - a.keptAtMs).slice(BUNDLES_KEPT);
  await Promise.all(old.map(({ name }) => rm(join(folder, name), { force: true })));
}

const nothing = () => undefined;
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, log: nothing };
