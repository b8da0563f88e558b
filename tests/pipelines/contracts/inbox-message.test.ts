import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holdsCredential, MESSAGES, readMessage } from '../../../pipelines/contracts/inbox-message.ts';

const NOTHING = { input: null, kind: null, extract: null, asOf: null, id: null };

describe('a message', () => {
  test('with every field, with none, and with nulls for what a template did not have', () => {
    const sent = { input: 'orders', extract: '/data/o.csv', asOf: '2026-07-01', id: 'load-17' };
    expect(readMessage('extractLanded', [sent])).toEqual({ ...NOTHING, name: 'extractLanded', ...sent });
    for (const nothing of [[], [{}], [null], [undefined], [{ kind: null, asOf: null }]])
      expect(readMessage('requestRun', nothing)).toEqual({ ...NOTHING, name: 'requestRun' });
  });

  test.each([
    ['7', [7], 'found a number'],
    ['a list', [[{}]], 'found a list'],
    ['its own JSON', ['{"input": "orders"}'], 'not its JSON as a text'],
    ['two values', [{}, {}], 'found 2 values'],
    ['a field of the other', [{ input: 'orders' }], 'unknown fields "input"'],
    ['a number as id', [{ id: 7 }], 'id: needs a text, found number'],
    ['an empty text', [{ id: ' ' }], 'id: needs a text that is not empty'],
    ['an id without end', [{ id: 'x'.repeat(101) }], 'id: needs at most 100 characters, found 101'],
    ['a day that there is not', [{ asOf: '2026-02-30' }], 'found "2026-02-30"'],
    ['a time', [{ asOf: '2026-02-03T00:00:00Z' }], 'needs an ISO date'],
    ['another kind', [{ kind: 'fit' }], 'needs refit or assign, found "fit"'],
    ['a location with a zero byte', [{ extract: '/data/\0' }], 'extract: needs one line of characters'],
    ['no JSON', [{ unreadable: 'bytes' }], 'every field optional; found bytes'],
  ])('that is %s is refused in words', (_, sent, words) => {
    expect(readMessage('requestRun', sent)).toContain(words);
  });

  test('a location that grants access is refused, and not repeated', () => {
    for (const secret of [
      'postgres://me:hunter2@db/shop',
      'https://hunter2@example.com/x.csv',
      'https://example.com/x.csv?sig=hunter2',
      's3://bucket/x.parquet?X-Amz-Signature=hunter2',
      'https://example.com/x?format=csv&access_token=hunter2',
      'https://example.com/x?AWSSecretAccessKey=hunter2',
    ]) {
      const refused = readMessage('requestRun', [{ extract: secret }]);
      expect(refused, secret).toContain('without user, password, key or signature');
      expect(refused).not.toContain('hunter2');
    }
  });

  test('a location that does not is taken', () => {
    for (const location of [
      '/data/orders@2026-07-01.parquet',
      's3://bucket/date=2026-07-01/key=7/x.parquet',
      'exports/2026-*.csv',
      'https://example.com/x.csv?day=2026-07-01#me@home',
    ])
      expect(holdsCredential(location), location).toBe(false);
  });

  test('whatever is sent is a message or a short text, never a fault', () => {
    fc.assert(
      fc.property(fc.constantFrom(...MESSAGES), fc.array(fc.anything(), { maxLength: 2 }), (name, sent) => {
        const read = readMessage(name, sent);
        if (typeof read === 'string') expect(read.length).toBeLessThan(700);
        else expect(read.name).toBe(name);
      }),
      { numRuns: 500 },
    );
  });
});
