import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { fitKMeans } from '../../../numeric/cluster/k-means.ts';
import { KernelFailure, KernelMemoryError } from '../../../numeric/kernels/errors.mjs';
import { createKernelPool, type KernelPool } from '../../../numeric/kernels/pool.ts';
import type { TeamFitTask } from '../../../numeric/kernels/tasks.ts';
import { buildKernels } from '../../../scripts/build-kernels.mjs';
import { makeBlobs, makeNoise } from '../helpers/made-data.ts';

const started = vi.hoisted(() => [] as Worker[]);
vi.mock('node:worker_threads', async (original) => {
  const actual = await original<typeof import('node:worker_threads')>();
  class Recorded extends actual.Worker {
    constructor(...args: ConstructorParameters<typeof actual.Worker>) {
      super(...args);
      started.push(this);
    }
  }
  return { ...actual, Worker: Recorded };
});

const pools: KernelPool[] = [];
function openPool(threads: number): KernelPool {
  const pool = createKernelPool({ threads });
  pools.push(pool);
  return pool;
}

const noise = makeNoise(300_000, 8);

/** A fit of many seconds: hundreds of iterations that each take tens of milliseconds. */
function longTasks(pool: KernelPool): TeamFitTask[] {
  const k = 64;
  const centers = Float64Array.from({ length: k * 8 }, (_, at) => Math.sin(at));
  const memory = pool.reserve({ ...noise, k });
  const task: TeamFitTask = {
    ...{ kind: 'teamFit', x: noise, k, centers, maxShift: -1, maxIterations: 1e9 },
    ...{ team: pool.threads, memory },
  };
  return new Array<TeamFitTask>(pool.threads).fill(task);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

beforeAll(async () => {
  await buildKernels();
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  started.length = 0;
});

describe('a kernel pool', () => {
  test('needs at least one thread', () => {
    expect(() => createKernelPool({ threads: 0 })).toThrow('a kernel pool needs at least 1 thread, found 0');
  });

  test('operations asked for at once do not disturb each other, and share the threads', async () => {
    const pool = openPool(2);
    const X = makeNoise(30_000, 8);
    const fits = [2, 5, 9].map((k) => () => fitKMeans(pool, X, { nClusters: k, seed: 1, sampleRows: 1000 }));
    const atOnce = await Promise.all(fits.map((fit) => fit()));
    for (const [i, fit] of fits.entries()) expect(await fit()).toEqual(atOnce[i]);
    expect(started.length).toBe(2);
  });

  test('stops when asked to, with the reason given, and works on', async () => {
    const pool = openPool(2);
    const controller = new AbortController();
    const work = pool.run(longTasks(pool), { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('cancelled by test')), 50);
    await expect(work).rejects.toThrow('cancelled by test');
    const { X } = makeBlobs({ rows: 100, columns: 2, groups: 2 });
    expect((await fitKMeans(pool, X, { nClusters: 2, seed: 1 })).sizes.length).toBe(2);
  });

  test('does not begin what is aborted already', async () => {
    const pool = openPool(1);
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(pool.run([], { signal })).rejects.toThrow('too late');
    expect(started.length).toBe(0);
  });

  test('reports iterations while threads work, and leaves the event loop free', async () => {
    const pool = openPool(2);
    const controller = new AbortController();
    const reports: number[] = [];
    const work = pool.run(longTasks(pool), {
      signal: controller.signal,
      onProgress: (done) => {
        reports.push(done);
        if (reports.length === 3) controller.abort();
      },
    });
    await expect(work).rejects.toThrow('aborted');
    expect(reports).toEqual(reports.toSorted((a, b) => a - b));
    expect(reports[2]).toBeGreaterThan(0);
  });

  test('rejects the work of a thread that died, replaces it, and gives the same results again', async () => {
    const pool = openPool(2);
    const { X } = makeBlobs({ rows: 3000, columns: 4, groups: 4 });
    const before = await fitKMeans(pool, X, { nClusters: 4, seed: 1 });
    const work = pool.run(longTasks(pool));
    const refused = expect(work).rejects.toThrow(/a kernel thread ended with exit code \d+ while in use/);
    await pause(60);
    await started[0]!.terminate();
    await refused;
    await expect(work).rejects.toBeInstanceOf(KernelFailure);
    expect(await fitKMeans(pool, X, { nClusters: 4, seed: 1 })).toEqual(before);
    expect(started.length).toBe(3);
  });

  test('rejects work in progress and new work once it is closed', async () => {
    const pool = openPool(2);
    const work = pool.run(longTasks(pool));
    const refused = expect(work).rejects.toThrow('a kernel thread ended');
    await pause(60);
    await pool.close();
    await refused;
    await expect(pool.run([])).rejects.toThrow('the kernel pool is closed');
  });

  test('refuses what 32-bit addresses cannot hold, and says how many rows they can', () => {
    const pool = openPool(1);
    const shape = { rows: 200_000_000, columns: 12, k: 8 };
    expect(() => pool.reserve(shape)).toThrow(KernelMemoryError);
    let message = '';
    try {
      pool.reserve(shape);
    } catch (error) {
      message = (error as Error).message;
    }
    const most = Number(/at most (\d+) rows fit/.exec(message)?.[1]);
    // 4 GiB over 12 values and a norm of 4 bytes, a label, and a bound of 8 bytes for 16 rows
    expect(most).toBeGreaterThan(80_000_000);
    expect(() => pool.reserve({ ...shape, rows: most + 16 })).toThrow(RangeError);
    expect(message).toContain('fitting 200000000 rows x 12 columns needs 10.0 GiB of kernel memory');
  });

  test('does not keep a process alive', async () => {
    const pool = new URL('../../../numeric/kernels/pool.ts', import.meta.url);
    const program = `
      import { createKernelPool } from '${pool.href}';
      const pool = createKernelPool({ threads: 2 });
      const x = { rows: 32, columns: 1, data: new Float32Array(new SharedArrayBuffer(128)) };
      const shared = (bytes) => new SharedArrayBuffer(bytes);
      const labels = new Uint8Array(shared(32));
      const distance = new Float32Array(shared(128)), margin = new Float32Array(shared(128));
      const centers = Float32Array.of(1, 2), inertia = new Float64Array(shared(8));
      await pool.run([{ kind: 'nearest', x, centers, labels, distance, margin, inertia }]);
      console.log('inertia', inertia[0]);`;
    const tsx = new URL('../../../node_modules/tsx/dist/cli.mjs', import.meta.url).pathname;
    const run = promisify(execFile)(process.execPath, [tsx, '--input-type=module', '--eval', program], {
      timeout: 30_000,
    });
    expect((await run).stdout).toBe('inertia 32\n');
  });
});
