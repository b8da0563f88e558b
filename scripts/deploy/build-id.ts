import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Config, PROJECT_FOLDER } from '../config.ts';
import { digestOfSources, LOCK_FILE } from '../source-digest.ts';
import { BUILD_FOLDER } from '../workflow-bundle.ts';

const run = promisify(execFile);

/** All that a worker runs; `.dockerignore` sends it. */
export const CODE_FOLDERS = [
  'activities',
  'migrations',
  'nexus',
  'numeric',
  'pipelines',
  'scripts',
  'store',
  'workflows',
];
export const CODE_FILES = ['temporal.config.ts', LOCK_FILE];
/** The built-in definitions, too, and what is bundled with the workflows where there are keys. */
const CODE = /\.(ts|mjs|cjs|yaml)$/;
const COMMIT_LENGTH = 12;

/** Left by `npm run build`: an image has no git. */
export const BUILD_FILE = 'build.json';

type Given = Pick<Config, 'buildId'> & { tools: Pick<Config['tools'], 'childEnvironment'> };

export interface Build {
  buildId: string;
  /** Digest of the code that it was made of. */
  code: string;
}

/**
 * Which version the code here is: what the environment says, else what `npm run build` wrote down of this very code, else
 * its commit, and where there is no git its digest. Code that is changed and not committed is a version of its own.
 */
export async function readBuildId(
  { buildId, tools }: Given,
  { project = PROJECT_FOLDER, buildFolder = BUILD_FOLDER } = {},
): Promise<string> {
  if (buildId !== undefined) return buildId;
  const code = await codeDigest(project);
  const built = await readBuild(buildFolder);
  return built?.code === code ? built.buildId : nameOf(code, { project, tools });
}

/** What `npm run build` writes down. */
export async function describeBuild({ buildId, tools }: Given, project = PROJECT_FOLDER): Promise<Build> {
  const code = await codeDigest(project);
  return { buildId: buildId ?? (await nameOf(code, { project, tools })), code };
}

type Checkout = Pick<Given, 'tools'> & { project: string };

async function nameOf(code: string, checkout: Checkout): Promise<string> {
  const commit = await git(checkout, 'rev-parse', 'HEAD');
  if (commit === null) return `code-${code.slice(0, COMMIT_LENGTH)}`;
  const { folders, files } = sourcesOf(checkout.project);
  const changed = await git(checkout, 'status', '--porcelain', '--', ...folders, ...files);
  const short = commit.slice(0, COMMIT_LENGTH);
  return changed === '' ? short : `${short}-${code.slice(0, 8)}`;
}

function codeDigest(project: string): Promise<string> {
  return digestOfSources(project, { ...sourcesOf(project), code: CODE });
}

function sourcesOf(project: string): { folders: string[]; files: string[] } {
  const isThere = (path: string) => existsSync(join(project, path));
  return { folders: CODE_FOLDERS.filter(isThere), files: CODE_FILES.filter(isThere) };
}

/** Null where there is no git, or this is no checkout. */
async function git({ project, tools }: Checkout, ...args: string[]): Promise<string | null> {
  if (!existsSync(join(project, '.git'))) return null;
  try {
    return (await run('git', args, { cwd: project, env: tools.childEnvironment })).stdout.trim();
  } catch {
    return null;
  }
}

async function readBuild(folder: string): Promise<Build | null> {
  try {
    return JSON.parse(await readFile(join(folder, BUILD_FILE), 'utf8')) as Build;
  } catch {
    return null;
  }
}
