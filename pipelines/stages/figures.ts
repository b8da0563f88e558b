import type { Definition } from '../contracts/definition.ts';
import { type Locale, localeOf } from './locales/locale.ts';

// Figures as a marketer reads them. Written by hand rather than with Intl: texts are part of artifacts, and
// Intl's output differs between versions of its locale data.

/** What is needed to write a pipeline's figures: the unit of each feature and the currency. */
export interface FigureFormat {
  units: ReadonlyMap<string, string>;
  currency: string;
  /** @default English, which all reports for operators are written in */
  locale?: Locale;
  /** What the definition calls its features. */
  labels?: Readonly<Record<string, string>>;
}

type Writing = Pick<Locale, 'numbers' | 'money' | 'days' | 'below'>;

const ENGLISH = localeOf('en');

export function figureFormat(definition: Pick<Definition, 'features' | 'currency'>): FigureFormat {
  const { aggregate, derive } = definition.features;
  return {
    units: new Map([...aggregate, ...derive].map(({ name, unit }) => [name, unit])),
    currency: definition.currency,
  };
}

/** The format of names and descriptions: in the definition's language and words. */
export function namingFormat(definition: Pick<Definition, 'features' | 'currency' | 'naming'>): FigureFormat {
  const { locale, labels = {} } = definition.naming;
  return { ...figureFormat(definition), locale: localeOf(locale), labels };
}

/** What a reader calls a feature: as the definition says, else the locale, else the words of its name. */
export function labelOf(feature: string, { labels = {}, locale = ENGLISH }: Partial<FigureFormat>): string {
  const given = [labels, locale.labels].find((known) => Object.hasOwn(known, feature));
  return given?.[feature] ?? featureLabel(feature);
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
export function formatFigure(
  feature: string,
  value: number,
  { units, currency, locale = ENGLISH }: FigureFormat,
): string {
  const unit = units.get(feature) ?? '';
  if (unit === 'cents') return formatMoney(value / 100, currency, locale);
  if (unit === currency || unit === 'currency') return formatMoney(value, currency, locale);
  if (unit === 'share') return formatShare(value, locale);
  if (unit === 'days') return locale.days(formatNumber(value >= 10 ? Math.round(value) : value, locale));
  return formatNumber(value, locale);
}

export function formatMoney(amount: number, currency: string, locale: Writing = ENGLISH): string {
  const size = Math.abs(amount);
  const text = size >= 100 ? size.toFixed(0) : size.toFixed(2).replace(/\.00$/, '');
  return `${amount < 0 && text !== '0' ? '-' : ''}${locale.money(currency, written(text, locale))}`;
}

/** Share in [0, 1] as a percentage: `35 %`, `3.5 %`, `below 0.1 %`. */
export function formatShare(share: number, locale: Writing = ENGLISH): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return locale.below(`${written('0.1', locale)} %`);
  return `${written(percent.toFixed(Math.abs(percent) >= 10 ? 0 : 1).replace(/\.0$/, ''), locale)} %`;
}

/** Three digits or all before the point, thousands apart. */
export function formatNumber(value: number, locale: Writing = ENGLISH): string {
  const size = Math.abs(value);
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const [whole, fraction = ''] = size.toFixed(decimals).split('.');
  const kept = fraction.replace(/0+$/, '');
  const text = written(kept ? `${whole}.${kept}` : whole!, locale);
  return value < 0 && text !== '0' ? `-${text}` : text;
}

/** `1 row`, `2,237 rows`. */
export function counted(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `1234.5` -> `1,234.5`, or as the locale has it. */
function written(text: string, { numbers }: Writing): string {
  const [whole, fraction] = text.split('.');
  const apart = whole!.replace(/\B(?=(\d{3})+$)/g, numbers.thousands);
  return fraction === undefined ? apart : `${apart}${numbers.decimal}${fraction}`;
}
