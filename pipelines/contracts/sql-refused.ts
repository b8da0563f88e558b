import { type SqlToken, sqlTokens } from './sql-tokens.ts';

// What SQL of a contract or a feature may not call: a repeat of a run has to give the same numbers, and they are made
// of the run's own extract.

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
const FILE_READERS = /^(?:read_|parquet_)|_scan$/;

/**
 * The first function in the SQL whose value is not of the rows alone, in words: which, why, and the way out.
 *
 * @returns null where there is none; names in texts and quoted columns do not count
 */
export function refusedFunction(sql: string): string | null {
  const tokens = sqlTokens(sql);
  for (const [i, token] of tokens.entries()) {
    const why = whyRefused(tokens, i);
    if (why !== null) return `${token.text}${isSign(tokens[i + 1], '(') ? '(…)' : ''}, ${why}`;
  }
  return null;
}

function whyRefused(tokens: readonly SqlToken[], i: number): string | null {
  const { kind, text } = tokens[i]!;
  const isCalled = isSign(tokens[i + 1], '(');
  if (kind === 'name' && MOMENT_WORDS.has(text) && !isSign(tokens[i - 1], '.')) return OF_MOMENT;
  if (!isCalled || (kind !== 'name' && kind !== 'quoted')) return null;
  const name = text.toLowerCase();
  if (MOMENT.has(name)) return OF_MOMENT;
  if (CHANCE.has(name)) return 'which is of chance: use a column of the row';
  if (SESSION.has(name)) return 'which is of the session or the machine: write the value itself';
  if (FILES.has(name) || FILE_READERS.test(name) || isGlobTable(tokens, i)) {
    return 'which reads files: bring what is needed into the extract, as a column or an attribute of the source';
  }
  return null;
}

const OF_MOMENT = 'which is of the moment it runs at: use as_of in a feature, a fixed date in a contract';

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
