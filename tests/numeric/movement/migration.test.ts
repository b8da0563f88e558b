import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { testFlows } from '../../../numeric/movement/flow-test.ts';
import {
  describeMigration,
  type MigrationTable,
  tallyMigration,
} from '../../../numeric/movement/migration.ts';
import { createRandom } from '../../../numeric/random/random.ts';

/** Three segments before, four now; the first three go on, the fourth is born. */
const TABLE: MigrationTable = {
  rows: 4,
  columns: 5,
  customers: Float64Array.of(
    ...[80, 10, 0, 5, 5],
    ...[20, 150, 7, 3, 20],
    ...[2, 3, 4, 1, 0],
    ...[30, 40, 5, 25, 0],
  ),
  cents: null,
  continuedBy: Int32Array.of(0, 1, 2),
};
const USUAL = Float64Array.of(
  ...[85, 8, 1, 3, 3],
  ...[25, 140, 10, 5, 20],
  ...[3, 3, 3, 2, 1],
  ...[20, 40, 20, 20, 0],
);

describe('tallyMigration', () => {
  const input = {
    from: [0, 0, 1, -1, 1],
    to: [0, 1, -1, 0, 1],
    cents: [1, 10, 100, 1000, 10_000],
    previousSegments: 2,
    currentSegments: 2,
    continuedBy: [0, 1],
  };

  test('counts customers and money by way, the new and the lost last', () => {
    const { rows, columns, customers, cents } = tallyMigration(input);
    expect([rows, columns]).toEqual([3, 3]);
    expect([...customers]).toEqual([1, 1, 0, 0, 1, 1, 1, 0, 0]);
    expect([...cents!]).toEqual([1, 10, 0, 0, 10_000, 100, 1000, 0, 0]);
  });

  test('refuses who is in neither run, segments beyond their number and heirs of two', () => {
    expect(() => tallyMigration({ ...input, from: [-1, 0, 0, 0, 0], to: [-1, 0, 0, 0, 0] })).toThrow(
      'of neither',
    );
    expect(() => tallyMigration({ ...input, to: [0, 2, -1, 0, 1] })).toThrow('from -1 to 1, found 2');
    expect(() => tallyMigration({ ...input, continuedBy: [1, 1] })).toThrow('an heir of its own or none');
    expect(() => tallyMigration({ ...input, to: [0] })).toThrow('found 5 and 1');
  });

  test('every customer is in one cell, whatever their order', () => {
    const customer = fc
      .record({
        from: fc.integer({ min: -1, max: 3 }),
        to: fc.integer({ min: -1, max: 2 }),
        cents: fc.nat(1e6),
      })
      .filter(({ from, to }) => from >= 0 || to >= 0);
    const tally = (all: { from: number; to: number; cents: number }[]) =>
      tallyMigration({
        from: all.map(({ from }) => from),
        to: all.map(({ to }) => to),
        cents: all.map(({ cents }) => cents),
        ...{ previousSegments: 4, currentSegments: 3, continuedBy: [2, -1, 0, 1] },
      });
    fc.assert(
      fc.property(fc.array(customer), (all) => {
        const table = tally(all);
        const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
        expect(sum(table.customers)).toBe(all.length);
        expect(sum(table.cents!)).toBe(all.reduce((total, { cents }) => total + cents, 0));
        expect(table.customers.at(-1)).toBe(0);
        expect(tally(all.toReversed())).toEqual(table);
      }),
    );
  });
});

