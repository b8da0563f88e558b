import type { CorpusCase } from './case.ts';
import { COLUMNS } from './read-extract.ts';

const orders = (...ids: string[]) => ids.map((order_id) => ({ order_id }));
const GOOD = { accepted: 3 };

const lines: CorpusCase[] = [
  { name: 'a plain file', file: 'plain.csv', expected: GOOD },
  { name: 'line ends of Windows', file: 'crlf.csv', expected: GOOD },
  { name: 'line ends of old Macs', file: 'cr.csv', expected: GOOD },
  { name: 'three kinds of line ends', file: 'mixed-line-ends.csv', expected: { accepted: 4 } },
  { name: 'no line end after the last row', file: 'no-final-line-end.csv', expected: GOOD },
  { name: 'empty and blank lines between rows', file: 'empty-lines.csv', expected: GOOD },
  { name: 'blank lines before the header', file: 'blank-lines-before-header.csv', expected: GOOD },
  { name: 'semicolons', file: 'semicolon.csv', expected: GOOD },
  { name: 'tabs', file: 'tab.tsv', expected: GOOD },
  { name: 'bars in a .txt', file: 'pipe.txt', expected: GOOD },
  { name: 'a delimiter that is named', file: 'caret.csv', format: { delimiter: '^' }, expected: GOOD },
  {
    name: 'a delimiter that is not named and not among the usual ones',
    file: 'caret.csv',
    expected: { code: 'EXTRACT_UNREADABLE', message: /caret\.csv .*single column.*format\.delimiter/ },
  },
  {
    name: 'a row too short',
    file: 'short-row.csv',
    expected: {
      accepted: 2,
      refused: { 'unreadable-line': 1 },
      malformed: ['line 3: has 3 fields where the header has 6 | 17852,O-2,2026-01-03 10:00:00'],
    },
  },
  {
    name: 'a row too long',
    file: 'long-row.csv',
    expected: {
      accepted: 2,
      refused: { 'unreadable-line': 1 },
      malformed: [/^line 3: has 7 fields where the header has 6 \| 17852,/],
    },
  },
  {
    name: 'ragged rows, several faults on a line, and a row of two lines too long',
    file: 'ragged.csv',
    expected: {
      accepted: 4,
      refused: { 'unreadable-line': 5 },
      malformed: [
        'line 3: has 1 field where the header has 6 | 1',
        /^line 4: has 9 fields where the header has 6 \| 17852,/,
        'line 6: has text after a closing quotation mark | "x"y,"z',
        'line 7: has 2 fields where the header has 6 | ,',
        /^line 9: has 7 fields where the header has 6 \| 17855,"O 5",2026/,
      ],
    },
  },
  {
    name: 'a delimiter at the end of each row',
    file: 'trailing-delimiter.csv',
    expected: { code: 'EXTRACT_UNREADABLE', message: /trailing-delimiter\.csv has no readable time/ },
  },
  { name: 'a delimiter at the end of each line', file: 'trailing-delimiter-everywhere.csv', expected: GOOD },
  {
    name: 'a comment between rows',
    file: 'comment-lines.csv',
    expected: {
      accepted: 2,
      refused: { 'unreadable-line': 1 },
      malformed: ['line 3: has 1 field where the header has 6 | # corrected on Monday'],
    },
  },
  {
    name: 'a comment before the header',
    file: 'comment-before-header.csv',
    expected: {
      code: 'EXTRACT_UNREADABLE',
      message: /first line names a single column; needs a header line/,
    },
  },
  {
    name: 'a line of totals at the end',
    file: 'footer.csv',
    expected: { accepted: 3, refused: { 'unreadable-line': 1 }, malformed: [/^line 5: .* \| Rows: 3$/] },
  },
  {
    name: 'a row of nothing',
    file: 'only-delimiters.csv',
    expected: { accepted: 2, refused: { 'without-customer': 1 } },
  },
];

