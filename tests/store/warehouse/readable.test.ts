import { mkdtemp, readdir } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isErrorCode } from '../../../pipelines/contracts/errors.ts';
import { RecordScanner } from '../../../store/warehouse/csv-records.ts';
import type { Warehouse } from '../../../store/warehouse/duckdb.ts';
import { readableSource, UNREADABLE } from '../../../store/warehouse/readable.ts';
import { inspectFiles } from '../../../store/warehouse/sources.ts';
import { type WarehouseFixture, warehouseFixture } from './fixture.ts';

let fixture: WarehouseFixture;
let warehouse: Warehouse;

beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

async function readable(path: string | string[]) {
  const folder = await mkdtemp(fixture.path('plain-'));
  const files = await inspectFiles(path);
  return { folder, ...(await readableSource(files, { folder, wanted: ['a', 'b'] })) };
}

/** Fields as RFC 4180 has them, but for one blank before a quoted one and any behind it. */
function fieldsOf(record: string): (string | null)[] {
  const fields = [...`${record},`.matchAll(/ ?"((?:[^"]|"")*)" *,|([^,]*),/g)];
  return fields.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') || plain || null);
}

describe('what DuckDB reads', () => {
  const parts = fc.constantFrom(
    'a',
    '7',
    ',',
    ',',
    '\n',
    '\n',
    '\r\n',
    '"',
    '"',
    ' ',
    'ë',
    '"x"',
    '"\n"',
    '\r',
  );

  it('is the records that were found sound, field by field, and a line for each of the others', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(parts, { maxLength: 60 }), fc.boolean(), async (content, isPacked) => {
        const text = `a,b\n${content.join('')}`;
        const records: string[] = [];
        const scanner = new RecordScanner(
          { delimiter: ',', fields: 2, longest: 1_000_000 },
          {
            onRecord: (bytes, begin, end) => records.push(bytes.toString('utf8', begin, end)),
            onUnreadable: () => {},
          },
        );
        scanner.push(Buffer.from(text));
        const counts = scanner.finish();
        const name = isPacked ? 'made.csv.gz' : 'made.csv';
        const { from, rows, hasUnreadable } = await readable(
          await fixture.write(name, isPacked ? gzipSync(text) : text),
        );
        expect({ rows, hasUnreadable }).toEqual({
          rows: counts.records + counts.unreadable,
          hasUnreadable: counts.unreadable > 0,
        });
        const found = await warehouse.rows(`FROM ${from}`);
        const sound = found.filter((row) => (row[UNREADABLE] ?? null) === null);
        const sorted = (all: unknown[]) => all.map((one) => JSON.stringify(one)).sort();
        expect(sorted(sound.map(({ a, b }) => [a, b]))).toEqual(sorted(records.map(fieldsOf)));
        expect(found).toHaveLength(rows!);
      }),
      {
        numRuns: 150,
        examples: [
          [[' ', ' ', '"x"', ','], false],
          [[' ', ' ', '"x,y"', ',', 'a'], false],
        ],
      },
    );
  }, 60_000);

  it.each([1, 2, 4])('is all of a large file with every oddity, on %d threads', async (threads) => {
    const lines = Array.from({ length: 300_000 }, (_, i) => {
      if (i % 1000 === 7) return `${i},x,surplus`;
      if (i % 1000 === 8) return `"${i}\nof two lines",x`;
      return `${i},value ${i}`;
    });
    const path = await fixture.write(`large-${threads}.csv`, `a,b\n${lines.join('\n')}\n`);
    const own = await fixture.open(threads);
    const { from, rows } = await readable(path);
    expect(rows).toBe(300_000);
    const [counted] = await own.rows(
      `SELECT count(*) AS rows, count(DISTINCT a) AS ids, count("${UNREADABLE}") AS unreadable FROM ${from}`,
    );
    expect(counted).toEqual({ rows: 300_000, ids: 299_700, unreadable: 300 });
  });

  it('is the file itself when it is plain and sound, and a copy of any other', async () => {
    const plain = await readable(await fixture.write('plain.csv', 'a,b\r\n1,2\r\n'));
    expect(await readdir(plain.folder)).toEqual(['unreadable.csv']);
    const odd = await readable(await fixture.write('odd.csv', 'a,b\r\n1,2\n'));
    expect((await readdir(odd.folder)).sort()).toEqual(['plain-0.csv', 'unreadable.csv']);
  });

  it('stops when it is aborted', async () => {
    const files = await inspectFiles(await fixture.write('stop.csv', 'a,b\n1,2\n'));
    const signal = AbortSignal.abort(new Error('cancelled by a person'));
    const folder = await mkdtemp(fixture.path('plain-'));
    await expect(readableSource(files, { folder, wanted: ['a'], signal })).rejects.toThrow(
      'cancelled by a person',
    );
  });
});

it('any bytes at all end in rows or in an error of the catalogue', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom('.csv', '.csv.gz', '.csv.zst', '.parquet'),
      async (bytes, ending) => {
        const path = await fixture.write(
          `bytes${ending}`,
          Buffer.concat([Buffer.from(ending === '.csv' ? 'a,b\n' : ''), bytes]),
        );
        const outcome = await readable(path).then(
          async ({ from }) => (await warehouse.rows(`SELECT count(*) AS rows FROM ${from}`))[0]!.rows,
          (error) => error.code,
        );
        expect(typeof outcome === 'number' || isErrorCode(outcome), String(outcome)).toBe(true);
      },
    ),
    { numRuns: 200 },
  );
}, 60_000);
