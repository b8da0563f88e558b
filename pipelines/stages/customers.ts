import { type Contract, type Rule, UNREADABLE_LINE } from '../contracts/contract.ts';
import type { Definition } from '../contracts/definition.ts';
import type { TableCounts } from '../contracts/run.ts';
import type { Source } from '../contracts/source.ts';
import { nameSql, readColumns, type TableSource } from './extract.ts';
import { canonicalOf, canonicalSql, rawColumns, tieOf } from './extract-sql.ts';
import { type Judgement, judgeTable } from './judge.ts';
import { acceptedSql, type ValidationCounts } from './validate.ts';

// The second table: one row per customer, with attributes that no transaction has. It is frozen and validated
// as the transactions are, and joined to them by customer_id. Attributes have no time: a run for a past date
// sees what the table says today, as far as the source keeps no history of it.

/** Held against every customers' table, before the contract's own rules: the join needs one row per customer. */
const ALWAYS: readonly Rule[] = [
  UNREADABLE_LINE,
  {
    name: 'without-customer',
    check: 'customer_id IS NOT NULL',
    severity: 'reject',
    reason: 'nobody can be found to whom the row belongs',
  },
  {
    name: 'duplicate-customer',
    check: 'NOT is_duplicate',
    severity: 'reject',
    reason: 'the customer has another row in the table',
  },
  {
    name: 'unreadable-value',
    check: 'malformed IS NULL',
    severity: 'warn',
    reason: 'a value was there that cannot be read; it counts as missing',
  },
];

/**
 * The frozen table: `customer_id`, the attributes by name, `malformed` and `is_duplicate`; sorted by customer.
 * Of a customer's rows one that can be read whole comes first, else the content decides, so that the order of
 * the source does not; those after it are duplicates.
 */
export function customersSql(source: TableSource): string {
  const names = readColumns(source).map(nameSql);
  const rows = canonicalSql(source, {
    value: (name) => canonicalOf(source, name),
    extra: [tieOf(source)],
    from: `(SELECT ${rawColumns(source).join(', ')} FROM ${source.from})`,
  });
  const content = ['malformed IS NOT NULL', ...names, 'tie'];
  return `SELECT ${names.join(', ')}, malformed, customer_id IS NOT NULL AND raw_place > 1 AS is_duplicate
FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY ${content.join(', ')}) AS raw_place FROM (${rows}))
ORDER BY customer_id, raw_place`;
}

/** The contract of the customers' table, for what validates a table. */
export function customersContract(contract: Contract): Contract {
  const own = contract.customers?.rules ?? [];
  const names = new Set(ALWAYS.map(({ name }) => name));
  return {
    version: contract.version,
    unique: ['customer_id'],
    rules: [...ALWAYS, ...own.filter(({ name }) => !names.has(name))],
    thresholds: contract.thresholds,
    volume: contract.customers?.volume,
  };
}

/**
 * The extract's rows with the attributes of their customers beside them: NULL where the table has no accepted
 * row of the customer. A relation to stand behind FROM in place of the extract, `file_row_number` included.
 *
 * @param from, customers relations of the frozen extract and of the frozen customers' table
 */
export function withCustomersSql({
  from,
  customers,
  definition,
  isNumbered = true,
}: {
  from: string;
  customers: string;
  definition: Pick<Definition, 'source' | 'contract'>;
  /** Whether the rows of the extract have `file_row_number`. @default true */
  isNumbered?: boolean;
}): string {
  const names = attributesOfTable(definition.source).map(nameSql);
  const accepted = acceptedSql(customersContract(definition.contract));
  const added = names.map((name) => `, known.${name}`).join('');
  return `(SELECT lines.*${isNumbered ? ', lines.file_row_number' : ''}${added}
  FROM ${from} AS lines
  LEFT JOIN (SELECT ${['customer_id', ...names].join(', ')} FROM ${customers} WHERE ${accepted}) AS known
    ON lines.customer_id = known.customer_id)`;
}

/** Attributes of the customers' table, in its order. */
function attributesOfTable(source: Source): string[] {
  return source.kind === 'generated' ? [] : Object.keys(source.customers?.attributes ?? {}).sort();
}

/** Every attribute that a feature may name: of the lines and of the customers' table. */
export function attributesOf(source: Source): string[] {
  return [...Object.keys(source.attributes ?? {}), ...attributesOfTable(source)];
}

/** What the contract says of a customers' table with these counts. */
export function judgeCustomers(
  counts: ValidationCounts,
  contract: Contract,
): Pick<Judgement, 'verdict' | 'reasons'> & { table: TableCounts } {
  const { failures, warnings } = judgeTable(counts, contract);
  return {
    verdict: failures.length > 0 ? 'fail' : warnings.length > 0 ? 'warn' : 'pass',
    reasons: [...failures, ...warnings].map((reason) => `customers: ${reason}`),
    table: {
      table: 'customers',
      rowsRead: counts.rows,
      rowsAccepted: counts.accepted,
      rowsQuarantined: counts.rows - counts.accepted,
      quarantinedBy: counts.rules
        .filter(({ severity }) => severity !== 'warn')
        .map(({ name, refused: rows }) => ({ rule: name, rows })),
    },
  };
}
