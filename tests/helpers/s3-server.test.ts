import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LOOPBACK } from '../../scripts/services/ports.ts';
import { openBucket } from '../../store/artifacts/s3-bucket.ts';
import { versitygw } from './artifact-places.ts';
import { type S3Server, startS3Server } from './s3-server.ts';

const content = Buffer.from('three rows');

describe.skipIf(versitygw === null)('the S3 server of the tests (needs versitygw)', () => {
  let folder: string;
  let server: S3Server | null;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'strata-s3-server-'));
    server = null;
  });
  afterEach(async () => {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const stranger = async (port: number) => {
    const listening = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => listening.listen(port, LOOPBACK, resolve));
    return () => new Promise((resolve) => listening.close(resolve));
  };

  test('takes another port when somebody takes its own before it listens', async () => {
    const program = join(folder, 'program');
    const [isTold, isTaken] = [join(folder, 'told'), join(folder, 'taken')];
    await writeFile(
      program,
      `#!/bin/sh
if [ ! -e ${isTold} ]; then
  echo "$2" > ${isTold}.new; mv ${isTold}.new ${isTold}
  while [ ! -e ${isTaken} ]; do sleep 0.02; done
fi
exec ${versitygw} "$@"
`,
      { mode: 0o755 },
    );
    const starting = startS3Server(program);
    await expect.poll(() => existsSync(isTold), { timeout: 10_000 }).toBe(true);
    const port = Number((await readFile(isTold, 'utf8')).trim().split(':')[1]);
    const leave = await stranger(port);
    await writeFile(isTaken, '');
    server = await starting;
    await leave();
    expect(server.port).not.toBe(port);
    expect(await openBucket(await server.place('shop')).put('name', content)).toBe(true);
  });

  test('does not take a stranger on its port for itself when it is started again', async () => {
    server = await startS3Server(versitygw!);
    await server.kill();
    const leave = await stranger(server.port);
    await expect(server.start()).rejects.toThrow('does not listen');
    await leave();
    await server.start();
    expect(await openBucket(await server.place('shop')).put('name', content)).toBe(true);
  });
});
