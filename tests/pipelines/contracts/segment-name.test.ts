import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PipelineError } from '../../../pipelines/contracts/errors.ts';
import { parseRename } from '../../../pipelines/contracts/rename.ts';
import {
  checkPerson,
  checkReason,
  checkSegmentName,
  holderOf,
  NAME_LENGTH,
  segmentNameKey,
} from '../../../pipelines/contracts/segment-name.ts';

function refusalOf(work: () => unknown): string {
  try {
    return `not refused: ${JSON.stringify(work())}`;
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

const accepted = (given: string): string | null => {
  try {
    return checkSegmentName(given);
  } catch {
    return null;
  }
};

describe('a name that a person gives', () => {
  test.each([
    ['Our best', 'Our best'],
    ['  Our \u00a0 best\n', 'Our best'],
    ['R&B fans & co.', 'R&B fans & co.'],
    ['Stammkunden (Süd), 2. Welle', 'Stammkunden (Süd), 2. Welle'],
    ['Cafe\u0301-Gäste', 'Café-Gäste'],
    ['常连客', '常连客'],
    ['می\u200cخرند', 'می\u200cخرند'],
    ['"Whales"', '"Whales"'],
    ['3× a year', '3× a year'],
    ['🔥 buyers', '🔥 buyers'],
    ['Segue', 'Segue'],
  ])('%j is kept as %j', (given, kept) => {
    expect(checkSegmentName(given)).toBe(kept);
  });

  test.each([
    ['', 'needs a letter or a digit, found nothing; say in a few words who they are'],
    [' \n ', 'found nothing'],
    ['???', 'needs a letter or a digit, found "???"'],
    ['🔥', 'needs a letter or a digit'],
    ['Our\nbest', 'needs one line of characters that can be seen, found U+000A'],
    ['Our\tbest', 'found U+0009'],
    ['Our\u2028best', 'found U+2028'],
    ['Our \u001b[31mbest', 'found U+001B'],
    ['Our\u200bbest', 'found U+200B'],
    // Letters and signs by their class, and nothing to see.
    ['\u3164', 'found U+3164'],
    ['Our\u034fbest', 'found U+034F'],
    ['Our best\u2800', 'found U+2800'],
    ['\u202eour best', 'found U+202E'],
    ['Our best\ud800', 'found U+D800'],
    ['Stra\ufffde', 'found U+FFFD'],
    ['Our <b>best</b>', 'needs plain text, without markup, found "<b>"'],
    ['< 5 orders', 'found "<"'],
    ['Our &lt;best', 'found "&lt;"'],
    ['**Our** best', 'found "**"'],
    ['[Our best](x)', 'found "]("'],
    ['Hello {{name}}', 'found "{{"'],
    [
      '=SUM(A1)',
      'needs to begin otherwise than a formula, which = + - and @ are to a spreadsheet, found "="',
    ],
    [' +49', 'found "+"'],
    ['-best', 'found "-"'],
    ['@best', 'found "@"'],
    ['\uff1dbest', 'found "\uff1d"'],
    ['seg_0123', 'needs to be no id, which is what begins with seg_, found "seg_0123"'],
    ['SEG_X', 'needs to be no id'],
    ['Stingy seniors', 'needs words on what customers do, found "Stingy", "seniors"'],
    ['x'.repeat(NAME_LENGTH + 1), 'needs at most 60 characters, found 61; shorten it'],
  ])('%j is refused: %s', (given, words) => {
    const refusal = refusalOf(() => checkSegmentName(given));
    expect(refusal).toContain("NAME_REFUSED: a segment's name ");
    expect(refusal).toContain(words);
  });

  test('as long as may be is kept, counted in characters and not in bytes', () => {
    expect(checkSegmentName('ü'.repeat(NAME_LENGTH))).toHaveLength(NAME_LENGTH);
    expect(checkSegmentName(`a${'🔥'.repeat(NAME_LENGTH - 1)}`)).toBeTruthy();
  });

  test('law: what is kept is kept as it is when it is given again, and breaks no rule', () => {
    const pieces = fc.constantFrom(
      ...[
        'a',
        'Ä',
        'e\u0301',
        ' ',
        '\u00a0',
        '\n',
        '<',
        '>',
        '=',
        '-',
        '@',
        '\u200b',
        'seg_',
        '7',
        '*',
        '&',
        ';',
        '🔥',
        '\ud800',
      ],
    );
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(anything, (given) => {
        const name = accepted(given);
        if (name === null) return;
        expect(checkSegmentName(name)).toBe(name);
        expect(name).toBe(name.normalize('NFC').trim());
        expect([...name].length).toBeLessThanOrEqual(NAME_LENGTH);
        expect(name).toMatch(/[\p{L}\p{N}]/u);
        expect(name).not.toMatch(/[<>`\p{Cc}\p{Zl}\p{Zp}]|^[=+\-@]|^seg_| {2}/u);
      }),
    );
  });
});

describe('whether two names are one', () => {
  const words = fc
    .array(fc.string({ unit: fc.constantFrom(...'abcxyzäöüéñß0123456789'), minLength: 1, maxLength: 8 }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => parts.join(' '));

  test('law: capitals, spacing and the form of Unicode do not count', () => {
    fc.assert(
      fc.property(words, fc.constantFrom('NFC', 'NFD', 'NFKD'), (name, form) => {
        const key = segmentNameKey(name);
        expect(segmentNameKey(name.toUpperCase())).toBe(key);
        expect(segmentNameKey(` ${name.replaceAll(' ', '\u00a0 ')} `)).toBe(key);
        expect(segmentNameKey(name.normalize(form))).toBe(key);
        expect(segmentNameKey(key)).toBe(key);
      }),
    );
  });

  test.each([
    ['Straße', 'STRASSE', true],
    ['Best', 'Be\u200dst', true],
    ['Best', 'Ｂest', true],
    ['Our best', 'Our rest', false],
    ['Best', 'Best!', false],
  ])('%j and %j: %j', (left, right, isOne) => {
    expect(segmentNameKey(left) === segmentNameKey(right)).toBe(isOne);
  });

  test('a segment does not stand in its own way', () => {
    const among = [
      { segmentId: 'seg_1', name: 'Our best' },
      { segmentId: 'seg_2', name: 'Others' },
    ];
    expect(holderOf('OUR BEST', { segmentId: 'seg_1', among })).toBeUndefined();
    expect(holderOf('OUR BEST', { segmentId: 'seg_2', among })).toBe(among[0]);
  });
});

test('reasons and people are one line of text, and not without end', () => {
  expect(checkReason(' the spring\n campaign ')).toBe('the spring campaign');
  expect(checkPerson('Ann Müller')).toBe('Ann Müller');
  expect(refusalOf(() => checkReason(' '))).toBe('INPUT_INVALID: the reason needs a few words, found none');
  expect(refusalOf(() => checkReason('x'.repeat(501)))).toContain('needs at most 500 characters, found 501');
  expect(refusalOf(() => checkPerson('ann\u001b[2J'))).toContain('needs characters that can be seen');
});

test('a wish is taken with its texts as they are kept, and nothing else', () => {
  const wish = { segment: ' seg_1 ', name: ' Our  best', because: ' why ', by: 'ann', seen: 2 };
  expect(parseRename(wish)).toEqual({
    segment: 'seg_1',
    name: 'Our best',
    because: 'why',
    by: 'ann',
    seen: 2,
  });
  expect(refusalOf(() => parseRename({ ...wish, name: `${' '.repeat(1_000)}x` }))).toContain(
    'more than 1000 characters',
  );
  for (const seen of [0, 1.5, '2', null])
    expect(refusalOf(() => parseRename({ ...wish, seen }))).toContain('INPUT_INVALID');
});
