import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WATCH_ID } from '../../pipelines/stages/schedules/facts.ts';
import { errorText } from '../../scripts/error-text.ts';
import { schedulesCommand } from '../../scripts/schedules/command.ts';
import { planReport } from '../../scripts/schedules/report.ts';
import { shortDefinition } from '../helpers/short-definition.ts';
import { temporalAddress } from '../helpers/temporal.ts';
import { makeHome, removeHome } from './services/homes.ts';

const home = makeHome();
const definitions = join(home, 'definitions');
const pipeline = `p${randomUUID().slice(0, 8)}`;
const NIGHTLY =
  '{ name: nightly, kind: assign, frequency: "30 2 * * *", timezone: Europe/Berlin, note: why there is one }';

let connection: Connection;
beforeAll(async () => {
  connection = await Connection.connect({ address: temporalAddress() });
  vi.stubEnv('STRATA_HOME', home);
  vi.stubEnv('INIT_CWD', home);
  vi.stubEnv('STRATA_DEFINITIONS', definitions);
  vi.stubEnv('STRATA_LOG_LEVEL', 'error');
  // No look begins while the tests go on.
  vi.stubEnv('STRATA_WATCH_MINUTES', '1440');
  vi.stubEnv('TEMPORAL_ADDRESS', temporalAddress());
});
afterAll(async () => {
  vi.unstubAllEnvs();
  const { schedule } = new Client({ connection });
  for (const id of [`strata/${pipeline}/nightly`, WATCH_ID])
    await schedule
      .getHandle(id)
      .delete()
      .catch(() => undefined);
  await connection?.close();
  removeHome(home);
});

async function define(schedule: string): Promise<void> {
  const files = shortDefinition({ pipeline, schedule });
  await mkdir(join(definitions, pipeline), { recursive: true });
  await writeFile(join(definitions, pipeline, 'pipeline.yaml'), files.pipeline);
  await writeFile(join(definitions, pipeline, 'contract.yaml'), files.contract);
}

/** What `strata schedules …` prints and ends with. */
async function schedules(...args: string[]): Promise<{ code: number; out: string }> {
  const printed: unknown[] = [];
  const print = vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(text));
  let code = 0;
  try {
    const command = schedulesCommand(new AbortController().signal, (given) => {
      code = given;
    });
    await command.parseAsync(args, { from: 'user' });
  } catch (error) {
    printed.push(errorText(error));
    code = 1;
  } finally {
    print.mockRestore();
  }
  return { code, out: stripVTControlCharacters(printed.join('\n')) };
}

describe('strata schedules', () => {
  test('plan shows what is new and ends with 2, apply makes it so, and then plan ends with 0', async () => {
    await define(NIGHTLY);
    const before = await schedules('plan', pipeline, '--json', 'plan.json');
    expect(before.code).toBe(2);
    expect(before.out).toContain(`+ ${pipeline}/nightly  new`);
    expect(before.out).toMatch(/frequency +30 2 \* \* \*/);
    expect(before.out).toMatch(/has no 02:30 in Europe\/Berlin: no run on that day/);
    expect(before.out).toMatch(/\+ watch-schedules {2}new\n.*watch\n.*frequency +every 1440 minutes/);
    expect(JSON.parse(await readFile(join(home, 'plan.json'), 'utf8'))).toMatchObject([
      { id: `strata/${pipeline}/nightly`, state: 'new' },
      { id: WATCH_ID, state: 'new' },
    ]);
    const applied = await schedules('apply', pipeline);
    expect(applied).toMatchObject({ code: 0, out: expect.stringContaining('✓ 2 created') });
    const after = await schedules('plan', pipeline);
    expect(after).toMatchObject({ code: 0, out: expect.stringContaining('✓ 2 the same: nothing to do') });
    expect(await schedules('apply', pipeline)).toMatchObject({
      code: 0,
      out: expect.stringContaining('✓ nothing to do'),
    });
  });

  test('check ends with 0 where each due time has its run, and with 2 where nobody would be sent what is missed', async () => {
    const seen = { timeout: 20_000, interval: 200 };
    await vi.waitFor(
      async () =>
        expect(await schedules('check', pipeline)).toMatchObject({
          code: 0,
          out: expect.stringContaining(`✓ ${pipeline}/nightly`),
        }),
      seen,
    );
    await schedules('pause', WATCH_ID, '--note', 'moving house');
    expect(await schedules('check', pipeline)).toMatchObject({
      code: 2,
      out: expect.stringMatching(/moving house: nobody is sent what is missed\n.*schedules unpause/),
    });
    await schedules('unpause', WATCH_ID);
    expect((await schedules('check', pipeline)).code).toBe(0);
  });

  test('what left the file is told and left, with 2, and deleted when that is asked, with 0', async () => {
    await define('[]');
    await vi.waitFor(
      async () => expect((await schedules('plan', pipeline)).out).toContain('gone from the files'),
      {
        timeout: 20_000,
      },
    );
    const left = await schedules('apply', pipeline);
    expect(left).toMatchObject({ code: 2, out: expect.stringContaining('add --delete') });
    const deleted = await schedules('apply', pipeline, '--delete');
    expect(deleted).toMatchObject({ code: 0, out: expect.stringContaining('✓ 1 deleted') });
  });

  test.each([
    ['a name that is not there', ['pause', 'nowhere/nothing'], /"nowhere\/nothing" is not.*INPUT_INVALID/],
    ['an unknown pipeline', ['plan', 'nowhere'], /PIPELINE_UNKNOWN/],
    [
      'days the wrong way round',
      ['backfill', 'a/b', '--from', '2026-02-02', '--to', '2026-02-01'],
      /--from before --to/,
    ],
  ])('%s is refused with 1 and the way out', async (_, args, message) => {
    const refused = await schedules(...args);
    expect(refused.code).toBe(1);
    expect(refused.out).toMatch(message);
  });
});

test('each state of a plan has its sign, and a change says the old and the new', () => {
  const lines = stripVTControlCharacters(
    planReport(
      [
        { id: 'strata/a/new', state: 'new', changes: [{ fact: 'kind', from: '', to: 'refit' }] },
        {
          id: 'strata/a/changed',
          state: 'changed',
          changes: [{ fact: 'overlap', from: 'skip', to: 'allow_all' }],
        },
        { id: 'strata/a/gone', state: 'gone', changes: [] },
        { id: 'strata/a/same', state: 'same', changes: [] },
        { id: 'strata/a/foreign', state: 'foreign', changes: [] },
      ],
      [],
      '2026-01-01',
    ),
  ).split('\n');
  expect(lines.filter((line) => /^\S/.test(line)).map((line) => line.slice(0, 2))).toEqual([
    '+ ',
    '~ ',
    '- ',
    '= ',
    '! ',
    '1 ',
  ]);
  expect(lines).toContain('    overlap             skip → allow_all');
});
