import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { CODE_FILES, CODE_FOLDERS } from '../scripts/deploy/build-id.ts';

// The house plan as a test: who may import whom, how long a file may be, where the environment, the clock
// and chance may be read. A rule that a tool checks need not be remembered by a reviewer.

const root = fileURLToPath(new URL('..', import.meta.url));

interface Rule {
  /** Paths of ours, by how they begin, beside the folder's own. */
  ours: readonly string[];
  /** Packages by name; `node:` stands for all of Node's own modules. */
  packages: readonly string[];
}

const ANYTHING = null;
const HOUSE: Record<string, Rule | typeof ANYTHING> = {
  // kernels/ loads its file and starts threads.
  numeric: { ours: [], packages: [] },
  'numeric/kernels': { ours: ['numeric/'], packages: ['node:'] },
  // A job in a thread of its own is TypeScript, which the thread has to be taught to read.
  'numeric/threads': { ours: ['numeric/'], packages: ['tsx', 'node:'] },
  pipelines: { ours: ['numeric/'], packages: ['zod', 'arquero', 'yaml'] },
  // The service that other namespaces call is a word that callers share.
  'pipelines/contracts': { ours: [], packages: ['zod', 'yaml', 'nexus-rpc'] },
  workflows: { ours: ['pipelines/contracts/'], packages: ['@temporalio/workflow', 'nexus-rpc'] },
  store: {
    ours: ['pipelines/contracts/'],
    packages: [
      ...['knex', 'pg', 'pg-copy-streams', '@duckdb/node-api', '@aws-sdk/client-s3', 'fzstd', 'tinyglobby'],
      'node:',
    ],
  },
  activities: {
    ours: ['pipelines/', 'numeric/', 'store/'],
    packages: ['@temporalio/activity', '@temporalio/common', 'nodemailer', 'node:'],
  },
  nexus: {
    ours: ['pipelines/contracts/', 'store/', 'activities/boundary.ts'],
    packages: ['@temporalio/nexus', '@temporalio/client', '@temporalio/common', 'nexus-rpc'],
  },
  api: {
    ours: ['store/', 'pipelines/contracts/', 'temporal.config.ts', 'numeric/cluster/assign.ts'],
    packages: ['fastify', '@fastify/', '@temporalio/client', 'node:'],
  },
  dashboard: { ours: ['api/schemas/'], packages: ['react', 'react-dom', '@observablehq/plot', 'echarts'] },
  migrations: { ours: [], packages: ['knex'] },
  scripts: ANYTHING,
  tests: ANYTHING,
  benchmarks: ANYTHING,
};

const PURE = ['numeric/', 'pipelines/', 'workflows/'];
/** In a workflow the clock is Temporal's, which a replay reads again. */
const CLOCK_OF_WORKFLOWS = 'workflows/clock.ts';
/** The set-up runs before anything is installed, so it cannot go through the checked configuration. */
const READS_ENVIRONMENT = [
  'temporal.config.ts',
  'scripts/config.ts',
  'scripts/launch.mjs',
  'scripts/set-up/',
];
const LONGEST_FILE = 400;
const LONGEST_README = 10;

interface SourceFile {
  path: string;
  text: string;
  /** Without comments, for rules about words. */
  code: string;
}

const files = Object.keys(HOUSE)
  .filter((folder) => !folder.includes('/') && existsSync(join(root, folder)))
  .flatMap((folder) => sourceFiles(folder))
  .concat(
    ['temporal.config.ts', 'vitest.config.ts'].filter((path) => existsSync(join(root, path))).map(readSource),
  );

