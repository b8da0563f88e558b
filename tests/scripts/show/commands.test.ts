import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runIdOf } from '../../../activities/run.ts';
import { readConfig } from '../../../scripts/config.ts';
import { examine } from '../../../scripts/doctor/command.ts';
import { errorText } from '../../../scripts/error-text.ts';
import { joinParts, type Parts } from '../../../scripts/parts.ts';
import { startServices } from '../../../scripts/services/index.ts';
import { showCommand } from '../../../scripts/show/command.ts';
import { runsCommand } from '../../../scripts/show/runs-command.ts';
import type { RunView } from '../../../scripts/show/view.ts';
import { temporalAddress } from '../../helpers/temporal.ts';
import { newRun, persistRun, publishRun, summary } from '../../store/postgres/fixture.ts';
import { createQuietLog, makeHome, removeHome } from '../services/homes.ts';

const home = makeHome();
const folder = join(home, 'person');
const GIVEN = {
  ...{ STRATA_HOME: home, INIT_CWD: folder, STRATA_DATABASE_URL: '', STRATA_LOG_LEVEL: 'error' },
  TEMPORAL_ADDRESS: temporalAddress(),
};
const env = { ...process.env, ...GIVEN };
const PUBLISHED = 'run_aaaa000000000001';
const LOST = 'run_bbbb000000000002';
/** Of this test alone, both: the server is shared. */
const pipeline = `p${randomUUID().slice(0, 8)}`;
const queue = `show-${randomUUID()}`;
const workflowId = `segment/test/${queue}`;

let services: Awaited<ReturnType<typeof startServices<'postgres'>>>;
let parts: Parts;
let connection: Connection;
let client: Client;

beforeAll(async () => {
  for (const [name, value] of Object.entries(GIVEN)) vi.stubEnv(name, value);
  await mkdir(folder);
  const { log } = createQuietLog();
  services = await startServices({ home, log, only: ['postgres'], env });
  parts = await joinParts({ config: readConfig(env), databaseUrl: services.databaseUrl, log });
  connection = await Connection.connect({ address: temporalAddress() });
  client = new Client({ connection });
}, 120_000);

afterAll(async () => {
  await client?.workflow
    .getHandle(workflowId)
    .terminate()
    .catch(() => undefined);
  await connection?.close();
  await parts?.close();
  await services?.stop();
  await removeHome(home);
  vi.unstubAllEnvs();
});

/** Told what is printed while a command goes on. */
let onPrint: (text: string) => void = () => undefined;

/** What a command prints and ends with. */
async function strata(name: 'runs' | 'show', ...args: string[]): Promise<{ code: number; out: string }> {
  const printed: unknown[] = [];
  const print = vi.spyOn(console, 'log').mockImplementation((text) => {
    printed.push(text);
    onPrint(String(text));
  });
  const { signal } = new AbortController();
  let code = 0;
  const setExitCode = (given: number) => {
    code = given;
  };
  try {
    const command = name === 'runs' ? runsCommand(signal) : showCommand(signal, setExitCode);
    await command.parseAsync(args, { from: 'user' });
  } catch (error) {
    printed.push(errorText(error));
    code = 1;
  } finally {
    print.mockRestore();
  }
  return { code, out: stripVTControlCharacters(printed.join('\n')) };
}

const written = async (file: string): Promise<unknown> =>
  JSON.parse(await readFile(join(folder, file), 'utf8'));

