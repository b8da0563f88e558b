import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Finding } from '../../pipelines/contracts/alerts.ts';
import { alertsCommand } from '../../scripts/alerts.ts';
import { PROJECT_FOLDER, readConfig } from '../../scripts/config.ts';
import { errorText } from '../../scripts/error-text.ts';
import { joinParts, type Parts } from '../../scripts/parts.ts';
import { startServices } from '../../scripts/services/index.ts';
import type { DecideAlerts } from '../../store/postgres/alerts.ts';
import type { MovementRow } from '../../store/postgres/stability.ts';
import { memberships, newRun, segment, segmentation } from '../store/postgres/fixture.ts';
import { createQuietLog, makeHome, removeHome } from './services/homes.ts';

const run = promisify(execFile);
const home = makeHome();
const folder = join(home, 'person');
const definitions = join(home, 'definitions');
const QUIET = {
  ...{ STRATA_HOME: home, INIT_CWD: folder, STRATA_DATABASE_URL: '', STRATA_LOG_LEVEL: 'error' },
  STRATA_DEFINITIONS: definitions,
};
const env = { ...process.env, ...QUIET };

/** Where a CI says so, colours are printed though nobody looks. */
const plain = stripVTControlCharacters;

/** The whole command, as a process of its own. */
async function strata(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const command = ['--import', 'tsx', 'scripts/strata.ts', 'alerts', ...args];
  try {
    const { stdout, stderr } = await run(process.execPath, command, { cwd: PROJECT_FOLDER, env });
    return { code: 0, out: plain(stdout), err: plain(stderr) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: plain(stdout), err: plain(stderr) };
  }
}

/** Of the command typed last in this process. */
let exitCode = 0;

/** The same within this process, which takes a tenth of the time: what it prints, or the error it ends with. */
async function alerts(...args: string[]): Promise<string> {
  exitCode = 0;
  const printed: unknown[] = [];
  const print = vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(text));
  const setExitCode = (code: number) => {
    exitCode = code;
  };
  try {
    await alertsCommand(new AbortController().signal, setExitCode).parseAsync(args, { from: 'user' });
    return plain(printed.join('\n'));
  } finally {
    print.mockRestore();
  }
}

const refusal = (...args: string[]): Promise<string> =>
  alerts(...args).then(
    () => 'was not refused',
    (error: unknown) => errorText(error),
  );

const written = async (file: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(join(folder, file), 'utf8'));

function finding(changes: Partial<Finding> = {}): Finding {
  return {
    ...{ rule: 'flow', kind: 'flow', severity: 'warning', owner: 'CRM', channels: null, worseBy: 0.5 },
    ...{ subject: 'seg_0', magnitude: 0.16, title: '16 % of the customers of “Group 0” went other ways' },
    ...{ details: ['3 moves of these may be chance: so near to a border'], customers: 115 },
    ...{ spendCents: 1_150_000, features: ['orders (PSI 0.31)'], pValue: 1e-9 },
    ...changes,
  };
}

const TEXT = {
  ...{ event: 'alerts', pipeline: 'shop', runId: 'm7', asOf: '2026-07-01', moment: 'published' },
  ...{ currency: 'EUR', alerts: [] },
};
const TOMORROW = new Date(Date.now() + 86_400_000).toISOString();

/** What the seventh publication made: two alerts, a message for a receiver, and one that quiet hours postpone. */
const eventful: DecideAlerts = () => ({
  ...{ repeated: [], silent: [], resolved: [] },
  opened: [
    { alertId: 'alr_flow', finding: finding() },
    {
      alertId: 'alr_names',
      finding: finding({
        ...{ rule: 'names', kind: 'questionable-names', severity: 'info', owner: null, subject: '' },
        ...{ title: '1 of 2 names does not hold any more', details: [], features: [], spendCents: null },
        pValue: null,
      }),
    },
  ],
  messages: [
    {
      ...{ event: 'alerts.published', channel: '0:webhook', payload: TEXT, notBefore: null },
      settings: { kind: 'webhook', urlFrom: 'SHOP_WEBHOOK' },
    },
    {
      ...{ event: 'alerts.published', channel: '1:slack', payload: TEXT, notBefore: TOMORROW },
      settings: { kind: 'slack', urlFrom: 'SHOP_SLACK' },
    },
  ],
});

