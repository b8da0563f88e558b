import { sqlTokens } from '../contracts/sql-tokens.ts';

/** The expression with another one in each place where a column of this name stands; texts and comments stay. */
export function replaceName(sql: string, name: string, by: string): string {
  const tokens = sqlTokens(sql);
  let replaced = '';
  let at = 0;
  tokens.forEach(({ kind, text, start, end }, i) => {
    const isName = (kind === 'name' || kind === 'quoted') && text.toLowerCase() === name;
    // A field of that name is another thing.
    if (!isName || tokens[i - 1]?.text === '.') return;
    replaced += sql.slice(at, start) + by;
    at = end;
  });
  return replaced + sql.slice(at);
}
