import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decomposeMoves,
  type MoveCauseInput,
  type MoveTally,
} from '../../../pipelines/stages/move-causes.ts';

// Customers in this order: stays; moves, and m0 sees it; the same at a border of m1; moves by m1 alone; the same
// at a border of m0; m0 would have moved, m1 holds back; both see a move, to different segments.
const input: MoveCauseInput = {
  segments: 3,
  previousLabels: [0, 0, 0, 1, 1, 2, 2],
  lastModel: {
    labels: [0, 1, 1, 1, 1, 0, 0],
    margins: [0.5, 0.5, 0.5, 0.5, 0.1, 0.5, 0.5],
    noiseBands: [0.2, 0.2, 0],
  },
  newModel: {
    labels: [0, 1, 1, 2, 2, 2, 1],
    margins: [0.5, 0.5, 0.29, 0.5, 0.5, 0.5, 0.5],
    noiseBands: [0.1, 0.3, 0],
  },
  spendCents: [1, 10, 100, 1000, 10_000, 100_000, 1_000_000],
};

describe('decomposeMoves', () => {
  test('lays each move to the customer or the model, and tells those at a border', () => {
    const { moves, stayed, moved } = decomposeMoves(input);
    expect(moves).toEqual([
      { from: 0, to: 1, cause: 'behaviour', isBorder: false, customers: 1, spendCents: 10 },
      { from: 0, to: 1, cause: 'behaviour', isBorder: true, customers: 1, spendCents: 100 },
      { from: 1, to: 2, cause: 'model', isBorder: false, customers: 1, spendCents: 1000 },
      { from: 1, to: 2, cause: 'model', isBorder: true, customers: 1, spendCents: 10_000 },
      { from: 2, to: 1, cause: 'behaviour', isBorder: false, customers: 1, spendCents: 1_000_000 },
    ]);
    expect(stayed).toEqual({ customers: 2, spendCents: 100_001 });
    expect(moved).toEqual({
      behaviour: { customers: 2, spendCents: 1_000_010 },
      model: { customers: 1, spendCents: 1000 },
      border: { customers: 2, spendCents: 10_100 },
    });
  });

  test('counts what each half saw, whatever came of it', () => {
    const { seen } = decomposeMoves(input);
    // m0(x0) != m0(x1): the 2nd, 3rd, 6th, 7th; m0(x1) != m1(x1): the 4th to 7th
    expect(seen).toEqual({
      behaviour: { customers: 4, spendCents: 1_100_110, border: { customers: 1, spendCents: 100 } },
      model: { customers: 4, spendCents: 1_111_000, border: { customers: 1, spendCents: 10_000 } },
    });
  });

  test('tells the cause of each customer', () => {
    const { causes, isBorder } = decomposeMoves(input);
    expect([...causes]).toEqual([0, 1, 1, 2, 2, 0, 1]);
    expect([...isBorder]).toEqual([0, 0, 1, 0, 1, 0, 0]);
  });

  test('when the last model cannot read the new figures, moves are laid to the new one', () => {
    const { moved, seen } = decomposeMoves({ ...input, lastModel: null, spendCents: null });
    expect(seen).toBeNull();
    expect([moved.behaviour.customers, moved.model.customers, moved.border.customers]).toEqual([0, 4, 1]);
    expect(moved.model.spendCents).toBe(0);
  });

  test('a margin at the band is not below it', () => {
    const at = (margin: number) =>
      decomposeMoves({
        segments: 2,
        previousLabels: [0],
        lastModel: null,
        newModel: { labels: [1], margins: [margin], noiseBands: [0, 0.25] },
        spendCents: null,
      }).moved.border.customers;
    expect([at(0.2499), at(0.25), at(1)]).toEqual([1, 0, 0]);
  });

  test('no common customer is no move', () => {
    const none = { labels: [], margins: [], noiseBands: [0] };
    const { moves, common } = decomposeMoves({
      ...{ segments: 1, previousLabels: [], lastModel: none, newModel: none, spendCents: null },
    });
    expect([moves, common.customers]).toEqual([[], 0]);
  });

  test('refuses lengths that differ and segments that are not numbered', () => {
    expect(() => decomposeMoves({ ...input, spendCents: [1] })).toThrow(
      'of 7 customers need as many amounts, found 1',
    );
    expect(() => decomposeMoves({ ...input, segments: 2 })).toThrow('from 0 to 1, found 2');
    expect(() => decomposeMoves({ ...input, lastModel: { ...input.lastModel!, noiseBands: [0] } })).toThrow(
      'needs 7 labels and margins and 3 noise bands, found 7, 7 and 1',
    );
  });
});

