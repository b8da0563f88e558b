import type { ColumnFacts, TableFacts } from '../../../pipelines/init/facts.ts';

const ROWS = 5_000;

type Made = Partial<Omit<ColumnFacts, 'number' | 'time'>> & {
  number?: Partial<NonNullable<ColumnFacts['number']>>;
  time?: Partial<NonNullable<ColumnFacts['time']>>;
};

/** A column as if it had been looked at; what is not said is a plain text. */
export function column(name: string, made: Made = {}): ColumnFacts {
  const { number, time, ...rest } = made;
  return {
    name,
    type: 'VARCHAR',
    kind: number ? 'number' : time ? 'time' : 'text',
    rows: ROWS,
    filled: ROWS,
    distinct: 400,
    missingWords: [],
    leadingZeroShare: 0,
    emailShare: 0,
    words: null,
    number: number
      ? {
          share: 1,
          wholeShare: 1,
          negativeShare: 0,
          zeroShare: 0,
          min: 1,
          median: 3,
          max: 90,
          decimal: '.',
          currencies: [],
          ...number,
        }
      : null,
    time: time
      ? {
          share: 1,
          formats: [],
          rivals: [],
          zonedShare: 0,
          hasClock: true,
          from: '2025-01-01T08:00:00',
          to: '2025-12-30T20:00:00',
          ...time,
        }
      : null,
    ...rest,
  };
}

export const people = (name: string) => column(name, { distinct: 400 });
export const numbered = (name: string, distinct = 400) =>
  column(name, { distinct, number: { min: 1000, median: 5000, max: 9000 } });
export const orders = (name: string) => column(name, { distinct: 2_000 });
export const moments = (name: string) => column(name, { distinct: 1_900, time: {} });
export const pieces = (name: string) => column(name, { distinct: 30, number: {} });
export const money = (name: string) =>
  column(name, { distinct: 900, number: { wholeShare: 0.02, min: 0.5, median: 12, max: 900 } });
export const list = (name: string, distinct = 6) =>
  column(name, {
    distinct,
    words: Array.from({ length: distinct }, (_, i) => ({ word: `w${i}`, rows: 10 })),
  });

export function table(
  columns: readonly ColumnFacts[],
  more: Partial<Pick<TableFacts, 'determines' | 'products'>> = {},
): TableFacts {
  return { name: 'made.csv', rows: ROWS, rowsSeen: ROWS, columns, determines: [], products: [], ...more };
}
