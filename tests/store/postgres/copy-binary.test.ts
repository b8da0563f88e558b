import { describe, expect, test } from 'vitest';
import { encodeMemberships } from '../../../store/postgres/copy-binary.ts';
import { memberships } from './fixture.ts';

const encode = (...args: Parameters<typeof encodeMemberships>) =>
  Buffer.concat([...encodeMemberships(...args)]);

test('one row is these bytes', () => {
  const rows = memberships(['7'], ['seg_x']);
  // Expected bytes: PostgreSQL manual, "COPY", section "Binary Format".
  const expected = [
    '5047434f50590aff0d0a00 00000000 00000000', // signature, flags, no extension
    '0005', // five fields
    '00000001 72', // r
    '00000001 37', // 7
    '00000005 7365675f78', // seg_x
    '00000004 3f000000', // 0.5
    '00000004 3f800000', // 1
    'ffff',
  ];
  expect(encode('r', rows, 10).toString('hex')).toBe(expected.join('').replaceAll(' ', ''));
});

test('with causes a row has a sixth field, null for who is where they were', () => {
  const rows = memberships(['7', '8'], ['s']);
  const moveCauses = { codes: Uint8Array.of(0, 1), words: [null, 'model'] };
  const expected = [
    '5047434f50590aff0d0a00 00000000 00000000',
    ...['0006 00000001 72 00000001 37 00000001 73', '00000004 3f000000 00000004 3f800000 ffffffff'],
    ...['0006 00000001 72 00000001 38 00000001 73', '00000004 3fc00000 00000004 3f000000'],
    '00000005 6d6f64656c', // model
    'ffff',
  ];
  expect(encode('r', { ...rows, moveCauses }, 1).toString('hex')).toBe(expected.join('').replaceAll(' ', ''));
});

test('no rows are a signature and an end', () => {
  expect(encode('r', memberships([], ['seg_x']), 10).length).toBe(19 + 2);
});

test('the size of the chunks changes no byte', () => {
  const ids = Array.from({ length: 100 }, (_, i) => `customer-${i}-${'ü'.repeat(i % 7)}`);
  const rows = memberships(ids, ['seg_x', 'seg_longer', 'seg_y']);
  const whole = encode('run', rows, 1_000);
  for (const chunkRows of [1, 7, 99, 100]) expect(encode('run', rows, chunkRows)).toEqual(whole);
});

describe('columns that do not fit are refused', () => {
  const rows = memberships(['1', '2'], ['seg_x', 'seg_y']);
  test.each([
    ['a missing distance', { distance: new Float32Array(1) }, 'columns of one length'],
    [
      'a missing id',
      { customers: { offsets: new Uint32Array(2), bytes: Buffer.from('1') } },
      'columns of one length',
    ],
    ['a missing cause', { moveCauses: { codes: new Uint8Array(1), words: [null] } }, 'columns of one length'],
    [
      'a cause without a word',
      { moveCauses: { codes: Uint8Array.of(0, 1), words: [null] } },
      'found 1 words',
    ],
    ['a label without a segment', { segmentIds: ['seg_x'] }, 'a segment for label 1, found 1 segments'],
  ])('%s', (_, change, text) => {
    expect(() => encode('r', { ...rows, ...change }, 10)).toThrow(RangeError);
    expect(() => encode('r', { ...rows, ...change }, 10)).toThrow(text);
  });
});
