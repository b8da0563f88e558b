import fc from 'fast-check';
import type { NamingSettings } from '../../../pipelines/contracts/definition.ts';
import { nameSegments, type PreviousName } from '../../../pipelines/stages/name.ts';
import { createResample } from '../../../pipelines/stages/name-bootstrap.ts';
import { profileSegments } from '../../../pipelines/stages/segment-profile.ts';

// A vocabulary, and shops whose segments are given by their figures.

export const naming: NamingSettings = {
  stage: {
    feature: 'recencyDays',
    bands: [
      { word: 'Active', below: 45 },
      { word: 'Cooling', atLeast: 45, below: 120 },
      { word: 'Lapsed', atLeast: 120 },
    ],
  },
  value: {
    feature: 'spend',
    bands: [
      { word: 'low-value', below: 500 },
      { word: 'mid-value', atLeast: 500, below: 2000 },
      { word: 'high-value', atLeast: 2000 },
    ],
  },
  traits: [
    { feature: 'orders', high: 'frequent buyers', low: 'occasional buyers' },
    { feature: 'weekendShare', high: 'weekend buyers', low: 'weekday buyers' },
  ],
};

export interface Figures {
  recencyDays: number;
  spend: number;
  orders: number;
  weekendShare: number;
}

/** Three customers around each of the given figures. */
export function figuresOf(segments: readonly Figures[]) {
  const { columns, labels } = columnsOf(segments);
  const profiles = profileSegments({ columns, labels, k: segments.length, spend: 'spend' });
  return { profiles, resample: createResample({ columns, labels, profiles }) };
}

/** The same as columns, under names of their own where they are called otherwise. */
export function columnsOf(segments: readonly Figures[], called: Partial<Record<keyof Figures, string>> = {}) {
  const labels = Uint8Array.from({ length: segments.length * 3 }, (_, row) => Math.floor(row / 3));
  const column = (feature: keyof Figures) =>
    Float64Array.from(labels, (label, row) => segments[label]![feature] * (0.9 + 0.1 * (row % 3)));
  const features = ['recencyDays', 'spend', 'orders', 'weekendShare'] as const;
  const columns = Object.fromEntries(
    features.map((feature) => [called[feature] ?? feature, column(feature)]),
  );
  return { columns, labels };
}

export const identities = (k: number) =>
  Array.from({ length: k }, (_, cluster) => ({ cluster, segmentId: `seg_${cluster}` }));

export function name(
  segments: readonly Figures[],
  previousNames: Record<string, PreviousName> = {},
  settings = naming,
) {
  return nameSegments({
    naming: settings,
    ...figuresOf(segments),
    segments: identities(segments.length),
    previousNames,
  });
}

export const shop: Figures[] = [
  { recencyDays: 10, spend: 5000, orders: 20, weekendShare: 0.3 },
  { recencyDays: 12, spend: 300, orders: 2, weekendShare: 0.9 },
  { recencyDays: 80, spend: 900, orders: 4, weekendShare: 0.3 },
  { recencyDays: 300, spend: 200, orders: 1, weekendShare: 0.1 },
];

export const figures = fc.record({
  recencyDays: fc.integer({ min: 1, max: 400 }),
  spend: fc.integer({ min: 10, max: 9000 }),
  orders: fc.integer({ min: 1, max: 40 }),
  weekendShare: fc.double({ min: 0.01, max: 1, noNaN: true }),
});
export const distinct = (min: number, max: number) =>
  fc.uniqueArray(figures, { minLength: min, maxLength: max, selector: ({ spend }) => spend });
