import { describe, expect, test } from 'vitest';
import { spendCents } from '../../../pipelines/stages/beside.ts';

function definition(spend: string | undefined) {
  const bands = [{ word: 'x' }];
  const naming = {
    stage: { feature: 'orders', bands },
    value: { feature: 'orders', bands },
    traits: [],
  };
  return {
    naming: spend === undefined ? naming : { ...naming, spend },
    features: {
      aggregate: [
        { name: 'revenue', unit: 'GBP', why: 'y', sql: 'sum(amount)' },
        { name: 'revenueCents', unit: 'cents', why: 'y', sql: 'sum(amount) * 100' },
      ],
      derive: [],
      cluster: [],
    },
  };
}

describe('spendCents', () => {
  // 1.15 * 100 = 114.99999999999999 in doubles
  const columns = { revenue: Float64Array.of(1.15, 0.1251), revenueCents: Float64Array.of(1250.4, 12.5) };

  test.each([
    ['revenue', [115, 13]],
    ['revenueCents', [1250, 13]],
  ])('%s comes in whole cents', (spend, cents) => {
    expect([...spendCents(definition(spend), columns)!]).toEqual(cents);
  });

  test('leaves the features as they are', () => {
    spendCents(definition('revenueCents'), columns);
    expect([...columns.revenueCents]).toEqual([1250.4, 12.5]);
  });

  test('a definition without spend has none', () => {
    expect(spendCents(definition(undefined), columns)).toBeNull();
  });
});
