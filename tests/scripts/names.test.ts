import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { PROJECT_FOLDER, readConfig } from '../../scripts/config.ts';
import { errorText } from '../../scripts/error-text.ts';
import { namesCommand } from '../../scripts/names.ts';
import { joinParts, type Parts } from '../../scripts/parts.ts';
import { startServices } from '../../scripts/services/index.ts';
import { encodeJson } from '../../store/artifacts/json.ts';
import { nameOf, persistRun, publishRun, segment } from '../store/postgres/fixture.ts';
import { createQuietLog, makeHome, removeHome } from './services/homes.ts';

const run = promisify(execFile);
const home = makeHome();
const folder = join(home, 'person');
const QUIET = { STRATA_HOME: home, INIT_CWD: folder, STRATA_DATABASE_URL: '', STRATA_LOG_LEVEL: 'error' };
const env = { ...process.env, ...QUIET };
const { username } = userInfo();

/** Where a CI says so, colours are printed though nobody looks. */
const plain = stripVTControlCharacters;

/** The whole command, as a process of its own. */
async function strata(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const command = ['--import', 'tsx', 'scripts/strata.ts', 'names', ...args];
  try {
    const { stdout, stderr } = await run(process.execPath, command, { cwd: PROJECT_FOLDER, env });
    return { code: 0, out: plain(stdout), err: plain(stderr) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: plain(stdout), err: plain(stderr) };
  }
}

/** The same within this process, which takes a tenth of the time: what it prints, or the error it ends with. */
async function names(...args: string[]): Promise<string> {
  const printed: unknown[] = [];
  const print = vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(text));
  try {
    await namesCommand(new AbortController().signal).parseAsync(args, { from: 'user' });
    return plain(printed.join('\n'));
  } finally {
    print.mockRestore();
  }
}

const refusal = (...args: string[]): Promise<string> =>
  names(...args).then(
    () => 'was not refused',
    (error: unknown) => errorText(error),
  );

const written = async (file: string): Promise<unknown> =>
  JSON.parse(await readFile(join(folder, file), 'utf8'));

const REGULARS = 'Active high-value regulars';
/** A guard on the name: half of the segment ordered so often. */
const guard = (atLeast: number) => ({
  words: [
    {
      word: 'Active',
      role: 'stage' as const,
      bounds: [{ feature: 'orders', statistic: 'median' as const, atLeast }],
    },
  ],
});

let services: Awaited<ReturnType<typeof startServices<'postgres'>>>;
let parts: Parts;

beforeAll(async () => {
  for (const [name, value] of Object.entries(QUIET)) vi.stubEnv(name, value);
  await mkdir(folder);
  const { log } = createQuietLog();
  services = await startServices({ home, log, only: ['postgres'], env });
  parts = await joinParts({ config: readConfig(env), databaseUrl: services.databaseUrl, log });
  const segments = [
    segment('seg_a0', { name: REGULARS, customers: 30, share: 0.6 }),
    segment('seg_a1', { name: 'Lapsing', customers: 20, share: 0.4, nameStatus: 'questionable' }),
  ];
  const { repositories } = parts.context;
  await persistRun(repositories, 'a', {
    segments,
    names: [
      { ...nameOf('seg_a0', REGULARS), condition: guard(5) },
      { ...nameOf('seg_a1', 'Lapsing'), condition: guard(50) },
    ],
  });
  await keepNamesOf('a');
  await publishRun(repositories, 'a');
}, 120_000);

afterAll(async () => {
  await parts?.close();
  await services?.stop();
  await removeHome(home);
  vi.unstubAllEnvs();
});

/** What the name stage of a run leaves behind: here a proposal for the second segment. */
async function keepNamesOf(runId: string): Promise<void> {
  const { artifacts, repositories } = parts.context;
  const common = { author: 'auto', evidence: [], cluster: 0 };
  const file = {
    names: [
      {
        ...common,
        segmentId: 'seg_a0',
        name: REGULARS,
        status: 'holds',
        condition: guard(5),
        proposal: null,
        reason: 'keeps its name',
      },
      {
        ...{ ...common, segmentId: 'seg_a1', name: 'Lapsing', status: 'questionable', condition: guard(50) },
        reason: 'keeps its name, though its figures no longer back "Active"',
        proposal: { name: 'Cooling', condition: guard(1), evidence: [] },
      },
    ],
  };
  const artifact = await artifacts.write('names', encodeJson(file), { runId, ending: 'json', rows: 2 });
  await repositories.stages.record({
    runId,
    stage: 'name',
    attempt: 1,
    startedAt: '2026-06-30T10:00:00Z',
    ms: 1,
    rows: 2,
    artifact,
  });
}

