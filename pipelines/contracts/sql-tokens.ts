// Just enough of SQL's lexical rules, as DuckDB and PostgreSQL have them, to tell names from texts and
// comments. What a statement means is left to the database: nothing here judges whether SQL is right.

export interface SqlToken {
  kind: 'name' | 'quoted' | 'text' | 'number' | 'sign';
  /** A bare name in lower case, a quoted one without its quotes, all others as they stand. */
  text: string;
  /** Where it begins and ends in the SQL, in UTF-16 units. */
  start: number;
  end: number;
}

const SPACE = /\s+|--[^\n]*/y;
const NAME = /[\p{L}_][\p{L}\p{N}_$]*/uy;
const NUMBER = /(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?/iy;
const QUOTED = /"(?:[^"]|"")*"?/y;
const TEXT = /'(?:[^']|'')*'?/y;
const ESCAPED_TEXT = /e'(?:[^'\\]|''|\\[\s\S])*'?/iy;
const DOLLAR_TEXT = /\$([\p{L}_]*)\$[\s\S]*?(?:\$\1\$|$)/uy;
const SIGN = /::|:=|->>?|=>|<=|>=|<>|!=|\|\||[\s\S]/uy;

/** The tokens of SQL, without blanks and comments. A text or comment that does not end reaches to the end. */
export function sqlTokens(sql: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  const kinds = [
    ['text', ESCAPED_TEXT],
    ['name', NAME],
    ['number', NUMBER],
    ['quoted', QUOTED],
    ['text', TEXT],
    ['text', DOLLAR_TEXT],
    ['sign', SIGN],
  ] as const;
  for (let at = skipped(sql, 0); at < sql.length; ) {
    for (const [kind, pattern] of kinds) {
      pattern.lastIndex = at;
      const [found] = pattern.exec(sql) ?? [];
      if (found === undefined) continue;
      tokens.push({ kind, text: textOf(kind, found), start: at, end: at + found.length });
      at = skipped(sql, at + found.length);
      break;
    }
  }
  return tokens;
}

function textOf(kind: SqlToken['kind'], found: string): string {
  if (kind === 'name') return found.toLowerCase();
  return kind === 'quoted' ? found.slice(1, -1).replaceAll('""', '"') : found;
}

/** Where the next token begins: blanks and comments passed over, of which `/*` nest. */
function skipped(sql: string, from: number): number {
  let at = from;
  for (;;) {
    SPACE.lastIndex = at;
    const [space] = SPACE.exec(sql) ?? [];
    if (space !== undefined) at += space.length;
    else if (sql.startsWith('/*', at)) at = commentEnd(sql, at);
    else return at;
  }
}

function commentEnd(sql: string, from: number): number {
  let depth = 0;
  for (let at = from; at < sql.length; ) {
    const pair = sql.slice(at, at + 2);
    depth += pair === '/*' ? 1 : pair === '*/' ? -1 : 0;
    at += pair === '/*' || pair === '*/' ? 2 : 1;
    if (depth === 0) return at;
  }
  return sql.length;
}