const quotes: CorpusCase[] = [
  {
    name: 'a delimiter in quotation marks',
    file: 'delimiter-in-quotes.csv',
    expected: { accepted: 2, rows: orders('O-1, second', 'O-2') },
  },
  {
    name: 'doubled quotation marks',
    file: 'escaped-quotes.csv',
    expected: { accepted: 3, rows: orders('the "big" one', '"', 'O-3') },
  },
  {
    name: 'line breaks in quotation marks',
    file: 'line-break-in-quotes.csv',
    expected: { accepted: 4, rows: orders('O-1\nsecond line', 'O-2', 'O-3', 'O-4') },
  },
  { name: 'inch signs', file: 'inch-signs.csv', expected: { accepted: 3 } },
  {
    name: 'a quotation mark that is never closed, before others',
    file: 'unbalanced-quote.csv',
    expected: {
      accepted: 4,
      refused: { 'unreadable-line': 1 },
      malformed: [/^line 3: has a quotation mark that is never closed \| 17852,"O-2,2026/],
    },
  },
  {
    name: 'a quotation mark that is never closed, and none after it',
    file: 'unbalanced-quote-to-the-end.csv',
    expected: {
      accepted: 3,
      refused: { 'unreadable-line': 1 },
      malformed: [/^line 3: has a quotation mark that is never closed/],
    },
  },
  {
    name: 'text behind a quotation mark',
    file: 'text-after-quote.csv',
    expected: {
      accepted: 2,
      refused: { 'unreadable-line': 1 },
      malformed: [/^line 3: has text after a closing quotation mark/],
    },
  },
  {
    name: 'blanks around quotation marks',
    file: 'blanks-around-quotes.csv',
    expected: { accepted: 3, rows: orders('O-1, x', 'O-2', 'O-3') },
  },
];

const headers: CorpusCase[] = [
  { name: 'names in another case', file: 'header-in-other-case.csv', expected: GOOD },
  { name: 'names in quotation marks', file: 'quoted-header.csv', expected: GOOD },
  {
    name: 'a mapped column twice',
    file: 'duplicate-header.csv',
    columns: { ...COLUMNS, line_id: undefined },
    expected: {
      code: 'EXTRACT_COLUMN_INVALID',
      message: /duplicate-header\.csv needs one column price \(as unit_price\)/,
    },
  },
  {
    name: 'another column twice, and one without a name',
    file: 'duplicate-header-unmapped.csv',
    expected: GOOD,
  },
  {
    name: 'no header',
    file: 'missing-header.csv',
    expected: {
      code: 'EXTRACT_COLUMN_MISSING',
      message: /found a first line of 6 fields that looks like a row/,
      without: /17851|O-1/,
    },
  },
  {
    name: 'a column less',
    file: 'missing-column.csv',
    expected: {
      code: 'EXTRACT_COLUMN_MISSING',
      message: /missing-column\.csv needs column price .* found customer, order, at, pieces, cost, line/,
    },
  },
  {
    name: 'a header alone',
    file: 'header-only.csv',
    expected: { code: 'EXTRACT_EMPTY', message: /header-only\.csv has columns and no rows/ },
  },
  {
    name: 'nothing',
    file: 'empty.csv',
    expected: { code: 'EXTRACT_EMPTY', message: /empty\.csv has no content/ },
  },
  {
    name: 'blank lines alone',
    file: 'blank-lines-only.csv',
    expected: { code: 'EXTRACT_EMPTY', message: /blank-lines-only\.csv has no lines/ },
  },
  {
    name: 'one column',
    file: 'single-column.csv',
    expected: { code: 'EXTRACT_UNREADABLE', message: /single-column\.csv .*a single column/ },
  },
  {
    name: 'SQL in a column name',
    file: 'sql-in-column-name.csv',
    columns: { ...COLUMNS, unit_price: 'x"; DROP TABLE t; --' },
    expected: GOOD,
  },
  {
    name: 'quotation marks and letters of all kinds in column names',
    file: 'odd-column-names.csv',
    columns: { ...COLUMNS, customer_id: 'Kunde №', order_id: 'say "order"', unit_price: "preis'€" },
    expected: GOOD,
  },
  {
    name: 'JSON',
    file: 'json.csv',
    expected: { code: 'EXTRACT_UNREADABLE', message: /json\.csv .*looks like JSON/ },
  },
  {
    name: 'a web page',
    file: 'page.csv',
    expected: { code: 'EXTRACT_UNREADABLE', message: /page\.csv .*a web page/ },
  },
];

export const LINE_CASES: readonly CorpusCase[] = [...lines, ...quotes, ...headers];
