import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toCustomerIds } from '../../../pipelines/contracts/customers.ts';
import { joinCustomers } from '../../../pipelines/stages/match.ts';
import {
  CAUSE_WORDS,
  causesOfCustomers,
  type MovementInput,
  traceMovements,
} from '../../../pipelines/stages/movements.ts';

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
  borders: { last: null, new: null },
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

  test('money that is not known is not 0: of nobody without spend, of the lost without figures of then', () => {
    const none = traceMovements({ ...base, spendCents: null, previousSpendCents: null });
    const { movements, stayed, moved, behaviour, model, lost } = none;
    expect(movements.map(({ spendCents }) => spendCents)).toEqual(movements.map(() => null));
    for (const tally of [stayed, lost, none.new, behaviour!.border!, model!, ...Object.values(moved!)])
      expect(tally.spendCents).toBeNull();
    const now = traceMovements({ ...base, previousSpendCents: null });
    for (const { to, spendCents } of now.movements) expect(spendCents === null).toBe(to === null);
    expect([now.lost.spendCents, now.new.spendCents]).toEqual([null, 100_000]);
  });

  test('totals follow the three-way decomposition', () => {
    const { stayed, behaviour, model, moved, noiseBands } = traceMovements(base);
    const border = { customers: 0, spendCents: 0 };
    expect(stayed).toEqual({ customers: 2, spendCents: 10_001 });
    // m0(x0) != m0(x1): b, e. m0(x1) != m1(x1): c, d, e (back in q).
    expect(behaviour).toEqual({ customers: 2, spendCents: 10_010, border });
    expect(model).toEqual({ customers: 3, spendCents: 11_100, border });
    expect(moved).toEqual({
      behaviour: { customers: 1, spendCents: 10 },
      model: { customers: 2, spendCents: 1100 },
      border,
    });
    expect(noiseBands).toEqual({ last: null, new: null });
  });

  // b near a border of the last model, c near one of the new; d's margin is at the band, a and e did not move.
  const near: MovementInput = {
    ...base,
    borders: {
      last: { margins: [1, 0.1, 1, 1, 1, 0], noiseBand: 0.2 },
      new: { margins: [0, 1, 0.25, 0.3, 0.1, 0], noiseBand: 0.3 },
    },
  };

  test('moves at a border of either model are a cause of their own, and nobody is counted twice', () => {
    const { movements, moved, stayed, behaviour, model, noiseBands } = traceMovements(near);
    expect(movements.filter(({ from, to }) => from !== null && to !== null)).toEqual([
      { from: 'seg_p', to: 'seg_q', cause: 'border', customers: 2, spendCents: 110 },
      { from: 'seg_q', to: 'seg_p', cause: 'model', customers: 1, spendCents: 1000 },
    ]);
    expect(moved).toEqual({
      behaviour: { customers: 0, spendCents: 0 },
      model: { customers: 1, spendCents: 1000 },
      border: { customers: 2, spendCents: 110 },
    });
    expect(stayed).toEqual({ customers: 2, spendCents: 10_001 });
    // The inequalities stay what they are; b and e of the first, c and e of the second are at a border.
    expect(behaviour).toMatchObject({ customers: 2, border: { customers: 2, spendCents: 10_010 } });
    expect(model).toMatchObject({ customers: 3, border: { customers: 2, spendCents: 10_100 } });
    expect(noiseBands).toEqual({ last: 0.2, new: 0.3 });
  });

  test('each customer has the cause that the movements count', () => {
    const words = Array.from(causesOfCustomers(near), (code) => CAUSE_WORDS[code]);
    expect(words).toEqual([null, 'border', 'border', 'model', null, 'behaviour']);
  });

  test('the matrix tells where the customers of each segment are, with new and lost', () => {
    const { migration } = traceMovements(base);
    expect(migration!.rows.map(({ from, customers, spendCents }) => [from, customers, spendCents])).toEqual([
      ['seg_p', 3, 111],
      ['seg_q', 3, 11_007],
      [null, 1, 100_000],
    ]);
    const [ofP, ofQ, ofNew] = migration!.rows;
    expect(ofP!.cells.map(({ to, customers }) => [to, customers])).toEqual([
      ['seg_q', 2],
      ['seg_p', 1],
      [null, 0],
    ]);
    // Equal-tailed interval of Beta(2.5, 2): a cell of 2 among 3 customers with two others. scipy 1.17.1, beta.ppf
    expect([ofP!.cells[0]!.low, ofP!.cells[0]!.high]).toEqual([
      expect.closeTo(0.14471133747242967, 9) as number,
      expect.closeTo(0.9212944761712729, 9) as number,
    ]);
    expect(ofP!.cells[0]).toMatchObject({ share: 2 / 3, spendCents: 110, spendShare: 110 / 111 });
    expect(ofQ!.cells.map(({ customers }) => customers)).toEqual([1, 1, 1]);
    expect(ofQ!.entropy).toBeCloseTo(1, 12);
    // Who is new cannot be lost.
    expect(ofNew!.cells.map(({ to, customers }) => [to, customers])).toEqual([
      ['seg_q', 1],
      ['seg_p', 0],
    ]);
    // (2 - (1 / 3 + 1 / 2)) / (2 - 1)
    expect(migration!.mobility).toBeCloseTo(2 - 5 / 6, 12);
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
      fc.property(ids, ids, fc.infiniteStream(fc.nat(2)), fc.nat(2), (before, after, labels, band) => {
        const take = (n: number) => Uint8Array.from({ length: n }, () => labels.next().value!);
        const text = (all: number[]) => toCustomerIds(all.map((id) => `c${id}`));
        const input: MovementInput = {
          ...base,
          join: joinCustomers(text(before), text(after)),
          previousIds: ['seg_1', 'seg_2', 'seg_3'],
          currentIds: ['seg_2', 'seg_4', 'seg_1'],
          previousLabels: take(before.length),
          labels: take(after.length),
          relabelled: take(after.length),
          borders: { last: null, new: { margins: take(after.length), noiseBand: band } },
          spendCents: null,
          previousSpendCents: null,
        };
        const { movements, stayed, migration } = traceMovements(input);
        const sum = (all: typeof movements) => all.reduce((total, { customers }) => total + customers, 0);
        expect(stayed.customers + sum(movements.filter(({ to }) => to !== null))).toBe(after.length);
        expect(stayed.customers + sum(movements.filter(({ from }) => from !== null))).toBe(before.length);
        expect(new Set(movements.map(({ from, to, cause }) => `${from} ${to} ${cause}`)).size).toBe(
          movements.length,
        );
        const causes = Array.from(causesOfCustomers(input), (code) => CAUSE_WORDS[code]);
        for (const cause of ['behaviour', 'model', 'border'] as const) {
          const told = movements.filter((movement) => movement.to !== null && movement.cause === cause);
          expect(causes.filter((word) => word === cause)).toHaveLength(sum(told));
        }
        const cells = migration!.rows.flatMap((row) =>
          row.cells.map((cell) => ({ ...cell, from: row.from })),
        );
        const customersOf = (of: typeof cells) => of.reduce((total, { customers }) => total + customers, 0);
        expect(customersOf(cells.filter(({ from, to }) => from === to))).toBe(stayed.customers);
        for (const { from, to, customers } of cells.filter((cell) => cell.from !== cell.to)) {
          expect(customers).toBe(sum(movements.filter((move) => move.from === from && move.to === to)));
        }
      }),
    );
  });
});
