import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { inspectProcess, isAlive } from '../../../scripts/set-up/processes.mjs';

const RUN_CHILD = new URL('../../../scripts/set-up/run-child.mjs', import.meta.url).href;

let launcher: ChildProcess | undefined;
afterEach(() => {
  launcher?.kill('SIGKILL');
});

/** Counts the signals it gets, and ends with exit code 7 at SIGTERM. */
const COUNTING_CHILD = `
  let interrupts = 0;
  process.on('SIGINT', () => interrupts++);
  process.on('SIGTERM', () => { console.log('interrupts ' + interrupts); process.exit(7); });
  setInterval(() => {}, 1000);
  console.log('pid ' + process.pid);`;

test("the child's exit code is passed on", async () => {
  const { launched } = launch('process.exit(3)');
  expect(await launched).toBe(3);
});

test('a child ended by a signal gives 128 and its number', async () => {
  const { launched } = launch(`process.kill(process.pid, 'SIGKILL')`);
  expect(await launched).toBe(137);
});

test('Ctrl-C that reaches the launcher twice reaches the child once', async () => {
  const { lines, launched } = launch(COUNTING_CHILD);
  await lines.next();
  launcher?.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 100));
  launcher?.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 100));
  launcher?.kill('SIGTERM');
  expect((await lines.next()).value).toBe('interrupts 1');
  expect(await launched).toBe(7);
});

test('the child ends in order when the launcher is ended with kill -9', async () => {
  const { lines } = launch(COUNTING_CHILD);
  const child = inspectProcess(Number((await lines.next()).value?.split(' ')[1]));
  if (child === undefined) throw new Error('the child is not there');
  launcher?.kill('SIGKILL');
  expect((await lines.next()).value).toBe('interrupts 0');
  await expect.poll(() => isAlive(child), { timeout: 5_000 }).toBe(false);
});

function launch(childCode: string) {
  const code = `
    import { LIFELINE, runChild } from '${RUN_CHILD}';
    const args = ['--import', LIFELINE, '-e', ${JSON.stringify(childCode)}];
    process.exitCode = await runChild(args, { cwd: process.cwd(), isGroupSignalled: false });`;
  const process_ = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  launcher = process_;
  const lines = createInterface({ input: process_.stdout })[Symbol.asyncIterator]();
  return { lines, launched: once(process_, 'exit').then(([exitCode]) => exitCode) };
}
