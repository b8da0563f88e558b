import { describe, expect, test } from 'vitest';
import {
  counted,
  featureLabel,
  formatFigure,
  formatMoney,
  formatNumber,
  formatShare,
} from '../../../pipelines/stages/figures.ts';

const format = {
  units: new Map([
    ['recencyDays', 'days'],
    ['spendCents', 'cents'],
    ['spend', 'GBP'],
    ['weekendShare', 'share'],
    ['orders', 'orders'],
  ]),
  currency: 'GBP',
};

describe('figures', () => {
  test.each([
    ['recencyDays', 51, '51 days'],
    ['recencyDays', 1, '1 day'],
    ['recencyDays', 142.75, '143 days'],
    ['recencyDays', 2.5, '2.5 days'],
    ['spendCents', 367_134, '£3,671'],
    ['spendCents', 1250, '£12.50'],
    ['spend', 674.485, '£674'],
    ['weekendShare', 0.354, '35 %'],
    ['weekendShare', 0.0354, '3.5 %'],
    ['weekendShare', 0.0004, 'below 0.1 %'],
    ['weekendShare', 0, '0 %'],
    ['orders', 10, '10'],
    ['orders', 1234.5, '1,235'],
    ['unknown', 0.123, '0.12'],
  ])('%s of %d reads %s', (feature, value, text) => {
    expect(formatFigure(feature, value, format)).toBe(text);
  });

  test('a currency without a symbol is written by its code', () => {
    expect(formatMoney(12_345.6, 'SEK')).toBe('SEK 12,346');
  });

  test('a thing that is counted is one or several', () => {
    expect([0, 1, 2_237].map((rows) => counted(rows, 'row'))).toEqual(['0 rows', '1 row', '2,237 rows']);
  });

  test('nothing is ever minus zero', () => {
    expect([formatNumber(-0.001), formatMoney(-0.001, 'EUR'), formatNumber(-1234)]).toEqual([
      '0',
      '€0',
      '-1,234',
    ]);
    expect(formatShare(1)).toBe('100 %');
  });

  test.each([
    ['recencyDays', 'recency'],
    ['averageOrderCents', 'average order'],
    ['weekendShare', 'weekend share'],
    ['days', 'days'],
  ])('%s is called %s', (feature, label) => {
    expect(featureLabel(feature)).toBe(label);
  });
});
