import { columnList, type Dialect, type SqlColumn } from './model-sql-text.ts';

/**
 * The steps of the statement, each a named SELECT that reads the one before it.
 *
 * Columns of a step are computed once, however often the next one names them: PostgreSQL would put the
 * expressions in the places of their names, were it not for OFFSET 0, which also keeps it from writing the
 * step to disk.
 */
export interface Chain {
  readonly dialect: Dialect;
  readonly steps: readonly string[];
  /** What the next step reads. */
  readonly last: string;
  /** The first step: these columns of the source, by their quoted names. */
  read(source: { from: string; customerId: string }, columns: readonly SqlColumn[]): void;
  /** A step that keeps the customer's id beside these columns. */
  add(name: string, columns: readonly SqlColumn[]): void;
}

export function createChain(dialect: Dialect): Chain {
  const fence = dialect === 'postgres' ? '\n  OFFSET 0' : '';
  const steps: string[] = [];
  let last = '';
  const append = (name: string, from: string, columns: readonly SqlColumn[]) => {
    last = `strata_${steps.length + 1}_${name}`;
    steps.push(
      `${last} AS NOT MATERIALIZED (\n  SELECT ${columnList(columns, '    ')}\n  FROM ${from}${fence}\n)`,
    );
  };
  return {
    dialect,
    steps,
    get last() {
      return last;
    },
    read: ({ from, customerId }, columns) =>
      append('source', from, [{ name: 'customer_id', sql: customerId }, ...columns]),
    add: (name, columns) => append(name, last, [{ name: 'customer_id', sql: 'customer_id' }, ...columns]),
  };
}
