import type { TransformName } from '../contracts/definition.ts';
import type { Entry } from './feature-catalogue.ts';

/** Half of a window for the trend, and what counts as lately. */
export const RECENT_DAYS = 90;
export const YEAR_DAYS = 365;

export const SKEWED: TransformName[] = ['log1p', 'standard'];
export const BOUNDED: TransformName[] = ['standard'];

const SHARE_OF_LINES = (condition: string) => `count(*) FILTER (WHERE ${condition}) / count(*)`;

/** How and when a customer shops: prices, channels, weekdays, hours, seasons. */
export function habitEntries(): Entry[] {
  return [
    {
      name: 'discountShare',
      level: 'aggregate',
      unit: 'share',
      why: 'Who buys only what is reduced needs a reason other than the price, or margin goes to waste.',
      needs: ['discount'],
      sql: 'sum(discount) / (sum(amount) + sum(discount))',
      whenMissing: 0,
      transforms: BOUNDED,
      trait: { high: 'bargain hunters', low: 'full-price buyers' },
    },
    {
      name: 'returnShare',
      level: 'aggregate',
      unit: 'share',
      why: 'Customers who send much back cost more than their spend shows.',
      needs: [],
      sql: SHARE_OF_LINES('amount < 0'),
      onlyReturns: true,
      transforms: BOUNDED,
      trait: { high: 'frequent returners' },
    },
    {
      name: 'channels',
      level: 'aggregate',
      unit: 'channels',
      why: 'Customers who use several channels are bound more closely, and can be reached in more ways.',
      needs: ['channel'],
      sql: 'count(DISTINCT channel)',
      transforms: SKEWED,
      trait: { high: 'cross-channel buyers' },
    },
    {
      name: 'mainChannelShare',
      level: 'aggregate',
      unit: 'share',
      why: 'Who keeps to one channel is best reached there, and may not know the others.',
      needs: ['channel'],
      over: 'orders',
      sql: 'list_max(map_values(histogram(channel))) / count(channel)',
      whenMissing: 0,
      transforms: BOUNDED,
      trait: { high: 'one-channel buyers' },
    },
    {
      name: 'weekendShare',
      level: 'aggregate',
      unit: 'share',
      why: 'When people shop tells when to write to them.',
      needs: [],
      sql: SHARE_OF_LINES('isodow(ordered_at) >= 6'),
      transforms: BOUNDED,
      trait: { high: 'weekend buyers' },
    },
    {
      name: 'eveningShare',
      level: 'aggregate',
      unit: 'share',
      why: 'Evening buyers read in the evening: the hour to send to them.',
      needs: [],
      sql: SHARE_OF_LINES('hour(ordered_at) >= 18'),
      transforms: BOUNDED,
      trait: { high: 'evening buyers' },
    },
    {
      name: 'workingHoursShare',
      level: 'aggregate',
      unit: 'share',
      why: 'Orders in working hours are often a business that buys.',
      needs: [],
      sql: SHARE_OF_LINES('isodow(ordered_at) <= 5 AND hour(ordered_at) BETWEEN 8 AND 17'),
      transforms: BOUNDED,
      trait: { high: 'working-hours buyers' },
    },
    {
      name: 'mainWeekdayShare',
      level: 'aggregate',
      unit: 'share',
      why: 'Who has a shopping day of their own is best written to on the day before it.',
      needs: [],
      over: 'orders',
      sql: 'list_max(map_values(histogram(isodow(ordered_at)))) / count(*)',
      transforms: BOUNDED,
    },
    {
      name: 'holidayShare',
      level: 'aggregate',
      unit: 'share',
      why: 'Who buys in November and December wants gift ideas, and few letters in between.',
      needs: [],
      sql: SHARE_OF_LINES('month(ordered_at) >= 11'),
      history: YEAR_DAYS,
      transforms: BOUNDED,
      trait: { high: 'holiday buyers' },
    },
  ];
}
