import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toCustomerIds } from '../../../pipelines/contracts/customers.ts';
import { joinCustomers } from '../../../pipelines/stages/match.ts';
import { type MovementInput, traceMovements } from '../../../pipelines/stages/movements.ts';

const base: MovementInput = {
  join: joinCustomers(
    toCustomerIds(['a', 'b', 'c', 'd', 'e', 'x']),
    toCustomerIds(['a', 'b', 'c', 'd', 'e', 'n']),
  ),
  previousIds: ['seg_p', 'seg_q'],
  currentIds: ['seg_q', 'seg_p'],
  // a..e: p p p q q; x, who is lost, was in q.
  previousLabels: Uint8Array.of(0, 0, 0, 1, 1, 1),
  // a stays in p; b, c go to q; d goes to p; e stays in q; n is new in q.
  labels: Uint8Array.of(1, 0, 0, 1, 0, 0),
  // The last model would have moved b, and e, whom the new model holds back.
  relabelled: Uint8Array.of(0, 1, 0, 1, 0, 0),
  spendCents: Float64Array.of(1, 10, 100, 1000, 10_000, 100_000),
  previousSpendCents: Float64Array.of(0, 0, 0, 0, 0, 7),
};

describe('traceMovements', () => {
  test('counts customers and money by way and cause', () => {
    expect(traceMovements(base).movements).toEqual([
      { from: null, to: 'seg_q', cause: 'behaviour', customers: 1, spendCents: 100_000 },
      { from: 'seg_p', to: 'seg_q', cause: 'behaviour', customers: 1, spendCents: 10 },
      { from: 'seg_p', to: 'seg_q', cause: 'model', customers: 1, spendCents: 100 },
      { from: 'seg_q', to: null, cause: 'behaviour', customers: 1, spendCents: 7 },
      { from: 'seg_q', to: 'seg_p', cause: 'model', customers: 1, spendCents: 1000 },
    ]);
  });

  test('totals follow the three-way decomposition', () => {
    const { stayed, behaviour, model } = traceMovements(base);
    expect(stayed).toEqual({ customers: 2, spendCents: 10_001 });
    // m0(x0) != m0(x1): b, e. m0(x1) != m1(x1): c, d, e (back in q).
    expect(behaviour).toEqual({ customers: 2, spendCents: 10_010 });
    expect(model).toEqual({ customers: 3, spendCents: 11_100 });
  });

  test('when the last model cannot read the new figures, moves are laid to the new one', () => {
    const { movements, behaviour, model } = traceMovements({ ...base, relabelled: null });
    expect([behaviour, model]).toEqual([null, null]);
    const between = movements.filter(({ from, to }) => from !== null && to !== null);
    expect(between.map(({ cause }) => cause)).toEqual(['model', 'model']);
  });

  test('every customer of either run is counted once', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 1 });
    fc.assert(
      fc.property(ids, ids, fc.infiniteStream(fc.nat(2)), (before, after, labels) => {
        const take = (n: number) => Uint8Array.from({ length: n }, () => labels.next().value!);
        const text = (all: number[]) => toCustomerIds(all.map((id) => `c${id}`));
        const { movements, stayed } = traceMovements({
          ...base,
          join: joinCustomers(text(before), text(after)),
          previousIds: ['seg_1', 'seg_2', 'seg_3'],
          currentIds: ['seg_2', 'seg_4', 'seg_1'],
          previousLabels: take(before.length),
          labels: take(after.length),
          relabelled: take(after.length),
          spendCents: null,
          previousSpendCents: null,
        });
        const sum = (all: typeof movements) => all.reduce((total, { customers }) => total + customers, 0);
        expect(stayed.customers + sum(movements.filter(({ to }) => to !== null))).toBe(after.length);
        expect(stayed.customers + sum(movements.filter(({ from }) => from !== null))).toBe(before.length);
        expect(new Set(movements.map(({ from, to, cause }) => `${from} ${to} ${cause}`)).size).toBe(
          movements.length,
        );
      }),
    );
  });
});
