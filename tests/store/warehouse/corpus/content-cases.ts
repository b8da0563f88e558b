import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { CorpusCase } from './case.ts';
import { copied, cutOff, GOOD, HEADER, made, packedMany, ROWS, row, THREE, wide } from './make.ts';

const encodings: CorpusCase[] = [
  { name: 'UTF-8 with a byte order mark', make: made('marked.csv', `\ufeff${THREE}`), expected: GOOD },
  {
    name: 'UTF-16, small end first, with a mark',
    make: made('wide.csv', wide(`\ufeff${HEADER}${row(1, 'Zoë')}`, false)),
    expected: { accepted: 1, rows: [{ customer_id: 'Zoë' }] },
  },
  {
    name: 'UTF-16, big end first, with a mark',
    make: made('wide.csv', wide(`\ufeff${HEADER}${row(1, '🛒')}`, true)),
    expected: { accepted: 1, rows: [{ customer_id: '🛒' }] },
  },
  {
    name: 'UTF-16 without a mark, named',
    make: made('wide.csv', wide(THREE, false)),
    format: { encoding: 'utf-16le' },
    expected: GOOD,
  },
  {
    name: 'UTF-16 without a mark, not named',
    make: made('wide.csv', wide(THREE, false)),
    expected: {
      code: 'EXTRACT_UNREADABLE',
      message: /wide\.csv .*UTF-16 .* name format\.encoding: utf-16le/,
    },
  },
  {
    name: 'UTF-16 that ends within a character',
    make: made('half.csv', wide(`\ufeff${THREE}`, false).subarray(0, -1)),
    expected: { code: 'EXTRACT_UNREADABLE', message: /half\.csv needs to be utf-16le text/ },
  },
  {
    name: 'windows-1252, named',
    make: made(
      'windows.csv',
      Buffer.concat([Buffer.from(HEADER + row(1)), Buffer.from(row(2, 'Zo\xeb \x80'), 'latin1')]),
    ),
    format: { encoding: 'windows-1252' },
    expected: { accepted: 2, rows: [{ customer_id: '17851' }, { customer_id: 'Zoë €' }] },
  },
  {
    name: 'windows-1252, not named',
    make: made(
      'windows.csv',
      Buffer.concat([Buffer.from(HEADER + row(1)), Buffer.from(row(2, 'Zo\xeb'), 'latin1')]),
    ),
    expected: {
      code: 'EXTRACT_UNREADABLE',
      message: /windows\.csv cannot be read: line 3 is not UTF-8 text; name its encoding as format\.encoding/,
      without: /Zo/,
    },
  },
  {
    name: 'ISO 8859-1, named',
    make: made('latin.csv', Buffer.from(HEADER + row(1, 'Zo\xeb'), 'latin1')),
    format: { encoding: 'iso-8859-1' },
    expected: { accepted: 1, rows: [{ customer_id: 'Zoë' }] },
  },
  {
    name: 'a wrong byte in what is said to be UTF-8',
    make: made(
      'wrong.csv',
      Buffer.concat([
        Buffer.from(HEADER + row(1)),
        Buffer.from(row(2, 'Zo\xeb'), 'latin1'),
        Buffer.from(row(3)),
      ]),
    ),
    format: { encoding: 'utf-8' },
    expected: {
      accepted: 2,
      refused: { 'unreadable-line': 1 },
      malformed: [/^line 3: is not UTF-8 text \| Zo/],
    },
  },
  {
    name: 'a NUL byte in a row',
    make: made('nul.csv', HEADER + row(1) + row(2, '178\u000052') + row(3)),
    expected: {
      accepted: 2,
      refused: { 'unreadable-line': 1 },
      malformed: [/^line 3: holds a NUL byte \| 178 52,/],
    },
  },
];

