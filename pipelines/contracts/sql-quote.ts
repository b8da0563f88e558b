import { PipelineError } from './errors.ts';

// Names and texts as DuckDB and PostgreSQL both read them. Only the quote itself is doubled: a backslash stands for
// itself in both, as E'…' is never written and PostgreSQL's standard_conforming_strings is on unless somebody turned
// it off. A NUL ends the statement on its way to either, in the middle of what was quoted, so there is no way to
// write one.

/**
 * A name of a column, table or schema, whatever letters it holds; a dot in it parts nothing.
 *
 * @throws PipelineError INPUT_INVALID for what no database takes as a name: one of no characters, one with a NUL
 */
export function quoteName(name: string): string {
  if (name === '' || name.includes('\0'))
    throw new PipelineError(
      'INPUT_INVALID',
      `SQL needs names of at least one character, none of them NUL, found ${JSON.stringify(name)}`,
    );
  return `"${name.replaceAll('"', '""')}"`;
}

/** @throws PipelineError INPUT_INVALID when it holds a NUL; the text may be a value, and is not told */
export function quoteText(text: string): string {
  if (text.includes('\0'))
    throw new PipelineError('INPUT_INVALID', 'SQL needs text without NUL, found one in a text to be quoted');
  return `'${text.replaceAll("'", "''")}'`;
}
