import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDiskArtifacts } from '../../../store/artifacts/disk-artifacts.ts';
import { type ArtifactFs, realFs } from '../../../store/artifacts/disk-files.ts';

const about = { runId: 'run-1', rows: 1, ending: 'bin' };
const coded = (code: string, text = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(text) as string }) as Error;
const errno = (code: string, path?: string) => Object.assign(new Error(`${code}: it failed`), { code, path });

async function filesUnder(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter(
      (entry) => entry.isFile() && !entry.parentPath.includes('.runs') && !entry.parentPath.includes('.uses'),
    )
    .map((entry) => entry.name);
}

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'strata-faults-'));
});

afterEach(() => rm(root, { recursive: true, force: true }));

/** A file system whose one call fails, for paths under .incoming only where `at` says so. */
const failing = (call: keyof ArtifactFs, error: Error, at = ''): ArtifactFs => ({
  ...realFs,
  [call]: (...args: unknown[]) =>
    args.some((arg) => String(arg).includes(at))
      ? Promise.reject(error)
      : (realFs[call] as (...all: unknown[]) => unknown)(...args),
});

describe('a write that fails', () => {
  test.each(['ENOSPC', 'EDQUOT', 'EFBIG'])(
    '%s is a full disk, with the bytes and the way out',
    async (code) => {
      const artifacts = createDiskArtifacts({ root, fs: failing('rename', errno(code)) });
      const writing = artifacts.write('matrix', randomBytes(100), about);
      await expect(writing).rejects.toThrow(
        coded('ARTIFACT_DISK_FULL', 'matrix artifact of run run-1 needs 100 bytes'),
      );
      await expect(writing).rejects.toThrow('set STRATA_ARTIFACTS');
      expect(await filesUnder(root)).toEqual([]);
    },
  );

  test.each(['mkdir', 'open'] as const)('no right to %s is told as such', async (call) => {
    const artifacts = createDiskArtifacts({ root, fs: failing(call, errno('EACCES', join(root, 'x'))) });
    await expect(artifacts.write('matrix', randomBytes(9), about)).rejects.toThrow(
      coded('ARTIFACT_UNWRITABLE', root),
    );
    await expect(artifacts.writeStep('run-1', 'name', 'k', 1)).rejects.toThrow(coded('ARTIFACT_UNWRITABLE'));
  });

  test('a producer without the right to its own source is another matter', async () => {
    const refused = errno('EACCES', '/somewhere/else.csv');
    const taking = createDiskArtifacts({ root }).take('extract', about, () => Promise.reject(refused));
    await expect(taking).rejects.toBe(refused);
  });

  test('what a producer says in words is understood, also as a cause', async () => {
    const wrapped = new Error('copy failed', { cause: new Error('IO Error: … No space left on device') });
    const taking = createDiskArtifacts({ root }).take('extract', about, () => Promise.reject(wrapped));
    await expect(taking).rejects.toThrow(coded('ARTIFACT_DISK_FULL', 'extract artifact of run run-1'));
    expect(await filesUnder(root)).toEqual([]);
  });

  test('another fault comes through as it is', async () => {
    const fault = errno('EIO');
    const artifacts = createDiskArtifacts({ root, fs: failing('rename', fault) });
    await expect(artifacts.write('matrix', randomBytes(9), about)).rejects.toBe(fault);
  });

  test('the store works again as soon as the disk does', async () => {
    let broken = true;
    const fs: ArtifactFs = {
      ...realFs,
      mkdir: ((...args: Parameters<typeof realFs.mkdir>) =>
        broken ? Promise.reject(errno('ENOSPC')) : realFs.mkdir(...args)) as typeof realFs.mkdir,
    };
    const artifacts = createDiskArtifacts({ root: join(root, 'deep'), fs });
    await expect(artifacts.write('matrix', randomBytes(9), about)).rejects.toThrow(
      coded('ARTIFACT_DISK_FULL'),
    );
    broken = false;
    const ref = await artifacts.write('matrix', randomBytes(9), about);
    expect((await artifacts.read(ref)).length).toBe(9);
  });

  test('a file gets its name only after its bytes are synced', async () => {
    const calls: string[] = [];
    const fs: ArtifactFs = {
      ...realFs,
      async open(path, ...rest) {
        const handle = await realFs.open(path, ...rest);
        const sync = handle.sync.bind(handle);
        handle.sync = async () => {
          calls.push(`sync ${String(path).slice(root.length)}`);
          await sync();
        };
        return handle;
      },
      async rename(from, to) {
        calls.push(`rename ${String(to).slice(root.length)}`);
        await realFs.rename(from, to);
      },
    };
    const { uri } = await createDiskArtifacts({ root, fs }).write('matrix', randomBytes(9), about);
    const named = calls.indexOf(`rename /${uri}`);
    expect(calls[named - 1]).toMatch(/^sync \/\.incoming\/.*\/file$/);
    expect(calls.slice(named + 1)).toEqual([`sync /${uri.slice(0, 9)}`, 'sync /matrix', 'sync ']);
  });
});

const isRoot = process.getuid?.() === 0;

describe.skipIf(isRoot)(
  'a folder without write permission (skipped for root, who may write anywhere)',
  () => {
    test('is told as such', async () => {
      await chmod(root, 0o500);
      const writing = createDiskArtifacts({ root }).write('matrix', randomBytes(9), about);
      await expect(writing).rejects.toThrow(coded('ARTIFACT_UNWRITABLE', root));
      await chmod(root, 0o700);
    });
  },
);

function canMount(): boolean {
  if (!isRoot || process.platform !== 'linux') return false;
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!canMount())('a file system of one megabyte (skipped where none may be mounted)', () => {
  beforeEach(() => execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root]));
  afterEach(() => execFileSync('umount', [root]));

  test('a write that does not fit leaves nothing, and the next that fits succeeds', async () => {
    const artifacts = createDiskArtifacts({ root });
    const writing = artifacts.write('matrix', randomBytes(2 << 20), about);
    await expect(writing).rejects.toThrow(coded('ARTIFACT_DISK_FULL', 'needs 2097152 bytes'));
    expect(await filesUnder(root)).toEqual([]);
    const ref = await artifacts.write('matrix', randomBytes(500_000), about);
    expect((await artifacts.read(ref)).length).toBe(500_000);
  });

  test('a producer in JavaScript that runs out of space', async () => {
    const artifacts = createDiskArtifacts({ root });
    const taking = artifacts.take('extract', about, async (path) => {
      await writeFile(path, randomBytes(2 << 20));
      return { rows: 1 };
    });
    await expect(taking).rejects.toThrow(coded('ARTIFACT_DISK_FULL', 'extract'));
    expect(await filesUnder(root)).toEqual([]);
  });

  test('DuckDB’s COPY that runs out of space', async () => {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const artifacts = createDiskArtifacts({ root });
    const taking = artifacts.take('extract', { runId: 'run-1', ending: 'parquet' }, async (path) => {
      await connection.run(`copy (select random() as x from range(1000000)) to '${path}' (format parquet)`);
      return { rows: 1_000_000 };
    });
    await expect(taking).rejects.toThrow(coded('ARTIFACT_DISK_FULL', 'extract'));
    expect(await filesUnder(root)).toEqual([]);
    connection.closeSync();
    instance.closeSync();
  });
});
