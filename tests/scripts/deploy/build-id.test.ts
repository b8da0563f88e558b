import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../../../scripts/config.ts';
import { BUILD_FILE, describeBuild, readBuildId } from '../../../scripts/deploy/build-id.ts';

let project: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'strata-build-'));
  await mkdir(join(project, 'workflows'));
  await writeFile(join(project, 'package-lock.json'), '{}');
  await writeFile(join(project, 'workflows/run.ts'), 'export {};');
});
afterEach(() => rm(project, { recursive: true, force: true }));

/** As from a hook of git, which speaks of another repository. */
const { tools } = readConfig({
  ...process.env,
  GIT_DIR: '/nowhere/.git',
  GIT_WORK_TREE: '/nowhere',
  GIT_INDEX_FILE: '/nowhere/.git/index',
});
const buildId = (given?: string) => {
  const places = { project, buildFolder: join(project, 'build') };
  return readBuildId({ buildId: given, tools }, places);
};
const change = () => writeFile(join(project, 'workflows/run.ts'), 'export const changed = 1;');

/** Neither of a hook that runs the tests nor with what a person has set up: keys to sign with, hooks. */
const PLAIN_GIT = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))),
  ...{ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
};
const hasGit = spawnSync('git', ['--version']).status === 0;

function commit(): string {
  const git = (...args: string[]) => {
    const person = ['-c', 'user.name=a', '-c', 'user.email=a@b'];
    return execFileSync('git', [...person, ...args], { cwd: project, env: PLAIN_GIT })
      .toString()
      .trim();
  };
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'a');
  return git('rev-parse', 'HEAD').slice(0, 12);
}

test('is what the environment says, before all else', async () => {
  if (hasGit) commit();
  expect(await buildId('v1.2')).toBe('v1.2');
});

test.skipIf(!hasGit)(
  'is the commit; code that is changed and not committed is a version of its own',
  async () => {
    const head = commit();
    expect(await buildId()).toBe(head);
    await writeFile(join(project, 'notes.md'), 'words');
    expect(await buildId()).toBe(head);
    await change();
    expect(await buildId()).toMatch(new RegExp(`^${head}-[0-9a-f]{8}$`));
  },
);

test('without git is what the build wrote down of this very code, else the digest of it', async () => {
  expect(await buildId()).toMatch(/^code-[0-9a-f]{12}$/);
  await mkdir(join(project, 'build'));
  const build = await describeBuild({ buildId: '4f2a1c9e0b12', tools }, project);
  await writeFile(join(project, 'build', BUILD_FILE), JSON.stringify(build));
  expect(await buildId()).toBe('4f2a1c9e0b12');
  await change();
  expect(await buildId()).toMatch(/^code-/);
});

test
  .skipIf(!hasGit)
  .each(['temporal.config.ts', 'pipelines/definitions/shop/pipeline.yaml', 'scripts/codec/failures.cjs'])(
  'is another one when %s changes, since a worker runs it too',
  async (file) => {
    await mkdir(dirname(join(project, file)), { recursive: true });
    const put = (text: string) => writeFile(join(project, file), text);
    await put('one');
    const digest = await buildId();
    await put('another');
    expect(await buildId()).not.toBe(digest);
    const head = commit();
    expect(await buildId()).toBe(head);
    await put('one');
    const changed = await buildId();
    expect(changed).toMatch(new RegExp(`^${head}-`));
    await put('a third');
    expect(await buildId()).not.toBe(changed);
  },
);
