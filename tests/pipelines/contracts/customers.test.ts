import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareIds, customerCount, idAt, toCustomerIds } from '../../../pipelines/contracts/customers.ts';

describe('customer ids', () => {
  test('come back as they went in, in byte order, each once', () => {
    const ids = toCustomerIds(['b', 'é', 'a', 'b', 'ab', '10', '9']);
    expect(customerCount(ids)).toBe(6);
    // Bytes, not collation: digits before letters, é (C3 A9) after all of ASCII.
    expect(Array.from({ length: 6 }, (_, row) => idAt(ids, row))).toEqual(['10', '9', 'a', 'ab', 'b', 'é']);
  });

  test('no id at all is a list of none', () => {
    expect(customerCount(toCustomerIds([]))).toBe(0);
    expect(customerCount({ offsets: new Uint32Array(0), bytes: new Uint8Array(0) })).toBe(0);
  });

  test('two ids compare as their bytes do', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (left, right) => {
        const order = compareIds(toCustomerIds([left]), 0, toCustomerIds([right]), 0);
        expect(Math.sign(order)).toBe(Math.sign(Buffer.compare(Buffer.from(left), Buffer.from(right))));
      }),
    );
  });
});
