import type { Definition } from '../contracts/definition.ts';

// Figures as a marketer reads them. Written by hand rather than with Intl: texts are part of artifacts, and
// Intl's output differs between versions of its locale data.

/** What is needed to write a pipeline's figures: the unit of each feature and the currency. */
export interface FigureFormat {
  units: ReadonlyMap<string, string>;
  currency: string;
}

const SYMBOLS: Record<string, string> = { EUR: '€', GBP: '£', JPY: '¥', USD: '$' };

export function figureFormat(definition: Pick<Definition, 'features' | 'currency'>): FigureFormat {
  const { aggregate, derive } = definition.features;
  return {
    units: new Map([...aggregate, ...derive].map(({ name, unit }) => [name, unit])),
    currency: definition.currency,
  };
}

/**
 * `averageOrderCents` -> `average order`: words of the name, without the unit the figure shows anyway. The days of a
 * window (`ordersLast90Days`) are no unit.
 */
export function featureLabel(feature: string): string {
  const words = feature.split(/(?=[A-Z])|(?<=[a-z])(?=\d)/).map((word) => word.toLowerCase());
  const isUnit = words.at(-1) === 'cents' || (words.at(-1) === 'days' && !/^\d+$/.test(words.at(-2) ?? ''));
  if (words.length > 1 && isUnit) words.pop();
  return words.join(' ');
}

/** `£1,234`, `12 days`, `35 %`, `2.5`: a figure in the unit of its feature. */
export function formatFigure(feature: string, value: number, { units, currency }: FigureFormat): string {
  const unit = units.get(feature) ?? '';
  if (unit === 'cents') return formatMoney(value / 100, currency);
  if (unit === currency || unit === 'currency') return formatMoney(value, currency);
  if (unit === 'share') return formatShare(value);
  if (unit === 'days') {
    const days = formatNumber(value >= 10 ? Math.round(value) : value);
    return `${days} ${days === '1' ? 'day' : 'days'}`;
  }
  return formatNumber(value);
}

export function formatMoney(amount: number, currency: string): string {
  const symbol = SYMBOLS[currency] ?? `${currency} `;
  const size = Math.abs(amount);
  const text = size >= 100 ? grouped(size.toFixed(0)) : size.toFixed(2).replace(/\.00$/, '');
  return `${amount < 0 && text !== '0' ? '-' : ''}${symbol}${text}`;
}

/** Share in [0, 1] as a percentage: `35 %`, `3.5 %`, `below 0.1 %`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return 'below 0.1 %';
  return `${percent.toFixed(Math.abs(percent) >= 10 ? 0 : 1).replace(/\.0$/, '')} %`;
}

/** Three digits or all before the point, thousands apart. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const [whole, fraction = ''] = size.toFixed(decimals).split('.');
  const kept = fraction.replace(/0+$/, '');
  const text = grouped(whole!) + (kept ? `.${kept}` : '');
  return value < 0 && text !== '0' ? `-${text}` : text;
}

/** `1 row`, `2,237 rows`. */
export function counted(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}
