import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Connection, defaultPayloadConverter } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type MessageName, readMessage } from '../pipelines/contracts/inbox-message.ts';
import { inboxSettings } from '../pipelines/contracts/inbox-settings.ts';
import { PROJECT_FOLDER, readConfig } from '../scripts/config.ts';
import { choosePort, LOOPBACK } from '../scripts/services/ports.ts';
import { ensureTemporalBinary } from '../scripts/services/temporal-binary.ts';
import { createQuietLog } from './scripts/services/homes.ts';

// What docs/inbox.md types is typed here, on a server that offers HTTP; no worker is there to take it up.

const run = promisify(execFile);
const PAGE = readFileSync(join(PROJECT_FOLDER, 'docs/inbox.md'), 'utf8');
/** Of a machine that has others to serve: each command is a process of its own. */
const PATIENCE_MS = 300_000;

const blocks = (language: string) =>
  [...PAGE.matchAll(/```([a-z]+)\n([^`]*)```/g)].flatMap(([, named, code]) =>
    named === language ? [code!] : [],
  );

let server: ChildProcess;
let connection: Connection;
let home: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'strata-inbox-docs-'));
  const { log } = createQuietLog();
  const { path } = await ensureTemporalBinary({ tools: readConfig().tools, log });
  const port = await choosePort(17_400);
  const http = await choosePort(17_450, new Set([port]));
  const ports = ['--port', `${port}`, '--http-port', `${http}`];
  server = spawn(path, [
    'server',
    'start-dev',
    '--headless',
    '--ip',
    LOOPBACK,
    ...ports,
    '--log-level',
    'error',
  ]);
  const address = `${LOOPBACK}:${port}`;
  env = {
    ...process.env,
    ...{ TEMPORAL_ADDRESS: address, TEMPORAL_HTTP: `${LOOPBACK}:${http}`, TEMPORAL_CLI: path },
    ...{ STRATA_HOME: home, INIT_CWD: home },
  };
  for (;;) {
    try {
      connection = await Connection.connect({ address, connectTimeout: 1_000 });
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      return;
    } catch {
      expect(server.exitCode).toBeNull();
    }
  }
}, PATIENCE_MS);

afterAll(async () => {
  await connection?.close();
  server?.kill();
  await rm(home, { recursive: true, force: true });
});

/** What the inbox of the page's pipeline was sent, in order. */
async function sent(): Promise<[name: string, args: unknown[]][]> {
  const { history } = await connection.workflowService.getWorkflowExecutionHistory({
    namespace: 'default',
    execution: { workflowId: 'inbox-shop' },
  });
  return (history?.events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
    signal
      ? [
          [
            signal.signalName!,
            (signal.input?.payloads ?? []).map((one) => defaultPayloadConverter.fromPayload(one)),
          ],
        ]
      : [],
  );
}

/** The message that came last is one that an inbox takes. */
async function expectTaken(name: MessageName, about: object): Promise<void> {
  const [lastName, args] = (await sent()).at(-1)!;
  expect(lastName).toBe(name);
  expect(readMessage(name, args)).toMatchObject(about);
}

describe('docs/inbox.md', { timeout: PATIENCE_MS }, () => {
  const shell = blocks('sh').filter((code) => code.includes('extractLanded'));
  const preparation = 'dbt() { true; }; temporal() { "$TEMPORAL_CLI" "$@"; }\n';

  test.each(shell)('%s', async (code) => {
    const before = await sent().catch(() => []);
    await run('sh', ['-euc', `${preparation}${code}`], { env });
    expect(await sent()).toHaveLength(before.length + 1);
    await expectTaken('extractLanded', { input: 'orders' });
  });

  test('the TypeScript sends what it says', async () => {
    const [code] = blocks('ts');
    await run(process.execPath, ['--input-type=module', '-e', code!], { cwd: PROJECT_FOLDER, env });
    await expectTaken('extractLanded', { input: 'orders', asOf: '2026-07-01', id: 'load-17' });
  });

  test('the commands of Strata send what they say, and tell when nobody answers', async () => {
    const [code] = blocks('sh');
    const typed = [...code!.matchAll(/npm run strata -- (.*)/g)].map(([, args]) => args!.split(' '));
    expect(typed.map(([command]) => command)).toEqual(['signal', 'signal', 'inbox']);
    const strata = (args: string[]) =>
      run(process.execPath, ['--import', 'tsx', 'scripts/strata.ts', ...args], { cwd: PROJECT_FOLDER, env });
    expect((await strata(typed[0]!)).stdout).toContain('extractLanded sent to inbox-shop');
    await expectTaken('extractLanded', { asOf: '2026-07-01', id: 'load-17' });
    await strata(typed[1]!);
    await expectTaken('requestRun', { kind: 'refit' });
    const fault = await strata(typed[2]!).catch((error: { stderr: string }) => error);
    expect(fault.stderr).toContain(
      'inbox-shop is open and keeps what it is sent, but no worker answers for it',
    );
    // What can be known before it is sent is refused before it is sent.
    const count = (await sent()).length;
    const refused = await strata([...typed[0]!, '--extract', 'https://me:hunter2@x/y']).catch(
      (error) => error,
    );
    expect(refused.stderr).toContain('without user, password, key or signature');
    expect(await sent()).toHaveLength(count);
  });

  test('the section of pipeline.yaml is one', () => {
    const [code] = blocks('yaml');
    expect(inboxSettings.parse(parse(code!).inbox)).toMatchObject({ run: 'assign', extract: 'orders' });
  });

  test('the Python compiles, where there is one', async ({ skip }) => {
    const python = await run('python3', ['--version']).catch(() => null);
    if (python === null) return skip('no Python here');
    for (const code of blocks('python'))
      await run('python3', ['-c', 'import sys; compile(sys.argv[1], "docs/inbox.md", "exec")', code]);
  });
});
