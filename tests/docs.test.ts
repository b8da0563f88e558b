import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { PROJECT_FOLDER } from '../scripts/config.ts';

const run = promisify(execFile);
const read = (file: string) => readFileSync(join(PROJECT_FOLDER, file), 'utf8');

const PAGES = [
  'README.md',
  ...readdirSync(join(PROJECT_FOLDER, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];

/** Every `npm …` command that a page types, with what follows `--`. */
function commandsOf(text: string): { script: string; args: string[] }[] {
  const code = [...text.matchAll(/```[a-z]*\n([^`]*)```|`([^`\n]+)`/g)]
    .map(([, block, span]) => block ?? span)
    .join('\n');
  const typed = code.matchAll(/\bnpm (?:run )?(start|test|[a-z]+)\b(?: -- ([^`\n#]*))?/g);
  return [...typed].map(([, script, args = '']) => ({
    script: script!,
    args: args.trim().split(/\s+/).filter(Boolean),
  }));
}

describe('the documents', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

  test.each(PAGES)('%s names only commands that there are', (page) => {
    for (const { script } of commandsOf(read(page))) expect(Object.keys(scripts)).toContain(script);
  });

  test('README: every option of npm start is one it takes, and every one it takes is told', async () => {
    const { stdout } = await run(process.execPath, ['--import', 'tsx', 'scripts/start.ts', '--help'], {
      cwd: PROJECT_FOLDER,
    });
    const taken = [...stdout.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, option]) => option!);
    const told = [...read('README.md').matchAll(/^\| `(--[a-z-]+)/gm)].map(([, option]) => option!);
    expect(told.sort()).toEqual(taken.sort());
  });

  test('README: every benchmark it names is there', () => {
    const named = commandsOf(read('README.md')).filter(({ script }) => script === 'bench');
    expect(named.length).toBeGreaterThan(0);
    for (const { args } of named) expect(() => read(`benchmarks/${args[0]}.bench.ts`)).not.toThrow();
  });

  test('README: every variable it names is read, and every one that is read is told', () => {
    const told = new Set(read('README.md').match(/\b(STRATA|TEMPORAL)_[A-Z_]+\b/g));
    const reading = read('scripts/config.ts') + read('temporal.config.ts');
    for (const name of told) if (!name.endsWith('_')) expect(reading, name).toContain(name);
    for (const name of reading.match(/\bSTRATA_[A-Z_]+\b/g) ?? []) expect([...told], name).toContain(name);
  });
});
