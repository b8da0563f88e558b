import { describe, expect, test } from 'vitest';
import { parseStartInput } from '../../../pipelines/contracts/input.ts';

describe('parseStartInput', () => {
  test.each([undefined, null, {}])('nothing at all is a good input: %j', (input) => {
    expect(parseStartInput(input)).toEqual({});
  });

  test('every field may be given', () => {
    const input = {
      pipeline: 'shop',
      asOf: '2026-06-30',
      extract: '/data/x.csv',
      seed: 7,
      review: 'always',
      k: 5,
      beforePublished: 'refuse',
      timezone: 'Europe/Berlin',
    };
    expect(parseStartInput(input)).toEqual(input);
  });

  test.each([{ seed: 7 }, { k: 5 }])('what is the model’s is not for a run that assigns: %j', (input) => {
    expect(() => parseStartInput(input, 'assign')).toThrow(/fields: pipeline, asOf, extract, review/);
    expect(parseStartInput({ asOf: '2026-06-30' }, 'assign')).toEqual({ asOf: '2026-06-30' });
  });

  test.each([
    [{ pipline: 'shop' }, /pipline/],
    [{ asOf: '30.06.2026' }, /asOf: .*date/i],
    [{ asOf: '2026-02-30' }, /asOf/],
    [{ seed: -1 }, /seed: .*>=\s?0/],
    [{ seed: 1.5 }, /seed: .*int/],
    [{ review: 'sometimes' }, /review: .*"never"\|"when-unstable"\|"always"/],
    [{ pipeline: '' }, /pipeline: /],
    [{ k: 1 }, /k: needs a whole number from 2 to 64/],
    [{ k: 65 }, /k: needs a whole number from 2 to 64/],
    [{ k: 4.5 }, /k: needs a whole number from 2 to 64/],
    [{ k: '5' }, /k: .*number/],
    [{ k: null }, /k: .*number/],
    [{ extract: 3 }, /extract: .*string/],
    [{ timezone: 'Berlin' }, /timezone: needs an IANA time zone such as Europe\/London/],
    [{ extract: '/data/x\0.csv' }, /extract: needs one line of characters that can be seen/],
    [{ extract: '/data/\ud83d.csv' }, /extract: needs one line of characters that can be seen/],
    [{ unreadable: 'bytes' }, /start input: needs one JSON object, found bytes \(fields: pipeline, /],
    ['shop', /input: .*object/],
    [[1], /input: .*object/],
  ])('%j is refused with the field and what it needs', (input, message) => {
    expect(() => parseStartInput(input)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
    expect(() => parseStartInput(input)).toThrow(message);
  });

  test('a refusal is short, however much was sent', () => {
    const names = Array.from({ length: 1_000 }, (_, i) => `field-${i}`);
    const unknown = Object.fromEntries(names.map((name) => [name.padEnd(90, 'x'), 1]));
    expect(() => parseStartInput(unknown)).toThrow(/^.{100,500}\(fields: pipeline, .*, all optional\)$/);
    const wrong = { pipeline: 1, asOf: 1, extract: 1, seed: 'x', review: 1, k: 'x', timezone: 1 };
    expect(() => parseStartInput(wrong)).toThrow(/pipeline: .*; and 2 more \(fields: /);
  });

  test('a refusal lists the fields there are and every fault', () => {
    expect(() => parseStartInput({ seed: -1, asOf: 'soon' })).toThrow(
      /asOf: .*seed: .*\(fields: pipeline, asOf, extract, seed, review, k, beforePublished, timezone, all optional\)/,
    );
  });
});
