/**
 * The door of every npm script: brings what is missing, then runs the command. Plain JavaScript with
 * Node's own modules, since on a fresh machine nothing else is there yet. Modules are loaded after the
 * check of the Node version, so that an old Node answers with a sentence and not with a syntax error.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const MINIMUM_NODE = [20, 19];
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @typedef {{ args: string[], isOurs?: boolean }} Program a run of Node; ours end their own children */

/** @param {string} script @param {string[]} args @returns {Program} */
const ours = (script, args) => ({ args: ['--import', 'tsx', `scripts/${script}.ts`, ...args], isOurs: true });
const CHECKS = [
  { args: ['node_modules/@biomejs/biome/bin/biome', 'check', '.'] },
  { args: ['node_modules/typescript/bin/tsc', '-p', '.'] },
];

/** @type {Record<string, (args: string[]) => Program[]>} */
const COMMANDS = {
  start: (args) => [ours('start', args)],
  strata: (args) => [ours('strata', args)],
  worker: (args) => [ours('worker', args)],
  build: (args) => [ours('build', args)],
  replay: (args) => [ours('replay', args)],
  bench: (args) => [ours('bench', args)],
  check: () => CHECKS,
  test: (args) => [
    ours('services/prepare', []),
    ...CHECKS,
    { args: ['node_modules/vitest/vitest.mjs', 'run', ...args] },
  ],
};

process.exitCode = await launch(process.argv.slice(2));

/**
 * @param {string[]} argv
 * @returns {Promise<number>} exit code
 */
async function launch([command, ...args]) {
  if (isNodeTooOld(process.versions.node)) {
    return refuse(
      `Strata needs Node ${MINIMUM_NODE.join('.')} or newer, this is ${process.versions.node} (${process.execPath}). ` +
        'Install a newer one, for instance with `nvm install 22`, and type the command again.',
    );
  }
  if (command === undefined || !Object.hasOwn(COMMANDS, command)) {
    return refuse(`"${command ?? ''}" is no command; there are: ${Object.keys(COMMANDS).join(', ')}`);
  }
  const { createLog } = await import('./set-up/log.mjs');
  const { installPackages, SetUpError } = await import('./set-up/install.mjs');
  const log = createLog();
  try {
    await installPackages({ root, log });
    const { buildKernels } = await import('./build-kernels.mjs');
    const step = log.step('Compiling the kernels to WebAssembly');
    const { built } = await buildKernels();
    if (built) step.done();
    else step.skip();
  } catch (error) {
    return refuse(error instanceof SetUpError ? error.message : error);
  }
  return runInOrder(COMMANDS[command](args));
}

/** @param {Program[]} programs @returns {Promise<number>} the first exit code that is not 0 */
async function runInOrder(programs) {
  const { LIFELINE, runChild } = await import('./set-up/run-child.mjs');
  for (const { args, isOurs = false } of programs) {
    const withLifeline = isOurs ? ['--import', LIFELINE, ...args] : args;
    const exitCode = await runChild(withLifeline, { cwd: root, isGroupSignalled: !isOurs });
    if (exitCode !== 0) return exitCode;
  }
  return 0;
}

/** @param {string} version */
function isNodeTooOld(version) {
  const [major, minor] = version.split('.').map(Number);
  return major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1]);
}

/** @param {unknown} reason @returns {number} */
function refuse(reason) {
  console.error(reason);
  return 1;
}
