import type { Definition } from '../pipelines/contracts/definition.ts';
import type { Columns } from '../pipelines/stages/features.ts';

// The definition that simulated shops are run by.

const about = { unit: 'x', why: 'simulated' };
export const FEATURES = ['recencyDays', 'orders', 'spend', 'items'] as const;

export const SIMULATED = {
  pipeline: 'simulated',
  version: 1,
  currency: 'EUR',
  features: {
    aggregate: FEATURES.map((name) => ({ name, sql: name, ...about })),
    derive: [],
    cluster: FEATURES.map((feature) => ({
      feature,
      transforms: ['log1p', 'standard'] as ('log1p' | 'standard')[],
    })),
  },
  naming: {
    stage: {
      feature: 'recencyDays',
      bands: [
        { word: 'Active', below: 90 },
        { word: 'Cooling', atLeast: 90, below: 400 },
        { word: 'Lapsed', atLeast: 400 },
      ],
    },
    value: {
      feature: 'spend',
      bands: [
        { word: 'modest-value', below: 60 },
        { word: 'mid-value', atLeast: 60, below: 500 },
        { word: 'high-value', atLeast: 500 },
      ],
    },
    traits: [
      { feature: 'orders', high: 'frequent buyers', low: 'occasional buyers' },
      { feature: 'items', high: 'bulk buyers', low: 'light buyers' },
    ],
    spend: 'spend',
  },
  stability: { minimumAdjustedRand: 0.3, maximumMovedShare: 0.5, majorPsi: 0.25 },
} satisfies Pick<Definition, 'pipeline' | 'version' | 'currency' | 'features' | 'naming' | 'stability'>;

export function columnsOf(figures: readonly Float64Array[]): Columns {
  return Object.fromEntries(FEATURES.map((name, j) => [name, figures[j]!]));
}
