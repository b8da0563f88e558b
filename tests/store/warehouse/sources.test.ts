import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Warehouse } from '../../../store/warehouse/duckdb.ts';
import { readableSource } from '../../../store/warehouse/readable.ts';
import { typesOf } from '../../../store/warehouse/source-columns.ts';
import { describeSource, inspectFiles, whileReading } from '../../../store/warehouse/sources.ts';
import { type WarehouseFixture, warehouseFixture } from './fixture.ts';

const CSV = 'customer,price\n17850,2.55\n,"1,5"\n';
let fixture: WarehouseFixture;
let warehouse: Warehouse;

beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

async function readAll(path: string) {
  const files = await inspectFiles(path);
  return whileReading(files, async () => {
    const wanted = (await describeSource(warehouse, files)).map(({ name }) => name);
    const folder = await mkdtemp(fixture.path('plain-'));
    const { from } = await readableSource(files, { folder, wanted });
    return warehouse.rows(`FROM ${from}`);
  });
}

describe('what can be read', () => {
  it.each([
    ['comma.csv', CSV],
    ['UPPER.CSV', CSV],
    ['semicolon.csv', CSV.replaceAll(/,(?!5)/g, ';')],
    ['tab.csv', CSV.replaceAll(/,(?!5)/g, '\t')],
    ['pipe.csv', CSV.replaceAll(/,(?!5)/g, '|')],
    ['windows.csv', `\ufeff${CSV.replaceAll('\n', '\r\n')}`],
    ['packed.csv.gz', gzipSync(CSV)],
    ["odd '[1]*? name.csv", CSV],
  ])('%s: every column as text, blank as NULL', async (name, content) => {
    expect(await readAll(await fixture.write(name, content))).toEqual([
      { customer: '17850', price: '2.55' },
      { customer: null, price: '1,5' },
    ]);
  });

  it('a large gzip file whose first bytes end within a block', async () => {
    const lines = Array.from({ length: 60_000 }, (_, i) => `${i},${(i * 7919) % 10_007}`);
    const path = await fixture.write('large.csv.gz', gzipSync(`id,value\n${lines.join('\n')}\n`));
    expect(await readAll(path)).toHaveLength(60_000);
  });

  it('a Parquet file, with its own types', async () => {
    const path = fixture.path('typed.parquet');
    await warehouse.copyToParquet('SELECT 1::INTEGER AS id, 2.5::DECIMAL(9,2) AS price', path);
    expect(await describeSource(warehouse, await inspectFiles(path))).toEqual([
      { name: 'id', type: 'INTEGER' },
      { name: 'price', type: 'DECIMAL(9,2)' },
    ]);
  });

  it('a header alone: columns and no rows', async () => {
    const path = await fixture.write('header.csv', 'customer,price\n');
    expect(await describeSource(warehouse, await inspectFiles(path))).toHaveLength(2);
    expect(await readAll(path)).toEqual([]);
  });
});

