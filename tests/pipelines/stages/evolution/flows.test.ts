import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  countFlows,
  type Flow,
  type FlowInput,
  moneyShare,
  totalsOf,
  withCauses,
} from '../../../../pipelines/stages/evolution/flows.ts';

/** Customers with a segment before, after, or both, and their money; who is in neither is left out. */
function inputOf(
  people: readonly { was: number | null; is: number | null; before: number; after: number }[],
): FlowInput {
  const earlier = people.filter(({ was }) => was !== null);
  const later = people.filter(({ is }) => is !== null);
  const previousRow = Int32Array.from(later, (person) => earlier.indexOf(person));
  const lost = earlier.flatMap((person, row) => (person.is === null ? [row] : []));
  return {
    join: { previousRow, lost: Int32Array.from(lost), common: previousRow.filter((row) => row >= 0).length },
    previousIds: ['seg_a', 'seg_b'],
    currentIds: ['seg_b', 'seg_c', 'seg_a'],
    previousLabels: earlier.map(({ was }) => was!),
    labels: later.map(({ is }) => is!),
    previousCents: earlier.map(({ before }) => before),
    cents: later.map(({ after }) => after),
  };
}

const flow = (from: string | null, to: string | null, rest: Partial<Flow> = {}): Flow => ({
  ...{ from, to, customers: 1, centsBefore: 0, centsAfter: 0, squaredCents: 0, causes: null, ...rest },
});

describe('countFlows', () => {
  test('counts each way, with the money of both sides', () => {
    const flows = countFlows(
      inputOf([
        { was: 0, is: 2, before: 100, after: 150 },
        { was: 0, is: 2, before: 10, after: 10 },
        { was: 0, is: 1, before: 30, after: 50 },
        { was: 1, is: null, before: 70, after: 0 },
        { was: null, is: 1, before: 0, after: 25 },
      ]),
    );
    expect(flows).toEqual([
      flow('seg_a', 'seg_c', { centsBefore: 30, centsAfter: 50, squaredCents: 2500 }),
      flow('seg_a', 'seg_a', { customers: 2, centsBefore: 110, centsAfter: 160, squaredCents: 22_600 }),
      flow('seg_b', null, { centsBefore: 70, squaredCents: 4900 }),
      flow(null, 'seg_c', { centsAfter: 25, squaredCents: 625 }),
    ]);
    expect(totalsOf(flows)).toEqual({
      ...{ common: 3, stayed: 2, moved: 1, causes: null, growthCents: 70 },
      new: { customers: 1, cents: 25 },
      lost: { customers: 1, cents: 70 },
    });
  });

  test('without spend there is no money', () => {
    const input = inputOf([{ was: 0, is: 1, before: 1, after: 2 }]);
    const flows = countFlows({ ...input, cents: null });
    expect(flows).toEqual([
      flow('seg_a', 'seg_c', { centsBefore: null, centsAfter: null, squaredCents: null }),
    ]);
    expect(totalsOf(flows)).toMatchObject({ growthCents: null, new: { cents: null }, lost: { cents: null } });
  });

  const person = fc.record({
    was: fc.option(fc.integer({ min: 0, max: 1 })),
    is: fc.option(fc.integer({ min: 0, max: 2 })),
    before: fc.integer({ min: -50_000, max: 5_000_000 }),
    after: fc.integer({ min: -50_000, max: 5_000_000 }),
  });
  const people = fc
    .array(person, { maxLength: 200 })
    .map((all) => all.filter(({ was, is }) => was !== null || is !== null));

  test('law: what leaves a segment and what arrives are its sizes before and after, in customers and cents', () => {
    fc.assert(
      fc.property(people, (all) => {
        const input = inputOf(all);
        const flows = countFlows(input);
        const sum = (of: readonly Flow[], value: (one: Flow) => number) =>
          of.reduce((total, one) => total + value(one), 0);
        const total = (values: readonly { before: number; after: number }[], side: 'before' | 'after') =>
          values.reduce((sumOf, value) => sumOf + value[side], 0);
        input.previousIds.forEach((id, label) => {
          const own = all.filter(({ was }) => was === label);
          const leaving = flows.filter(({ from }) => from === id);
          expect(sum(leaving, ({ customers }) => customers)).toBe(own.length);
          expect(sum(leaving, ({ centsBefore }) => centsBefore!)).toBe(total(own, 'before'));
        });
        input.currentIds.forEach((id, label) => {
          const own = all.filter(({ is }) => is === label);
          const arriving = flows.filter(({ to }) => to === id);
          expect(sum(arriving, ({ customers }) => customers)).toBe(own.length);
          expect(sum(arriving, ({ centsAfter }) => centsAfter!)).toBe(total(own, 'after'));
        });
        // Inflow = outflow - lost + new, in customers; in cents with what the common customers have spent since.
        const totals = totalsOf(flows);
        const [earlier, later] = [all.filter(({ was }) => was !== null), all.filter(({ is }) => is !== null)];
        expect(earlier.length - totals.lost.customers + totals.new.customers).toBe(later.length);
        expect(totals.stayed + totals.moved).toBe(totals.common);
        expect(total(earlier, 'before') - totals.lost.cents! + totals.growthCents! + totals.new.cents!).toBe(
          total(later, 'after'),
        );
      }),
    );
  });
});

describe('withCauses', () => {
  test('gives each way its causes, and those who stayed none', () => {
    const flows = [flow('seg_a', 'seg_a', { customers: 5 }), flow('seg_a', 'seg_b', { customers: 4 })];
    const movements = [
      { from: 'seg_a', to: 'seg_b', cause: 'behaviour' as const, customers: 3 },
      { from: 'seg_a', to: 'seg_b', cause: 'border' as const, customers: 1 },
    ];
    const caused = withCauses(flows, movements);
    expect(caused.map(({ causes }) => causes)).toEqual([null, { behaviour: 3, model: 0, border: 1 }]);
    expect(totalsOf(caused).causes).toEqual({ behaviour: 3, model: 0, border: 1 });
  });
});

describe('moneyShare', () => {
  // Two groups of ten who spent 100 each: the share of either is a proportion of twenty, its deviation sqrt(.25 / 20).
  test('of equal customers lies where a share of so many customers lies', () => {
    const found = moneyShare({ cents: 1000, squaredCents: 100_000 }, { cents: 2000, squaredCents: 200_000 })!;
    expect(found.share).toBe(0.5);
    expect(found.high - 0.5).toBeCloseTo(1.959964 * Math.sqrt(0.25 / 20), 12);
    expect(0.5 - found.low).toBeCloseTo(found.high - 0.5, 12);
  });

  test('is wider where one customer holds the money', () => {
    const one = moneyShare(
      { cents: 1000, squaredCents: 1_000_000 },
      { cents: 2000, squaredCents: 1_100_000 },
    )!;
    expect(one.high - one.low).toBeGreaterThan(0.9);
    expect([one.low, one.high].every((bound) => bound >= 0 && bound <= 1)).toBe(true);
  });

  test('is none without money, or of money that is not above 0', () => {
    expect(moneyShare({ cents: null, squaredCents: null }, { cents: null, squaredCents: null })).toBeNull();
    expect(moneyShare({ cents: 0, squaredCents: 0 }, { cents: -5, squaredCents: 25 })).toBeNull();
  });
});