describe('laws', () => {
  const SEGMENTS = 4;
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const bands = fc.array(share, { minLength: SEGMENTS, maxLength: SEGMENTS });
  const label = fc.nat(SEGMENTS - 1);
  const customer = fc.record({
    ...{ before: label, between: label, after: label, oldMargin: share, newMargin: share },
    cents: fc.integer({ min: -1e6, max: 1e9 }),
  });
  const anyInput = fc.tuple(fc.array(customer, { maxLength: 60 }), bands, bands).map(
    ([all, oldBands, newBands]): MoveCauseInput => ({
      segments: SEGMENTS,
      previousLabels: Uint8Array.from(all, ({ before }) => before),
      lastModel: {
        labels: Uint8Array.from(all, ({ between }) => between),
        margins: Float32Array.from(all, ({ oldMargin }) => oldMargin),
        noiseBands: oldBands,
      },
      newModel: {
        labels: Uint8Array.from(all, ({ after }) => after),
        margins: Float32Array.from(all, ({ newMargin }) => newMargin),
        noiseBands: newBands,
      },
      spendCents: Float64Array.from(all, ({ cents }) => cents),
    }),
  );
  const sum = (tallies: readonly MoveTally[]): MoveTally => ({
    customers: tallies.reduce((total, { customers }) => total + customers, 0),
    spendCents: tallies.reduce((total, { spendCents }) => total + spendCents, 0),
  });

  test('every common customer is counted once, in customers and in cents', () => {
    fc.assert(
      fc.property(anyInput, (given) => {
        const { moves, common, stayed, moved, causes, isBorder } = decomposeMoves(given);
        expect(common.customers).toBe(given.previousLabels.length);
        expect(sum([stayed, ...Object.values(moved)])).toEqual(common);
        expect(sum([stayed, ...moves])).toEqual(common);
        expect(sum(moves.filter((move) => move.isBorder))).toEqual(moved.border);
        const plain = moves.filter((move) => !move.isBorder);
        expect(sum(plain.filter(({ cause }) => cause === 'model'))).toEqual(moved.model);
        expect(sum(plain.filter(({ cause }) => cause === 'behaviour'))).toEqual(moved.behaviour);
        expect(causes.filter((cause) => cause === 0)).toHaveLength(stayed.customers);
        expect(isBorder.filter((flag) => flag === 1)).toHaveLength(moved.border.customers);
        expect(new Set(moves.map((m) => [m.from, m.to, m.cause, m.isBorder].join())).size).toBe(moves.length);
      }),
    );
  });

  test('told backwards, what the model saw is what the customers did, and ways are reversed', () => {
    fc.assert(
      fc.property(anyInput, (given) => {
        const there = decomposeMoves(given);
        const back = decomposeMoves({
          ...given,
          previousLabels: given.newModel.labels,
          newModel: { ...given.newModel, labels: given.previousLabels, margins: given.lastModel!.margins },
        });
        const plain = ({ customers, spendCents }: MoveTally) => ({ customers, spendCents });
        expect(plain(back.seen!.behaviour)).toEqual(plain(there.seen!.model));
        expect(plain(back.seen!.model)).toEqual(plain(there.seen!.behaviour));
        expect(back.stayed).toEqual(there.stayed);
        const ways = (
          moves: readonly { from: number; to: number; customers: number }[],
          reversed: boolean,
        ) => {
          const counts: Record<string, number> = {};
          for (const { from, to, customers } of moves) {
            const way = reversed ? `${to}>${from}` : `${from}>${to}`;
            counts[way] = (counts[way] ?? 0) + customers;
          }
          return counts;
        };
        expect(ways(back.moves, true)).toEqual(ways(there.moves, false));
      }),
    );
  });

  test('two models that agree make no model move; figures that stayed make no behaviour move', () => {
    fc.assert(
      fc.property(anyInput, (given) => {
        const agreeing = decomposeMoves({
          ...given,
          newModel: { ...given.newModel, labels: given.lastModel!.labels },
        });
        expect(agreeing.seen!.model.customers).toBe(0);
        expect(agreeing.moves.every(({ cause }) => cause === 'behaviour')).toBe(true);
        const still = decomposeMoves({
          ...given,
          lastModel: { ...given.lastModel!, labels: given.previousLabels },
        });
        expect(still.seen!.behaviour.customers).toBe(0);
        expect(still.moves.every(({ cause }) => cause === 'model')).toBe(true);
      }),
    );
  });

  test('other numbers for the segments give the same moves under those numbers', () => {
    const turn = [2, 0, 3, 1];
    const renumber = (view: MoveCauseInput['newModel']) => ({
      ...view,
      labels: Array.from(view.labels, (old) => turn[old]!),
      noiseBands: turn.map((_, number) => view.noiseBands[turn.indexOf(number)]!),
    });
    const key = (move: object) => JSON.stringify(move);
    fc.assert(
      fc.property(anyInput, (given) => {
        const plain = decomposeMoves(given);
        const other = decomposeMoves({
          ...given,
          previousLabels: Array.from(given.previousLabels, (old) => turn[old]!),
          lastModel: renumber(given.lastModel!),
          newModel: renumber(given.newModel),
        });
        expect(other.moved).toEqual(plain.moved);
        const renamed = plain.moves.map((move) => ({ ...move, from: turn[move.from]!, to: turn[move.to]! }));
        expect(other.moves.map(key).sort()).toEqual(renamed.map(key).sort());
      }),
    );
  });

  test('wider bands only turn moves into border moves', () => {
    fc.assert(
      fc.property(anyInput, (given) => {
        const narrow = decomposeMoves(given);
        const wide = decomposeMoves({
          ...given,
          newModel: { ...given.newModel, noiseBands: new Array(SEGMENTS).fill(1.1) },
        });
        expect(wide.causes).toEqual(narrow.causes);
        narrow.isBorder.forEach((flag, row) => {
          expect(wide.isBorder[row]).toBeGreaterThanOrEqual(flag);
        });
        expect(wide.moved.behaviour.customers + wide.moved.model.customers).toBe(0);
      }),
    );
  });
});
