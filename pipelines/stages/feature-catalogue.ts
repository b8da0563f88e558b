import type { FeatureSettings, TransformName } from '../contracts/definition.ts';
import { OPTIONAL_COLUMNS } from '../contracts/source.ts';
import { BOUNDED, habitEntries, RECENT_DAYS, SKEWED, YEAR_DAYS } from './feature-habits.ts';

// The features Strata can offer for a transaction extract. A definition copies what it wants and is then free
// to change it: what runs is always the text in pipeline.yaml. Only exact sums, counts, minima and maxima, and
// quotients and roots of these: no figure depends on threads or on the order of rows. Each is of one customer
// alone, so that a single customer in a request can have it too. What may be missing says what stands for it: a
// shop where nobody has three orders yet is no reason to stop.

export interface CatalogueFeature {
  name: string;
  level: 'aggregate' | 'derive';
  unit: string;
  why: string;
  /** Columns of the extract it needs, beside those that are always there. */
  needs: readonly string[];
  /** Features it is derived from. */
  rests?: readonly string[];
  sql?: string;
  expression?: string;
  over?: 'lines' | 'orders';
  /** Of an aggregate; a derived feature has those it rests on. */
  windowDays?: number;
  whenMissing?: number;
  transforms: TransformName[];
  trait?: { high?: string; low?: string };
}

export interface CatalogueOptions {
  /** Columns of the extract. */
  columns: ReadonlySet<string>;
  /** ISO 4217. */
  currency: string;
  /** From the first order to the as-of date; features that look back farther are left out. */
  historyDays: number;
  /** Whether the contract lets lines with a negative amount through. @default false */
  acceptsReturns?: boolean;
}

/**
 * Those of the catalogue that an extract has the columns and the history for, aggregates first, each after
 * those it rests on.
 */
export function featureCatalogue(options: CatalogueOptions): CatalogueFeature[] {
  const { columns, historyDays, acceptsReturns = false } = options;
  const entries = [
    ...valueEntries(options),
    ...rhythmEntries(options),
    ...recentEntries(options),
    ...habitEntries(),
    ...derivedEntries(options),
  ];
  return entries
    .filter(({ needs, history = 0, onlyReturns = false }) => {
      const isThere = needs.every((name) => columns.has(name) || !(name in OPTIONAL_COLUMNS));
      return isThere && historyDays >= history && (acceptsReturns || !onlyReturns);
    })
    .map(({ history, onlyReturns, ...feature }) => feature)
    .sort((left, right) => Number(left.level === 'derive') - Number(right.level === 'derive'));
}

/** The entry as it stands in a definition. */
export function settingOf(feature: CatalogueFeature): Partial<FeatureSettings['aggregate'][number]> & {
  expression?: string;
} {
  const { name, unit, why, sql, expression, over, windowDays, whenMissing } = feature;
  return {
    name,
    unit,
    why,
    ...(sql === undefined ? {} : { sql }),
    ...(expression === undefined ? {} : { expression }),
    ...(over === undefined || over === 'lines' ? {} : { over }),
    ...(windowDays === undefined ? {} : { windowDays }),
    ...(whenMissing === undefined ? {} : { whenMissing }),
  };
}

export interface Entry extends CatalogueFeature {
  /** Days of history without which it says nothing. */
  history?: number;
  onlyReturns?: boolean;
}

// A sum of DECIMALs has 128 bits, which are slow to round; a customer's money has room in 64.
const CENTS = (sum: string) => `CAST(round(CAST(${sum} AS DECIMAL(18,4)), 2) * 100 AS BIGINT)`;
const DAYS_SINCE = (moment: string) => `date_diff('day', CAST(${moment} AS DATE), CAST(as_of AS DATE))`;
const SINCE = (days: number) => `ordered_at >= as_of - INTERVAL ${days} DAYS`;
const BEFORE = (days: number) => `ordered_at < as_of - INTERVAL ${days} DAYS`;

function money({ acceptsReturns }: CatalogueOptions): TransformName[] {
  // Who sent back more than they bought has spent less than nothing, of which there is no logarithm.
  return acceptsReturns ? ['yeo-johnson', 'standard'] : SKEWED;
}

