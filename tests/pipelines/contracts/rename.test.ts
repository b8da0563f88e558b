import { describe, expect, test } from 'vitest';
import { parseRename } from '../../../pipelines/contracts/rename.ts';

const WISH = { segment: 'seg_0', name: 'Our best', because: 'the campaign', by: 'ann' };

describe('a wish to rename', () => {
  test.each([
    [{ ...WISH, segment: 'seg\0' }, 'found a segment with characters that cannot be seen'],
    [{ ...WISH, segment: '\ud83d' }, 'found a segment with characters that cannot be seen'],
    [
      { unreadable: 'a payload that is no JSON' },
      '"by": "who decides"} and may have {"seen": version}, found a payload',
    ],
  ])('%j is refused with what it needs', (sent, words) => {
    expect(() => parseRename(sent)).toThrow(words);
  });

  test('a refusal repeats no more than the beginnings of what was sent', () => {
    const unknown = Object.fromEntries('abcdefgh'.split('').map((name) => [name.repeat(9_000), 1]));
    expect(() => parseRename({ ...WISH, ...unknown })).toThrow(/^.{1,500}$/);
  });
});
