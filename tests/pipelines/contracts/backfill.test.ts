import { describe, expect, test } from 'vitest';
import { parseBackfillInput } from '../../../pipelines/contracts/backfill.ts';

describe('parseBackfillInput', () => {
  test.each([undefined, null, {}])('nothing at all is a good input, and asks nobody: %j', (input) => {
    expect(parseBackfillInput(input)).toEqual({
      every: 'month',
      review: 'never',
      stopOn: 'never',
      again: false,
    });
  });

  test('every field may be given', () => {
    const input = {
      pipeline: 'shop',
      from: '2026-01-31',
      to: '2026-06-30',
      every: 'week',
      extract: '/data/x.csv',
      seed: 7,
      k: 4,
      review: 'when-unstable',
      stopOn: 'unpublished',
      again: true,
    };
    expect(parseBackfillInput(input)).toEqual(input);
  });

  test.each([
    [{ form: '2026-01-01' }, /form/],
    [{ from: '2026-02-30' }, /from: .*date/i],
    [{ to: 'yesterday' }, /to: .*date/i],
    [{ from: '2026-06-30', to: '2026-01-31' }, /to: needs from <= to/],
    [{ every: 'year' }, /every: .*"day"\|"week"\|"month"/],
    [{ k: 1 }, /k: needs a whole number from 2 to 64/],
    [{ review: 'sometimes' }, /review: /],
    [{ stopOn: 'held' }, /stopOn: .*"never"\|"failed"\|"unpublished"/],
    [{ again: 'true' }, /again: .*boolean/],
    ['shop', /input: .*object/],
    [[1], /input: .*object/],
  ])('%j is refused with the field, what it needs, and the fields there are', (input, message) => {
    expect(() => parseBackfillInput(input)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
    expect(() => parseBackfillInput(input)).toThrow(message);
    expect(() => parseBackfillInput(input)).toThrow(/fields: pipeline, from, to, every/);
  });
});
