import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BackfillReport } from '../../scripts/backfill-report.ts';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import { ID_MARK, writeShopExtract } from '../helpers/activity-extract.ts';

const MINUTES = 60_000;
const DATA = process.env.STRATA_REAL_DATA;

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'strata-backfill-'));
  // PostgreSQL does not run as root: its own user has to get in.
  await chmod(home, 0o755);
  return () => rm(home, { recursive: true, force: true });
});

function backfill(args: string[]) {
  const child = spawn(process.execPath, ['scripts/launch.mjs', 'strata', 'backfill', ...args], {
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

const reportIn = async (file: string) =>
  JSON.parse(await readFile(join(home, file), 'utf8')) as BackfillReport;

test(
  'interrupted, it ends with the run that is going on; the same command goes on from what is published',
  async () => {
    const extract = await writeShopExtract(home, { customers: 400 });
    const range = ['--from', '2026-05-01', '--to', '2026-07-01', '--k', '3', '--extract', extract];
    const first = backfill(range);
    while (!/✓ 2026-05-01/.test(first.said.err)) {
      if (first.child.exitCode !== null) throw new Error(`ended too early:\n${first.said.err}`);
      await new Promise((done) => setTimeout(done, 50));
    }
    first.child.kill('SIGINT');
    expect((await first.ended).code).toBe(130);

    const second = await backfill([...range, '--json', 'report.json']).ended;
    expect(second.code, second.err).toBe(0);
    const report = await reportIn('report.json');
    expect(report.dates[0]).toMatchObject({ asOf: '2026-05-01', outcome: 'skipped', figures: { k: 3 } });
    expect(report.dates.at(-1)).toMatchObject({ asOf: '2026-07-01', outcome: 'published' });
    expect(second.out).toMatch(/2026-05-01 +before .*\n.*2026-06-01 .*\n.*2026-07-01 +published/);
    for (const text of [second.out, second.err, JSON.stringify(report)]) expect(text).not.toContain(ID_MARK);

    const third = await backfill([...range, '--again']).ended;
    expect(third.code).toBe(1);
    expect(third.err).toMatch(/found 2 before it \(2026-05-01 to 2026-06-01\).*AS_OF_BEFORE_PUBLISHED/);
  },
  10 * MINUTES,
);

/** scikit-learn 1.9 on the same customers, each month fitted by itself. */
interface Reference {
  as_of: string;
  customers: number;
  ari_time: number;
  moved_share: number;
}

describe.skipIf(!DATA)('Online Retail, month by month', () => {
  let months: Map<string, Reference>;

  beforeAll(async () => {
    const file = JSON.parse(await readFile(join(DATA!, 'references.json'), 'utf8'));
    const references = file.online_retail.monthly_resegmentation as Reference[];
    months = new Map(references.map((month) => [month.as_of, month]));
  });
  afterAll(() => months.clear());

  test(
    'keys go on, agreement and moves are those of the reference, and every move has one of three causes',
    async () => {
      const { code, err, out } = await backfill([
        ...['--pipeline', 'online-retail', '--extract', join(DATA!, 'online_retail/online_retail.parquet')],
        ...['--from', '2011-08-01', '--to', '2011-10-01', '--every', 'month', '--k', '4'],
        ...['--json', 'report.json'],
      ]).ended;
      expect(code, err).toBe(0);
      expect(out).toContain('3 of 3 as-of dates by the month published');
      const { dates } = await reportIn('report.json');
      expect(dates).toHaveLength(3);
      for (const [i, { asOf, figures, verdict }] of dates.entries()) {
        const reference = months.get(asOf)!;
        expect(figures!.customers).toBe(reference.customers);
        if (i === 0) {
          expect(figures).toMatchObject({ born: 4, survived: 0, adjustedRand: null });
          continue;
        }
        // The models of two months agree at .88 and above there: the customers stayed together.
        expect(figures).toMatchObject({ born: 0, survived: 4, retired: 0 });
        expect(verdict).not.toBe('unstable');
        expect(Math.abs(figures!.adjustedRand! - reference.ari_time)).toBeLessThan(0.03);
        expect(Math.abs(figures!.movedShare! - reference.moved_share)).toBeLessThan(0.02);
        const { behaviour, model, border } = figures!.moved;
        const common = months.get(dates[i - 1]!.asOf)!.customers;
        expect((behaviour + model + border) / common).toBeCloseTo(figures!.movedShare!, 9);
        expect(behaviour).toBeGreaterThan(model);
      }
    },
    10 * MINUTES,
  );
});