describe('strata names', () => {
  test('--help names what it does', async () => {
    const { out } = await strata('--help');
    for (const name of ['list', 'set', 'accept', 'revert', 'history'])
      expect(out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  });

  test.each([
    [['set', 'seg_a0', 'Our best'], /required option '--because <text>'/],
    [['revert', 'seg_a0', 'first'], /needs a version, a whole number from 1/],
    [['set', 'seg_a0', '<b>Our best</b>', '--because', 'x'], /without markup, found "<b>".*NAME_REFUSED/],
  ])('%j ends with 1 and says the way out, before anything is started', async (args, message) => {
    const { code, err } = await strata(...args);
    expect(code).toBe(1);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/ {4}at |PostgreSQL/);
  });

  test.each([
    [['set', 'seg_a0', ' ', '--because', 'x'], /needs a letter or a digit, found nothing.*NAME_REFUSED/],
    [['set', 'seg_a0', 'Our best', '--because', ' '], /the reason needs a few words.*INPUT_INVALID/],
    [['set', 'seg_a0', 'Our best', '--because', 'x', '--by', ''], /the person who decides needs a few words/],
    [['list', '--json', 'nowhere/a.json'], /--json needs a folder that can be written to.*CONFIG_INVALID/],
  ])('%j is refused with the way out', async (args, message) => {
    expect(await refusal(...args)).toMatch(message);
  });

  test('list draws what holds and what does not, with what may be done about it', async () => {
    const { code, out } = await strata('list', 'shop', '--json', 'list.json');
    expect(code).toBe(0);
    expect(out).toMatch(/^shop 2 segments, published with a$/m);
    expect(out).toMatch(
      /^Active high-value regulars +30 +60\.0 % +holds +20\d\d-\d\d-\d\d +automatic +1 +seg_a0$/m,
    );
    expect(out).toMatch(/^Lapsing +20 +40\.0 % +questionable /m);
    expect(out).toContain('? Lapsing keeps its name, though its figures no longer back "Active"');
    expect(out).toContain('today it would be called "Cooling": npm run strata -- names accept seg_a1');
    expect(await written('list.json')).toMatchObject([
      { segmentId: 'seg_a0', status: 'holds', doubt: null, proposal: null },
      { segmentId: 'seg_a1', status: 'questionable', proposal: { name: 'Cooling', condition: guard(1) } },
    ]);
  }, 60_000);

  test('a pipeline without segments is answered with what there is', async () => {
    expect(await refusal('list', 'nope')).toMatch(/"nope" is not defined; there are .*PIPELINE_UNKNOWN/);
    expect(await names('list', 'online-retail')).toContain('no segment is published yet');
  });
});

