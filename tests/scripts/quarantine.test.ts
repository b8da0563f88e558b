import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import type { Run } from '../../pipelines/contracts/run.ts';
import type { Validation } from '../../pipelines/contracts/stages.ts';
import { PROJECT_FOLDER, readConfig } from '../../scripts/config.ts';
import { errorText } from '../../scripts/error-text.ts';
import { joinParts, type Parts } from '../../scripts/parts.ts';
import { quarantineCommand } from '../../scripts/quarantine.ts';
import { startServices } from '../../scripts/services/index.ts';
import { ID_MARK, writeShopExtract } from '../helpers/activity-extract.ts';
import { createQuietLog, makeHome, removeHome } from './services/homes.ts';

const run = promisify(execFile);
const home = makeHome();
const folder = join(home, 'person');
const QUIET = { STRATA_HOME: home, INIT_CWD: folder, STRATA_DATABASE_URL: '', STRATA_LOG_LEVEL: 'error' };
const env = { ...process.env, ...QUIET, STRATA_LOG_LEVEL: 'info' };

interface Answer {
  code: number;
  out: string;
  err: string;
}

/** The whole command, as a process of its own. */
async function strata(...args: string[]): Promise<Answer> {
  const command = [
    process.execPath,
    ['--import', 'tsx', 'scripts/strata.ts', 'quarantine', ...args],
  ] as const;
  try {
    const { stdout, stderr } = await run(...command, { cwd: PROJECT_FOLDER, env });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

/** The same within this process, which takes a tenth of the time: what it prints, or the error it ends with. */
async function quarantine(...args: string[]): Promise<string> {
  const printed: unknown[] = [];
  const print = vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(text));
  try {
    await quarantineCommand(new AbortController().signal).parseAsync(args, { from: 'user' });
    return printed.join('\n');
  } finally {
    print.mockRestore();
  }
}

const refusal = (...args: string[]): Promise<string> =>
  quarantine(...args).then(
    () => 'was not refused',
    (error: unknown) => errorText(error),
  );

/** As a shell takes it apart, since quotation marks are part of what a person types. */
async function argsOf(command: string): Promise<string[]> {
  const print = 'console.log(JSON.stringify(process.argv.slice(1)))';
  const { stdout } = await run('sh', ['-c', `"${process.execPath}" -e '${print}' -- ${command}`]);
  return JSON.parse(stdout) as string[];
}

let services: Awaited<ReturnType<typeof startServices<'postgres'>>>;
let parts: Parts;
let checked: { run: Run; validation: Validation };

beforeAll(async () => {
  for (const [name, value] of Object.entries(QUIET)) vi.stubEnv(name, value);
  await mkdir(folder);
  const { log } = createQuietLog();
  services = await startServices({ home, log, only: ['postgres'], env });
  parts = await joinParts({ config: readConfig(env), databaseUrl: services.databaseUrl, log });
  const extract = await writeShopExtract(parts.context.scratchFolder, { customers: 300 });
  checked = await check(await open({ extract }));
}, 120_000);

afterAll(async () => {
  await parts?.close();
  await services?.stop();
  await removeHome(home);
  vi.unstubAllEnvs();
});

function perform<R>(work: (activities: ReturnType<typeof createActivities>) => Promise<R>): Promise<R> {
  const environment = new MockActivityEnvironment(
    {},
    { logger: new DefaultLogger('ERROR', () => undefined) },
  );
  return environment.run(() => work(createActivities(parts.context)));
}

let opened = 0;

async function open(input: { extract: string }): Promise<Run> {
  const workflow = { id: `test-${++opened}`, runId: 'r' };
  return (await perform((activities) => activities.openRun({ input, workflow, scheduledAt: null }))).run;
}

async function check(run: Run) {
  const extract = await perform((activities) => activities.extractCustomers({ run }));
  return { run, validation: await perform((activities) => activities.validateExtract({ run, extract })) };
}

describe('strata quarantine', () => {
  test('--help names what it does; each command names its options', async () => {
    const { out } = await strata('--help');
    for (const name of ['show', 'release', 'releases', 'revoke'])
      expect(out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    const { out: ofShow } = await strata('show', '--help');
    for (const option of ['--pipeline', '--rule', '--limit', '--json', '--csv', '--parquet'])
      expect(ofShow).toContain(`${option} <`);
    expect(ofShow).toContain("customers' data");
    const { out: ofRelease } = await strata('release', '--help');
    for (const option of ['--pipeline', '--rule', '--where', '--note', '--author'])
      expect(ofRelease).toContain(`${option} <`);
    expect(ofRelease).toContain('--dry-run');
  });

  // Before anything is started.
  test.each([
    ['release run_1', /required option '--rule <name>'/],
    ['release run_1 --rule x --note " "', /--note needs a text.*INPUT_INVALID/],
    ['show', /missing required argument 'run'/],
    ['show run_1 --limit few', /needs a whole number/],
    ['show run_1 --csv nowhere/a.csv', /--csv needs a folder that can be written to.*CONFIG_INVALID/],
    ['show run_1 --csv a.csv --parquet a.parquet', /cannot be used with option/],
    ['revoke first', /needs a whole number/],
  ])('%s ends with 1 and says the way out', async (args, message) => {
    const { code, err } = await strata(...(await argsOf(args)));
    expect(code).toBe(1);
    expect(err).toMatch(message);
    expect(err).not.toContain('    at ');
  });
});

describe('strata quarantine show', () => {
  test.each([
    [
      ['run_no'],
      /there is no run run_no; the latest are run_[0-9a-f]{16} \(shop as of .*, running\) \(RUN_UNKNOWN\)/,
    ],
    [['latest'], /needs a pipeline: add --pipeline/],
    [
      ['latest', '--pipeline', 'elsewhere'],
      /pipeline elsewhere has no run yet; the latest are run_.*RUN_UNKNOWN/,
    ],
  ])('%j says which runs there are', async (args, message) => {
    expect(await refusal('show', ...args)).toMatch(message);
  });

  test('counts what validation counted, by rule, and shows rows of each', async () => {
    const { code, out, err } = await strata('show', checked.run.runId, '--limit', '1');
    expect(code).toBe(0);
    const { counts } = checked.validation;
    expect(out).toContain(
      `${counts.rowsQuarantined.toLocaleString('en-US')} of ${counts.rowsRead.toLocaleString('en-US')} rows are in quarantine`,
    );
    for (const { rule, rows } of counts.quarantinedBy.filter((count) => count.rows > 0))
      expect(out).toMatch(new RegExp(`^${rule} +${rows.toLocaleString('en-US')} +█`, 'm'));
    expect(out).toContain('the line was free, or its price is a mistake');
    expect(out).toContain(ID_MARK);
    // What goes to stderr is a log.
    expect(err).toContain('PostgreSQL');
    expect(err).not.toContain(ID_MARK);
  }, 60_000);

  test('shows no row when none is asked for', async () => {
    expect(await quarantine('show', checked.run.runId, '--limit', '0')).not.toContain(ID_MARK);
  });

  test('writes the rows of a rule as CSV, all rows as Parquet, and what it shows as JSON', async () => {
    const id = checked.run.runId;
    await quarantine('show', id, '--rule', 'without-price', '--csv', 'free.csv', '--json', 'shown.json');
    const [header, ...lines] = (await readFile(join(folder, 'free.csv'), 'utf8')).trim().split('\n');
    expect(header).toMatch(/^refused_by,broken_rules,customer_id,order_id,ordered_at,/);
    const shown = JSON.parse(await readFile(join(folder, 'shown.json'), 'utf8'));
    const { all } = shown.rules.find(({ rule }: { rule: string }) => rule === 'without-price');
    expect(lines).toHaveLength(all);
    for (const line of lines) expect(line).toContain('without-price');
    await quarantine('show', id, '--parquet', 'all.parquet');
    expect((await readFile(join(folder, 'all.parquet'))).subarray(0, 4).toString()).toBe('PAR1');
  });

  test('a rule that refused nothing is answered with those that did', async () => {
    expect(await refusal('show', checked.run.runId, '--rule', 'without-prise')).toMatch(
      /found without-prise; there are .*without-price.*INPUT_INVALID/,
    );
  });
});

describe('every command of docs/quarantine.md', () => {
  test('does what the page says, in its order', async () => {
    const page = await readFile(join(PROJECT_FOLDER, 'docs/quarantine.md'), 'utf8');
    const commands = [...page.matchAll(/```sh\n([^`]*)```/g)].flatMap(([, block]) =>
      block!.trim().split('\n'),
    );
    expect(commands.length).toBeGreaterThan(6);
    const said: string[] = [];
    for (const command of commands) {
      const [, args] = /^npm run strata -- quarantine (.*)$/.exec(command)!;
      said.push(await quarantine(...(await argsOf(args!))));
    }
    const [dry, made, listed, revoked] = said.slice(-4);
    const rows = /([\d,]+) rows would be released; nothing was changed/.exec(dry!)![1];
    expect(made).toContain(`${rows} rows released: they join every run of shop`);
    const { username } = userInfo();
    expect(listed).toMatch(
      new RegExp(`^ *1 +shop +${rows} +in force +without-price .* by ${username} `, 'm'),
    );
    expect(listed).toContain('where quantity < 3; samples');
    expect(revoked).toContain('release 1 is revoked');
  }, 60_000);

  test('and a second revoking says who was first, an unknown release where to look', async () => {
    expect(await quarantine('revoke', '1', '--author', 'eve')).toMatch(
      new RegExp(`was revoked before: .* by ${userInfo().username}`),
    );
    expect(await refusal('revoke', '99')).toMatch(/quarantine releases lists them \(INPUT_INVALID\)/);
  });
});

test('the releases of a pipeline that there is not are answered with those that there are', async () => {
  expect(await refusal('releases', '--pipeline', 'nope')).toMatch(
    /"nope" is not defined; there are .*PIPELINE_UNKNOWN/,
  );
  expect(await quarantine('releases', '--pipeline', 'online-retail')).toContain('nothing was released');
});

test.each([
  ['quantity', /--where needs a condition that is true or false.*found one of type BIGINT \(INPUT_INVALID\)/],
  ['quantity < 3) OR (true', /--where needs brackets that open and close \(INPUT_INVALID\)/],
  ['true; DROP TABLE x', /--where needs one condition, without ; \(INPUT_INVALID\)/],
  ["customer_id IN (SELECT * FROM read_text('/etc/passwd'))", /without SELECT \(INPUT_INVALID\)/],
  [
    'colour = 1',
    /--where failed: Binder error.*text stands in single quotes, --where "channel = .*INPUT_INVALID/,
  ],
])('a condition such as %s releases nothing', async (where, message) => {
  const args = [checked.run.runId, '--rule', 'without-price', '--where', where, '--dry-run'];
  expect(await refusal('release', ...args)).toMatch(message);
});

describe('a run that has no quarantine', () => {
  test('yet, or any more, says so, and which run has one', async () => {
    const unchecked = await open({ extract: 'never-read.parquet' });
    expect(await refusal('show', unchecked.runId)).toMatch(
      new RegExp(
        `has no quarantine: its rows are not checked yet.*the latest that has one is ${checked.run.runId}`,
      ),
    );
    await parts.context.artifacts.release(checked.run.runId);
    expect(await refusal('show', checked.run.runId)).toMatch(
      /the quarantine of run run_.* is gone: bring it back.*ARTIFACT_MISSING/,
    );
  });
});
