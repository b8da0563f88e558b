import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deriveColumns, deriveColumnsInTurns, deriveOne } from '../../../pipelines/stages/features.ts';

const derived = (name: string, expression: string) => ({ name, expression, unit: 'x', why: 'y' });
const column = (...values: number[]) => Float64Array.from(values);

describe('deriveColumns', () => {
  test('an expression sees aggregates and the features before it', () => {
    const { columns, replaced } = deriveColumns({ spendCents: column(300, 1000), orders: column(2, 4) }, [
      derived('averageOrderCents', 'd.spendCents / d.orders'),
      derived('isLarge', 'd.averageOrderCents > 200'),
      derived('rounded', 'd => round(log1p(d.averageOrderCents)) + Math.max(d.orders, 3)'),
    ]);
    expect(columns.averageOrderCents).toEqual(column(150, 250));
    expect(columns.isLarge).toEqual(column(0, 1));
    expect(columns.rounded).toEqual(column(5 + 3, 6 + 4));
    expect(replaced).toEqual([]);
  });

  test('missing and infinite values become 0 and are counted, before anything is derived from them', () => {
    const { columns, replaced } = deriveColumns(
      { spend: column(1, Number.NaN, 3), orders: column(0, 1, 2) },
      [derived('each', 'd.spend / d.orders'), derived('twice', 'd.each * 2')],
    );
    expect(columns).toEqual({
      spend: column(1, 0, 3),
      orders: column(0, 1, 2),
      each: column(0, 0, 1.5),
      twice: column(0, 0, 3),
    });
    expect(replaced).toEqual([
      { feature: 'spend', customers: 1, by: 0 },
      { feature: 'each', customers: 1, by: 0 },
    ]);
  });

  test('a null rule says what stands for a missing value, also for all of them', () => {
    const aggregates = {
      gapDays: column(7, Number.NaN, 3),
      never: column(Number.NaN, Number.NaN, Number.NaN),
    };
    const derive = [{ ...derived('perGap', '14 / (d.gapDays - 3)'), whenMissing: -1 }];
    const rules = { gapDays: 365, never: 9 };
    const { columns, replaced } = deriveColumns(aggregates, derive, rules);
    expect(columns.gapDays).toEqual(column(7, 365, 3));
    expect(columns.never).toEqual(column(9, 9, 9));
    expect(columns.perGap).toEqual(column(3.5, 14 / 362, -1));
    expect(replaced).toEqual([
      { feature: 'gapDays', customers: 1, by: 365 },
      { feature: 'never', customers: 3, by: 9 },
      { feature: 'perGap', customers: 1, by: -1 },
    ]);
    for (const row of [0, 1, 2]) {
      const one = { gapDays: aggregates.gapDays[row]!, never: Number.NaN };
      expect(deriveOne(one, derive, rules)).toEqual({
        gapDays: columns.gapDays![row],
        never: 9,
        perGap: columns.perGap![row],
      });
    }
  });

  test('the aggregates handed in stay as they are', () => {
    const spend = column(1, Number.NaN);
    deriveColumns({ spend }, []);
    expect(spend).toEqual(column(1, Number.NaN));
  });

  test('a feature without one value is refused', () => {
    expect(() => deriveColumns({ a: column(1, 2) }, [derived('b', 'd.a / 0')])).toThrow(
      'feature b (d.a / 0) needs a finite value for at least one customer, or whenMissing to say what stands for none, found none among 2',
    );
  });

  test.each([
    ['another name', 'd.visits', /Invalid column reference: "d.visits"; there are d.a/],
    ['a bare name', 'a + 1', /Invalid variable reference/],
    ['a figure of all rows', 'd.a / mean(d.a)', /found mean/],
    ['a figure of other rows', 'lag(d.a)', /found lag/],
    ['chance', 'd.a * random()', /found random/],
    ['the clock', 'now()', /found now/],
    ['the process', 'process.exit(1)', /Invalid function call/],
    ['a way to other code', 'd.a.constructor', /found MemberExpression/],
    ['a statement', 'd => { return d.a }', /found BlockStatement/],
    ['text', '"a"', /needs to give a number, found text/],
    ['half an expression', 'd.a +', /parse error/],
  ])('%s is refused, with the feature and its expression', (_, expression, message) => {
    const make = () => deriveColumns({ a: column(1, 2) }, [derived('b', expression)]);
    expect(make).toThrow(expect.objectContaining({ code: 'FEATURE_INVALID' }));
    expect(make).toThrow(`feature b (${expression})`);
    expect(make).toThrow(message);
  });

  test('one customer gets the bits it gets in a batch', () => {
    const features = [
      derived('each', 'd.a / d.b'),
      derived('level', 'd.each > 1 ? log1p(abs(d.a)) : cbrt(d.b)'),
      derived('power', '(d.level + 1) ** 1.7 - sqrt(d.each)'),
    ];
    const value = fc.double({ min: -1e6, max: 1e6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 20 }), (rows) => {
        // A first row with a value for each feature: a feature without any is refused.
        const all: [number, number][] = [[1, 2], ...rows];
        const { columns } = deriveColumns(
          { a: Float64Array.from(all, ([a]) => a), b: Float64Array.from(all, ([, b]) => b) },
          features,
        );
        all.forEach(([a, b], row) => {
          const one = deriveOne({ a, b }, features);
          for (const [feature, batch] of Object.entries(columns)) expect(one[feature]).toBe(batch[row]);
        });
      }),
    );
  });
});

describe('deriveColumnsInTurns', () => {
  const ROWS = 200_000;
  const aggregates = {
    spend: Float64Array.from({ length: ROWS }, (_, row) => (row % 7 === 0 ? Number.NaN : row)),
    orders: Float64Array.from({ length: ROWS }, (_, row) => row % 5),
  };
  const derive = [derived('basket', 'd.spend / d.orders'), derived('root', 'sqrt(d.basket)')];
  const whenMissing = { spend: 3 };

  test('gives the bits of the work in one go, with turns within a column', async () => {
    let turns = 0;
    const onTurn = () => void turns++;
    const found = await deriveColumnsInTurns(aggregates, derive, { whenMissing, onTurn });
    const expected = deriveColumns(aggregates, derive, whenMissing);
    expect(found.replaced).toEqual(expected.replaced);
    const bits = ({ columns }: typeof found) =>
      Object.entries(columns).map(([name, { buffer }]) => [name, Buffer.from(buffer).toString('base64')]);
    // Not toEqual on the texts, which would print megabytes.
    expect(JSON.stringify(bits(found)) === JSON.stringify(bits(expected))).toBe(true);
    // Two aggregates, and four blocks of at most 65,536 rows for each derived feature.
    expect(turns).toBe(2 + 2 * 4);
  });

  test('lets timers and signals through, and ends at the first turn after a cancel', async () => {
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    let turns = 0;
    const onTurn = () => {
      turns++;
      controller.signal.throwIfAborted();
    };
    await expect(deriveColumnsInTurns(aggregates, derive, { whenMissing, onTurn })).rejects.toThrow(/abort/);
    expect(turns).toBe(1);
  });
});