function valueEntries(options: CatalogueOptions): Entry[] {
  return [
    {
      name: 'recencyDays',
      level: 'aggregate',
      unit: 'days',
      why: 'How long a customer has been silent is the best single sign of whether they come back.',
      needs: [],
      sql: DAYS_SINCE('max(ordered_at)'),
      transforms: SKEWED,
    },
    {
      name: 'orders',
      level: 'aggregate',
      unit: 'orders',
      why: 'Customers who have ordered often are likely to order again.',
      needs: [],
      sql: 'count(DISTINCT order_id)',
      transforms: SKEWED,
      trait: { high: 'frequent buyers', low: 'occasional buyers' },
    },
    {
      name: 'spendCents',
      level: 'aggregate',
      unit: 'cents',
      why: 'Total spend says how much a customer is worth keeping.',
      needs: [],
      sql: CENTS('sum(amount)'),
      transforms: money(options),
    },
    {
      name: 'tenureDays',
      level: 'aggregate',
      unit: 'days',
      why: 'New customers need a welcome, long-standing ones recognition.',
      needs: [],
      sql: DAYS_SINCE('min(ordered_at)'),
      transforms: SKEWED,
      trait: { high: 'long-standing customers', low: 'newer customers' },
    },
    {
      name: 'items',
      level: 'aggregate',
      unit: 'items',
      why: 'The number of pieces tells businesses from people who buy for themselves.',
      needs: ['quantity'],
      sql: 'sum(quantity)',
      transforms: money(options),
    },
    {
      name: 'lines',
      level: 'aggregate',
      unit: 'lines',
      why: 'Many lines bought are many chances to please, and much to learn a taste from.',
      needs: [],
      sql: 'count(*)',
      transforms: SKEWED,
    },
    {
      name: 'categories',
      level: 'aggregate',
      unit: 'categories',
      why: 'A wide range bought is a sign of a settled relation and of room for recommendations.',
      needs: ['category'],
      sql: 'count(DISTINCT category)',
      transforms: SKEWED,
      trait: { high: 'wide-range buyers', low: 'narrow-range buyers' },
    },
  ];
}

function rhythmEntries({ historyDays }: CatalogueOptions): Entry[] {
  return [
    {
      name: 'activeMonths',
      level: 'aggregate',
      unit: 'months',
      why: 'Orders spread over many months are a habit, the same number in one month is an event.',
      needs: [],
      over: 'orders',
      sql: 'count(*) FILTER (WHERE is_first_in_month)',
      transforms: SKEWED,
      trait: { high: 'year-round buyers' },
    },
    {
      name: 'gapMeanDays',
      level: 'aggregate',
      unit: 'days',
      why: 'The usual time between two orders says when the next one is due, and when to be worried.',
      needs: [],
      over: 'orders',
      sql: 'sum(gap_days) / count(gap_days)',
      // A single order has no gap yet: its customer waits at least as long as anybody can be seen to.
      whenMissing: historyDays,
      transforms: SKEWED,
    },
    {
      name: 'gapDeviationDays',
      level: 'aggregate',
      unit: 'days',
      why: 'How far the times between orders differ says how long after the usual day a reminder is not too early.',
      needs: [],
      over: 'orders',
      sql: `CASE WHEN count(gap_days) >= 2 THEN
  sqrt(count(gap_days) * sum(gap_days * gap_days) - sum(gap_days) * sum(gap_days)) / count(gap_days) END`,
      whenMissing: 0,
      transforms: SKEWED,
    },
    {
      name: 'gapRegularity',
      level: 'aggregate',
      unit: 'share',
      why: 'Who orders like clockwork answers to a subscription, who orders in bursts to an occasion.',
      needs: [],
      over: 'orders',
      // 1 / (1 + coefficient of variation), of three orders or more.
      sql: `CASE WHEN count(gap_days) >= 2 THEN sum(gap_days) / (sum(gap_days)
  + sqrt(count(gap_days) * sum(gap_days * gap_days) - sum(gap_days) * sum(gap_days))) END`,
      whenMissing: 0,
      transforms: BOUNDED,
      trait: { high: 'regular buyers' },
    },
  ];
}

