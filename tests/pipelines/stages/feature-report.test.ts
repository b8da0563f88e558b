import { describe, expect, test } from 'vitest';
import { categoryColumns, codeCategory } from '../../../pipelines/stages/category-codes.ts';
import { reportFeatures, toldWarnings } from '../../../pipelines/stages/feature-report.ts';
import { deriveColumns } from '../../../pipelines/stages/features.ts';

const texts = (...words: string[]) => {
  const encoded = words.map((word) => new TextEncoder().encode(word));
  const offsets = new Uint32Array(words.length + 1);
  encoded.forEach((text, i) => {
    offsets[i + 1] = offsets[i]! + text.length;
  });
  return { offsets, bytes: Uint8Array.from(encoded.flatMap((text) => [...text])) };
};

describe('the report of the features', () => {
  const rows = 50_000;
  const orders = Float64Array.from({ length: rows }, (_, i) => (i * 7919) % 101);
  const found = deriveColumns(
    {
      orders,
      gapDays: orders.map((value) => (value % 4 === 0 ? 12 : Number.NaN)),
      spend: orders.map((value, i) => value ** 3 + (i % 3)),
      noise: Float64Array.from({ length: rows }, (_, i) => (i * 104_729) % 997),
      constant: new Float64Array(rows).fill(4),
    },
    [],
    { gapDays: 365 },
  );

  test('tells how many had no value and what stands there, and the distribution', async () => {
    const { features, customers } = await reportFeatures(found, ['orders']);
    expect(customers).toBe(rows);
    const gap = features.find(({ feature }) => feature === 'gapDays')!;
    expect(gap.missing).toBe(orders.filter((value) => value % 4 !== 0).length);
    expect(gap).toMatchObject({ whenMissing: 365, min: 12, max: 365, zeros: 0 });
    const count = features.find(({ feature }) => feature === 'orders')!;
    expect(count).toMatchObject({ missing: 0, whenMissing: null, min: 0, max: 100 });
    expect(count.zeros).toBe(orders.filter((value) => value === 0).length);
    expect(count.quantiles['0.5']).toBe(50);
  });

  test('warns of clustered features that say the same twice, are constant or mostly missing', async () => {
    const report = await reportFeatures(found, ['orders', 'spend', 'noise', 'constant', 'gapDays']);
    expect(report.redundancy.rows).toBeLessThanOrEqual(20_000);
    expect(report.redundancy.pairs.map(({ features }) => features)).toEqual([['orders', 'spend']]);
    expect(report.warnings).toEqual([
      expect.stringMatching(/^orders and spend order the customers almost alike \(rank correlation 1\.00\)/),
      'constant is 4 for every customer: it separates nobody',
      expect.stringMatching(/^gapDays has no value for \d+ of 50000 customers, where 365 stands$/),
    ]);
    // What is not clustered weighs on no distance.
    expect((await reportFeatures(found, ['orders', 'noise'])).warnings).toEqual([]);
  });

  test('hands on a few warnings and says how many more there are', () => {
    const warnings = Array.from({ length: 9 }, (_, i) => `warning ${i}`);
    expect(toldWarnings({ warnings })).toEqual([
      ...warnings.slice(0, 5),
      '4 more in the report of the features',
    ]);
    expect(toldWarnings({ warnings: warnings.slice(0, 5) })).toEqual(warnings.slice(0, 5));
  });
});

describe('categories', () => {
  test('codes follow the sorted words, and the columns hold both', async () => {
    const coded = await codeCategory('channel', texts('web', 'app', 'none', 'web', 'ü'));
    expect(coded).toEqual({
      category: 'channel',
      codes: Int32Array.of(2, 0, 1, 2, 3),
      words: ['app', 'none', 'web', 'ü'],
      counts: [1, 1, 2, 1],
    });
    expect(categoryColumns([coded])).toEqual({
      channel: coded.codes,
      'channel.offsets': Uint32Array.of(0, 3, 7, 10, 12),
      'channel.bytes': new TextEncoder().encode('appnonewebü'),
    });
  });

  test('are told with the customers of their words, most first', async () => {
    const coded = await codeCategory('country', texts('FR', 'DE', 'FR', 'AT'));
    const { categories } = await reportFeatures(
      { columns: { a: Float64Array.of(1, 2, 3, 4) }, replaced: [] },
      ['a'],
      [coded],
    );
    expect(categories).toEqual([
      {
        category: 'country',
        distinct: 3,
        words: [
          { word: 'FR', customers: 2 },
          { word: 'AT', customers: 1 },
          { word: 'DE', customers: 1 },
        ],
      },
    ]);
  });
});
