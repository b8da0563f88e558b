import type { Definition } from '../contracts/definition.ts';
import { secondTable } from '../contracts/odcs-agreement.ts';

// Whether a table's columns fit a pipeline, from their names and types alone; values are the contract's matter.

export interface TableColumn {
  name: string;
  /** As DuckDB or PostgreSQL call it. */
  type: string;
}

export interface ColumnFit {
  /** Column of the source, its name in Strata, and what became of it. */
  columns: {
    column: string;
    name: string;
    type: string | null;
    state: 'fits' | 'missing' | 'cannot be read';
    needs: string;
  }[];
  /** Columns of the table that the pipeline does not read. */
  unused: string[];
}

type Family = 'text' | 'number' | 'time' | 'boolean' | 'other';

const FAMILIES: readonly [RegExp, Family][] = [
  [/\[\]|^(struct|map|list|union|array|blob|bytea|json|jsonb|bit|interval)/, 'other'],
  [/^(timestamp|date|datetime)/, 'time'],
  [/^(u?(tiny|small|big|huge)?int|integer|u?integer|decimal|numeric|real|float|double|money)/, 'number'],
  [/^bool/, 'boolean'],
  [/^(varchar|text|char|character|bpchar|uuid|enum|name|citext|string)/, 'text'],
];

/** What may be read as what; text may always be, and then each value is judged. */
const READABLE: Readonly<Record<Exclude<Family, 'other'>, readonly Family[]>> = {
  text: ['text', 'number', 'time', 'boolean'],
  number: ['number', 'text'],
  time: ['time', 'text'],
  boolean: ['boolean', 'text', 'number'],
};

const NEEDS: Readonly<Record<keyof typeof READABLE, string>> = {
  text: 'text, or what can be written as one',
  number: 'a number, or text with numbers',
  time: 'a timestamp or date, or text with times',
  boolean: 'true or false, or text that says so',
};

export function fitColumns(
  source: Definition['source'],
  there: readonly TableColumn[],
  table: 'transactions' | 'customers' = 'transactions',
): ColumnFit {
  const wanted = table === 'customers' ? customerColumns(source) : transactionColumns(source);
  const same = (left: string, right: string) => left.toLowerCase() === right.toLowerCase();
  const columns = wanted.map(({ name, column, family }) => {
    const found = there.find((one) => same(one.name, column));
    const needs = NEEDS[family];
    if (!found) return { column, name, type: null, state: 'missing' as const, needs };
    const isReadable = READABLE[family].includes(familyOf(found.type));
    return {
      column,
      name,
      type: found.type,
      state: isReadable ? ('fits' as const) : ('cannot be read' as const),
      needs,
    };
  });
  const unused = there
    .filter(({ name }) => !wanted.some(({ column }) => same(column, name)))
    .map(({ name }) => name);
  return { columns, unused };
}

interface Wanted {
  name: string;
  column: string;
  family: keyof typeof READABLE;
}

const TIMES = ['ordered_at', 'loaded_at'];
const NUMBERS = ['quantity', 'unit_price', 'amount', 'discount'];

function transactionColumns({ columns, attributes = {} }: Definition['source']): Wanted[] {
  const mapped = Object.entries(columns).flatMap(([name, column]) =>
    column === undefined
      ? []
      : [
          {
            name,
            column,
            family: TIMES.includes(name)
              ? ('time' as const)
              : NUMBERS.includes(name)
                ? ('number' as const)
                : ('text' as const),
          },
        ],
  );
  return [...mapped, ...attributeColumns(attributes)];
}

function customerColumns(source: Definition['source']): Wanted[] {
  const second = secondTable(source);
  if (!second) return [];
  return [
    { name: 'customer_id', column: second.customer_id, family: 'text' },
    ...attributeColumns(second.attributes),
  ];
}

function attributeColumns(attributes: NonNullable<Definition['source']['attributes']>): Wanted[] {
  return Object.entries(attributes).map(([name, { column, type = 'text' }]) => ({
    name,
    column,
    family: type,
  }));
}

function familyOf(type: string): Family {
  return FAMILIES.find(([pattern]) => pattern.test(type.toLowerCase()))?.[1] ?? 'other';
}