function recentEntries(options: CatalogueOptions): Entry[] {
  const recent = SINCE(RECENT_DAYS);
  const before = `${SINCE(2 * RECENT_DAYS)} AND ${BEFORE(RECENT_DAYS)}`;
  const coming = `${SINCE(YEAR_DAYS)} AND ${BEFORE(YEAR_DAYS - RECENT_DAYS)}`;
  const centsOf = (rows: string) => CENTS(`coalesce(sum(amount) FILTER (WHERE ${rows}), 0)`);
  return [
    {
      name: 'ordersLast90Days',
      level: 'aggregate',
      unit: 'orders',
      why: 'What a customer did lately says more of next month than what they did in all.',
      needs: [],
      over: 'orders',
      sql: `count(*) FILTER (WHERE ${recent})`,
      windowDays: RECENT_DAYS,
      history: RECENT_DAYS + 1,
      transforms: SKEWED,
    },
    {
      name: 'spendLast90DaysCents',
      level: 'aggregate',
      unit: 'cents',
      why: 'Recent spend shows who is worth a call now.',
      needs: [],
      sql: centsOf(recent),
      windowDays: RECENT_DAYS,
      history: RECENT_DAYS + 1,
      transforms: money(options),
    },
    {
      name: 'spendBefore90DaysCents',
      level: 'aggregate',
      unit: 'cents',
      why: 'Spend of the quarter before the last is what the last one is held against.',
      needs: [],
      sql: centsOf(before),
      windowDays: 2 * RECENT_DAYS,
      history: 2 * RECENT_DAYS,
      transforms: money(options),
    },
    {
      name: 'comingSeasonCents',
      level: 'aggregate',
      unit: 'cents',
      why: 'Who bought a year ago in the three months that come next is likely to do so again: write before they begin.',
      needs: [],
      sql: centsOf(coming),
      windowDays: YEAR_DAYS,
      history: YEAR_DAYS,
      transforms: money(options),
    },
  ];
}

const CURRENCY_WORDS: Readonly<Record<string, string>> = { EUR: 'euros', GBP: 'pounds', USD: 'dollars' };

function derivedEntries(options: CatalogueOptions): Entry[] {
  const { currency } = options;
  return [
    {
      name: 'spend',
      level: 'derive',
      unit: currency,
      why: `Total spend in ${CURRENCY_WORDS[currency] ?? currency}, the scale on which customers are compared.`,
      needs: [],
      rests: ['spendCents'],
      expression: 'd.spendCents / 100',
      transforms: money(options),
    },
    {
      name: 'averageOrderCents',
      level: 'derive',
      unit: 'cents',
      why: 'A large average order is worth a personal offer, many small ones a bundle.',
      needs: [],
      rests: ['spendCents', 'orders'],
      expression: 'd.spendCents / d.orders',
      transforms: money(options),
      trait: { high: 'big-order buyers', low: 'small-order buyers' },
    },
    {
      name: 'itemsPerOrder',
      level: 'derive',
      unit: 'items',
      why: 'Large orders need other logistics and other prices than small ones.',
      needs: ['quantity'],
      rests: ['items', 'orders'],
      expression: 'd.items / d.orders',
      transforms: money(options),
      trait: { high: 'bulk buyers' },
    },
    {
      name: 'trend',
      level: 'derive',
      unit: 'from -1 to 1',
      why: 'Spend that grows or falls from one quarter to the next shows whom to thank and whom to win back.',
      needs: [],
      rests: ['spendLast90DaysCents', 'spendBefore90DaysCents'],
      expression:
        '(d.spendLast90DaysCents - d.spendBefore90DaysCents) / (abs(d.spendLast90DaysCents) + abs(d.spendBefore90DaysCents))',
      history: 2 * RECENT_DAYS,
      whenMissing: 0,
      transforms: BOUNDED,
      trait: { high: 'growing buyers', low: 'fading buyers' },
    },
    {
      name: 'recencyToGap',
      level: 'derive',
      unit: 'usual gaps',
      why: 'Silence counts against a customer’s own rhythm: a month is long for who comes weekly, and nothing for who comes at Christmas.',
      needs: [],
      rests: ['recencyDays', 'tenureDays', 'orders'],
      // The usual gap is the mean of the customer's own and of one of 90 days, so that one order has one too.
      expression: `d.recencyDays * d.orders / (d.tenureDays - d.recencyDays + ${RECENT_DAYS})`,
      transforms: SKEWED,
      trait: { high: 'overdue customers' },
    },
  ];
}
