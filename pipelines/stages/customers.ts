import type { Contract, Rule } from '../contracts/contract.ts';
import type { Definition } from '../contracts/definition.ts';
import { PipelineError } from '../contracts/errors.ts';
import type { TableCounts } from '../contracts/run.ts';
import type { Source } from '../contracts/source.ts';
import { columnsNamed } from '../contracts/sql-columns.ts';
import { quoteName } from '../contracts/sql-quote.ts';
import { readColumns, type TableSource } from './extract.ts';
import { canonicalOf, canonicalSql, rawColumns, tieOf } from './extract-sql.ts';
import { type Judgement, judgeTable } from './judge.ts';
import { acceptedSql, type CheckedSql, rulePartsOf, type ValidationCounts } from './validate.ts';

// The second table: one row per customer, with attributes that no transaction has. It is frozen and validated
// as the transactions are, and joined to them by customer_id. Attributes have no time: a run for a past date
// sees what the table says today, as far as the source keeps no history of it.

/**
 * The frozen table: `customer_id`, the attributes by name, `malformed` and `is_duplicate`; sorted by customer.
 * Of a customer's rows one that the contract accepts comes first, of those one that can be read whole, else the
 * content decides, so that the order of the source does not; those after it are duplicates.
 *
 * @param rules of the customers' contract; those about duplicates have no say in which row is the original
 */
export function customersSql(source: TableSource, rules: readonly Rule[] = []): CheckedSql {
  const names = readColumns(source).map(quoteName);
  const rows = canonicalSql(source, {
    value: (name) => canonicalOf(source, name),
    extra: [tieOf(source)],
    from: `(SELECT ${rawColumns(source).join(', ')} FROM ${source.from})`,
  });
  const contract = { rules: rules.filter(({ check }) => !columnsNamed(check).includes('is_duplicate')) };
  const content = [`NOT ${acceptedSql(contract)}`, 'malformed IS NOT NULL', ...names, 'tie'];
  const sql = `SELECT ${names.join(', ')}, malformed, customer_id IS NOT NULL AND raw_place > 1 AS is_duplicate
FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY ${content.join(', ')}) AS raw_place FROM (${rows}))
ORDER BY customer_id, raw_place`;
  return { sql, parts: rulePartsOf(`(${rows})`, contract) };
}

/** The contract of the customers' table, for what validates a table: the join needs one row per customer. */
export function customersContract({ version, thresholds, customers }: Contract): Contract {
  if (customers === undefined) {
    throw new PipelineError(
      'DEFINITION_INVALID',
      'a second table needs rules that keep one row per customer, the contract of this run has none',
    );
  }
  return { ...customers, version, thresholds };
}

// No attribute has a name with a blank.
const LINES = '"extract lines"';
const KNOWN = '"known customers"';

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
  const names = attributesOfTable(definition.source).map(quoteName);
  const accepted = acceptedSql(customersContract(definition.contract));
  const added = names.map((name) => `, ${KNOWN}.${name}`).join('');
  return `(SELECT ${LINES}.*${isNumbered ? `, ${LINES}.file_row_number` : ''}${added}
  FROM ${from} AS ${LINES}
  LEFT JOIN (SELECT ${['customer_id', ...names].join(', ')} FROM ${customers} WHERE ${accepted}) AS ${KNOWN}
    ON ${LINES}.customer_id = ${KNOWN}.customer_id)`;
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
