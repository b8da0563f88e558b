import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunSummary } from '../../pipelines/contracts/run.ts';
import { STAGES } from '../../pipelines/contracts/run.ts';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import { isAlive } from '../../scripts/set-up/processes.mjs';

const MINUTES = 60_000;

let home: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'strata-start-'));
  await chmod(home, 0o755);
});

afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await rm(home, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function start(args: string[], env: Record<string, string> = {}) {
  return launch(['start', ...args], env);
}

function launch(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['scripts/launch.mjs', ...args], {
    cwd: PROJECT_FOLDER,
    env: { ...process.env, STRATA_HOME: home, ...env },
  });
  started.push(child);
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text;
  });
  const ended = once(child, 'close').then(([code]): Ended => ({ code: code as number | null, ...said }));
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

async function untilSaid(run: ReturnType<typeof start>, words: RegExp): Promise<void> {
  while (!words.test(run.said.err + run.said.out)) {
    if (run.child.exitCode !== null) throw new Error(`ended before it said ${words}:\n${run.said.err}`);
    await sleep(20);
  }
}

describe('npm start', () => {
  test(
    '--once runs the built-in shop, prints its segments, writes the summary and leaves no process',
    async () => {
      const json = join(home, 'out.json');
      const { code, out, err } = await start(['--once', '--json', json]).ended;
      expect(code, err).toBe(0);
      const summary = JSON.parse(await readFile(json, 'utf8')) as RunSummary;
      expect(Object.keys(summary)).toEqual(
        expect.arrayContaining([
          'runId',
          'kind',
          'pipeline',
          'asOf',
          'outcome',
          'verdict',
          'counts',
          'k',
          'segments',
          'quality',
          'stages',
          'manifest',
          'workflow',
        ]),
      );
      expect(summary).toMatchObject({ outcome: 'published', pipeline: 'shop', kind: 'refit' });
      const { rowsRead, rowsAccepted, rowsQuarantined } = summary.counts;
      expect(rowsRead).toBe(rowsAccepted + rowsQuarantined);
      expect(summary.stages.map(({ stage }) => stage)).toEqual([...STAGES]);
      expect(summary.segments.length).toBeGreaterThanOrEqual(3);
      for (const { name } of summary.segments) expect(out).toContain(name);
      // While it runs a page to look at; once its server is gone, how to have it again.
      expect(err).toContain(
        `/workflows/${encodeURIComponent(summary.workflow.id)}/${summary.workflow.runId}`,
      );
      expect(out).toContain(`workflow ${summary.workflow.id}, in the Temporal UI while npm start runs`);
      expect(out).not.toContain('http://');
      expect(await leftRunning()).toEqual([]);
    },
    3 * MINUTES,
  );

  test(
    'what it published can be had as JSON and as SQL with the ids of the segments',
    async () => {
      const model = (...args: string[]) => launch(['strata', 'model', '--pipeline', 'shop', ...args]).ended;
      const json = await model();
      expect(json.code, json.err).toBe(0);
      const { centers } = JSON.parse(json.out) as { centers: number[][] };
      const summary = JSON.parse(await readFile(join(home, 'out.json'), 'utf8')) as RunSummary;
      expect(centers).toHaveLength(summary.k!);
      const sql = await model('--sql', 'postgres', '--table', 'analytics.customers', '--computed');
      expect(sql.code, sql.err).toBe(0);
      expect(sql.out).toContain('FROM "analytics"."customers"');
      for (const { segmentId } of summary.segments) expect(sql.out).toContain(segmentId);
      const unpublished = await launch(['strata', 'model', '--pipeline', 'online-retail']).ended;
      expect([unpublished.code, unpublished.out]).toEqual([1, '']);
      expect(unpublished.err).toContain('npm start -- --pipeline online-retail');
      expect(await leftRunning()).toEqual([]);
    },
    2 * MINUTES,
  );

  test(
    'its history replays, and nothing is left on the server that would have to resume',
    async () => {
      const { runId, workflow } = JSON.parse(await readFile(join(home, 'out.json'), 'utf8')) as RunSummary;
      const { code, out, err } = await launch(['strata', 'replay', runId.slice(0, 12), '--running']).ended;
      expect(code, err).toBe(0);
      expect(out).toContain(`${workflow.id}  segmentCustomers`);
      expect(out).toContain('1 history, 1 replay');
      expect(out).toContain('nothing of ours is running on the server');
      expect(await leftRunning()).toEqual([]);
    },
    2 * MINUTES,
  );

  test(
    'ended with kill -9 in the middle and started again, it finishes the very run it was at',
    async () => {
      const first = start(['--once', '--as-of', '2026-07-02']);
      await untilSaid(first, /extract/);
      await sleep(300);
      // The launcher and the program it started: as when the machine's memory runs out.
      const runOf = (text: string) => /^run +(\S+)$/m.exec(text)?.[1];
      await untilSaid(first, /^run +\S+$/m);
      const killed = spawn('pkill', ['-9', '-P', String(first.child.pid)]);
      await once(killed, 'close');
      first.child.kill('SIGKILL');
      await first.ended;
      const again = await start(['--once', '--as-of', '2026-07-02']).ended;
      expect(again.code, again.err).toBe(0);
      expect(runOf(again.err)).toBe(runOf(first.said.err));
      expect(await leftRunning()).toEqual([]);
    },
    4 * MINUTES,
  );

  test(
    'Ctrl-C in the middle says how to go on, and while it stays up ends every process',
    async () => {
      const stopped = start(['--as-of', '2026-07-03']);
      await untilSaid(stopped, /\brun {2}http/);
      stopped.child.kill('SIGINT');
      const { code: interrupted, err } = await stopped.ended;
      expect(interrupted).toBe(130);
      expect(err).toContain('the same command goes on with it');
      expect(await leftRunning()).toEqual([]);
      const run = start(['--as-of', '2026-07-03']);
      await untilSaid(run, /joined run/);
      await untilSaid(run, /press Ctrl-C/);
      run.child.kill('SIGINT');
      const { code } = await run.ended;
      expect([0, 130]).toContain(code);
      expect(await leftRunning()).toEqual([]);
    },
    3 * MINUTES,
  );
});

