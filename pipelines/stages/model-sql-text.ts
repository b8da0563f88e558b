// What DuckDB and PostgreSQL write alike, and the little that they do not.

export type Dialect = 'duckdb' | 'postgres';

/** For comments: on one line whatever it holds. */
export function commentText(text: string): string {
  return JSON.stringify(text);
}

/**
 * A number in double precision, the very one. Read from text: both databases would take bare digits for a
 * decimal number and round it in ways of their own.
 */
export function double(value: number): string {
  return `'${value}'::FLOAT8`;
}

/** A number in single precision. */
export function single(value: number): string {
  return `'${Math.fround(value)}'::FLOAT4`;
}

/** One column of a step: an expression and the name it gets. */
export interface SqlColumn {
  name: string;
  sql: string;
}

export function columnList(columns: readonly SqlColumn[], indent: string): string {
  return columns.map(({ name, sql }) => (sql === name ? name : `${sql} AS ${name}`)).join(`,\n${indent}`);
}
