import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { choosePort, isListening, LOOPBACK } from '../../scripts/services/ports.ts';
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

const FIRST_PORT = 27_070;
const SPREAD = 1_000;
const STARTS_WITHIN_MS = 20_000;

/**
 * @param program of `findVersitygw`
 * @param firstPort the first one tried; default: one by chance
 */
export async function startS3Server(
  program: string,
  firstPort = FIRST_PORT + Math.floor(Math.random() * SPREAD),
): Promise<S3Server> {
  const home = await mkdtemp(join(tmpdir(), 'strata-s3-'));
  const [objects, about] = [join(home, 'objects'), join(home, 'about')];
  for (const folder of [objects, about]) await mkdir(folder);
  const port = await choosePort(firstPort);
  const endpoint = `http://${LOOPBACK}:${port}`;
  const key = {
    accessKeyId: randomBytes(8).toString('hex'),
    secretAccessKey: randomBytes(16).toString('hex'),
  };
  let child: ChildProcess | null = null;

  async function start(): Promise<void> {
    child = spawn(
      program,
      // Facts about objects beside them: not every file system has extended attributes.
      ['--port', `${LOOPBACK}:${port}`, '--quiet', '--keep-alive', 'posix', '--sidecar', about, objects],
      {
        env: { ...process.env, ROOT_ACCESS_KEY: key.accessKeyId, ROOT_SECRET_KEY: key.secretAccessKey },
        stdio: 'ignore',
      },
    );
    const deadline = performance.now() + STARTS_WITHIN_MS;
    while (!(await isListening(port))) {
      if (child.exitCode !== null || performance.now() > deadline)
        throw new Error(`${program} does not listen on ${endpoint}`);
      await sleep(20);
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

  await start();
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
