// Names in the SQL of a definition, as far as telling them from texts and comments: no more is parsed.

/** A text, a quoted name, a comment; or a word, which alone is kept in the group. */
const TOKENS =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$\$[\s\S]*?\$\$|([A-Za-z_][A-Za-z0-9_]*)/g;

/** Words of an expression that may name a column, in lower case. */
export function namesIn(sql: string): Set<string> {
  const names = new Set<string>();
  for (const [token, word] of sql.matchAll(TOKENS)) {
    if (word !== undefined) names.add(word.toLowerCase());
    else if (token.startsWith('"')) names.add(token.slice(1, -1).replaceAll('""', '"').toLowerCase());
  }
  return names;
}

/** The expression with another one in each place where a column is named. */
export function replaceName(sql: string, name: string, by: string): string {
  return sql.replace(TOKENS, (token, word: string | undefined) =>
    (word ?? token.slice(1, -1)).toLowerCase() === name && !token.startsWith("'") ? by : token,
  );
}
