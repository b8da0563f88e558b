import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordScanner } from '../../../store/warehouse/csv-records.ts';

interface Scanned {
  records: string[];
  unreadable: string[];
  lines: number;
}

/** The text in pieces of the given sizes, over and over. */
function scan(
  text: string | Buffer,
  pieces: readonly number[] = [1_000_000],
  longest = 200,
  fields = 2,
): Scanned {
  const bytes = Buffer.from(text);
  const records: string[] = [];
  const unreadable: string[] = [];
  const scanner = new RecordScanner(
    { delimiter: ',', fields, longest },
    {
      onRecord: (data, begin, end) => records.push(data.toString('utf8', begin, end)),
      onUnreadable: (line, reason, data) =>
        unreadable.push(`${line} ${reason} ${data.toString('utf8', 0, 8)}`),
    },
  );
  for (let from = 0, i = 0; from < bytes.length; i++) {
    const size = pieces[i % pieces.length]!;
    scanner.push(bytes.subarray(from, from + size));
    from += size;
  }
  const counts = scanner.finish();
  expect(counts.records).toBe(records.length);
  expect(counts.unreadable).toBe(unreadable.length);
  return { records, unreadable, lines: scanner.line };
}

describe('records', () => {
  it.each<[string, string, string[], string[]]>([
    ['after the header', 'a,b\n1,2\n3,4', ['1,2', '3,4'], []],
    ['by any line end', 'a,b\r1,2\r\n3,4\n5,6\r', ['1,2', '3,4', '5,6'], []],
    ['with breaks in quotation marks', 'a,b\n"1\n\r\n",2\n3,4\n', ['"1\n\r\n",2', '3,4'], []],
    ['with marks doubled or within a field', 'a,b\n"""",5"\n', ['"""",5"'], []],
    ['not of lines without fields', '\na,b\n\n1,2\n  \n\n', ['1,2'], []],
    ['too short', 'a,b\n1\n3,4\n', ['3,4'], ['2 has 1 field where the header has 2 1']],
    ['too long', 'a,b\n1,2,3\n', [], ['2 has 3 fields where the header has 2 1,2,3']],
    [
      'that never close',
      'a,b\n"1,2\n3,4\n5,6',
      ['3,4', '5,6'],
      ['2 has a quotation mark that is never closed "1,2\n'],
    ],
    [
      'that close on the next one',
      'a,b\n1,"2\n3,"4"\n5,6\n',
      ['3,"4"', '5,6'],
      ['2 has a quotation mark that is never closed 1,"2\n'],
    ],
    [
      'with text behind a mark',
      'a,b\n"1"x,2\n3,4\n',
      ['3,4'],
      ['2 has text after a closing quotation mark "1"x,2\n'],
    ],
    ['with a NUL', 'a,b\n1,\0\n3,4\n', ['3,4'], ['2 holds a NUL byte 1,\0']],
  ])('%s', (_, text, records, unreadable) => {
    expect(scan(text)).toMatchObject({ records, unreadable });
  });

  it('longer than is read are given up to their line end, whatever stands in them', () => {
    const long = `${'x'.repeat(90)}"${'y'.repeat(200)}`;
    expect(scan(`a,b\n1,2\n${long},2\n3,4\n`)).toMatchObject({
      records: ['1,2', '3,4'],
      unreadable: ['3 is longer than 200 bytes xxxxxxxx'],
    });
  });

  it('longer than is read by a mark that does not close lose their first line only', () => {
    const rows = Array.from({ length: 100 }, (_, i) => `${i},x`);
    const { records, unreadable } = scan(`a,b\n1,"2\n${rows.join('\n')}\n"9",9\n`);
    expect(records).toEqual([...rows, '"9",9']);
    expect(unreadable).toEqual(['2 has a quotation mark that is never closed 1,"2\n']);
  });

  it('that are not UTF-8 are told apart from their neighbours', () => {
    const bytes = Buffer.concat([Buffer.from('a,b\n1,ë\n2,'), Buffer.of(0xeb), Buffer.from('\n3,€\n')]);
    for (const size of [1, 2, 3, 1000])
      expect(scan(bytes, [size])).toMatchObject({
        records: ['1,ë', '3,€'],
        unreadable: [expect.stringMatching(/^3 is not UTF-8/)],
      });
  });
});

describe('laws', () => {
  const text = fc
    .array(
      fc.constantFrom(
        'a',
        '1',
        ',',
        ',',
        '\n',
        '\n',
        '\r',
        '\r\n',
        '"',
        '"',
        ' ',
        'ë',
        '€',
        '\0',
        'xxxxxxxxxx',
      ),
      {
        maxLength: 120,
      },
    )
    .map((parts) => `h,k\n${parts.join('')}`);

  it('the verdict does not depend on where the pieces are cut', () => {
    fc.assert(
      fc.property(
        text,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
        (content, sizes) => {
          for (const longest of [12, 200])
            expect(scan(content, sizes, longest)).toEqual(scan(content, [1_000_000], longest));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('every character that is not a line end or a blank line is in a record or an unreadable line', () => {
    fc.assert(
      fc.property(text, (content) => {
        const kept: Buffer[] = [];
        const scanner = new RecordScanner(
          { delimiter: ',', fields: 2, longest: 200 },
          {
            onRecord: (data, begin, end) => kept.push(Buffer.from(data.subarray(begin, end))),
            onUnreadable: (_line, _reason, data) => kept.push(Buffer.from(data)),
          },
        );
        scanner.push(Buffer.from(content));
        scanner.finish();
        const letters = (all: string) => all.replace(/[\r\n ]/g, '');
        expect(letters(Buffer.concat(kept).toString())).toBe(letters(content.slice('h,k\n'.length)));
      }),
      { numRuns: 500 },
    );
  });
});
