import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BatchColumn, type ColumnBatch, MISSING } from '../../../pipelines/contracts/batches.ts';
import { generateTransactions } from '../../../pipelines/generator/transactions.ts';
import type { Warehouse } from '../../../store/warehouse/duckdb.ts';
import { writeBatches } from '../../../store/warehouse/write-batches.ts';
import { digestOfFile, type WarehouseFixture, warehouseFixture } from './fixture.ts';

let fixture: WarehouseFixture;
let warehouse: Warehouse;

beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

const COLUMNS: BatchColumn[] = [
  { name: 'line', kind: 'integer' },
  { name: 'price "net"', kind: 'cents' },
  { name: 'at', kind: 'minutes' },
  { name: 'order', kind: 'reference', positive: 'S', negative: "C'" },
  { name: 'colour', kind: 'word', words: ['red', 'dark blue', "painter's green"] },
];

function batch(...values: number[][]): ColumnBatch {
  return { rows: values[0]!.length, columns: COLUMNS, values: values.map((own) => Int32Array.from(own)) };
}

const read = (path: string) => warehouse.rows(`SELECT * FROM read_parquet('${path}')`);

describe('writeBatches', () => {
  it('reads integers as the column says, and missing ones as NULL in every kind', async () => {
    const path = fixture.path('kinds.parquet');
    const batches = [
      batch([1, 2], [1999, -5], [0, 29_712_960], [1041, -1042], [0, 2]),
      batch([MISSING], [MISSING], [MISSING], [MISSING], [MISSING]),
    ];
    expect(await writeBatches(batches, path)).toEqual({ rows: 3 });
    const none = { line: null, 'price "net"': null, at: null, order: null, colour: null };
    expect(await read(path)).toEqual([
      { line: 1, 'price "net"': 19.99, at: '1970-01-01T00:00:00.000Z', order: 'S1041', colour: 'red' },
      {
        line: 2,
        'price "net"': -0.05,
        at: '2026-06-30T00:00:00.000Z',
        order: "C'1042",
        colour: "painter's green",
      },
      none,
    ]);
    const types = await warehouse.rows(`DESCRIBE SELECT * FROM read_parquet('${path}')`);
    expect(types.map(({ column_type }) => column_type)).toEqual([
      'INTEGER',
      'DECIMAL(10,2)',
      'TIMESTAMP',
      'VARCHAR',
      'VARCHAR',
    ]);
  });

  it('keeps the order of rows across chunks and batches, empty batches among them', async () => {
    const path = fixture.path('order.parquet');
    const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
    const of = (from: number, count: number) => {
      const own = numbers(from, count);
      return batch(
        own,
        own,
        own,
        own,
        own.map(() => 1),
      );
    };
    const progress: number[] = [];
    const { rows } = await writeBatches([of(0, 5_000), of(0, 0), of(5_000, 1), of(5_001, 2_048)], path, {
      onProgress: (done) => progress.push(done),
    });
    expect(rows).toBe(7_049);
    expect(progress).toEqual([5_000, 5_000, 5_001, 7_049]);
    const lines = await warehouse.columns(`SELECT line FROM read_parquet('${path}')`);
    expect([...lines.numbers.line!]).toEqual(numbers(0, 7_049));
  });

  it('writes the same bytes for 1 and 2 threads and on a second run', async () => {
    const plan = { customers: 3_000, months: 12, until: '2026-06-30', seed: 3 };
    const digests: string[] = [];
    for (const threads of [1, 2, 2]) {
      const path = fixture.path(`same-${digests.length}.parquet`);
      await writeBatches(generateTransactions(plan), path, { threads });
      digests.push(await digestOfFile(path));
    }
    expect(new Set(digests).size).toBe(1);
  });

  it('passes on what the batches throw, closes them and leaves no file', async () => {
    const path = fixture.path('broken.parquet');
    const failure = new RangeError('the shop burnt down');
    let isClosed = false;
    function* burning(): Generator<ColumnBatch> {
      try {
        yield batch([1], [1], [1], [1], [1]);
        throw failure;
      } finally {
        isClosed = true;
      }
    }
    await expect(writeBatches(burning(), path)).rejects.toBe(failure);
    expect({ isClosed, isThere: existsSync(path) }).toEqual({ isClosed: true, isThere: false });
  });

  it('stops when aborted, closes the batches and leaves no file', async () => {
    const path = fixture.path('aborted.parquet');
    const controller = new AbortController();
    let isClosed = false;
    function* endless(): Generator<ColumnBatch> {
      try {
        for (;;) yield batch([1], [1], [1], [1], [1]);
      } finally {
        isClosed = true;
      }
    }
    const reason = new Error('cancelled');
    const onProgress = (rows: number) => {
      if (rows === 10) controller.abort(reason);
    };
    await expect(writeBatches(endless(), path, { signal: controller.signal, onProgress })).rejects.toBe(
      reason,
    );
    expect({ isClosed, isThere: existsSync(path) }).toEqual({ isClosed: true, isThere: false });
  });

  it('refuses no batches at all, and names the trouble with a folder that is not there', async () => {
    await expect(writeBatches([], fixture.path('none.parquet'))).rejects.toMatchObject({
      code: 'WAREHOUSE_FAILED',
    });
    const nowhere = fixture.path('no-such-folder/x.parquet');
    await expect(writeBatches([batch([1], [1], [1], [1], [1])], nowhere)).rejects.toMatchObject({
      code: 'WAREHOUSE_FAILED',
      message: expect.stringContaining('IO error'),
    });
  });
});