let services: Awaited<ReturnType<typeof startServices<'postgres'>>>;
let parts: Parts;
let receiver: Server;
let answer = 500;
const keys: string[] = [];

/** A month in which `moved` of 1,000 customers went from the first segment to the second. */
async function publishMonth(
  month: number,
  { moved, alerts: decide }: { moved: number; alerts?: DecideAlerts },
): Promise<void> {
  const { runs, segmentations, memberships: members, stability, publications } = parts.context.repositories;
  const runId = `m${month}`;
  const asOf = `2026-0${month}-01`;
  const base = (await publications.current('shop'))?.publicationId ?? null;
  await runs.open(newRun(runId));
  await runs.describeExtract(runId, { asOf, watermark: asOf, rowsRead: 1 });
  const segments = ['seg_0', 'seg_1'].map((id) =>
    segment(id, {
      ...{ name: `Group ${id.at(-1)}`, customers: 1000 },
      event: base === null ? 'born' : 'survived',
    }),
  );
  await segmentations.save(runId, segmentation(segments));
  // The last of them has them one place further: who was in the first segment is in the other one.
  const ids = month === 7 ? ['1002', '1003'] : ['1001', '1002', '1003'];
  await members.load(runId, memberships(ids, ['seg_0', 'seg_1']));
  const movements: MovementRow[] = [
    { from: 'seg_0', to: 'seg_1', cause: 'behaviour', customers: moved, spendCents: moved * 10_000 },
    { from: 'seg_1', to: 'seg_0', cause: 'behaviour', customers: 40 + month, spendCents: 100 },
  ];
  await stability.save(runId, { movements: base === null ? [] : movements, metrics: [] });
  await publications.publish({
    ...{ pipeline: 'shop', runId, expectedBase: base, review: null, messages: [] },
    ...(decide && { alerts: decide }),
  });
}

beforeAll(async () => {
  receiver = createServer((request, response) => {
    keys.push(String(request.headers['idempotency-key']));
    request.resume().on('end', () => response.writeHead(answer).end());
  });
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening));
  const address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  for (const [name, value] of Object.entries({ ...QUIET, SHOP_WEBHOOK: address })) vi.stubEnv(name, value);
  await mkdir(folder);
  const pipeline = join(definitions, 'shop/pipeline.yaml');
  await cp(join(PROJECT_FOLDER, 'pipelines/definitions/shop'), join(definitions, 'shop'), {
    recursive: true,
  });
  const shop = parse(await readFile(pipeline, 'utf8'));
  const rules = { falseAlarmsPerMonth: 0.5, rules: [{ name: 'flow', kind: 'flow' }] };
  await writeFile(pipeline, stringify({ ...shop, alerts: rules }));
  const { log } = createQuietLog();
  services = await startServices({ home, log, only: ['postgres'], env });
  parts = await joinParts({ config: readConfig(env), databaseUrl: services.databaseUrl, log });
  for (let month = 1; month <= 6; month++) await publishMonth(month, { moved: 50 - month });
  await publishMonth(7, { moved: 160, alerts: eventful });
}, 120_000);

afterAll(async () => {
  await parts?.close();
  await services?.stop();
  receiver?.closeAllConnections();
  receiver?.close();
  await removeHome(home);
  vi.unstubAllEnvs();
});

