import { describe, expect, test } from 'vitest';
import {
  bandWord,
  type Condition,
  checkCondition,
  findEvidence,
  traitWords,
} from '../../../pipelines/stages/name-evidence.ts';

const figures = (median: number, difference = 0, lift: number | null = 1) => ({
  median,
  mean: median,
  difference,
  lift,
});

const bands = {
  feature: 'recencyDays',
  bands: [
    { word: 'Active', below: 30 },
    { word: 'Cooling', atLeast: 30, below: 90 },
    { word: 'Lapsed', atLeast: 90 },
  ],
};

describe('words by bands', () => {
  test.each([
    [0, 'Active'],
    [29.9, 'Active'],
    [30, 'Cooling'],
    [90, 'Lapsed'],
    [4000, 'Lapsed'],
  ])('a median of %d is %s', (median, word) => {
    expect(bandWord(bands, 'stage', { features: { recencyDays: figures(median) } })?.word).toBe(word);
  });

  test('outside all bands there is no word', () => {
    const some = { feature: 'recencyDays', bands: [{ word: 'Active', below: 30 }] };
    expect(bandWord(some, 'stage', { features: { recencyDays: figures(31) } })).toBeNull();
    expect(bandWord(some, 'stage', { features: {} })).toBeNull();
  });
});

describe('traits', () => {
  const traits = [{ feature: 'weekendShare', high: 'weekend buyers', low: 'weekday buyers' }];
  const wordsAt = (difference: number, lift: number | null) =>
    traitWords(traits, { features: { weekendShare: figures(0, difference, lift) } }).map(({ word }) => word);

  test.each([
    [0.5, 1.2, ['weekend buyers']],
    [0.49, 3, []],
    [2, 1.19, []],
    [-0.5, 1 / 1.2, ['weekday buyers']],
    [-0.5, 0.84, []],
    [-0.49, 0.1, []],
    [2, null, []],
    [-2, 1.5, []],
  ])('a difference of %d with a lift of %d gives %j', (difference, lift, words) => {
    expect(wordsAt(difference, lift)).toEqual(words);
  });

  test('a side without a word has none', () => {
    const high = [{ feature: 'x', high: 'big' }];
    expect(traitWords(high, { features: { x: figures(0, -2, 0.1) } })).toEqual([]);
  });
});

describe('the guard of a name', () => {
  const condition: Condition = {
    words: [
      { word: 'Active', role: 'stage', bounds: [{ feature: 'recencyDays', statistic: 'median', below: 30 }] },
      { word: 'frequent', role: 'trait', bounds: [{ feature: 'orders', statistic: 'lift', atLeast: 1.2 }] },
    ],
  };
  const profile = { features: { recencyDays: figures(10), orders: figures(5, 1, 1.1) } };

  test('survives JSON', () => {
    const kept = JSON.parse(JSON.stringify(condition));
    expect(checkCondition(kept, profile)).toBe(false);
  });

  test('holds again when the figures do', () => {
    expect(checkCondition(condition, { features: { ...profile.features, orders: figures(5, 1, 1.2) } })).toBe(
      true,
    );
  });

  test('does not hold for a figure that is gone', () => {
    expect(checkCondition(condition, { features: {} })).toBe(false);
  });

  test('of no words always holds: a person claimed nothing', () => {
    expect(checkCondition({ words: [] }, { features: {} })).toBe(true);
  });

  test('each word comes with its figure and its bounds', () => {
    expect(findEvidence(condition, profile)).toEqual([
      {
        word: 'Active',
        role: 'stage',
        findings: [{ feature: 'recencyDays', statistic: 'median', below: 30, value: 10 }],
      },
      {
        word: 'frequent',
        role: 'trait',
        findings: [{ feature: 'orders', statistic: 'lift', atLeast: 1.2, value: 1.1 }],
      },
    ]);
  });
});