describe('describeMigration', () => {
  const found = describeMigration(TABLE);
  const rowOf = (values: Float64Array, row: number) => [...values.subarray(row * 5, row * 5 + 5)];

  test('shares are of the row', () => {
    expect([...found.totals]).toEqual([100, 200, 10, 100]);
    expect(rowOf(found.shares, 2)).toEqual([0.2, 0.3, 0.4, 0.1, 0]);
  });

  // Expected values: scipy 1.17, stats.beta.ppf([.025, .975], count + .5, total - count + (cells - 1) / 2)
  test.each([
    [
      0,
      [
        0.701292947581371, 0.051789769064345, 4.825866252013911e-6, 0.019042349918070193,
        0.019042349918070193,
      ],
      [0.858900742744383, 0.167715151025538, 0.024384965373132943, 0.10458249025320858, 0.10458249025320858],
    ],
    [
      2,
      [
        0.038002265096883724, 0.07953287598652704, 0.13061357058228976, 0.009549134060718048,
        4.177985196784042e-5,
      ],
      [0.45123208208502696, 0.5465896549542312, 0.6316655397180322, 0.3403032806066571, 0.1923716440198041],
    ],
    [
      3,
      [0.2145793877275442, 0.3046927586575218, 0.019137869155399282, 0.17128689946895218, 0],
      [0.3909243735055935, 0.4932498526300887, 0.10508350823522723, 0.3379944316863695, 0],
    ],
  ])('intervals are those of scipy: row %d', (row, low, high) => {
    rowOf(found.low, row).forEach((value, column) => {
      expect(value).toBeCloseTo(low[column]!, 11);
    });
    rowOf(found.high, row).forEach((value, column) => {
      expect(value).toBeCloseTo(high[column]!, 11);
    });
  });

  test('entropy is that of scipy', () => {
    // Expected values: scipy 1.17, stats.entropy(base = cells of the row)
    const expected = [0.440120474504589, 0.5322407252247225, 0.7952181416542046, 0.8829786604745874];
    expected.forEach((value, row) => {
      expect(found.entropy[row]).toBeCloseTo(value, 12);
    });
  });

  test('mobility is over the segments on both sides', () => {
    // Expected values: numpy 2, (k - trace(P)) / (k - 1) with P the rows of those segments over their sums
    expect(found.mobility).toBeCloseTo(0.40960451977401124, 12);
    const retired = describeMigration({ ...TABLE, continuedBy: Int32Array.of(0, 1, -1) });
    expect(retired.mobility).toBeCloseTo(0.2287581699346406, 12);
    expect(describeMigration({ ...TABLE, continuedBy: Int32Array.of(0, -1, -1) }).mobility).toBeNaN();
  });

  test('money has shares of its own, none where there is no money', () => {
    const cents = new Float64Array(20);
    cents.set([300, 100]);
    expect(rowOf(describeMigration({ ...TABLE, cents }).centShares!, 0)).toEqual([0.75, 0.25, 0, 0, 0]);
    expect(describeMigration({ ...TABLE, cents }).centShares![5]).toBeNaN();
    expect(found.centShares).toBeNull();
  });

  test('a row without customers knows nothing, and says so', () => {
    const empty = describeMigration({ ...TABLE, customers: new Float64Array(20) });
    expect(empty.entropy[0]).toBeNaN();
    expect(empty.shares[0]).toBeNaN();
    expect(empty.mobility).toBeNaN();
    expect(empty.high[0]! - empty.low[0]!).toBeGreaterThan(0.7);
  });

  test('nobody moves: mobility and entropy 0', () => {
    const customers = Float64Array.of(5, 0, 0, 0, 9, 0, 0, 0, 0);
    const still = describeMigration({
      ...{ rows: 3, columns: 3, customers, cents: null },
      continuedBy: Int32Array.of(0, 1),
    });
    expect([still.mobility, still.entropy[0], still.entropy[1]]).toEqual([0, 0, 0]);
  });

  test('a single segment before and now has a table too', () => {
    const one = describeMigration({
      ...{ rows: 2, columns: 2, customers: Float64Array.of(3, 1, 2, 0), cents: null },
      continuedBy: Int32Array.of(0),
    });
    expect([one.mobility, one.entropy[1], one.low[2], one.high[2]]).toEqual([Number.NaN, 0, 1, 1]);
  });

  test('intervals hold the share that rows were drawn from in about 95 % of draws', () => {
    const random = createRandom(6);
    const limits = [0.6, 0.9, 1];
    let held = 0;
    for (let draw = 0; draw < 400; draw++) {
      const customers = new Float64Array(9);
      for (let i = 0; i < 40; i++) {
        const u = random.float();
        customers[limits.findIndex((limit) => u < limit)]! += 1;
      }
      const { low, high } = describeMigration({
        ...{ rows: 3, columns: 3, customers, cents: null },
        continuedBy: Int32Array.of(0, 1),
      });
      [0.6, 0.3, 0.1].forEach((share, column) => {
        if (low[column]! <= share && share <= high[column]!) held++;
      });
    }
    expect(held / 1200).toBeGreaterThan(0.93);
    expect(held / 1200).toBeLessThan(0.97);
  });

  test('a permutation of the current segments permutes the answer', () => {
    const counts = fc.array(fc.nat(200), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(counts, (all) => {
        const customers = Float64Array.from(all);
        customers[19] = 0;
        const { low, high, mobility } = describeMigration({ ...TABLE, customers });
        const turned = customers.map((_, at) => customers[at - (at % 5) + [1, 0, 3, 2, 4][at % 5]!]!);
        const other = describeMigration({
          ...TABLE,
          customers: turned,
          continuedBy: Int32Array.of(1, 0, 3),
        });
        if (Number.isNaN(mobility)) expect(other.mobility).toBeNaN();
        else expect(other.mobility).toBeCloseTo(mobility, 12);
        for (let at = 0; at < 19; at++) {
          expect(other.low[at - (at % 5) + [1, 0, 3, 2, 4][at % 5]!]).toBe(low[at]);
          expect(low[at]).toBeLessThan(high[at]!);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('refuses a level that is none', () => {
    expect(() => describeMigration(TABLE, { level: 1 })).toThrow('needs a level in (0, 1), found 1');
  });
});

describe('testFlows', () => {
  test('divides by the dispersion of past runs', () => {
    // Expected: scipy.stats.chi2_contingency(lambda_='log-likelihood', correction=False), its statistic over 3.
    const now = { rows: 1, columns: 3, customers: Float64Array.of(70, 20, 10) };
    const baseline = { customers: Float64Array.of(700, 250, 50) };
    const [plain] = testFlows(now, baseline);
    const [calmed] = testFlows(now, baseline, { dispersion: 3 });
    expect(plain!.statistic).toBeCloseTo(4.404371200701, 10);
    expect(calmed!.pValue).toBeCloseTo(0.479955510044373, 10);
    expect(calmed!.shiftedShare).toBe(plain!.shiftedShare);
    expect(() => testFlows(now, baseline, { dispersion: 0.5 })).toThrow(/dispersion/);
  });

  const shares = USUAL.map((count, at) => count / [100, 200, 12, 100][Math.floor(at / 5)]!);

  // Expected values: scipy 1.17, stats.power_divergence(lambda_='log-likelihood') and false_discovery_control
  test('against known shares is that of scipy', () => {
    const tests = testFlows(TABLE, { shares });
    const expected = [0.2894131789252318, 0.4461340899249875, 0.5679610842931777, 7.817160276909688e-5];
    const adjusted = [0.5679610842931777, 0.5679610842931777, 0.5679610842931777, 0.0003126864110763875];
    tests.forEach((found, row) => {
      expect(found.pValue).toBeCloseTo(expected[row]!, 10);
      expect(found.adjustedPValue).toBeCloseTo(adjusted[row]!, 10);
    });
    expect(tests.map(({ isSignificant }) => isSignificant)).toEqual([false, false, false, true]);
    expect(tests[3]!.degrees).toBe(3);
  });

  // Expected values: scipy 1.17, stats.chi2_contingency(lambda_='log-likelihood') and false_discovery_control
  test('against counts as few as its own it is less sure', () => {
    const tests = testFlows(TABLE, { customers: USUAL });
    const expected = [0.5968141551567575, 0.7469521079900372, 0.7562158830277397, 0.006705143427262766];
    tests.forEach((found, row) => {
      expect(found.pValue).toBeCloseTo(expected[row]!, 10);
    });
    expect(tests[3]!.adjustedPValue).toBeCloseTo(0.026820573709051065, 10);
  });

  test('says how many go elsewhere', () => {
    // By hand: of the new .30 .40 .05 .25 against .20 .40 .20 .20
    expect(testFlows(TABLE, { shares })[3]!.shiftedShare).toBeCloseTo(0.15, 12);
    for (const { shiftedShare, pValue } of testFlows(TABLE, { customers: TABLE.customers })) {
      expect([shiftedShare, pValue]).toEqual([0, 1]);
    }
  });

  test('a row without customers is not tested and does not weigh on the others', () => {
    const customers = TABLE.customers.slice().fill(0, 10, 15);
    const tests = testFlows({ ...TABLE, customers }, { shares });
    expect(tests[2]).toMatchObject({ pValue: Number.NaN, adjustedPValue: Number.NaN, isSignificant: false });
    expect(tests[3]!.adjustedPValue).toBeCloseTo(3 * 7.817160276909688e-5, 10);
  });

  test('refuses a baseline of another shape', () => {
    expect(() => testFlows(TABLE, { shares: new Float64Array(4) })).toThrow('needs the 4 x 5 cells');
  });
});
