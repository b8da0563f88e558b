import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { ToolPaths } from '../config.ts';
import type { Log } from '../log.ts';
import { withLock } from '../set-up/lock.mjs';
import { buildWithGo, downloadWithSdk, TEMPORAL_CLI_VERSION } from './temporal-supply.ts';

const run = promisify(execFile);

/** Pinned worker versions and update-with-start need at least this server inside the CLI. */
const MINIMUM_SERVER = [1, 28] as const;
const VERSION_TIMEOUT_MS = 20_000;

interface TemporalBinary {
  readonly path: string;
  /** Where it was found or how it was brought, in words. */
  readonly source: string;
  /** What `temporal --version` prints. */
  readonly version: string;
}

interface TemporalSupplyOptions {
  readonly tools: ToolPaths;
  readonly log: Log;
  /** Ends a download or a build that is under way. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The Temporal CLI: found on this machine, or else downloaded, or else built with Go into the cache.
 * The order is fixed; what is found must answer `--version`.
 *
 * @throws PipelineError TEMPORAL_NOT_AVAILABLE naming every way out
 */
export async function ensureTemporalBinary(options: TemporalSupplyOptions): Promise<TemporalBinary> {
  return (await findTemporalBinary(options)) ?? (await bringTemporalBinary(options));
}

/**
 * Looks at TEMPORAL_CLI_PATH, PATH, Go's bin folder and Strata's cache, in this order. A variable that
 * names a program which does not work is an error; elsewhere such a program is passed over with a warning.
 */
export async function findTemporalBinary({
  tools,
  log,
}: TemporalSupplyOptions): Promise<TemporalBinary | undefined> {
  if (tools.temporalCliPath !== undefined) {
    const checked = await checkBinary(tools.temporalCliPath);
    if ('version' in checked) return { path: tools.temporalCliPath, source: 'TEMPORAL_CLI_PATH', ...checked };
    throw new PipelineError(
      'TEMPORAL_NOT_AVAILABLE',
      `TEMPORAL_CLI_PATH must name a Temporal CLI, but ${tools.temporalCliPath} ${checked.problem}; correct or unset it`,
    );
  }
  const places = [
    ...tools.pathFolders.map((folder) => ({ path: join(folder, 'temporal'), source: 'PATH' })),
    ...tools.goBinFolders.map((folder) => ({ path: join(folder, 'temporal'), source: "Go's bin folder" })),
    { path: cachedBinary(tools), source: "Strata's cache" },
  ];
  for (const place of places) {
    if (!(await isExecutable(place.path))) continue;
    const checked = await checkBinary(place.path);
    if ('version' in checked) return { ...place, ...checked };
    log.warn(`${place.path} is passed over: it ${checked.problem}`);
  }
  return undefined;
}

async function bringTemporalBinary(options: TemporalSupplyOptions): Promise<TemporalBinary> {
  const { tools, log } = options;
  const path = cachedBinary(tools);
  const onWait = ({ pid }: { pid: number }) =>
    log.info(`Temporal's CLI is being brought by process ${pid}; waiting for it`);
  return withLock(
    `${path}.lock`,
    async () => {
      const checked = await checkBinary(path);
      if ('version' in checked) return { path, source: "Strata's cache", ...checked };
      return bringOnce(path, options);
    },
    { onWait },
  );
}

/** Each way says why it failed; together they are the error. */
async function bringOnce(path: string, options: TemporalSupplyOptions): Promise<TemporalBinary> {
  const failures: string[] = [];
  for (const { source, bring } of [
    { source: "the SDK's download", bring: downloadWithSdk },
    { source: 'a build with Go', bring: buildWithGo },
  ]) {
    const failure = await bring(path, options);
    if (failure !== undefined) {
      failures.push(`${source}: ${failure}`);
      continue;
    }
    const checked = await checkBinary(path);
    if ('version' in checked) return { path, source, ...checked };
    failures.push(`${source}: the program it gave ${checked.problem}`);
  }
  throw new PipelineError(
    'TEMPORAL_NOT_AVAILABLE',
    `no Temporal server can be had on this machine (${failures.join('; ')}). Ways out: set TEMPORAL_ADDRESS to a running server; ` +
      'put the `temporal` CLI on PATH or name it in TEMPORAL_CLI_PATH; allow the download; or install Go, so that Strata builds it',
  );
}

function cachedBinary({ cacheFolder }: ToolPaths): string {
  return join(cacheFolder, 'temporal', TEMPORAL_CLI_VERSION, 'temporal');
}

/** `problem` goes after the program's name in a sentence. */
async function checkBinary(path: string): Promise<{ version: string } | { problem: string }> {
  if (!(await isExecutable(path))) return { problem: 'is not there or not executable' };
  try {
    const { stdout } = await run(path, ['--version'], { timeout: VERSION_TIMEOUT_MS });
    const version = stdout.trim();
    const server = /^temporal version .*\(Server (\d+)\.(\d+)/.exec(version);
    if (server === null) return { problem: 'does not answer --version as a Temporal CLI does' };
    const [major, minor] = [Number(server[1]), Number(server[2])];
    const isNewEnough =
      major > MINIMUM_SERVER[0] || (major === MINIMUM_SERVER[0] && minor >= MINIMUM_SERVER[1]);
    return isNewEnough
      ? { version }
      : { problem: `holds server ${major}.${minor}, needed ${MINIMUM_SERVER.join('.')}` };
  } catch {
    return { problem: 'cannot be run on this machine' };
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