describe('what cannot be read is named, with what it looks like', () => {
  it.each([
    ['empty.csv', '', 'EXTRACT_EMPTY', /empty\.csv has no content/],
    ['blank.csv', ' \n\n', 'EXTRACT_EMPTY', /has no lines/],
    ['nothing.csv.gz', gzipSync(''), 'EXTRACT_EMPTY', /has no lines/],
    ['text.parquet', CSV, 'EXTRACT_UNREADABLE', /needs to be parquet, it looks like plain text/],
    ['page.parquet', '<html></html>', 'EXTRACT_UNREADABLE', /a web page/],
    ['cut.parquet', 'PAR1 and then it stopped', 'EXTRACT_UNREADABLE', /cut off/],
    [
      'hollow.parquet',
      'PAR1 not a footer at all PAR1',
      'EXTRACT_UNREADABLE',
      /hollow\.parquet cannot be read/,
    ],
    ['parquet.csv', 'PAR1\0\0', 'EXTRACT_UNREADABLE', /needs to be csv, it looks like a Parquet file/],
    ['book.csv', 'PK\u0003\u0004', 'EXTRACT_UNREADABLE', /Excel/],
    ['packed.csv', gzipSync(CSV), 'EXTRACT_UNREADABLE', /a gzip file/],
    ['plain.csv.gz', CSV, 'EXTRACT_UNREADABLE', /needs to be csv\.gz, it looks like plain text/],
    ['damaged.csv.gz', gzipSync(CSV).subarray(0, 20), 'EXTRACT_UNREADABLE', /damaged/],
    ['json.csv', '[{"customer": 1}]', 'EXTRACT_UNREADABLE', /JSON/],
    ['binary.csv', 'a,b\n\0\0', 'EXTRACT_UNREADABLE', /binary/],
    ['column.csv', 'customer\n1\n', 'EXTRACT_UNREADABLE', /a single column/],
    [
      'latin.csv',
      Buffer.from('customer,name\n1,Zo\xeb\n', 'latin1'),
      'EXTRACT_UNREADABLE',
      /line \d+ is not UTF-8/,
    ],
    ['table.xlsx', 'PK', 'EXTRACT_UNREADABLE', /needs an ending of \.csv, \.tsv or \.txt .*\.parquet/],
  ])('%s', async (name, content, code, message) => {
    const path = await fixture.write(name, content);
    await expect(readAll(path)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('a file that is not there, and a folder', async () => {
    await expect(inspectFiles(fixture.path('gone.csv'))).rejects.toMatchObject({
      code: 'EXTRACT_NOT_FOUND',
      message: expect.stringContaining('gone.csv'),
    });
    await mkdir(fixture.path('folder.csv'));
    await expect(inspectFiles(fixture.path('folder.csv'))).rejects.toMatchObject({
      code: 'EXTRACT_UNREADABLE',
    });
  });
});

describe('times of several Parquet files', () => {
  const zoned = `TIMESTAMPTZ '2026-07-01 10:00:00+00'`;
  const naive = `TIMESTAMP '2026-07-01 10:00:00'`;

  async function described(...times: string[]) {
    const folder = await mkdtemp(fixture.path('zones-'));
    for (const [i, time] of times.entries())
      await warehouse.copyToParquet(`SELECT ${time} AS "At", 1 AS id`, `${folder}/${i}.parquet`);
    return describeSource(warehouse, await inspectFiles(`${folder}/*.parquet`));
  }

  it.each([
    [[zoned, naive], '0.parquet', '1.parquet'],
    [[naive, zoned, naive], '1.parquet', '0.parquet'],
    [[`DATE '2026-07-01'`, zoned], '1.parquet', '0.parquet'],
  ])('%j are refused, with the column and both files', async (times, zonedIn, naiveIn) => {
    const columns = await described(...times);
    const message = new RegExp(`${naiveIn} needs .* column At \\(as ordered_at\\) as ${zonedIn} has`);
    expect(() => typesOf({ ordered_at: 'at' }, columns, 'of 2 files')).toThrow(
      expect.objectContaining({
        code: 'EXTRACT_COLUMN_INVALID',
        message: expect.stringMatching(message),
      }),
    );
    // A column that no role is mapped to does no harm.
    expect(typesOf({ customer_id: 'id' }, columns, 'of 2 files')).toEqual({ id: 'INTEGER' });
  });

  it.each([
    [[zoned, zoned], 'TIMESTAMP WITH TIME ZONE'],
    [[naive, naive], 'TIMESTAMP'],
  ])('%j are read', async (times, at) => {
    expect(typesOf({ ordered_at: 'at' }, await described(...times), 'of 2 files')).toEqual({ at });
  });
});

describe('while files are read', () => {
  it.each<[string, (folder: string) => Promise<unknown>, RegExp]>([
    ['that changes', (folder) => appendFile(`${folder}/a.csv`, '1,2\n'), /a\.csv changed while it was read/],
    ['that comes', (folder) => writeFile(`${folder}/c.csv`, CSV), /c\.csv was added/],
    ['that is replaced by itself', (folder) => writeFile(`${folder}/b.csv`, CSV), /b\.csv changed/],
  ])('a file %s makes the extract another one', async (_, change, message) => {
    const folder = await mkdtemp(fixture.path('changing-'));
    for (const name of ['a.csv', 'b.csv']) await writeFile(`${folder}/${name}`, CSV);
    const files = await inspectFiles(`${folder}/*.csv`);
    await expect(whileReading(files, () => change(folder))).rejects.toMatchObject({
      code: 'EXTRACT_CHANGED',
      message: expect.stringMatching(message),
    });
  });

  it('a file that goes is missed', async () => {
    const folder = await mkdtemp(fixture.path('changing-'));
    for (const name of ['a.csv', 'b.csv']) await writeFile(`${folder}/${name}`, CSV);
    const files = await inspectFiles(`${folder}/*.csv`);
    await expect(whileReading(files, () => rm(`${folder}/b.csv`))).rejects.toMatchObject({
      code: 'EXTRACT_NOT_FOUND',
      message: expect.stringMatching(/b\.csv is not there/),
    });
  });
});

describe('a header', () => {
  it.each([
    ['Price,price,,Price\n1,2,3,4\n', ['Price', 'price_2', 'column_3', 'Price_3']],
    ['"a, b";"say ""x""";c\n1;2;3\n', ['a, b', 'say "x"', 'c']],
    ["it's,b\n1,2\n", ["it's", 'b']],
    ['\n  \na,b\n1,2\n', ['a', 'b']],
  ])('%j gives columns %j', async (content, names) => {
    const path = await fixture.write('names.csv', content);
    const described = await describeSource(warehouse, await inspectFiles(path));
    expect(described.map(({ name }) => name)).toEqual(names);
    expect(await readAll(path)).toHaveLength(1);
  });
});

describe('typesOf', () => {
  const columns = [
    { name: 'CustomerID', type: 'INTEGER' },
    { name: 'Price', type: 'DOUBLE' },
  ];

  it('finds columns in any case and skips roles that are not mapped', () => {
    expect(typesOf({ customer_id: 'customerid', country: undefined }, columns, 'a.csv')).toEqual({
      customerid: 'INTEGER',
    });
  });

  it('names every missing column with its role, the columns there are, and the file', () => {
    expect(() =>
      typesOf({ order_id: 'Invoice', unit_price: 'Price', quantity: 'Qty' }, columns, 'a.csv'),
    ).toThrow(
      expect.objectContaining({
        code: 'EXTRACT_COLUMN_MISSING',
        message: expect.stringMatching(
          /a\.csv needs columns Invoice \(as order_id\), Qty \(as quantity\), found CustomerID, Price/,
        ),
      }),
    );
  });
});
