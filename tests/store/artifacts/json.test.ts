import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PipelineError } from '../../../pipelines/contracts/errors.ts';
import { decodeJson, digestOf, encodeJson } from '../../../store/artifacts/json.ts';

test('the order in which keys were set changes no byte', () => {
  expect(encodeJson({ b: [1, { d: 1, c: 2 }], a: 'é' }).toString()).toBe('{"a":"é","b":[1,{"c":2,"d":1}]}\n');
});

test('keys sort by code unit, as RFC 8785 has it', () => {
  // Input and expected order: RFC 8785, section 3.2.3.
  const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
  const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'];
  const text = encodeJson(Object.fromEntries(keys.map((key) => [key, true]))).toString();
  const found = text.match(/"(?:[^"\\]|\\.)*"/g)?.map((key): unknown => JSON.parse(key));
  expect(found).toEqual(sorted);
});

test('a key without a value is left out, zero has one sign', () => {
  expect(encodeJson({ a: undefined, b: -0, c: 1e21 }).toString()).toBe('{"b":0,"c":1e+21}\n');
});

test.each([
  ['a number that is none', { a: [0, Number.NaN] }, '$.a[1]'],
  ['an infinity', Number.POSITIVE_INFINITY, '$'],
  ['a typed array', { columns: new Float64Array(2) }, 'Float64Array at $.columns'],
  ['a date', { at: new Date(0) }, 'Date at $.at'],
  ['a bigint', { n: 1n }, 'bigint at $.n'],
  ['nothing at all', undefined, 'undefined at $'],
])('%s is refused with its place', (_, value, place) => {
  expect(() => encodeJson(value)).toThrow(RangeError);
  expect(() => encodeJson(value)).toThrow(place);
});

test('what was encoded is decoded, for any JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const expected: unknown = JSON.parse(JSON.stringify(value));
      expect(decodeJson(encodeJson(value))).toEqual(expected);
    }),
  );
});

test('bytes that are not JSON are called corrupt', () => {
  expect(() => decodeJson(Buffer.from('{"a":'))).toThrow(
    expect.objectContaining({ name: 'PipelineError', code: 'ARTIFACT_CORRUPT' }) as PipelineError,
  );
});

test('a digest is that of the bytes a person can check with sha256sum', () => {
  // Expected value: printf '{"a":1}\n' | sha256sum
  expect(digestOf({ a: 1 })).toBe('e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c');
});
