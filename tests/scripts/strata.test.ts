import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';
import type { ComparisonSummary } from '../../pipelines/contracts/compare.ts';
import { compareCommand } from '../../scripts/compare.ts';
import { compareReport } from '../../scripts/compare-report.ts';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import { errorText } from '../../scripts/error-text.ts';
import { modelCommand } from '../../scripts/model.ts';
import { madeEntrant, madeFit, madeGrid, madeReport } from '../helpers/made-comparison.ts';

const run = promisify(execFile);

async function strata(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const command = [process.execPath, ['--import', 'tsx', 'scripts/strata.ts', ...args]] as const;
  const env = { ...process.env, INIT_CWD: tmpdir() };
  try {
    const { stdout, stderr } = await run(...command, { cwd: PROJECT_FOLDER, env });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

/** A command within this process, which takes a tenth of the time: what it says before it ends. */
async function said(name: 'compare' | 'model', ...args: string[]): Promise<string> {
  const { signal } = new AbortController();
  const command = name === 'compare' ? compareCommand(signal, () => undefined) : modelCommand(signal);
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  try {
    await command
      .exitOverride()
      .configureOutput({ writeOut: write, writeErr: write })
      .parseAsync(args, { from: 'user' });
    return 'was not refused';
  } catch (error) {
    return error instanceof CommanderError ? text : errorText(error);
  }
}

describe('npm run strata', () => {
  test('with nothing lists its commands with a line each', async () => {
    const { code, out } = await strata();
    expect(code).toBe(0);
    expect(out).toMatch(/compare .*tries every clustering algorithm/);
  });

  // Before anything is started: no service is up for these.
  test.each([
    [['comparre'], /unknown command 'comparre'/],
    [['assign'], /required option '--pipeline <name>' not specified/],
    [
      ['compare', '--pipeline', 'shopp'],
      /"shopp" is not defined; there are online-retail, shop \(PIPELINE_UNKNOWN\)/,
    ],
  ])('%j ends with 1 and says the way out', async (args, message) => {
    const { code, err } = await strata(...args);
    expect(code).toBe(1);
    expect(err).toMatch(message);
    expect(err).not.toContain('    at ');
  });

  test('compare --help names every option, its default, and an example', async () => {
    const help = await said('compare', '--help');
    const options = [
      ...['--pipeline', '--extract', '--as-of', '--json', '--html', '--ks', '--candidates', '--bootstraps'],
      ...['--null-draws', '--sample-rows', '--trial-rows', '--budget', '--seed'],
    ];
    for (const option of options) expect(help).toContain(`${option} <`);
    expect(help).toContain('npm run strata -- compare --pipeline online-retail');
  });

  test.each([
    ['compare', ['--ks', '8..3'], /needs a number such as 4, or a range such as 3\.\.8/],
    ['compare', ['--as-of', 'yesterday'], /ISO date such as 2026-06-30/],
    ['compare', ['--bootstraps', '1'], /bootstraps: .*>=2.*all optional/],
    [
      'compare',
      ['--html', 'nowhere/report.html'],
      /--html needs a folder that can be written to.*\(CONFIG_INVALID\)/,
    ],
    ['compare', ['--extract', 'nowhere.csv'], /nowhere\.csv.*\(EXTRACT_NOT_FOUND\)/],
    ['compare', ['--seed', '4294967296'], /seed: .*<=4294967295/],
    [
      'compare',
      ['--candidates', 'ward, k-mean'],
      /"k-mean" not known; there are rule-grid, .*\(INPUT_INVALID\)/,
    ],
    ['model', [], /required option '--pipeline <name>'/],
    [
      'model',
      ['--pipeline', 'shop', '--out', 'nowhere/model.json'],
      /--out needs a folder that can be written to.*\(CONFIG_INVALID\)/,
    ],
  ] as const)('%s %j is refused with the way out', async (name, args, message) => {
    expect(await said(name, ...args)).toMatch(message);
  });
});

describe('what is printed in the end', () => {
  const summaryOf = (...entrants: Parameters<typeof madeReport>[0]): ComparisonSummary => {
    const { pipeline, asOf, counts, recommendation, leaderboard } = madeReport(entrants);
    const workflow = { id: 'compare/shop/latest', runId: 'r' };
    return {
      comparisonId: 'cmp_1',
      pipeline,
      asOf,
      outcome: 'compared',
      reasons: [],
      counts,
      recommendation,
      leaderboard,
      report: null,
      page: null,
      workflow,
    };
  };

  test('what to use and why, then every candidate with its figures or its reason', () => {
    const slow = madeEntrant('ward', [], { reason: 'took longer than the 300 s that each candidate has' });
    const text = compareReport(summaryOf(madeGrid(), madeEntrant('k-means', [madeFit()]), slow), {
      report: 'r.html',
    });
    expect(text).toContain('Use k-means with 3 segments');
    expect(text).toMatch(/1 +k-means +3 +5\.0 +0\.350 +0\.300 +0\.90 +0\.50 .*✓ all/);
    expect(text).toMatch(/rule-grid .*✗ rules \(yardstick\)/);
    expect(text).toMatch(/ward .*took longer than the 300 s/);
    expect(text).toContain('r.html');
  });

  test('refused by its contract: the reasons, and no leaderboard', () => {
    const refused: ComparisonSummary = {
      ...summaryOf(),
      outcome: 'refused',
      reasons: ['no row satisfies the contract'],
      recommendation: null,
    };
    const text = compareReport(refused, { run: 'here' });
    expect(text).toContain('not compared');
    expect(text).toContain('no row satisfies the contract');
    expect(text).not.toContain('candidate');
  });

  test('when nothing passes, the cells of the rule grid', () => {
    const text = compareReport(
      summaryOf(madeGrid(), madeEntrant('k-means', [madeFit({ jaccards: [0.3, 0.3, 0.3] })])),
      {
        report: 'r.html',
      },
    );
    expect(text).toContain('No reproducible segmentation at any k');
    expect(text).toMatch(/Active high +300 +50\.0 %/);
  });
});
