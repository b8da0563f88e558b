import { chmod, mkdir, open, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { CorpusCase } from './case.ts';
import { copied, cutOff, GOOD, HEADER, made, ROWS, row, THREE } from './make.ts';

const others: CorpusCase[] = [
  {
    name: 'a zip archive',
    make: made('rows.csv', 'PK\u0003\u0004'),
    expected: { code: 'EXTRACT_UNREADABLE', message: /rows\.csv .*zip archive or an Excel/ },
  },
  {
    name: 'binary data',
    make: made('rows.csv', 'a,b\n\0\0'),
    expected: { code: 'EXTRACT_UNREADABLE', message: /rows\.csv .*binary data/ },
  },
  {
    name: 'a workbook',
    make: made('rows.xlsx', 'PK'),
    expected: { code: 'EXTRACT_UNREADABLE', message: /rows\.xlsx needs an ending of \.csv/ },
  },
  {
    name: 'a folder',
    make: async (folder) => {
      await mkdir(join(folder, 'rows.csv'));
      return join(folder, 'rows.csv');
    },
    expected: { code: 'EXTRACT_UNREADABLE', message: /rows\.csv needs to be a file, found a folder/ },
  },
  {
    name: 'no file',
    make: async (folder) => join(folder, 'gone.csv'),
    expected: { code: 'EXTRACT_NOT_FOUND', message: /gone\.csv is not there/ },
  },
  {
    name: 'a path that climbs to no file',
    make: async (folder) => join(folder, '../../../../../../../../etc/passwd.csv'),
    expected: { code: 'EXTRACT_NOT_FOUND', message: /\/etc\/passwd\.csv is not there/ },
  },
  {
    name: 'a path that climbs to a file of no kind',
    make: async (folder) => `${folder}/../../../../../../../etc/passwd`,
    expected: { code: 'EXTRACT_UNREADABLE', message: /passwd needs an ending/ },
  },
  {
    name: 'a pattern that climbs',
    make: async (folder) => `${folder}/*/../../*.csv`,
    expected: { code: 'EXTRACT_UNREADABLE', message: /needs to stay below its folder, found \.\./ },
  },
  {
    name: 'a link out of the folder',
    make: async (folder) => {
      await mkdir(join(folder, 'exports'));
      await made('outside.csv', THREE)(folder);
      await symlink('../outside.csv', join(folder, 'exports/rows.csv'));
      return join(folder, 'exports/*.csv');
    },
    expected: { code: 'EXTRACT_UNREADABLE', message: /rows\.csv is a link that leads out of .*exports/ },
  },
  {
    name: 'a link within the folder',
    make: async (folder) => {
      await made('2026-01.csv', THREE)(folder);
      await symlink('2026-01.csv', join(folder, 'latest.csv'));
      return join(folder, 'latest.csv');
    },
    expected: GOOD,
  },
  {
    name: 'a file that may not be read',
    make: async (folder) => {
      const path = await made('secret.csv', THREE)(folder);
      await chmod(path, 0);
      return path;
    },
    // Whoever is root may read everything.
    expected:
      process.getuid?.() === 0
        ? GOOD
        : { code: 'EXTRACT_UNREADABLE', message: /secret\.csv may not be read by this user/ },
  },
];

const BLANKS = 'x'.repeat(1_048_576);

const large: CorpusCase[] = [
  {
    name: '10,000 columns',
    make: async (folder) => {
      const more = Array.from({ length: 9_994 }, (_, i) => `a rather long name of column ${i}`).join(',');
      const lines = [1, 2, 3].map((i) => row(i).trim() + ','.repeat(9_994));
      return made('columns.csv', `${HEADER.trim()},${more}\n${lines.join('\n')}\n`)(folder);
    },
    expected: GOOD,
  },
  {
    name: 'a thousand columns, none of them the right one',
    make: made('columns.csv', `${Array.from({ length: 1000 }, (_, i) => `name_${i}`).join(',')}\n`),
    expected: { code: 'EXTRACT_COLUMN_MISSING', message: /name_39 and 960 more/, without: /name_40\b/ },
  },
  {
    name: 'one line of 1 GB',
    make: async (folder) => {
      const path = await made('long.csv', HEADER.trim() + BLANKS)(folder);
      return cutOff(path, 2 ** 30);
    },
    expected: {
      code: 'EXTRACT_UNREADABLE',
      message: /long\.csv .*first line is longer than 1,000,000 bytes/,
    },
  },
  {
    name: 'a row of 1 GB between others',
    make: async (folder) => {
      const path = await made('long.csv', `${HEADER}${row(1)}17852,${BLANKS}`)(folder);
      await truncate(path, 2 ** 30);
      const file = await open(path, 'a');
      await file.write(`\n${row(3)}`);
      await file.close();
      return path;
    },
    expected: {
      accepted: 2,
      refused: { 'unreadable-line': 1 },
      malformed: [/^line 3: is longer than 1,000,000 bytes \| 17852,x{114}$/],
    },
  },
  {
    name: 'a quotation mark that is never closed before 3 MB of rows',
    make: async (folder) => {
      const rows = Array.from(
        { length: 60_000 },
        (_, i) => `${i},O-${i},2026-01-02 10:00:00,2,2.50,M-${i}\n`,
      );
      return made('open.csv', `${HEADER}17850,"O-1,2026-01-02,2,2.50,L-1\n${rows.join('')}`)(folder);
    },
    expected: {
      accepted: 60_000,
      refused: { 'unreadable-line': 1 },
      malformed: [/^line 2: has a quotation mark that is never closed/],
    },
  },
  {
    name: 'every second row broken',
    make: async (folder) => {
      const rows = Array.from(
        { length: 60_000 },
        (_, i) => `${i},O-${i},2026-01-02 10:00:00,2,2.50,M-${i}${i % 2 ? ',x,"y"z' : ''}\n`,
      );
      return made('broken.csv', HEADER + rows.join(''))(folder);
    },
    expected: { accepted: 30_000, refused: { 'unreadable-line': 30_000 } },
  },
];

const several: CorpusCase[] = [
  {
    name: 'several files with their columns in any order, one of them packed',
    make: async (folder) => {
      await made('b.csv', HEADER + row(1))(folder);
      await made('a.csv', `line;price;pieces;at;order;customer\nL-2;2.50;2;2026-01-02;O-2;17852\n`)(folder);
      await made('c.csv.gz', gzipSync(HEADER + row(3)))(folder);
      return join(folder, '*.csv*');
    },
    expected: GOOD,
  },
  {
    name: 'several files, one of them with a broken line',
    make: async (folder) => {
      await made('a.csv', HEADER + row(1))(folder);
      await made('b.csv', `${HEADER}${row(2)}broken\n`)(folder);
      return [join(folder, 'b.csv'), join(folder, 'a.csv')];
    },
    expected: {
      accepted: 2,
      refused: { 'unreadable-line': 1 },
      malformed: ['line 3 of b.csv: has 1 field where the header has 6 | broken'],
    },
  },
  {
    name: 'several files, one of them without a column',
    make: async (folder) => {
      await made('a.csv', THREE)(folder);
      await made('b.csv', 'customer,order,at,pieces,line\n')(folder);
      return join(folder, '*.csv');
    },
    expected: {
      code: 'EXTRACT_COLUMN_MISSING',
      message:
        /^extract b\.csv needs column price \(as unit_price\), found customer, order, at, pieces, line/,
    },
  },
  {
    name: 'Parquet files whose types differ, with rows of the same number',
    unique: ['line_id'],
    make: async (folder) => {
      await copied(join(folder, 'a.parquet'), ROWS);
      await copied(
        join(folder, 'b.parquet'),
        ROWS.replaceAll("'L-'", "'M-'").replace('2 AS pieces', '2.0::DOUBLE AS pieces'),
      );
      return join(folder, '*.parquet');
    },
    expected: { accepted: 6 },
  },
  {
    name: 'Parquet files with a line in both',
    unique: ['line_id'],
    make: async (folder) => {
      await copied(join(folder, 'a.parquet'), ROWS);
      await copied(join(folder, 'b.parquet'), ROWS);
      return join(folder, '*.parquet');
    },
    expected: { accepted: 3, refused: { duplicate: 3 } },
  },
  {
    name: 'Parquet files, one of them without a column',
    make: async (folder) => {
      await copied(join(folder, 'a.parquet'), ROWS);
      await copied(join(folder, 'b.parquet'), `SELECT * EXCLUDE (price) FROM (${ROWS})`);
      return join(folder, '*.parquet');
    },
    expected: { code: 'EXTRACT_COLUMN_MISSING', message: /^extract b\.parquet needs column price/ },
  },
  {
    name: 'text and Parquet together',
    make: async (folder) => [
      await made('a.csv', THREE)(folder),
      await copied(join(folder, 'b.parquet'), ROWS),
    ],
    expected: { code: 'EXTRACT_UNREADABLE', message: /all text or all Parquet, found a\.csv and b\.parquet/ },
  },
  {
    name: 'a pattern that fits nothing',
    make: async (folder) => join(folder, 'exports-*.csv'),
    expected: { code: 'EXTRACT_NOT_FOUND', message: /exports-\*\.csv needs to fit at least one file/ },
  },
  {
    name: 'files in folders below',
    make: async (folder) => {
      for (const [month, i] of [
        ['01', 1],
        ['02', 2],
      ] as const) {
        await mkdir(join(folder, month));
        await made(`${month}/rows.csv`, `${HEADER}${row(i)}broken\n`)(folder);
      }
      return join(folder, '**/*.csv');
    },
    expected: {
      accepted: 2,
      refused: { 'unreadable-line': 2 },
      malformed: [/^line 3 of 01\/rows\.csv: /, /^line 3 of 02\/rows\.csv: /],
    },
  },
];

export const FILE_CASES: readonly CorpusCase[] = [...others, ...large, ...several];
