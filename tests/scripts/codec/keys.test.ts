import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../../scripts/config.ts';

const [first, second] = [randomBytes(32), randomBytes(32)];
const named = (id: string, bytes: Buffer) => `${id}:${bytes.toString('base64')}`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'strata-keys-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(text: string): string {
  const file = join(folder, `${randomBytes(4).toString('hex')}.keys`);
  writeFileSync(file, text);
  return file;
}

const keysOf = (env: Record<string, string>) =>
  readConfig(env).codecKeys.map(({ id, key }) => [id, key.export().toString('base64')]);

function refusal(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}

describe('keys of the codec', () => {
  test('are none where nothing is set', () => {
    expect(readConfig({}).codecKeys).toEqual([]);
    expect(readConfig({ STRATA_CODEC_KEYS: '', STRATA_CODEC_KEYS_FILE: '' }).codecKeys).toEqual([]);
  });

  test('are read in their order, in either alphabet of base64', () => {
    const keys = `${named('2026-11', first)}, old:${second.toString('base64url')}`;
    expect(keysOf({ STRATA_CODEC_KEYS: keys })).toEqual([
      ['2026-11', first.toString('base64')],
      ['old', second.toString('base64')],
    ]);
  });

  test('are read from a file, one a line, meant from where the command was typed', () => {
    const file = fileOf(`# new\n${named('b', second)}\n\n${named('a', first)}\n`);
    const given = { INIT_CWD: folder, STRATA_CODEC_KEYS_FILE: file.slice(folder.length + 1) };
    expect(keysOf(given).map(([id]) => id)).toEqual(['b', 'a']);
  });

  test.each([
    ['no key', '   ', /must look like ID:BASE64.*key 1 of 1 without an id/],
    ['a key without an id', first.toString('base64'), /key 1 of 1 without an id/],
    ['an id with a blank', named('a b', first), /key 1 of 1 with an id that is not/],
    ['a key that is no base64', 'a:§§§', /key 1 of 1 that is no base64/],
    ['a short key', named('a', first.subarray(0, 16)), /key 1 of 1 of 16 bytes/],
    ['an id twice', `${named('a', first)},${named('a', second)}`, /key 2 of 2 with the id of another/],
    ['a key twice', `${named('a', first)},${named('b', first)}`, /key 2 of 2 with the bytes of another/],
  ])('%s is refused by its place, and never printed', (_, keys, words) => {
    const message = refusal({ STRATA_CODEC_KEYS: keys });
    expect(message).toMatch(words);
    for (const bytes of [first, second]) expect(message).not.toContain(bytes.toString('base64').slice(0, 8));
  });

  test('all faults come in one error, beside those of other variables', () => {
    const message = refusal({ STRATA_CODEC_KEYS: 'a:AAAA,b', STRATA_THREADS: '0' });
    expect(message).toMatch(
      /3 environment variables.*STRATA_THREADS.*key 1 of 2 of 3 bytes.*key 2 of 2 without/,
    );
  });

  test('a file that is not there, or both ways at once, is refused', () => {
    expect(refusal({ STRATA_CODEC_KEYS_FILE: join(folder, 'gone') })).toMatch(
      /STRATA_CODEC_KEYS_FILE.*ENOENT/,
    );
    const both = { STRATA_CODEC_KEYS: named('a', first), STRATA_CODEC_KEYS_FILE: fileOf(named('a', first)) };
    expect(refusal(both)).toMatch(/cannot both be given/);
  });

  test('show in no print of the configuration, and go to no program that is started', () => {
    const config = readConfig({ STRATA_CODEC_KEYS: named('a', first) });
    const printed = inspect(config, { depth: 9, showHidden: true }) + JSON.stringify(config);
    for (const encoding of ['base64', 'hex', 'base64url'] as const)
      expect(printed).not.toContain(first.toString(encoding));
    expect(config.tools.childEnvironment).not.toHaveProperty('STRATA_CODEC_KEYS');
  });
});
