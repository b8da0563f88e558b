import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONTENDERS } from '../../numeric/cluster/algorithms.ts';
import type { ComparisonReport } from '../../pipelines/stages/compare-report.ts';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import { isAlive } from '../../scripts/set-up/processes.mjs';
import { ID_MARK, writeShopExtract } from '../helpers/activity-extract.ts';

const MINUTES = 60_000;
const QUICK = ['--ks', '3..4', '--bootstraps', '2', '--null-draws', '2', '--sample-rows', '300'];

let home: string;
let extract: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'strata-compare-'));
  // PostgreSQL does not run as root: its own user has to get in.
  await chmod(home, 0o755);
  extract = await writeShopExtract(home, { customers: 400 });
});
afterAll(() => rm(home, { recursive: true, force: true }));

function strata(args: string[]) {
  const child = spawn(process.execPath, ['scripts/launch.mjs', 'strata', ...args], {
    cwd: PROJECT_FOLDER,
    env: { ...process.env, STRATA_HOME: home, INIT_CWD: home },
  });
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }));
  return { child, said, ended };
}

/** Processes that the home's state file names; none may be alive after an orderly end. */
async function leftRunning(): Promise<number[]> {
  const file = join(home, 'services.json');
  if (!existsSync(file)) return [];
  const { services } = JSON.parse(await readFile(file, 'utf8')) as {
    services: Record<string, { pid: number; startedAt: string }>;
  };
  return Object.values(services)
    .filter(isAlive)
    .map(({ pid }) => pid);
}

describe('strata compare', () => {
  test(
    'compares all algorithms, prints what to use, writes both reports, and leaves no process',
    async () => {
      const { code, out, err } = await strata([
        ...['compare', '--pipeline', 'shop', '--extract', 'extract.parquet', ...QUICK],
        ...['--json', 'report.json', '--html', 'report.html'],
      ]).ended;
      expect(code, err).toBe(0);
      const json = await readFile(join(home, 'report.json'), 'utf8');
      const html = await readFile(join(home, 'report.html'), 'utf8');
      const report = JSON.parse(json) as ComparisonReport;
      const names = ['rule-grid', ...CONTENDERS.map(({ name }) => name)];
      expect(report.leaderboard.map(({ candidate }) => candidate).sort()).toEqual(names.sort());
      for (const { title, status, reason } of report.leaderboard) {
        expect(status, `${title}: ${reason}`).toBe('measured');
        expect(out).toContain(title);
        expect(html).toContain(title);
      }
      expect(out).toContain(report.recommendation.headline);
      expect(html.length).toBeLessThan(1_000_000);
      for (const text of [out, err, json, html]) expect(text.includes(ID_MARK)).toBe(false);
      expect(await leftRunning()).toEqual([]);
    },
    2 * MINUTES,
  );

  test(
    'interrupted, it stops within seconds and leaves neither a process nor a comparison',
    async () => {
      const run = strata(['compare', '--extract', extract, '--bootstraps', '200']);
      while (!/features/.test(run.said.err)) {
        if (run.child.exitCode !== null) throw new Error(`ended too early:\n${run.said.err}`);
        await new Promise((done) => setTimeout(done, 50));
      }
      const interruptedAt = performance.now();
      run.child.kill('SIGINT');
      const { code } = await run.ended;
      expect(code).toBe(130);
      expect(performance.now() - interruptedAt).toBeLessThan(25_000);
      expect(await leftRunning()).toEqual([]);
      // Nothing holds the pipeline's comparison: the next one starts its own.
      const { code: next, err } = await strata([
        'compare',
        '--extract',
        extract,
        ...QUICK,
        '--candidates',
        'k-means',
      ]).ended;
      expect(next, err).toBe(0);
    },
    3 * MINUTES,
  );
});