describe('the house plan', () => {
  test('no file imports what its folder may not', () => {
    expect(files.flatMap(forbiddenImports)).toEqual([]);
  });

  test('workflows import no activity, not even as a type', () => {
    const importing = files
      .filter(({ path }) => path.startsWith('workflows/'))
      .filter((file) => importsOf(file).some(({ target }) => target.startsWith('activities/')));
    expect(importing.map(({ path }) => path)).toEqual([]);
  });

  test('migrations know knex as a type alone', () => {
    const values = files
      .filter(({ path }) => path.startsWith('migrations/'))
      .flatMap(({ path, text }) => (/import\s+(?!type\b)[^;]*from\s+'knex'/.test(text) ? [path] : []));
    expect(values).toEqual([]);
  });

  test('what a worker runs imports nothing that its version is not told by, nor an image has', () => {
    const isTold = (target: string) =>
      CODE_FILES.includes(target) || CODE_FOLDERS.some((folder) => target.startsWith(`${folder}/`));
    const beyond = files
      .filter(({ path }) => isTold(path))
      .flatMap(importsOf)
      .filter(({ specifier, target }) => specifier.startsWith('.') && !isTold(target));
    expect(beyond).toEqual([]);
  });

  test('imports of our files carry their ending', () => {
    const bare = files.flatMap((file) =>
      importsOf(file)
        .filter(({ specifier }) => specifier.startsWith('.') && !/\.(ts|mjs|json)$/.test(specifier))
        .map(({ specifier }) => `${file.path}: ${specifier}`),
    );
    expect(bare).toEqual([]);
  });

  test(`no file is longer than ${LONGEST_FILE} lines`, () => {
    const long = files.filter(({ text }) => text.trimEnd().split('\n').length > LONGEST_FILE);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test(`each folder of code has a README of at most ${LONGEST_README} lines`, () => {
    const folders = new Set(files.map(({ path }) => dirname(path)).filter((folder) => folder !== '.'));
    const wrong = [...folders]
      // Tests mirror the tree and are found from what they test.
      .filter((folder) => !folder.startsWith('tests/'))
      .filter((folder) => {
        const readme = join(root, folder, 'README.md');
        return (
          !existsSync(readme) || readFileSync(readme, 'utf8').trimEnd().split('\n').length > LONGEST_README
        );
      });
    expect(wrong.sort()).toEqual([]);
  });

  test('the environment is read in its places alone', () => {
    const readers = files
      .filter(({ path }) => !path.startsWith('tests/'))
      .filter(({ path }) => !READS_ENVIRONMENT.some((allowed) => path.startsWith(allowed)))
      .filter(({ code }) => /\bprocess\s*\.\s*env\b|\bprocess\s*\[/.test(code));
    expect(readers.map(({ path }) => path)).toEqual([]);
  });

  test('what has to be the same tomorrow asks neither the clock nor chance', () => {
    const impure = files
      .filter(({ path }) => PURE.some((folder) => path.startsWith(folder)) && path !== CLOCK_OF_WORKFLOWS)
      .filter(({ code }) =>
        /\bMath\s*\.\s*random\b|\bDate\s*\.\s*now\b|\bnew\s+Date\s*(\(\s*\)|(?!\s*\())|\bperformance\s*\.\s*now\b/.test(
          code,
        ),
      );
    expect(impure.map(({ path }) => path)).toEqual([]);
  });
});

describe('the rules themselves', () => {
  const file = (path: string, text: string): SourceFile => ({ path, text, code: codeOf(text) });

  test.each([
    ['workflows/x.ts', "import type { A } from '../activities/a.ts';", 1],
    ['workflows/x.ts', "import { A } from '../pipelines/contracts/run.ts';", 0],
    ['workflows/x.ts', "import { A } from '../pipelines/stages/name.ts';", 1],
    ['workflows/x.ts', "import fs from 'node:fs';", 1],
    ['workflows/x.ts', "import fs from 'fs';", 1],
    ['pipelines/stages/x.ts', "export { a } from '../../numeric/a.ts';", 0],
    ['pipelines/stages/x.ts', "import { createHash } from 'node:crypto';", 1],
    ['pipelines/stages/x.ts', "const a = await import('knex');", 1],
    ['numeric/cluster/x.ts', "import 'node:worker_threads';", 1],
    ['numeric/kernels/x.mjs', "import { Worker } from 'node:worker_threads';", 0],
    ['store/x.ts', "import { x } from '../pipelines/stages/name.ts';", 1],
    ['activities/x.ts', "import { y } from '@temporalio/client';", 1],
    ['activities/x.ts', "import { y } from '@temporalio/common/lib/proto-utils.js';", 0],
    ['pipelines/contracts/x.ts', "import { operation } from 'nexus-rpc';", 0],
    ['pipelines/stages/x.ts', "import { operation } from 'nexus-rpc';", 1],
    ['nexus/x.ts', "import { y } from '../activities/run.ts';", 1],
    ['scripts/x.ts', "import { y } from '../activities/a.ts';", 0],
  ])('%s with %s: %d faults', (path, text, faults) => {
    expect(forbiddenImports(file(path, text))).toHaveLength(faults);
  });

  test('words in comments are not code, addresses are no comments', () => {
    const text = "// Date.now()\n/* Math.random() */ const a = 'http://x'; const when = Date.now(); // why";
    expect(codeOf(text)).not.toMatch(/random|why/);
    expect(codeOf(text)).toContain("'http://x'; const when = Date.now();");
  });
});

function sourceFiles(folder: string): SourceFile[] {
  return (
    readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
      .filter(
        (entry) => entry.isFile() && /\.(ts|tsx|mjs)$/.test(entry.name) && !entry.name.endsWith('.d.ts'),
      )
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
      // AssemblyScript is another language with imports of its own kind.
      .filter(
        (path) =>
          !path.includes('/assembly/') && !path.includes('/build/') && !path.includes('node_modules/'),
      )
      .sort()
      .map(readSource)
  );
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  return { path, text, code: codeOf(text) };
}

function codeOf(text: string): string {
  // Strings are matched too, so that the slashes of an address are not taken for a comment.
  const tokens = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
  return text.replace(tokens, (token) => (token.startsWith('/') ? ' ' : token));
}

function importsOf({ path, text }: SourceFile): { specifier: string; target: string }[] {
  const pattern =
    /(?:^|[\s;}])(?:import|export)\s[^;'"]*?from\s*['"]([^'"]+)['"]|(?:^|[\s;}])import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => {
    const specifier = (match[1] ?? match[2] ?? match[3])!;
    const target = specifier.startsWith('.')
      ? normalize(join(dirname(path), specifier))
          .split(sep)
          .join('/')
      : specifier;
    return { specifier, target };
  });
}

function forbiddenImports(file: SourceFile): string[] {
  const folder = Object.keys(HOUSE)
    .filter((name) => file.path.startsWith(`${name}/`))
    .sort((left, right) => right.length - left.length)[0];
  const rule = folder === undefined ? ANYTHING : HOUSE[folder]!;
  if (rule === ANYTHING) return [];
  return importsOf(file)
    .filter(({ specifier, target }) => !isAllowed({ specifier, target, folder: folder!, rule }))
    .map(({ specifier }) => `${file.path} imports ${specifier}`);
}

function isAllowed({
  specifier,
  target,
  folder,
  rule,
}: {
  specifier: string;
  target: string;
  folder: string;
  rule: Rule;
}): boolean {
  if (specifier.startsWith('.')) {
    return [`${folder}/`, ...rule.ours].some((allowed) => target.startsWith(allowed));
  }
  const isNode = specifier.startsWith('node:') || builtinModules.includes(specifier);
  if (isNode) return rule.packages.includes('node:');
  return rule.packages.some(
    (name) => specifier === name || specifier.startsWith(name.endsWith('/') ? name : `${name}/`),
  );
}
