import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { choosePort, LOOPBACK } from '../../scripts/services/ports.ts';
import type { S3Place } from '../../store/artifacts/s3-place.ts';

/** A real S3 server over a folder of its own, which can be killed and started again. */
export interface S3Server {
  readonly endpoint: string;
  readonly port: number;
  /** Makes a bucket. */
  place(bucket: string, prefix?: string): Promise<S3Place>;
  /** The file that an object of the bucket is. */
  fileOf(place: Pick<S3Place, 'bucket' | 'prefix'>, name?: string): string;
  /** STRATA_ARTIFACTS and the AWS_ variables of whoever uses it. */
  environment(place: Pick<S3Place, 'bucket' | 'prefix'>): Record<string, string>;
  /** Kills the process, with what it was doing. */
  kill(): Promise<void>;
  /** On the same port and folder. */
  start(): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Test files that run at once have a range each, as in ports-of-lane.ts; a benchmark is no test. */
const LANE_PORTS = 100;
const FIRST_PORT = 28_500 + Number(process.env.VITEST_POOL_ID ?? 0) * LANE_PORTS;
/** Other test runs of this machine have the same lanes. */
const SPREAD = 80;
const ATTEMPTS = 5;
const STARTS_WITHIN_MS = 20_000;
const ANSWERS_WITHIN_MS = 1_000;

/**
 * @param program of `findVersitygw`
 * @param firstPort the first one tried; default: one by chance, of this lane
 */
export async function startS3Server(
  program: string,
  firstPort = FIRST_PORT + Math.floor(Math.random() * SPREAD),
): Promise<S3Server> {
  const home = await mkdtemp(join(tmpdir(), 'strata-s3-'));
  const [objects, about] = [join(home, 'objects'), join(home, 'about')];
  for (const folder of [objects, about]) await mkdir(folder);
  const key = {
    accessKeyId: randomBytes(8).toString('hex'),
    secretAccessKey: randomBytes(16).toString('hex'),
  };
  const health = `/${randomBytes(16).toString('hex')}`;
  let child: ChildProcess | null = null;
  const isAlive = () => child !== null && child.exitCode === null && child.signalCode === null;

  /** A stranger may listen on the port, and our own process end for it: only ours knows this path. */
  const isOurs = async (port: number) => {
    const signal = AbortSignal.timeout(ANSWERS_WITHIN_MS);
    const answer = await fetch(`http://${LOOPBACK}:${port}${health}`, { signal }).catch(() => null);
    return answer?.status === 200 && (await answer.text().catch(() => '')) === 'OK';
  };

  async function startOn(port: number): Promise<void> {
    child = spawn(
      program,
      // Facts about objects beside them: not every file system has extended attributes.
      [
        ...['--port', `${LOOPBACK}:${port}`, '--health', health, '--quiet', '--keep-alive'],
        ...['posix', '--sidecar', about, objects],
      ],
      {
        env: { ...process.env, ROOT_ACCESS_KEY: key.accessKeyId, ROOT_SECRET_KEY: key.secretAccessKey },
        stdio: 'ignore',
      },
    );
    const deadline = performance.now() + STARTS_WITHIN_MS;
    while (isAlive() && performance.now() < deadline) {
      if (await isOurs(port)) return;
      await sleep(20);
    }
    await kill();
    throw new Error(`${program} does not listen on ${LOOPBACK}:${port}`);
  }

  async function startSomewhere(): Promise<number> {
    const refused = new Set<number>();
    for (let attempt = 1; ; attempt++) {
      const port = await choosePort(firstPort, refused);
      try {
        await startOn(port);
        return port;
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
        refused.add(port);
      }
    }
  }

  async function kill(): Promise<void> {
    const ended = child;
    child = null;
    if (!ended || ended.exitCode !== null || ended.signalCode !== null) return;
    const exit = once(ended, 'exit');
    ended.kill('SIGKILL');
    await exit;
  }

  const port = await startSomewhere();
  const endpoint = `http://${LOOPBACK}:${port}`;
  const start = () => startOn(port);
  return {
    endpoint,
    port,
    async place(bucket, prefix = '') {
      await mkdir(join(objects, bucket), { recursive: true });
      return {
        ...{ bucket, prefix, endpoint, region: 'us-east-1' },
        credentials: { ...key, sessionToken: undefined },
      };
    },
    fileOf: ({ bucket, prefix }, name = '') => join(objects, bucket, prefix, name),
    environment: ({ bucket, prefix }) => ({
      STRATA_ARTIFACTS: `s3://${bucket}/${prefix}`,
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    }),
    kill,
    start,
    async restart() {
      await kill();
      await start();
    },
    async close() {
      await kill();
      await rm(home, { recursive: true, force: true });
    },
  };
}
