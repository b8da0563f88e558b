import type { Contract, Freshness } from './contract.ts';
import type { Fault, Odcs } from './odcs.ts';

// What a contract asks of a whole run.

const SETTINGS = [
  'strataWarnRefusedShare',
  'strataFailRefusedShare',
  'strataMinimumCustomers',
  'strataFreshnessSeverity',
];

export interface Settings {
  thresholds: Contract['thresholds'];
  freshness: Freshness['severity'];
}

/** What a run may do beyond single rules; the standard has no words for it. */
export function settingsOf({ customProperties = [] }: Odcs, faults: Fault[]): Settings {
  const value = (name: string): unknown => customProperties.find(({ property }) => property === name)?.value;
  const pathOf = (name: string) => [
    'customProperties',
    customProperties.findIndex(({ property }) => property === name),
    'value',
  ];
  customProperties.forEach(({ property }, i) => {
    if (/^strata/i.test(property) && !SETTINGS.includes(property))
      faults.push({
        path: ['customProperties', i, 'property'],
        message: `needs one of ${SETTINGS.join(', ')}`,
      });
  });
  const number = (name: string, absent: number, [least, most]: readonly [number, number]): number => {
    const given = value(name) ?? absent;
    const isGood = typeof given === 'number' && given >= least && given <= most;
    if (!isGood)
      faults.push({
        path: pathOf(name),
        message: `needs a number from ${least}${most === Infinity ? '' : ` to ${most}`}`,
      });
    return isGood ? given : absent;
  };
  const severity = value('strataFreshnessSeverity') ?? 'error';
  if (severity !== 'error' && severity !== 'warning')
    faults.push({ path: pathOf('strataFreshnessSeverity'), message: 'needs error or warning' });
  const customers = number('strataMinimumCustomers', 50, [2, Infinity]);
  if (!Number.isInteger(customers))
    faults.push({ path: pathOf('strataMinimumCustomers'), message: 'needs a whole number' });
  return {
    thresholds: {
      warnRefusedShare: number('strataWarnRefusedShare', 0.2, [0, 1]),
      failRefusedShare: number('strataFailRefusedShare', 0.5, [0, 1]),
      minimumCustomers: customers,
    },
    freshness: severity === 'warning' ? 'warn' : 'fail',
  };
}

const HOURS: Readonly<Record<string, number>> = {
  h: 1,
  hr: 1,
  hour: 1,
  hours: 1,
  d: 24,
  day: 24,
  days: 24,
  w: 168,
  week: 168,
  weeks: 168,
};
const AGES = ['freshness', 'latency', 'ly'];

export function freshnessOf(
  { slaProperties = [], schema }: Odcs,
  severity: Freshness['severity'],
  { faults, notChecked }: { faults: Fault[]; notChecked: string[] },
): Freshness | undefined {
  let freshness: Freshness | undefined;
  slaProperties.forEach(({ property, value, unit, element }, i) => {
    if (!AGES.includes(property.toLowerCase())) {
      notChecked.push(`slaProperties: ${property}: an extract does not show it`);
      return;
    }
    const column = (element ?? 'ordered_at').replace(/^transactions\./, '');
    const hours = HOURS[unit ?? ''];
    const at = (key: string) => ['slaProperties', i, key];
    if (freshness) faults.push({ path: at('property'), message: 'needs to be there once' });
    if (hours === undefined)
      faults.push({ path: at('unit'), message: 'needs h, d or w (hours, days, weeks)' });
    if (typeof value !== 'number' || value <= 0)
      faults.push({ path: at('value'), message: 'needs a number above 0' });
    const isThere = schema.some(
      ({ name, properties }) => name === 'transactions' && properties.some((one) => one.name === column),
    );
    if (!['ordered_at', 'loaded_at'].includes(column) || !isThere)
      faults.push({
        path: at('element'),
        message: 'needs ordered_at or loaded_at, as a property of transactions',
      });
    freshness = { name: 'freshness', column, hours: Number(value) * (hours ?? 0), severity };
  });
  return freshness;
}