describe('strata alerts list', () => {
  test('draws what is open and the messages that wait with the reason, and writes the same as JSON', async () => {
    const said = await alerts('list', '--json', 'list.json');
    expect(said).toMatch(/^2 alerts$/m);
    expect(said).toMatch(/^warning {3}alr_flow {2}20\d\d-\d\d-\d\d {2}shop {2}open$/m);
    expect(said).toContain('16 % of the customers of “Group 0” went other ways');
    expect(said).toMatch(/^ +rule flow, owner CRM$/m);
    expect(said).toMatch(/^info {6}alr_names .*\n.*1 of 2 names.*\n +rule names$/m);
    expect(said).toContain('2 messages in the outbox:');
    expect(said).toContain('shop m7 alerts.published to webhook: not tried yet');
    expect(said).toContain(`shop m7 alerts.published to slack: postponed until ${TOMORROW}`);
    expect(await written('list.json')).toMatchObject({
      alerts: [
        { alertId: 'alr_flow', state: 'open', finding: { customers: 115 } },
        { alertId: 'alr_names', state: 'open' },
      ],
      waiting: [{ channel: '0:webhook', attempts: 0 }, { notBefore: TOMORROW }],
    });
  });

  test('of a pipeline without alerts says so, one that is not there is answered with those that are', async () => {
    expect(await alerts('list', 'online-retail')).toBe('No alerts.');
    expect(await refusal('list', 'shoop')).toMatch(/"shoop" is not defined; there are .*PIPELINE_UNKNOWN/);
    expect(await refusal('list', '--json', 'nowhere/a.json')).toMatch(
      /--json needs a folder.*CONFIG_INVALID/,
    );
  });
});

describe('strata alerts show', () => {
  test('tells what moved, how many, how much money, and what is behind it', async () => {
    const said = await alerts('show', 'alr_flow');
    expect(said.split('\n')[0]).toBe('WARNING 16 % of the customers of “Group 0” went other ways');
    expect(said).toContain('about 115 customers, €11,500');
    expect(said).toContain('behind it: orders (PSI 0.31)');
    expect(said).toMatch(/^rule +flow \(flow\)$/m);
    expect(said).toMatch(/^opened +20.* UTC by run m7$/m);
    expect(said).toMatch(/^by chance +in fewer than one of a million runs$/m);
    expect(said).not.toMatch(/acknowledged|resolved/);
    // Nobody has looked at it: of one without a segment there are no customers to show either.
    expect(await alerts('show', 'alr_names')).not.toContain('select');
  });

  test('ends with SQL that gives the customers behind it', async () => {
    const sql = (await alerts('show', 'alr_flow')).split('in SQL:\n')[1]!;
    const { rows } = await parts.knex.raw(sql);
    const ways = rows.map((row: Record<string, unknown>) => [
      ...[row.customer_id, row.from_segment_id, row.to_segment_id],
    ]);
    expect(ways.sort()).toEqual([
      ['1001', 'seg_0', null],
      ['1002', 'seg_1', 'seg_0'],
      ['1003', 'seg_0', 'seg_1'],
    ]);
  });

  test('of an id that there is not names the way out', async () => {
    expect(await refusal('show', 'alr_0')).toMatch(
      /^alert alr_0 needs to be one that there is; .*alerts list --all.*\(INPUT_INVALID\)$/,
    );
  });
});

describe('strata alerts backtest', () => {
  test('inside the budget ends with 0, and tells rules, months and what would have been told', async () => {
    const said = await alerts('backtest', 'shop', '--json', 'backtest.json');
    expect(exitCode).toBe(0);
    expect(said).toMatch(/^shop: 7 publications in 7\.\d months, 1 alert would have been told:$/m);
    expect(said).toContain('inside the budget of 0.5');
    expect(said).toMatch(/^flow +warning +1 +0\.1\d +1 in 2026-07$/m);
    expect(said).toMatch(/^2026-06 +0$/m);
    expect(said).toMatch(/^2026-07 +1 +█+$/m);
    expect(said).toMatch(/^ {2}2026-07-01 {2}flow: .*“Group 0” went other ways/m);
    expect(await written('backtest.json')).toMatchObject({
      ...{ runs: 7, isWithinBudget: true },
      told: [{ runId: 'm7', subject: 'seg_1:seg_0', gotWorse: false }],
    });
  });

  test('beyond it ends with 2, over the dates that were asked for', async () => {
    const { code, out } = await strata('backtest', 'shop', '--from', '2026-07-01', '--to', '2026-07-31');
    expect(code).toBe(2);
    expect(out).toContain('shop: 1 publication in');
    expect(out).toContain('beyond the budget of 0.5');
  }, 60_000);

  test.each([
    [
      ['shop', '--from', '2030-01-01'],
      /needs publications of shop in its time, found none of 7.*INPUT_INVALID/,
    ],
    [['shoop'], /"shoop" is not defined.*PIPELINE_UNKNOWN/],
    [['shop', '--json', 'nowhere/a.json'], /--json needs a folder.*CONFIG_INVALID/],
  ])('%j is refused with the way out', async (args, message) => {
    expect(await refusal('backtest', ...args)).toMatch(message);
  });
});

