import type { Rhythm } from './calendar.ts';

// The planted groups: how each shops, and how its members change from month to month. They overlap on
// purpose: an order more or less, a month of silence or a large gift happens in every one of them.

export interface Group {
  name: string;
  /** Mean of a member whose personal activity is 1, in an average month. */
  ordersPerMonth: number;
  /** Mean lines of an order beyond its first. */
  furtherLines: number;
  /** Mean pieces of a line beyond its first. */
  furtherPieces: number;
  /** Against the shelf price of the category. */
  priceFactor: number;
  rhythm: Rhythm;
  /** Weights of web, app, store, marketplace. */
  channels: readonly [number, number, number, number];
  /** Orders by calendar month; absent: as the whole shop. */
  season?: readonly number[];
  /** Share of the customers the shop had before its books begin, and of those who come later. */
  startShare: number;
  arrivalShare: number;
  /** Chance a month to become a member of another group. */
  becomes: Readonly<Record<string, number>>;
}

export const GROUPS: readonly Group[] = [
  {
    name: 'regular',
    ordersPerMonth: 1.1,
    furtherLines: 0.8,
    furtherPieces: 0.3,
    priceFactor: 1,
    rhythm: 'any-day',
    channels: [4, 4, 2, 0.3],
    startShare: 0.3,
    arrivalShare: 0,
    becomes: { lapsed: 0.02, weekend: 0.004 },
  },
  {
    name: 'weekend',
    ordersPerMonth: 0.7,
    furtherLines: 0.8,
    furtherPieces: 0.2,
    priceFactor: 0.85,
    rhythm: 'weekend',
    channels: [2, 3, 6, 0.5],
    startShare: 0.2,
    arrivalShare: 0.06,
    becomes: { lapsed: 0.03, regular: 0.006 },
  },
  {
    name: 'seasonal',
    ordersPerMonth: 0.24,
    furtherLines: 3.2,
    furtherPieces: 0.5,
    priceFactor: 1.7,
    rhythm: 'any-day',
    channels: [6, 2, 3, 0.5],
    season: [0.05, 0.05, 0.1, 0.3, 0.4, 0.3, 0.1, 0.1, 0.2, 0.6, 4.2, 5.6],
    startShare: 0.2,
    arrivalShare: 0.06,
    becomes: { lapsed: 0.01 },
  },
  {
    name: 'business',
    ordersPerMonth: 1.6,
    furtherLines: 1.8,
    furtherPieces: 5,
    priceFactor: 1,
    rhythm: 'working-day',
    channels: [9, 1, 0.2, 0.1],
    startShare: 0.05,
    arrivalShare: 0.03,
    becomes: { lapsed: 0.012 },
  },
  {
    name: 'bargain',
    ordersPerMonth: 0.02,
    furtherLines: 0.15,
    furtherPieces: 0.1,
    priceFactor: 0.5,
    rhythm: 'any-day',
    channels: [2, 1.5, 0.3, 6],
    startShare: 0.15,
    arrivalShare: 0.35,
    becomes: { newcomer: 0.006 },
  },
  {
    name: 'newcomer',
    ordersPerMonth: 0.7,
    furtherLines: 0.5,
    furtherPieces: 0.2,
    priceFactor: 0.9,
    rhythm: 'any-day',
    channels: [4, 5, 1, 0.5],
    startShare: 0.02,
    arrivalShare: 0.5,
    becomes: { regular: 0.13, weekend: 0.1, lapsed: 0.14 },
  },
  {
    name: 'lapsed',
    ordersPerMonth: 0.015,
    furtherLines: 0.5,
    furtherPieces: 0.2,
    priceFactor: 0.9,
    rhythm: 'any-day',
    channels: [5, 2, 1.5, 1],
    startShare: 0.08,
    arrivalShare: 0,
    becomes: { newcomer: 0.006, regular: 0.003 },
  },
];

export const GROUP_NAMES: readonly string[] = GROUPS.map(({ name }) => name);
