import type { ColumnKind } from './odcs-columns.ts';
import { quoteText } from './sql-quote.ts';

const TIME = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?$/;

/** Needed of a value, in words, when `literal` returns null. */
export const NEEDED: Readonly<Record<ColumnKind, string>> = {
  text: 'a text',
  whole: 'a number',
  number: 'a number',
  time: `a text such as '2026-06-30' or '2026-06-30T14:05:00', by the shop's clock and so without a zone`,
  boolean: 'true or false',
};

/** A value of the contract as SQL, to be compared with a column of that kind; null when it is none. */
export function literal(value: unknown, kind: ColumnKind): string | null {
  switch (kind) {
    case 'text':
      return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? quoteText(String(value))
        : null;
    case 'time':
      return typeof value === 'string' && isMoment(value)
        ? `TIMESTAMP ${quoteText(value.replace('T', ' '))}`
        : null;
    case 'boolean':
      return typeof value === 'boolean' ? String(value) : null;
    default:
      return typeof value === 'number' && Number.isFinite(value) ? numberLiteral(value) : null;
  }
}

/** A minus sign in brackets: `x - -5` would be a comment's beginning, were it written without a blank. */
function numberLiteral(value: number): string {
  return value < 0 ? `(${value})` : String(value);
}

function isMoment(text: string): boolean {
  // The engine's own parser knows that there is no 30 February only when it writes the day back.
  const day = text.slice(0, 'YYYY-MM-DD'.length);
  const parsed = TIME.test(text)
    ? Date.parse(`${text.replace(' ', 'T')}${text === day ? '' : 'Z'}`)
    : Number.NaN;
  return Number.isFinite(parsed) && new Date(parsed).toISOString().startsWith(day);
}

/**
 * A regular expression of ECMAScript as DuckDB's RE2 reads it: it may match anywhere in the text, as JSON Schema
 * has it, unless ^ and $ say otherwise.
 *
 * @returns the pattern, or what is needed in words: RE2 looks neither ahead nor behind nor back
 */
export function re2Pattern(pattern: string): { pattern: string } | { needed: string } {
  try {
    new RegExp(pattern, 'u');
  } catch (error) {
    return { needed: `a regular expression (${(error as Error).message.replace(/^.*: /, '')})` };
  }
  // What stands in a class or behind a backslash is none of these.
  const tokens =
    pattern.match(
      /\\u\{[0-9a-fA-F]+\}|\\u[0-9a-fA-F]{4}|\\c[a-zA-Z]|\\k<|\\[\s\S]|\(\?<?[=!<\w]|\[\^?|[\s\S]/gu,
    ) ?? [];
  let isInClass = false;
  const parts: string[] = [];
  for (const token of tokens) {
    if (!isInClass && /^\(\?(<?[=!]|<\w)/.test(token)) {
      return {
        needed: 'a pattern without looking ahead or behind and without named groups, which DuckDB has not',
      };
    }
    if (/^\\([1-9]|k<|c)/.test(token)) {
      return { needed: 'a pattern without references back and control characters, which DuckDB has not' };
    }
    const opens = token.startsWith('[') && !isInClass;
    if (opens) isInClass = true;
    else if (token === ']') isInClass = false;
    parts.push(translated(token, isInClass && !opens));
  }
  if (/\[\^?\]/.test(pattern)) return { needed: 'a pattern without empty brackets, which DuckDB has not' };
  return { pattern: parts.join('') };
}

function translated(token: string, isInClass: boolean): string {
  const [, code] = /^\\u\{?([0-9a-fA-F]+)\}?$/.exec(token) ?? [];
  if (code !== undefined) return `\\x{${code}}`;
  if (token === '\\0') return '\\x00';
  // RE2 takes [: in a class for the beginning of [:alpha:].
  return isInClass && token === '[' ? '\\[' : token;
}

const HEX = '[0-9a-fA-F]';
const BYTE = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const IPV4 = `${BYTE}(\\.${BYTE}){3}`;
const LABEL = '[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const GROUP = `${HEX}{1,4}`;
const IPV6 = [
  `(${GROUP}:){7}${GROUP}`,
  `(${GROUP}:){1,7}:`,
  ...[1, 2, 3, 4, 5, 6].map((after) => `(${GROUP}:){1,${7 - after}}(:${GROUP}){1,${after}}`),
  `:((:${GROUP}){1,7}|:)`,
  `(${GROUP}:){6}${IPV4}`,
  `::(${GROUP}:){0,5}${IPV4}`,
].join('|');

/** Formats of strings that a pattern can tell; the whole text has to match. */
export const FORMATS: Readonly<Record<string, string>> = {
  email: `[A-Za-z0-9.!#$%&'*+/=?^_\`{|}~-]+@${LABEL}(\\.${LABEL})+`,
  uuid: `${HEX}{8}-${HEX}{4}-${HEX}{4}-${HEX}{4}-${HEX}{12}`,
  uri: '[A-Za-z][A-Za-z0-9+.-]*:[^\\s<>"{}|\\\\^`]+',
  hostname: `${LABEL}(\\.${LABEL})*`,
  ipv4: IPV4,
  ipv6: IPV6,
  byte: '([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?',
};

/** Least and greatest value of an integer format. */
export function integerRange(format: string): [string, string] | null {
  const [, sign, bits] = /^([iu])(8|16|32|64|128)$/.exec(format) ?? [];
  if (bits === undefined) return null;
  const size = 2n ** BigInt(bits);
  return sign === 'u' ? ['0', String(size - 1n)] : [`(${-size / 2n})`, String(size / 2n - 1n)];
}