describe('strata alerts deliver', () => {
  test('a message that its receiver refuses stays, with the reason, and comes later with the same key', async () => {
    const refused = await alerts('deliver', 'shop');
    expect(exitCode).toBe(2);
    expect(refused.split('\n')).toEqual([
      '0 messages delivered, 2 still wait',
      '  webhook of SHOP_WEBHOOK needs to answer 2xx, it answered 500',
    ]);
    expect(await alerts('list', 'shop')).toContain(
      'to webhook: webhook of SHOP_WEBHOOK needs to answer 2xx, it answered 500 (1 attempt)',
    );
    answer = 204;
    // A person does not wait for the rest that a workflow gives the receiver. What is postponed stays so.
    expect(await alerts('deliver', 'shop')).toBe('1 message delivered, 1 still waits');
    expect(exitCode).toBe(0);
    expect(keys).toEqual([keys[0], keys[0]]);
    const said = await alerts('list', 'shop');
    expect(said).toContain('1 message in the outbox:');
    expect(said).not.toContain('to webhook');
    expect(await alerts('deliver', 'shop')).toBe('0 messages delivered, 1 still waits');
    expect(keys).toHaveLength(2);
  });

  test('where nothing waits says so, and tells it from a name that was mistyped', async () => {
    expect(await alerts('deliver', 'online-retail')).toBe('0 messages delivered, none waits');
    expect(await refusal('deliver', 'shoop')).toMatch(/"shoop" is not defined.*PIPELINE_UNKNOWN/);
  });
});

describe('two people and one alert', () => {
  test('who is second is told who was first, and changes nothing', async () => {
    expect(await alerts('ack', 'alr_flow', '--author', 'ann', '--note', 'looking at it')).toMatch(
      /^alr_flow is acknowledged by ann, 20.* UTC\n16 % of the customers/,
    );
    expect(await alerts('ack', 'alr_flow', '--author', 'bob')).toMatch(
      /^alr_flow was acknowledged already by ann, 20.* UTC: nothing was changed$/,
    );
    expect(exitCode).toBe(0);
    expect(await alerts('show', 'alr_flow')).toMatch(/^acknowledged +20.* UTC by ann: looking at it$/m);
    expect(await alerts('list', 'shop')).toMatch(/^warning .*alr_flow .* acknowledged$/m);
    expect(await alerts('resolve', 'alr_flow', '--author', 'bob', '--note', 'the campaign')).toMatch(
      /^alr_flow is resolved by bob, /,
    );
    for (const command of ['resolve', 'ack'])
      expect(await alerts(command, 'alr_flow', '--author', 'ann')).toMatch(
        /^alr_flow was resolved already by bob, 20.* UTC: nothing was changed$/,
      );
  });

  test('what is resolved is listed with --all alone, and shown with both of them', async () => {
    expect(await alerts('list', 'shop')).not.toContain('alr_flow');
    expect(await alerts('list', 'shop', '--all')).toMatch(/^warning .*alr_flow .* resolved$/m);
    const said = await alerts('show', 'alr_flow');
    expect(said).toMatch(/^acknowledged .* by ann: looking at it$/m);
    expect(said).toMatch(/^resolved .* by bob: the campaign$/m);
  });

  test.each([
    [['ack', 'alr_0'], /alert alr_0 needs to be one that there is.*INPUT_INVALID/],
    [['resolve', 'alr_0'], /alert alr_0 needs to be one that there is.*INPUT_INVALID/],
    [['ack', 'alr_names', '--author', ' '], /the person who decides needs a few words, found none/],
    [['ack', 'alr_names', '--note', ' '], /--note needs a text, found none/],
  ])('%j is refused, and nothing is changed', async (args, message) => {
    expect(await refusal(...args)).toMatch(message);
    expect(await parts.context.repositories.alerts.get('alr_names')).toMatchObject({ state: 'open' });
  });
});
