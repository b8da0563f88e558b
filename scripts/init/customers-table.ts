import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { isAttributeName } from '../../pipelines/contracts/source.ts';
import type { Answers } from '../../pipelines/init/draft.ts';
import { CURRENCY_COLUMN } from '../../pipelines/init/draft-rules.ts';
import { type ColumnFacts, columnOf, type TableFacts } from '../../pipelines/init/facts.ts';
import { candidatesFor } from '../../pipelines/init/guess-roles.ts';
import type { DraftedAttribute } from '../../pipelines/init/pipeline-text.ts';
import { nameSays, plainName } from '../../pipelines/init/role-words.ts';
import type { LookedAt } from './look.ts';

// A second table has one row per customer and says who they are. It is known by its customer column, in which
// every row has another value, and by having no money.

const NEARLY_ALL = 0.98;
const MOST_ATTRIBUTES = 40;
const LONGEST_NAME = 63;

/**
 * Which of the tables are the transactions, and which one the customers.
 *
 * @throws PipelineError INPUT_INVALID when the files are neither one table nor these two
 */
export function tellTables(tables: readonly LookedAt[]): {
  transactions: LookedAt;
  customers: LookedAt | null;
} {
  const [first, second, ...more] = tables;
  if (second === undefined) return { transactions: first!, customers: null };
  const people = tables.filter(({ facts }) => customerKey(facts) !== null && !hasMoney(facts));
  const others = tables.filter((table) => !people.includes(table));
  if (more.length === 0 && people.length === 1 && others.length === 1)
    return { transactions: others[0]!, customers: people[0]! };
  const found = tables.map(
    ({ names, facts }) => `${names.join(', ')} (${facts.columns.map(({ name }) => name).join(', ')})`,
  );
  throw new PipelineError(
    'INPUT_INVALID',
    `init needs files of the same columns, and beside them one with a row per customer; found ${found.join(' and ')}`,
  );
}

function hasMoney(facts: TableFacts): boolean {
  return (['amount', 'price'] as const).some((role) => (candidatesFor(role, facts)[0]?.score ?? 0) >= 0.45);
}

/** The column with another value in every row that is called like a customer's id. */
function customerKey(facts: TableFacts): ColumnFacts | null {
  const keys = facts.columns
    .map((column) => ({ column, says: nameSays(column.name, 'customer').weight }))
    .filter(({ column: { distinct, filled, rows, kind } }) => {
      const isKey = distinct >= NEARLY_ALL * filled && filled >= NEARLY_ALL * rows;
      return isKey && kind !== 'time' && kind !== 'boolean';
    })
    .filter(({ column, says }) => says >= 0.5 || plainName(column.name) === 'id')
    .sort((left, right) => right.says - left.says || (left.column.name < right.column.name ? -1 : 1));
  return keys[0]?.column ?? null;
}

/** The second table as `source.customers` has it: what is the same for many customers, or a number or a time. */
export function draftCustomers({ facts, paths, encoding }: LookedAt): NonNullable<Answers['customers']> {
  const key = customerKey(facts)!;
  const taken = new Set<string>();
  const attributes = facts.columns
    .filter((column) => column.name !== key.name && isTelling(column))
    .slice(0, MOST_ATTRIBUTES)
    .map(
      (column): DraftedAttribute => ({
        name: attributeName(column.name, taken),
        column: column.name,
        type: column.kind === 'nested' ? 'text' : column.kind,
      }),
    );
  const times = [
    ...new Set(attributes.flatMap(({ column }) => columnOf(facts, column)?.time?.formats ?? [])),
  ];
  return {
    path: paths[0]!,
    customerId: key.name,
    attributes,
    format: { ...(encoding && { encoding }), ...(times.length > 0 && { times }) },
  };
}

/** Names and addresses of people say nothing of a group, and have no business here. */
function isTelling({ kind, filled, distinct, emailShare }: ColumnFacts): boolean {
  if (filled === 0 || emailShare > 0.5) return false;
  return kind !== 'text' || distinct <= Math.max(2, filled / 2);
}

function attributeName(column: string, taken: Set<string>): string {
  const words = column
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1_$2')
    .split(/[^\p{L}\p{N}]+/u)
    .map(plainName)
    .filter(Boolean)
    .join('_')
    .replace(/[^a-z0-9_]/g, '');
  const plain = /^[a-z]/.test(words) ? words : `column_${words}`;
  // A customer's country is not that of an order, which is a column of its own; nor is the currency.
  const isFree = isAttributeName(plain) && plain !== CURRENCY_COLUMN;
  const base = (isFree ? plain : `customer_${plain}`).slice(0, LONGEST_NAME - 4);
  let name = base;
  for (let copy = 2; taken.has(name); copy++) name = `${base}_${copy}`;
  taken.add(name);
  return name;
}
