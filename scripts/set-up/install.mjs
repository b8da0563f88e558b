import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';

const STAMP = 'node_modules/.strata-lockfile-digest';
/** Cold cache, two cores; only to guess what is left. */
const EXPECTED_INSTALL_MS = 30_000;
const INTERRUPTIONS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/** A step of the set-up that failed, with text meant for the person at the terminal. */
export class SetUpError extends Error {
  /** @override */
  name = 'SetUpError';
}

/**
 * Brings node_modules to what package-lock.json says. Does nothing when it is there already, also when
 * somebody else ran npm; two at once wait for each other.
 *
 * @param {{ root: string, log: import('./log.mjs').Log }} options
 * @returns {Promise<void>}
 * @throws {SetUpError} with npm's own words when npm fails
 */
export async function installPackages({ root, log }) {
  if (isInstalled(root)) return;
  const step = log.step('Installing packages (npm ci)', { expectedMs: EXPECTED_INSTALL_MS });
  try {
    const onWait = (/** @type {{ pid: number }} */ { pid }) =>
      step.update(`waiting for process ${pid}, which installs them`);
    await withLock(join(root, '.strata/install.lock'), () => installOnce(root), { onWait });
  } catch (error) {
    step.fail();
    throw error;
  }
  step.done();
}

/** @param {string} root */
async function installOnce(root) {
  if (isInstalled(root)) return;
  let { failure } = await runNpm(root, 'ci');
  // A lockfile made against a mirror that lacks packages of other platforms lacks them too, and `npm ci`
  // insists on every one of them. The versions of all others still come from the lockfile.
  if (failure !== undefined && lacksOptionalOnly(failure, readPackages(join(root, 'package-lock.json')))) {
    ({ failure } = await runNpm(root, 'install', '--no-save'));
  }
  if (failure !== undefined) throw new SetUpError(explainFailure(failure));
  writeStamp(root);
}

/**
 * True when the stamp of the last install matches, or when what npm notes about node_modules holds every
 * package of the lockfile in its version (somebody typed `npm install`): then the stamp is renewed.
 *
 * @param {string} root
 */
export function isInstalled(root) {
  const installed = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  const stamp = join(root, STAMP);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lockfileDigest(root)) return true;
  if (!holdsEveryPackage(readPackages(join(root, 'package-lock.json')), readPackages(installed)))
    return false;
  writeStamp(root);
  return true;
}

/** @typedef {{ version?: string, optional?: boolean, link?: boolean, optionalDependencies?: Record<string, string> }} LockedPackage */
/** @typedef {Record<string, LockedPackage>} LockedPackages */

/**
 * Whether all that `npm ci` misses in the lockfile are optional packages of locked ones: binaries for a
 * platform. A lockfile that does not fit package.json is another matter, and an error.
 *
 * @param {string} npmOutput
 * @param {LockedPackages} locked
 */
export function lacksOptionalOnly(npmOutput, locked) {
  const optional = new Set(
    Object.values(locked).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {})),
  );
  const complaints = [
    ...npmOutput.matchAll(/^npm error (Missing|Invalid): (?:(@?[^@\s]+)@\S* from lock file)?/gm),
  ];
  return (
    complaints.length > 0 &&
    complaints.every(([, kind, name]) => kind === 'Missing' && name !== undefined && optional.has(name))
  );
}

/**
 * @param {LockedPackages} wanted
 * @param {LockedPackages} present
 */
function holdsEveryPackage(wanted, present) {
  return Object.entries(wanted).every(
    ([path, { version, optional, link }]) =>
      // Binaries for other platforms are optional and rightly absent.
      path === '' || optional || link || present[path]?.version === version,
  );
}

/** @param {string} file @returns {LockedPackages} */
function readPackages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
}

/** @param {string} root */
function lockfileDigest(root) {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

/** @param {string} root */
function writeStamp(root) {
  writeFileSync(join(root, STAMP), lockfileDigest(root));
}

/**
 * @param {string} root
 * @param {...string} command
 * @returns {Promise<{ failure?: string }>} npm's own words when it failed
 */
function runNpm(root, ...command) {
  const quiet = ['--no-audit', '--no-fund', '--no-progress', '--no-update-notifier', '--loglevel=error'];
  return new Promise((resolve) => {
    const npm = spawn('npm', [...command, '--include=dev', ...quiet], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    /** @param {Buffer} chunk */
    const collect = (chunk) => {
      output += chunk;
    };
    npm.stdout.on('data', collect);
    npm.stderr.on('data', collect);
    // Without this an interrupted launcher would leave npm at work, beside the npm of the next try.
    const interrupt = (/** @type {NodeJS.Signals} */ signal) => npm.kill(signal);
    for (const signal of INTERRUPTIONS) process.on(signal, interrupt);
    npm.on('error', (error) => resolve({ failure: `npm could not be started: ${error.message}` }));
    npm.on('close', (code, signal) => {
      for (const interruption of INTERRUPTIONS) process.off(interruption, interrupt);
      resolve(code === 0 ? {} : { failure: output || `npm ended with ${signal ?? `exit code ${code}`}` });
    });
  });
}

/** @param {string} output npm says what is wrong first and how npm is used afterwards */
function explainFailure(output) {
  const words = output.trim().split('\n').slice(0, 30).join('\n  ');
  return [
    'The packages could not be installed. npm says:',
    `  ${words}`,
    'What to do: check that npm reaches its registry (`npm ping`), then type the same command again;',
    '`npm ci` by hand shows the whole output.',
  ].join('\n');
}
