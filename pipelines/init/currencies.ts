import { type CurrencyCount, columnOf, type TableFacts } from './facts.ts';
import { thousands } from './role-evidence.ts';
import type { Role } from './role-words.ts';

// In which money the amounts are, and whether in one: money of two kinds has no sum.

/** Signs and codes that stand with amounts, with the currency they mean. */
export const CURRENCY_SIGNS: readonly [string, string][] = [
  ['€', 'EUR'],
  ['EUR', 'EUR'],
  ['£', 'GBP'],
  ['GBP', 'GBP'],
  ['$', 'USD'],
  ['USD', 'USD'],
  ['CHF', 'CHF'],
  ['¥', 'JPY'],
  ['zł', 'PLN'],
];

const MONEY = ['amount', 'price', 'discount'] as const;
const NAMES_CURRENCY = /currency|waehrung|währung|devise|moneda|valuta/i;
const MOST_TOLD = 5;

type Columns = Readonly<Partial<Record<Role, string>>>;

/** The commonest currency first. */
export function currenciesSeen(facts: TableFacts, roles: Columns): readonly string[] {
  const signs = MONEY.flatMap((role) => signsOf(facts, roles[role]));
  const counts = signs.length > 0 ? signs : currencyColumns(facts).flatMap(({ currencies }) => currencies);
  return [...new Set(counts.map(({ code }) => code))];
}

export interface MixedMoney {
  column: string;
  /** Whether the signs stand with the amounts themselves, in place of a column that says it of each row. */
  isSign: boolean;
  /** More than one, the commonest first. */
  currencies: readonly CurrencyCount[];
  /** Words of the column that mean the pipeline's own currency. */
  own: readonly string[];
}

/** Columns in which money of several currencies meets. */
export function mixedMoney(facts: TableFacts, roles: Columns, currency: string): MixedMoney[] {
  const bySign = MONEY.flatMap((role) => {
    const currencies = signsOf(facts, roles[role]);
    return currencies.length < 2 ? [] : [{ column: roles[role]!, isSign: true, currencies, own: [] }];
  });
  const byColumn = currencyColumns(facts)
    .filter(({ currencies }) => currencies.length > 1)
    .map(({ column, currencies, words }) => ({
      column,
      isSign: false,
      currencies,
      own: words.filter((word) => codeOf(word) === currency),
    }));
  return [...bySign, ...byColumn];
}

/** What a person has to know of it, in one sentence. */
export function mixedMoneyText({ column, isSign, currencies, own }: MixedMoney, currency: string): string {
  const told = currencies.slice(0, MOST_TOLD).map(({ code, rows }) => `${code} in ${thousands(rows)} rows`);
  const more = currencies.length - told.length;
  const which = [...told, ...(more > 0 ? [`${more} more`] : [])].join(', ');
  if (isSign)
    return `${column} has money of several currencies (${which}): what is not ${currency} is refused as unreadable`;
  const way = 'convert the others before, or take a file of each currency';
  const rule = own.length > 0 ? '; rule other-currency tells of them in every run' : '';
  return `${column} names several currencies (${which}), and all are added up as if they were ${currency}: ${way}${rule}`;
}

function signsOf(facts: TableFacts, column: string | undefined): readonly CurrencyCount[] {
  return column === undefined ? [] : (columnOf(facts, column)?.number?.currencies ?? []);
}

/** Columns that say in which money a row is. */
export function currencyNames(facts: TableFacts): string[] {
  return currencyColumns(facts)
    .filter(({ currencies }) => currencies.length > 0)
    .map(({ column }) => column);
}

/** Columns that are called so, and hold words that are currencies. */
function currencyColumns({ columns }: TableFacts) {
  return columns
    .filter(({ name }) => NAMES_CURRENCY.test(name))
    .map(({ name, words }) => {
      const counts = new Map<string, number>();
      const known = (words ?? []).filter(({ word }) => codeOf(word) !== null);
      for (const { word, rows } of known) counts.set(codeOf(word)!, (counts.get(codeOf(word)!) ?? 0) + rows);
      const currencies = [...counts].map(([code, rows]) => ({ code, rows })).sort(commonestFirst);
      return { column: name, currencies, words: known.map(({ word }) => word) };
    });
}

export function commonestFirst(left: CurrencyCount, right: CurrencyCount): number {
  return right.rows - left.rows || (left.code < right.code ? -1 : 1);
}

/** Null: the word is no currency. */
function codeOf(word: string): string | null {
  const sign = CURRENCY_SIGNS.find(([known]) => known === word);
  if (sign) return sign[1];
  return /^[A-Za-z]{3}$/.test(word) ? word.toUpperCase() : null;
}
