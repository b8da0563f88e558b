import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { isAttributeName } from '../../pipelines/contracts/source.ts';
import type { Answers } from '../../pipelines/init/draft.ts';
import { CURRENCY_COLUMN } from '../../pipelines/init/draft-rules.ts';
import { type ColumnFacts, columnOf, type TableFacts } from '../../pipelines/init/facts.ts';
import { candidatesFor } from '../../pipelines/init/guess-roles.ts';
import type { DraftedAttribute } from '../../pipelines/init/pipeline-text.ts';
import { plainName } from '../../pipelines/init/role-words.ts';
import { type CustomerKey, foundWords, isEnough, keyByName, keyByValues } from './customer-key.ts';
import type { Looking } from './inspect.ts';
import type { LookedAt } from './look.ts';

// A second table has one row per customer and says who they are. It is known by its customer column, in which
// every row has another value, and by having no money.

const MOST_ATTRIBUTES = 40;
const LONGEST_NAME = 63;

/**
 * Which of the tables are the transactions, and which one the customers.
 *
 * @throws PipelineError INPUT_INVALID when the files are neither one table nor these two
 */
export async function tellTables(
  looking: Looking,
  tables: readonly LookedAt[],
  given: { customer?: string | null | undefined },
): Promise<ToldTables> {
  const [first, second, ...more] = tables;
  if (second === undefined) return { transactions: first!, customers: null };
  if (more.length > 0) throw neither(tables, [`these are ${tables.length} tables of different columns`]);
  const people = tables.filter(({ facts }) => keyByName(facts) !== null && !hasMoney(facts));
  if (people.length === 1) {
    const [table] = people;
    const key = { column: keyByName(table!.facts)!.name, found: null };
    return { transactions: tables.find((other) => other !== table)!, customers: { table: table!, key } };
  }
  const why: string[] = [];
  const told: (ToldTables & { share: number })[] = [];
  for (const [table, transactions] of [
    [first!, second],
    [second, first!],
  ] as const) {
    const name = table.names.join(', ');
    if (hasMoney(table.facts)) {
      why.push(`${name} has money, and so is no table of customers`);
      continue;
    }
    const pair = { people: table, transactions, ...(given.customer && { customer: given.customer }) };
    const key = await keyByValues(looking, pair);
    if (key !== null && isEnough(key.found))
      told.push({ transactions, customers: { table, key }, share: key.found.share });
    else if (key === null) why.push(`${name} has no column with another value in every row`);
    else why.push(`no column of ${name} has the customers of the others: at best ${foundWords(key)}`);
  }
  const best = told.sort((left, right) => right.share - left.share)[0];
  if (best) return best;
  throw neither(tables, why);
}

interface ToldTables {
  transactions: LookedAt;
  customers: { table: LookedAt; key: CustomerKey } | null;
}

function neither(tables: readonly LookedAt[], why: readonly string[]): PipelineError {
  const found = tables.map(
    ({ names, facts }) => `${names.join(', ')} (${facts.columns.map(({ name }) => name).join(', ')})`,
  );
  return new PipelineError(
    'INPUT_INVALID',
    `init needs files of the same columns, and beside them one with a row per customer; found ${found.join(' and ')}: ${why.join('; ')}. Name the customers' column of the transactions with --customer, or draft the transactions alone and add source.customers to pipeline.yaml, as docs/sources.md has it`,
  );
}

function hasMoney(facts: TableFacts): boolean {
  return (['amount', 'price'] as const).some((role) => (candidatesFor(role, facts)[0]?.score ?? 0) >= 0.45);
}

/** The second table as `source.customers` has it: what is the same for many customers, or a number or a time. */
export function draftCustomers(
  { facts, paths, encoding }: LookedAt,
  key: CustomerKey,
): NonNullable<Answers['customers']> {
  const taken = new Set<string>();
  const attributes = facts.columns
    .filter((column) => column.name !== key.column && isTelling(column))
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
    customerId: key.column,
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