const packed: CorpusCase[] = [
  { name: 'gzip', make: made('rows.csv.gz', gzipSync(THREE)), expected: GOOD },
  {
    name: 'gzip in two members',
    make: made('rows.csv.gz', Buffer.concat([gzipSync(HEADER + row(1)), gzipSync(row(2) + row(3))])),
    expected: GOOD,
  },
  {
    name: 'gzip with a line too long',
    make: made('rows.tsv.gz', gzipSync(THREE.replaceAll(',', '\t').replace('L-2', 'L-2\tmore'))),
    expected: { accepted: 2, refused: { 'unreadable-line': 1 }, malformed: [/^line 3: has 7 fields/] },
  },
  {
    name: 'gzip that was cut off within its first bytes',
    make: made('cut.csv.gz', gzipSync(THREE).subarray(0, 30)),
    expected: {
      code: 'EXTRACT_UNREADABLE',
      message: /cut\.csv\.gz is a gzip file that is damaged or was cut off/,
    },
  },
  {
    name: 'gzip that was cut off far behind',
    make: async (folder) => {
      const lines = Array.from(
        { length: 200_000 },
        (_, i) => `${(i * 7919) % 10_007},${i},2026-01-01,1,1,${i}\n`,
      );
      const whole = gzipSync(HEADER + lines.join(''), { level: 1 });
      return made('cut.csv.gz', whole.subarray(0, whole.length - 1_000))(folder);
    },
    expected: { code: 'EXTRACT_UNREADABLE', message: /cut\.csv\.gz .*cut off.*sound up to line \d{4,}/ },
  },
  {
    name: 'text that says it is gzip',
    make: made('plain.csv.gz', THREE),
    expected: {
      code: 'EXTRACT_UNREADABLE',
      message: /plain\.csv\.gz needs to be csv\.gz, it looks like plain text/,
    },
  },
  {
    name: 'gzip that says it is text',
    make: made('packed.csv', gzipSync(THREE)),
    expected: { code: 'EXTRACT_UNREADABLE', message: /packed\.csv .* a gzip file/ },
  },
  {
    name: 'gzip of nothing',
    make: made('none.csv.gz', gzipSync('')),
    expected: { code: 'EXTRACT_EMPTY', message: /none\.csv\.gz has no lines/ },
  },
  { name: 'Zstandard', make: packedMany, expected: { accepted: 20_000 } },
  {
    name: 'Zstandard that was cut off',
    make: async (folder) => cutOff(await packedMany(folder), 200_000),
    expected: {
      code: 'EXTRACT_UNREADABLE',
      message: /many\.csv\.zst is a zstd file that is damaged or was cut off/,
    },
  },
  {
    name: 'text that says it is Zstandard',
    make: made('plain.csv.zst', THREE),
    expected: { code: 'EXTRACT_UNREADABLE', message: /plain\.csv\.zst needs to be csv\.zst/ },
  },
];

const parquet: CorpusCase[] = [
  { name: 'Parquet', make: (folder) => copied(join(folder, 'rows.parquet'), ROWS), expected: GOOD },
  {
    name: 'Parquet with a nested column that is not mapped',
    make: (folder) =>
      copied(
        join(folder, 'nested.parquet'),
        `SELECT *, {'street': 'x'} AS address, [1] AS tags FROM (${ROWS})`,
      ),
    expected: GOOD,
  },
  {
    name: 'Parquet with a nested column that is mapped',
    make: (folder) =>
      copied(
        join(folder, 'nested.parquet'),
        `SELECT * REPLACE ({'id': customer} AS customer) FROM (${ROWS})`,
      ),
    expected: {
      code: 'EXTRACT_COLUMN_INVALID',
      message: /nested\.parquet needs one value per row in column customer \(as customer_id\), found STRUCT/,
    },
  },
  {
    name: 'Parquet with zones, doubles and gaps',
    make: (folder) =>
      copied(
        join(folder, 'typed.parquet'),
        `SELECT * REPLACE (CAST("at" AS TIMESTAMPTZ) AS "at", CASE range WHEN 0 THEN 1e308 WHEN 1 THEN 'nan'::DOUBLE ELSE -0.0 END AS price, customer::DOUBLE AS customer)
          FROM (${ROWS.replace('SELECT', 'SELECT range,')})`,
      ),
    timezone: 'Asia/Tokyo',
    expected: {
      accepted: 1,
      refused: { malformed: 1, 'without-price': 1 },
      malformed: ['unit_price=1e+308'],
      rows: [{ customer_id: '17850' }, { customer_id: '17851' }, { customer_id: '17852', unit_price: 0 }],
    },
  },
  {
    name: 'Parquet that was cut off',
    make: async (folder) => cutOff(await copied(join(folder, 'cut.parquet'), ROWS), 400),
    expected: { code: 'EXTRACT_UNREADABLE', message: /cut\.parquet .*cut off/ },
  },
  {
    name: 'Parquet whose middle is damaged',
    make: made('hollow.parquet', 'PAR1 not a footer at all PAR1'),
    expected: { code: 'EXTRACT_UNREADABLE', message: /hollow\.parquet cannot be read/ },
  },
  {
    name: 'Parquet that says it is text',
    make: (folder) => copied(join(folder, 'rows.csv'), ROWS),
    expected: { code: 'EXTRACT_UNREADABLE', message: /rows\.csv .* a Parquet file/ },
  },
  {
    name: 'text that says it is Parquet',
    make: made('rows.parquet', THREE),
    expected: { code: 'EXTRACT_UNREADABLE', message: /rows\.parquet .* plain text/ },
  },
  {
    name: 'Parquet with a column of the name of the row number',
    make: (folder) => copied(join(folder, 'rows.parquet'), `SELECT *, 7 AS file_row_number FROM (${ROWS})`),
    expected: GOOD,
  },
];

export const CONTENT_CASES: readonly CorpusCase[] = [...encodings, ...packed, ...parquet];