describe('npm start that cannot go well says so at once, and leaves no process', () => {
  const cases: [string, string[], Record<string, string>, string, string][] = [
    ['an unknown pipeline', ['--pipeline', 'shoop'], {}, 'PIPELINE_UNKNOWN', 'online-retail'],
    [
      'a file that is not there',
      ['--pipeline', 'online-retail', '--extract', 'gone.csv'],
      {},
      'EXTRACT_NOT_FOUND',
      'gone.csv',
    ],
    ['an unknown option', ['--onec'], {}, '--onec', ''],
    ['a date that is none', ['--as-of', 'yesterday'], {}, 'ISO date', ''],
    ['a number of segments that is none', ['--k', 'five'], {}, '--k', 'a whole number from 2 to 64'],
    ['a single segment', ['--k', '1'], {}, 'INPUT_INVALID', 'from 2 to 64, found 1'],
    [
      'PostgreSQL that is not reachable',
      [],
      { STRATA_DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:1/none' },
      'POSTGRES_UNREACHABLE',
      'STRATA_DATABASE_URL',
    ],
    [
      'Temporal that is not reachable',
      [],
      { TEMPORAL_ADDRESS: '127.0.0.1:1' },
      'TEMPORAL_UNREACHABLE',
      'TEMPORAL_ADDRESS',
    ],
    [
      'variables of the wrong form',
      [],
      { STRATA_THREADS: 'many', STRATA_LOG_LEVEL: 'loud' },
      'STRATA_THREADS',
      'STRATA_LOG_LEVEL',
    ],
  ];

  test.each(cases)(
    '%s',
    async (_, args, env, code, words) => {
      const ended = await start(['--once', ...args], env).ended;
      expect(ended.code).toBe(1);
      expect(ended.err).toContain(code);
      expect(ended.err).toContain(words);
      expect(ended.err).not.toContain('secret');
      expect(await leftRunning()).toEqual([]);
    },
    MINUTES,
  );

  test(
    'only bad rows: exit code 2, and why',
    async () => {
      const rows = Array.from(
        { length: 50 },
        (_, i) => `${i},85123A,LANTERN,2,2011-03-01 08:26:00,2.55,,Malta`,
      );
      const file = join(home, 'bad.csv');
      await writeFile(
        file,
        ['InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country', ...rows].join(
          '\n',
        ),
      );
      const { code, out } = await start(['--once', '--pipeline', 'online-retail', '--extract', file]).ended;
      expect(code).toBe(2);
      expect(out).toContain('without-customer 50');
      expect(out).toContain('No row satisfies the contract');
      expect(await leftRunning()).toEqual([]);
    },
    2 * MINUTES,
  );
});
