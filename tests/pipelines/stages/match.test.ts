import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { customerCount, idAt, toCustomerIds } from '../../../pipelines/contracts/customers.ts';
import { countOverlaps, joinCustomers } from '../../../pipelines/stages/match.ts';

describe('joinCustomers', () => {
  test('finds the common, the new and the lost', () => {
    const join = joinCustomers(toCustomerIds(['a', 'b', 'd', 'z']), toCustomerIds(['b', 'c', 'd', 'e']));
    expect([...join.previousRow]).toEqual([1, -1, 2, -1]);
    expect([...join.lost]).toEqual([0, 3]);
    expect(join.common).toBe(2);
  });

  test('an empty side loses or wins everybody', () => {
    const some = toCustomerIds(['a', 'b']);
    const none = toCustomerIds([]);
    expect(joinCustomers(none, some)).toEqual({
      previousRow: Int32Array.of(-1, -1),
      lost: new Int32Array(0),
      common: 0,
    });
    expect(joinCustomers(some, none)).toEqual({
      previousRow: new Int32Array(0),
      lost: Int32Array.of(0, 1),
      common: 0,
    });
  });

  test('agrees with a join by text', () => {
    const ids = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }), { maxLength: 30 });
    fc.assert(
      fc.property(ids, ids, (left, right) => {
        const previous = toCustomerIds(left);
        const current = toCustomerIds(right);
        const rows = new Map(
          Array.from({ length: customerCount(previous) }, (_, row) => [idAt(previous, row), row]),
        );
        const names = Array.from({ length: customerCount(current) }, (_, row) => idAt(current, row));
        const join = joinCustomers(previous, current);
        expect([...join.previousRow]).toEqual(names.map((name) => rows.get(name) ?? -1));
        expect([...join.lost]).toEqual(
          [...rows].filter(([name]) => !names.includes(name)).map(([, row]) => row),
        );
        expect(join.common + join.lost.length).toBe(rows.size);
      }),
    );
  });

  test('ids out of order are refused, without being told', () => {
    const ids = toCustomerIds(['a', 'b']);
    const wrong = { ...ids, bytes: ids.bytes.slice().reverse() };
    const join = () => joinCustomers(ids, wrong);
    expect(join).toThrow(expect.objectContaining({ code: 'ARTIFACT_CORRUPT' }));
    expect(join).toThrow(/row 1 does not follow row 0/);
  });
});

test('countOverlaps counts common customers alone', () => {
  const join = joinCustomers(toCustomerIds(['a', 'b', 'c', 'd']), toCustomerIds(['b', 'c', 'd', 'e']));
  const { counts, rowTotals, columnTotals, total } = countOverlaps({
    join,
    previousLabels: Uint8Array.of(0, 0, 1, 1),
    previousK: 2,
    labels: Uint8Array.of(1, 2, 1, 0),
    k: 3,
  });
  // Rows: previous clusters 0 and 1; b 0 -> 1, c 1 -> 2, d 1 -> 1; a is lost and e is new.
  expect([...counts]).toEqual([0, 1, 0, 0, 1, 1]);
  expect([[...rowTotals], [...columnTotals], total]).toEqual([[1, 2], [0, 2, 1], 3]);
});