describe('every command of docs/names.md', () => {
  test('does what the page says, in its order', async () => {
    const page = await readFile(join(PROJECT_FOLDER, 'docs/names.md'), 'utf8');
    const commands = [...page.matchAll(/```sh\n([^`]*)```/g)].flatMap(([, block]) =>
      block!.trim().split('\n'),
    );
    const said: string[] = [];
    for (const command of commands) {
      const [, typed] = /^npm run strata -- names (.*)$/.exec(command)!;
      const args = [...typed!.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
      said.push(await names(...args));
    }
    const [listed, , set, history, reverted] = said;
    expect(listed).toContain(REGULARS);
    expect(set).toContain(`✓ seg_a0 of shop is called "Our best", no more "${REGULARS}" (version 2)`);
    expect(set).toContain('to undo it: npm run strata -- names revert seg_a0 1');
    expect(history).toMatch(new RegExp(`^ +2 +Our best +20.* +now +${username} +the spring campaign$`, 'm'));
    expect(history).toMatch(/^ +1 +Active high-value regulars +20.* +20.* +automatic +born$/m);
    expect(reverted).toContain(`is called "${REGULARS}", no more "Our best" (version 3)`);
    expect(await names('list')).toMatch(
      new RegExp(`^${REGULARS} .* holds .* automatic, ${username} +3 +seg_a0$`, 'm'),
    );
  }, 60_000);
});

async function waitingForLocks(): Promise<number> {
  const { rows } = await parts.knex.raw(
    `select count(*)::int as waiting from pg_stat_activity where wait_event_type = 'Lock'`,
  );
  return rows[0].waiting;
}

describe('a decision on a name', () => {
  test('is told from one that was taken before, by id and by present name', async () => {
    await names('set', 'seg_a0', 'Our best', '--because', 'campaign', '--by', 'ann');
    expect(await names('set', 'our BEST', 'Our best', '--because', 'other', '--by', 'bob')).toMatch(
      /^seg_a0 of shop is called "Our best" already: since 20.* by ann \(campaign\)$/,
    );
    expect(await refusal('set', REGULARS, 'Mine', '--because', 'x')).toMatch(
      /seg_a0 was called so until 20.*: give its id \(SEGMENT_UNKNOWN\)/,
    );
    expect(await refusal('set', 'seg_a0', 'Mine', '--because', 'x', '--seen', '3')).toMatch(
      /found version 4 \("Our best"\), given by ann at 20.* \(campaign\); .*NAME_CHANGED/,
    );
    expect(await refusal('set', 'Lapsing', 'our best', '--because', 'x')).toMatch(
      /seg_a0 is called "Our best".*NAME_TAKEN/,
    );
  });

  test('tells whose name it takes the place of, and how to undo it', async () => {
    const said = await names('set', 'seg_a0', 'Whales', '--because', 'shorter', '--by', 'bob');
    expect(said).toContain('no more "Our best" (version 5)');
    expect(said).toMatch(/^ {2}· ann had called it "Our best" since 20.* \(campaign\)$/m);
    expect(said).toContain('to undo it: npm run strata -- names revert seg_a0 4');
    // One's own is no news.
    const own = await names('set', 'seg_a0', 'Giants', '--because', 'clearer', '--by', 'bob');
    expect(own).not.toContain('had called it');
  });

  test('of two people who type at once one wins, and the other is told who and what', async () => {
    const lock = await parts.knex.transaction();
    await lock('pipelines').where({ name: 'shop' }).forNoKeyUpdate();
    const print = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const typed = ['ann', 'bob'].map((by) =>
      namesCommand(new AbortController().signal).parseAsync(
        ['set', 'seg_a0', `Best of ${by}`, '--because', 'campaign', '--by', by],
        { from: 'user' },
      ),
    );
    // Both have read the present name, and neither has written.
    await vi.waitUntil(async () => (await waitingForLocks()) === 2, { timeout: 20_000, interval: 50 });
    await lock.commit();
    const ends = await Promise.allSettled(typed);
    print.mockRestore();
    const [refused] = ends.filter((end) => end.status === 'rejected');
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const inForce = (await parts.context.repositories.names.history('seg_a0')).at(-1)!;
    const winner = ends[0]!.status === 'fulfilled' ? 'ann' : 'bob';
    expect(inForce).toMatchObject({ version: 7, name: `Best of ${winner}`, givenBy: winner });
    expect(errorText(refused!.reason)).toMatch(
      new RegExp(
        `needs to be the one that was seen, version 6 .*found version 7 \\("Best of ${winner}"\\), given by ${winner} .*NAME_CHANGED`,
      ),
    );
  }, 60_000);

  test('may take the proposal, once; back again, the old name is questionable at once', async () => {
    const said = await names('accept', 'Lapsing', '--by', 'ann', '--json', 'accepted.json');
    expect(said).toContain('seg_a1 of shop is called "Cooling", no more "Lapsing" (version 2)');
    expect(await written('accepted.json')).toMatchObject({
      ...{ segmentId: 'seg_a1', isNew: true, previous: { name: 'Lapsing' } },
      name: {
        name: 'Cooling',
        author: 'auto',
        givenBy: 'ann',
        reason: 'accepts what a proposes',
        condition: guard(1),
      },
    });
    expect(await refusal('accept', 'Cooling')).toMatch(
      /needs a name that is proposed for seg_a1, its name "Cooling" holds/,
    );
    expect(await refusal('revert', 'Cooling')).toMatch(/needs the version to go to.*there are 1, 2: /);
    expect(await names('revert', 'Cooling', '1')).toContain('is called "Lapsing"');
    expect(await names('list')).toMatch(/^Lapsing .* questionable /m);
  });

  test('history is of a retired segment, too, by its id', async () => {
    await persistRun(parts.context.repositories, 'b', {
      segments: [segment('seg_a0', { event: 'survived' })],
    });
    await publishRun(parts.context.repositories, 'b', { expectedBase: 1 });
    expect(await names('history', 'seg_a1', '--json', 'history.json')).toContain('seg_a1 has retired');
    expect(await written('history.json')).toMatchObject({
      segmentId: 'seg_a1',
      names: [{ version: 1 }, {}, { version: 3 }],
    });
    expect(await refusal('set', 'seg_a1', 'Gone', '--because', 'x')).toMatch(
      /it has retired with run b.*SEGMENT_UNKNOWN/,
    );
    expect(await refusal('history', 'nobody')).toMatch(/SEGMENT_UNKNOWN/);
  });
});
