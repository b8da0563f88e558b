import type { SourceFormat } from '../contracts/source.ts';
import { quoteText } from '../contracts/sql-quote.ts';

// Numbers as people and shops write them: 1.234,50 · 1'234.50 · (12.50) · 12.50- · £12.50 · 12.50 GBP. What
// could be two numbers is none: 1,234 is read only where the definition says which mark is the decimal one.

/** Signs of currencies that have one of their own or, as $ and ¥, are the pipeline's by its definition. */
const SIGNS: Readonly<Record<string, string>> = {
  EUR: '€',
  GBP: '£',
  USD: '\\$|US\\$',
  CAD: '\\$|C\\$|CA\\$',
  AUD: '\\$|A\\$|AU\\$',
  NZD: '\\$|NZ\\$',
  MXN: '\\$|MX\\$',
  BRL: 'R\\$',
  JPY: '¥|￥|円',
  CNY: '¥|￥|元',
  INR: '₹',
  KRW: '₩',
  RUB: '₽',
  UAH: '₴',
  TRY: '₺',
  ILS: '₪',
  VND: '₫',
  PLN: 'zł',
  CZK: 'Kč',
  HUF: 'Ft',
  SEK: 'kr\\.?',
  NOK: 'kr\\.?',
  DKK: 'kr\\.?',
  CHF: 'Fr\\.?|SFr\\.?',
};

/** Blanks of any width, and apostrophes: nowhere a decimal mark, so that they may always divide thousands. */
const NARROW = "['’ \u00a0\u2009\u202f]";

export interface DecimalText {
  /** SQL of a text. */
  text: string;
  /** Such as `DECIMAL(18,4)`. */
  type: string;
  decimal: SourceFormat['decimal'];
  /** ISO 4217 code whose signs may stand before or behind the number; absent: none may. */
  currency?: string | undefined;
}

/**
 * SQL of the number, NULL where the text is none. Plain numbers, which nearly all are, are cast as they are;
 * the others take the long way, which is given NULL where it is not needed.
 */
export function decimalSql(source: DecimalText): string {
  const { text, type, decimal } = source;
  // With a decimal comma a point divides thousands: 1.234 must not go the short way.
  const plain =
    decimal === ','
      ? `TRY_CAST(CASE WHEN NOT contains(${text}, '.') THEN replace(${text}, ',', '.') END AS ${type})`
      : `TRY_CAST(${text} AS ${type})`;
  const rest = `CASE WHEN ${plain} IS NULL THEN ${text} END`;
  return `coalesce(${plain}, TRY_CAST(${tidied({ ...source, text: rest })} AS ${type}))`;
}

/**
 * The text as SQL writes a number, empty where it is not of a form that says one number only. The text stands
 * in it once: what repeats grows with every cast around it.
 */
function tidied({ text, decimal, currency }: DecimalText): string {
  const point = decimal === ',' ? ',' : '\\.';
  const mark = decimal === ',' ? '\\.' : ',';
  const fraction = `(?:${point}[0-9]+)`;
  const grouped = (divider: string, times: string) => `[0-9]{1,3}(?:${divider}[0-9]{3})${times}`;
  const forms = [
    `[0-9]+${fraction}?`,
    fraction,
    `${grouped(NARROW, '+')}${fraction}?`,
    // Without a decimal mark named, 1,234 may be either; 1,234.5 and 1,234,567 are one number each.
    ...(decimal === undefined
      ? [`${grouped(mark, '+')}${fraction}`, grouped(mark, '{2,}')]
      : [`${grouped(mark, '+')}${fraction}?`]),
  ];
  const body = `(?:${forms.join('|')})`;
  const bare = currency === undefined ? `trim(${text})` : withoutCurrency(`trim(${text})`, currency);
  const number = `regexp_extract(${bare}, ${quoteText(`^(?:[-+]? *${body}|${body} *-|\\( *${body} *\\))$`)})`;
  const signed = `regexp_replace(${number}, '^\\((.*)\\)$|^([^-].*)-$', '-\\1\\2')`;
  const bareNumber = `regexp_replace(${signed}, '[^-0-9${decimal === ',' ? ',' : '.'}]', '', 'g')`;
  return decimal === ',' ? `replace(${bareNumber}, ',', '.')` : bareNumber;
}

const BLANKS = '[ \u00a0\u2009\u202f]*';

/** A sign of another currency stays, and makes the text unreadable: money of two kinds has no sum. */
function withoutCurrency(text: string, currency: string): string {
  const signs = [currency, ...(SIGNS[currency] === undefined ? [] : [SIGNS[currency]])].join('|');
  const sign = `(?:(?i:${signs})${BLANKS})?`;
  const form = `^([-+(]?)${BLANKS}${sign}([-+]?)(.*?)${BLANKS}${sign}([-)]?)$`;
  return `regexp_replace(${text}, ${quoteText(form)}, '\\1\\2\\3\\4')`;
}
