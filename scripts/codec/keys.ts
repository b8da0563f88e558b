import { createSecretKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** A key by its name. A KeyObject says nothing of its bytes when it is printed. */
export interface CodecKey {
  /** Stands in clear beside every payload that is encrypted with it. */
  readonly id: string;
  readonly key: KeyObject;
}

export const KEY_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
const LOOK = 'must look like ID:BASE64,ID:BASE64 with 32 bytes each (openssl rand -base64 32)';

export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

/**
 * The keys of the environment: the first encrypts, all decrypt. None where neither variable is set: nothing is encrypted.
 * A problem names a key by its place: a key that was written without an id would stand where the id does.
 */
export function parseCodecKeys(
  { STRATA_CODEC_KEYS: inline, STRATA_CODEC_KEYS_FILE: file }: Record<string, string | undefined>,
  { invokedFrom, problems }: { invokedFrom: string; problems: string[] },
): readonly CodecKey[] {
  if (inline !== undefined && file !== undefined) {
    problems.push('STRATA_CODEC_KEYS and STRATA_CODEC_KEYS_FILE cannot both be given: unset one');
    return [];
  }
  if (inline !== undefined) return parseList('STRATA_CODEC_KEYS', inline.split(','), problems);
  if (file === undefined) return [];
  try {
    const lines = readFileSync(resolve(invokedFrom, file), 'utf8').split('\n');
    const entries = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
    return parseList('STRATA_CODEC_KEYS_FILE', entries, problems);
  } catch (error) {
    const { code = 'no reason given' } = error as NodeJS.ErrnoException;
    problems.push(`STRATA_CODEC_KEYS_FILE must name a file with a key on each line, found none: ${code}`);
    return [];
  }
}

function parseList(variable: string, entries: readonly string[], problems: string[]): readonly CodecKey[] {
  const keys: CodecKey[] = [];
  if (entries.length === 0) problems.push(`${variable} ${LOOK}, found no key`);
  for (const [i, entry] of entries.entries()) {
    const read = readEntry(entry.trim());
    const fault = typeof read === 'string' ? read : repeated(read, keys);
    if (fault !== undefined)
      problems.push(`${variable} ${LOOK}, found key ${i + 1} of ${entries.length} ${fault}`);
    else keys.push(read as CodecKey);
  }
  return Object.freeze(keys);
}

/** The key, or what is wrong with it. */
function readEntry(entry: string): CodecKey | string {
  const colon = entry.indexOf(':');
  if (colon === -1) return 'without an id';
  const [id, text] = [entry.slice(0, colon), entry.slice(colon + 1)];
  if (!isKeyId(id)) return 'with an id that is not 1 to 64 letters, digits, dots, dashes or underscores';
  if (!BASE64.test(text)) return 'that is no base64';
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== KEY_BYTES) return `of ${bytes.length} bytes`;
  return { id, key: createSecretKey(bytes) };
}

function repeated(key: CodecKey, known: readonly CodecKey[]): string | undefined {
  if (known.some(({ id }) => id === key.id)) return 'with the id of another';
  // Two names of one key: whoever meant to change it has not.
  if (known.some((other) => other.key.equals(key.key))) return 'with the bytes of another';
  return undefined;
}