describe('strata runs and show', () => {
  test('of a pipeline without a run, and of one that is not defined', async () => {
    expect(await strata('runs', '--pipeline', 'online-retail')).toMatchObject({
      code: 0,
      out: 'no run yet: npm start starts one',
    });
    expect(await strata('runs', '--pipeline', 'shopp')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/PIPELINE_UNKNOWN/),
    });
    expect((await strata('show', 'latest', '--pipeline', 'online-retail')).out).toMatch(
      /pipeline online-retail has no run yet; none was started here: npm start starts one \(RUN_UNKNOWN\)/,
    );
  });

  test('a run that Temporal has forgotten is shown from PostgreSQL, by the beginning of its id', async () => {
    const { repositories } = parts.context;
    await persistRun(repositories, PUBLISHED, { pipeline });
    await repositories.stages.record({
      ...{ runId: PUBLISHED, stage: 'extract', attempt: 2, startedAt: '2026-06-30T10:00:00Z', ms: 1_000 },
      ...{ rows: 1_234, artifact: null },
    });
    await publishRun(repositories, PUBLISHED, { pipeline });
    await repositories.runs.close(PUBLISHED, {
      ...{ outcome: 'published', verdict: 'stable', manifest: null },
      summary: { ...summary(PUBLISHED, 'published', ['looked at it']), pipeline },
    });
    const { out } = await strata('show', 'aaaa', '--json', 'show.json');
    expect(out.split('\n')[0]).toBe(`✓ published  ${pipeline} ${PUBLISHED}`);
    expect(out).toMatch(/^✓ extract +1\.0 s +█+ 100 % +1,234 +attempt 2$/m);
    expect(out).toContain('  · looked at it');
    expect(out).toContain(`run  workflow segment/${pipeline}/latest, run workflow-${PUBLISHED}`);
    const { run } = (await written('show.json')) as { run: RunView };
    expect(run).toMatchObject({ runId: PUBLISHED, state: 'published', isOver: true, waits: [] });
  });

  test('an open run whose workflow is gone is lost, and stands above those that have ended', async () => {
    const workflow = { id: `segment/${pipeline}/2026-06-30`, runId: randomUUID() };
    await parts.context.repositories.runs.open({ ...newRun(LOST, pipeline), workflow });
    const { out } = await strata('runs', '--pipeline', pipeline, '--json', 'runs.json');
    expect(out).toMatch(/^bbbb0000 .*lost: its workflow is gone\n\nrun .*\naaaa0000 .*published +stable/m);
    expect(await written('runs.json')).toMatchObject({
      open: [{ runId: LOST }],
      ended: [{ runId: PUBLISHED }],
    });
    expect((await strata('show', LOST, '--follow')).code).toBe(1);
  });

  test('a run that PostgreSQL does not know is found by its workflow, by its id to be, and as the latest', async () => {
    const { firstExecutionRunId } = await client.workflow.start('segmentCustomers', {
      ...{ workflowId, taskQueue: queue, args: [{ pipeline, asOf: '2026-07-01' }] },
    });
    const runId = runIdOf({ id: workflowId, runId: firstExecutionRunId });
    const { out } = await strata('show', workflowId);
    expect(out).toMatch(new RegExp(`^▸ running {2}${pipeline} as of 2026-07-01 ${runId}\n`));
    expect(out).toContain(`⏸ waits for a worker: none has asked for work on ${queue} in the last minutes`);
    await vi.waitFor(
      async () => {
        expect((await strata('show', runId.slice(4, 12))).out).toContain(workflowId);
        expect((await strata('show', 'latest', '--pipeline', pipeline)).out).toContain(workflowId);
        expect((await strata('runs', '--pipeline', pipeline)).out).toMatch(
          new RegExp(`^${runId.slice(4, 12)} +${pipeline} +refit +2026-07-01 .*waits for a worker`, 'm'),
        );
      },
      { timeout: 20_000 },
    );
  });

  test('a workflow that is no run, and an id that nobody has, are refused with the way out', async () => {
    const other = await client.workflow.start('preserveHistory', {
      workflowId: `history/${queue}`,
      taskQueue: queue,
    });
    try {
      expect((await strata('show', other.workflowId)).out).toMatch(
        /is no run, it is of type preserveHistory/,
      );
    } finally {
      await other.terminate();
    }
    expect((await strata('show', 'ffff')).out).toMatch(
      /there is no run ffff; the latest are .*run_aaaa.*RUN_UNKNOWN/,
    );
  });

  test('the doctor finds both servers, the schema, and that no worker is there', async () => {
    const findings = await examine(60_000);
    const says = findings.map(({ area, state, says }) => `${area} ${state} ${says}`).join('\n');
    expect(says).toMatch(/^PostgreSQL ok PostgreSQL 18\S* answers on port \d+, the database takes \d+ MB$/m);
    expect(says).toMatch(/^PostgreSQL ok schema up to date/m);
    expect(says).toMatch(/^Temporal ok Temporal \d+\.\d+\S* answers at 127\.0\.0\.1:\d+ after \d+ ms$/m);
    expect(says).toMatch(/^Temporal ok search attributes are registered$/m);
    expect(findings.filter(({ state }) => state === 'broken')).toEqual([]);
  });

  test('without PostgreSQL, what Temporal knows is shown, and why the rest is missing', async () => {
    vi.stubEnv('STRATA_DATABASE_URL', 'postgres://strata:a-secret@127.0.0.1:1/strata');
    try {
      const { out } = await strata('show', workflowId);
      expect(out).toMatch(new RegExp(`^▸ running {2}${pipeline} as of 2026-07-01`));
      expect(out).toMatch(
        /! PostgreSQL needs to answer at strata@127\.0\.0\.1:1\/strata.*what is shown is what Temporal knows/,
      );
      expect(out).not.toContain('a-secret');
    } finally {
      vi.stubEnv('STRATA_DATABASE_URL', '');
    }
  });

  test('who follows a run is told what it waits for, and ends with 1 when somebody ends it', async () => {
    onPrint = (text) => {
      if (text.includes('waits for a worker'))
        void client.workflow.getHandle(workflowId).terminate('by a person');
    };
    const { code, out } = await strata('show', workflowId, '--follow');
    onPrint = () => undefined;
    expect(code).toBe(1);
    expect(out.match(/^⏸ waits for a worker: .*: npm run worker \(or npm start\)$/gm)).toHaveLength(1);
    expect(out).toMatch(/^✗ failed {2}/m);
    expect(out).toMatch(/^ {2}· its workflow was terminated: by a person$/m);
  });
});
