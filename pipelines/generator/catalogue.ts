/** What is sold, where and to which countries; each column's words with how often they occur. */

interface Category {
  name: string;
  /** Median price of an article. */
  priceCents: number;
  /** How much of the demand, by calendar month. */
  demand: readonly number[];
}

const ALL_YEAR = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];

export const CATEGORIES: readonly Category[] = [
  { name: 'home', priceCents: 1899, demand: ALL_YEAR },
  { name: 'kitchen', priceCents: 2299, demand: [0.8, 0.8, 0.9, 0.9, 0.9, 0.9, 0.8, 0.8, 1, 1, 1.4, 1.6] },
  { name: 'garden', priceCents: 1499, demand: [0.1, 0.2, 0.9, 1.6, 1.9, 1.6, 1.1, 0.8, 0.5, 0.3, 0.1, 0.1] },
  { name: 'toys', priceCents: 1699, demand: [0.4, 0.4, 0.5, 0.5, 0.5, 0.6, 0.6, 0.6, 0.6, 0.8, 1.8, 2.4] },
  { name: 'clothing', priceCents: 2999, demand: [0.9, 0.8, 1.1, 1.1, 1, 1, 1, 0.8, 1.1, 1.1, 1, 1] },
  { name: 'books', priceCents: 1299, demand: [0.7, 0.7, 0.7, 0.7, 0.7, 0.8, 0.9, 0.9, 0.8, 0.8, 1.1, 1.5] },
  {
    name: 'electronics',
    priceCents: 5999,
    demand: [0.4, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.4, 0.4, 1, 0.7],
  },
  { name: 'beauty', priceCents: 999, demand: [0.6, 0.8, 0.7, 0.7, 0.9, 0.7, 0.7, 0.7, 0.7, 0.7, 0.8, 1] },
];

export const CHANNELS = ['web', 'app', 'store', 'marketplace'] as const;

export const COUNTRIES: readonly { code: string; share: number }[] = [
  { code: 'DE', share: 0.46 },
  { code: 'FR', share: 0.17 },
  { code: 'NL', share: 0.12 },
  { code: 'AT', share: 0.08 },
  { code: 'BE', share: 0.07 },
  { code: 'IT', share: 0.06 },
  { code: 'ES', share: 0.04 },
];

/** Demand of the whole shop by calendar month: a quiet January, gifts at the end of the year. */
export const SHOP_SEASON = [0.8, 0.85, 0.95, 1, 1.05, 1, 0.9, 0.88, 1, 1.05, 1.3, 1.45] as const;

/** Prices rise by this much a month. */
export const MONTHLY_INFLATION = 0.002;
/** The app wins this much of its own weight a month. */
export const MONTHLY_APP_GROWTH = 0.03;

/** As shops do: never 12.37, but 11.99, 12.49 or 12.95. At least 0.49. */
export function shelfPrice(cents: number): number {
  const euros = Math.floor(cents / 100);
  const rest = cents - euros * 100;
  if (rest < 25) return Math.max(euros * 100 - 1, 49);
  if (rest < 70) return euros * 100 + 49;
  return euros * 100 + (cents < 1500 ? 95 : 99);
}
