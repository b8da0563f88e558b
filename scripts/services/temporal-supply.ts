import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ToolPaths } from '../config.ts';
import type { Log, Step } from '../log.ts';
import { sendSignal } from '../set-up/processes.mjs';

/** The last version that `go install` can build: later ones replace modules in their go.mod. */
export const TEMPORAL_CLI_VERSION = 'v1.5.1';
const GO_PACKAGE = `github.com/temporalio/cli/cmd/temporal@${TEMPORAL_CLI_VERSION}`;
/** `go list -deps` of that version: what the build compiles when Go's own cache is empty. */
const GO_PACKAGE_COUNT = 1298;
/** Two cores, empty caches. */
const EXPECTED_BUILD_MS = 160_000;

const FIRST_BYTE_MS = 20_000;
const STALLED_MS = 30_000;
const DOWNLOADER = fileURLToPath(new URL('../set-up/download-temporal.mjs', import.meta.url));

/** Both ways put the program at `path` and answer undefined, or say in words why they could not. */
interface Supply {
  readonly tools: ToolPaths;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Lets the SDK download the CLI. It has no time-out of its own, so its folder is watched: nothing after
 * 20 s, or no growth for 30 s, and the way is given up.
 */
export async function downloadWithSdk(
  path: string,
  { tools, log, signal }: Supply,
): Promise<string | undefined> {
  const step = log.step(`Downloading Temporal ${TEMPORAL_CLI_VERSION}`);
  const folder = await mkdtemp(join(dirname(path), 'download-'));
  try {
    const child = spawn(process.execPath, [DOWNLOADER, folder, TEMPORAL_CLI_VERSION], {
      cwd: dirname(DOWNLOADER),
      env: tools.childEnvironment,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const failure = await endedOrStalled(child, { folder, signal, onBytes: (mb) => step.update(`${mb} MB`) });
    const program = (await readdir(folder)).find((name) => !name.endsWith('.downloading'));
    if (failure !== undefined || program === undefined) {
      step.fail('not possible here, another way is taken');
      return failure ?? 'it left no program';
    }
    await moveIntoPlace(join(folder, program), path);
    step.done();
    return undefined;
  } finally {
    step.skip();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Builds the CLI from source; the way that works where only package registries are reachable. */
export async function buildWithGo(path: string, { tools, log, signal }: Supply): Promise<string | undefined> {
  const go = await findGo(tools.pathFolders);
  if (go === undefined) return 'Go is not installed';
  const step = log.step(`Building Temporal ${TEMPORAL_CLI_VERSION} with Go (once)`, {
    expectedMs: EXPECTED_BUILD_MS,
  });
  const folder = await mkdtemp(join(dirname(path), 'build-'));
  try {
    const child = spawn(go, ['install', '-v', GO_PACKAGE], {
      cwd: folder,
      env: { ...tools.childEnvironment, GOBIN: folder },
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const progress = followGo(child, step);
    const failure = await ended(child, signal);
    if (failure !== undefined) {
      step.fail();
      return `${failure}: ${progress.lastWords()}`;
    }
    await moveIntoPlace(join(folder, 'temporal'), path);
    step.done();
    return undefined;
  } finally {
    step.skip();
    await rm(folder, { recursive: true, force: true });
  }
}

/** `go install -v` names each module it downloads, then each package it compiles. */
function followGo(child: ChildProcess, step: Step): { lastWords: () => string } {
  const startMs = performance.now();
  const tail: string[] = [];
  let modules = 0;
  let packages = 0;
  if (child.stderr === null) return { lastWords: () => '' };
  createInterface({ input: child.stderr }).on('line', (line) => {
    tail.push(line);
    if (tail.length > 5) tail.shift();
    if (line.startsWith('go: downloading')) return step.update(`downloading module ${++modules}`);
    const share = ++packages / GO_PACKAGE_COUNT;
    // The first packages are small ones of Go's own; from a third on their number tells the time.
    const expectedMs = share > 1 / 3 ? (performance.now() - startMs) / share : undefined;
    step.update(
      `compiled ${packages} of about ${GO_PACKAGE_COUNT} packages`,
      expectedMs ? { expectedMs } : {},
    );
  });
  return { lastWords: () => tail.join(' | ') };
}

/** Where Go is; undefined: nowhere that is looked at. */
export async function findGo(pathFolders: readonly string[]): Promise<string | undefined> {
  for (const folder of [...pathFolders, '/usr/local/go/bin', '/opt/homebrew/bin', '/usr/lib/go/bin']) {
    const file = join(folder, 'go');
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  return undefined;
}

/** Waits for the end of a child in a group of its own; the signal ends the whole group. */
function ended(child: ChildProcess, signal: AbortSignal | undefined): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const endGroup = () => child.pid !== undefined && sendSignal(-child.pid, 'SIGTERM');
    if (signal?.aborted) endGroup();
    signal?.addEventListener('abort', endGroup, { once: true });
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('close', (code, by) => {
      signal?.removeEventListener('abort', endGroup);
      if (signal?.aborted) reject(signal.reason);
      else resolve(code === 0 ? undefined : `ended with ${by ?? `exit code ${code}`}`);
    });
  });
}

interface DownloadWatch {
  readonly folder: string;
  readonly signal: AbortSignal | undefined;
  readonly onBytes: (megabytes: number) => void;
}

async function endedOrStalled(child: ChildProcess, watch: DownloadWatch): Promise<string | undefined> {
  const giveUp = new AbortController();
  let words = '';
  child.stderr?.on('data', (chunk) => {
    // An HTTP client's error is a chain "what: why: why of that"; its end is the reason.
    words = String(chunk).trim().split(': ').slice(-2).join(': ');
  });
  const isOver = new AbortController();
  const end = ended(child, watch.signal ? AbortSignal.any([watch.signal, giveUp.signal]) : giveUp.signal);
  void watchGrowth(watch, { giveUp, isOver: isOver.signal });
  try {
    const failure = await end;
    return failure === undefined ? undefined : words || failure;
  } catch (error) {
    if (watch.signal?.aborted) throw error;
    return String(giveUp.signal.reason);
  } finally {
    isOver.abort();
  }
}

async function watchGrowth(
  { folder, onBytes }: DownloadWatch,
  { giveUp, isOver }: { giveUp: AbortController; isOver: AbortSignal },
): Promise<void> {
  let bytes = 0;
  let grewAt = performance.now();
  while (!isOver.aborted) {
    await sleep(250);
    const found = await folderBytes(folder);
    if (found > bytes) {
      grewAt = performance.now();
      bytes = found;
      onBytes(Math.round(bytes / 1e6));
    }
    const limitMs = bytes === 0 ? FIRST_BYTE_MS : STALLED_MS;
    if (performance.now() - grewAt > limitMs) return giveUp.abort(`nothing came for ${limitMs / 1000} s`);
  }
}

async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => undefined)));
  return sizes.reduce((sum, file) => sum + (file?.size ?? 0), 0);
}

/** A rename: nobody sees a half-written program. */
async function moveIntoPlace(from: string, path: string): Promise<void> {
  await chmod(from, 0o755);
  await rename(from, path);
}
