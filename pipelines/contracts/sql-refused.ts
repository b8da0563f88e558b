import { type SqlToken, sqlTokens } from './sql-tokens.ts';

// What SQL of a contract or a feature may not call or read: a repeat of a run has to give the same numbers, and they
// are made of the run's own extract. Such SQL stands in brackets inside of ours.

/** Of the moment at which they run; without brackets, too. */
const MOMENT_WORDS = new Set(
  'current_timestamp current_date current_time localtimestamp localtime'.split(' '),
);
const MOMENT = new Set(
  `now today get_current_timestamp get_current_time current_localtimestamp current_localtime transaction_timestamp
  txid_current`.split(/\s+/),
);
const CHANCE = new Set('random setseed uuid gen_random_uuid uuidv4 uuidv7'.split(' '));
const SESSION = new Set('nextval currval getvariable getenv'.split(' '));
const FILES = new Set(['sniff_csv']);
/** Reserved in DuckDB: unquoted they are names of nothing. A table may be any file: FROM 'orders.csv'. */
const READERS = new Set(
  'select from table pivot pivot_wider pivot_longer unpivot describe show summarize'.split(' '),
);
const FILE_READERS = /^(?:read_|parquet_)|_scan$/;

/**
 * The first thing in the SQL that is not of the rows alone, in words: which, why, and the way out. A function of the
 * clock, of chance or of the machine, another query, a second statement.
 *
 * @returns null where there is none; names in texts and quoted columns do not count
 */
export function refusedSql(sql: string): string | null {
  const tokens = sqlTokens(sql);
  for (const [i, token] of tokens.entries()) {
    const why = whyRefused(tokens, i);
    if (why === null) continue;
    const isWord = token.kind === 'name' && READERS.has(token.text);
    if (isWord) return `${token.text.toUpperCase()}, ${why}`;
    return `${token.text}${isSign(tokens[i + 1], '(') ? '(…)' : ''}, ${why}`;
  }
  return null;
}

/** Whether every bracket, text and comment ends within the SQL, so that what stands behind it is not part of it. */
export function isClosed(sql: string): boolean {
  const tokens = sqlTokens(`(${sql}\n)`);
  let depth = 0;
  const ends = tokens.findIndex((token) => {
    if (isSign(token, '(')) depth++;
    return isSign(token, ')') && --depth === 0;
  });
  // Our own bracket, which a text or a comment without an end would have swallowed.
  return ends >= 0 && ends === tokens.length - 1;
}

function whyRefused(tokens: readonly SqlToken[], i: number): string | null {
  const { kind, text } = tokens[i]!;
  const isCalled = isSign(tokens[i + 1], '(');
  if (isSign(tokens[i], ';')) return 'which ends a statement: write one expression';
  if (kind === 'name' && READERS.has(text) && !isPlain(tokens, i)) return OF_QUERY;
  if (kind === 'name' && MOMENT_WORDS.has(text) && !isSign(tokens[i - 1], '.')) return OF_MOMENT;
  if (!isCalled || (kind !== 'name' && kind !== 'quoted')) return null;
  const name = text.toLowerCase();
  if (MOMENT.has(name) || (name === 'age' && !hasTwoArguments(tokens, i + 1))) return OF_MOMENT;
  if (CHANCE.has(name)) return 'which is of chance: use a column of the row';
  if (SESSION.has(name)) return 'which is of the session or the machine: write the value itself';
  if (FILES.has(name) || FILE_READERS.test(name) || isGlobTable(tokens, i)) {
    return 'which reads files: bring what is needed into the extract, as a column or an attribute of the source';
  }
  return null;
}

const OF_MOMENT = 'which is of the moment it runs at: use as_of in a feature, a fixed date in a contract';

const OF_QUERY =
  'which begins another query: bring what is needed into the extract, as a column or an attribute of the source';

/** EXTRACT(year FROM …), SUBSTRING(… FROM …), TRIM(… FROM …), IS DISTINCT FROM: no query begins there. */
export function isPlain(tokens: readonly SqlToken[], i: number): boolean {
  if (isSign(tokens[i - 1], '.')) return true;
  if (tokens[i]!.text !== 'from') return false;
  if (tokens[i - 1]?.text === 'distinct') return true;
  for (let at = i - 1, depth = 0; at >= 0; at--) {
    if (isSign(tokens[at], ')')) depth++;
    if (isSign(tokens[at], '(') && --depth < 0) {
      return ['extract', 'substring', 'trim', 'overlay', 'position'].includes(tokens[at - 1]?.text ?? '');
    }
  }
  return false;
}

/** With one argument age(…) counts to today. */
function hasTwoArguments(tokens: readonly SqlToken[], open: number): boolean {
  for (let at = open, depth = 0; at < tokens.length; at++) {
    const { kind, text } = tokens[at]!;
    if (kind !== 'sign') continue;
    if (/^[([{]$/.test(text)) depth++;
    if (/^[)\]}]$/.test(text) && --depth === 0) return false;
    if (text === ',' && depth === 1) return true;
  }
  return false;
}

/** `FROM glob(…)`; behind a value GLOB is an operator. */
function isGlobTable(tokens: readonly SqlToken[], i: number): boolean {
  if (tokens[i]!.text.toLowerCase() !== 'glob') return false;
  const before = tokens[i - 1];
  if (before?.kind === 'sign') return !/^[)\]]$/.test(before.text);
  return before === undefined || (before.kind === 'name' && /^(?:from|join|lateral)$/.test(before.text));
}

function isSign(token: SqlToken | undefined, text: string): boolean {
  return token?.kind === 'sign' && token.text === text;
}
