import { type SqlToken, sqlTokens } from './sql-tokens.ts';

// Which columns an expression names. A name that is a function, a type, a unit or a word of SQL is none; any
// other is taken for one, since attributes may have any name. DuckDB has the last word when it runs.

const WORDS = new Set(
  `all and any array as asc at between by case cast collate cross desc distinct else end escape except exists false
  filter following from full glob group having ignore ilike in inner intersect interval is isnull join lambda left like
  limit natural not notnull null nulls offset on or order outer over partition preceding qualify respect right
  select similar some symmetric then true try_cast unbounded union using values when where window with within`.split(
    /\s+/,
  ),
);
const FRAMES = new Set(['rows', 'range', 'groups']);

/**
 * Columns that an SQL expression names, in lower case as they compare, each once, in the order of the text.
 *
 * @param sql a condition or an aggregate; names in texts and comments do not count
 */
export function columnsNamed(sql: string): string[] {
  const tokens = sqlTokens(sql);
  const bound = boundNames(tokens);
  const skip = typeWords(tokens);
  const names = tokens.flatMap((token, i) => {
    if (token.kind !== 'name' && token.kind !== 'quoted') return [];
    const name = token.text.toLowerCase();
    if (skip.has(i) || bound.has(name) || isNoColumn(tokens, i)) return [];
    return [name];
  });
  return [...new Set(names)];
}

function isNoColumn(tokens: readonly SqlToken[], i: number): boolean {
  const { kind, text } = tokens[i]!;
  const before = tokens[i - 1];
  const after = tokens[i + 1];
  // A field of a column, a function, an argument's name.
  if (isSign(before, '.') || isSign(after, '(') || isSign(after, ':=')) return true;
  if (kind === 'quoted') return false;
  if (WORDS.has(text)) return true;
  // DATE '2026-01-01', EXTRACT(year FROM ordered_at).
  if (after?.kind === 'text') return true;
  if (isSign(before, '(') && isWord(tokens[i - 2], 'extract') && isWord(after, 'from')) return true;
  if ((text === 'first' || text === 'last') && isWord(before, 'nulls')) return true;
  if ((text === 'time' && isWord(before, 'at')) || (text === 'zone' && isWord(before, 'time'))) return true;
  if (text === 'row' && isWord(before, 'current')) return true;
  if (text === 'current' && isWord(after, 'row')) return true;
  if (text === 'to' && isWord(before, 'similar')) return true;
  return FRAMES.has(text) && ['between', 'unbounded', 'current'].some((word) => isWord(after, word));
}

/** Positions of the words of types and of an interval's unit. */
function typeWords(tokens: readonly SqlToken[]): Set<number> {
  const found = new Set<number>();
  tokens.forEach((token, i) => {
    if (isSign(token, '::')) found.add(i + 1);
    if (isWord(token, 'as')) for (let at = i + 1; at < castEnd(tokens, i); at++) found.add(at);
    if (isWord(token, 'interval')) found.add(isSign(tokens[i + 1], '(') ? closing(tokens, i + 1) + 1 : i + 2);
  });
  return found;
}

/** CAST(x AS TIMESTAMP WITH TIME ZONE): the type goes on to the bracket that closes the cast. */
function castEnd(tokens: readonly SqlToken[], as: number): number {
  for (let at = as + 1, depth = 0; at < tokens.length; at++) {
    if (isSign(tokens[at], '(')) depth++;
    if (isSign(tokens[at], ')') && --depth < 0) return at;
  }
  return tokens.length;
}

function closing(tokens: readonly SqlToken[], open: number): number {
  for (let at = open, depth = 0; at < tokens.length; at++) {
    if (isSign(tokens[at], '(')) depth++;
    if (isSign(tokens[at], ')') && --depth === 0) return at;
  }
  return tokens.length;
}

/** Parameters of lambdas, `x -> x > 0`, `(x, i) -> …` and `lambda x: …`. */
function boundNames(tokens: readonly SqlToken[]): Set<string> {
  const bound = new Set<string>();
  tokens.forEach((token, i) => {
    if (isWord(token, 'lambda')) {
      for (let at = i + 1; at < tokens.length && !isSign(tokens[at], ':'); at++) bound.add(tokens[at]!.text);
    }
    // Before a text or a number it is JSON's arrow.
    if (!isSign(token, '->') || ['text', 'number'].includes(tokens[i + 1]?.kind ?? '')) return;
    if (!isSign(tokens[i - 1], ')')) bound.add(tokens[i - 1]?.text ?? '');
    for (let at = i - 2; isSign(tokens[i - 1], ')') && at >= 0 && !isSign(tokens[at], '('); at--)
      bound.add(tokens[at]!.text);
  });
  return bound;
}

function isSign(token: SqlToken | undefined, text: string): boolean {
  return token?.kind === 'sign' && token.text === text;
}

function isWord(token: SqlToken | undefined, text: string): boolean {
  return token?.kind === 'name' && token.text === text;
}
