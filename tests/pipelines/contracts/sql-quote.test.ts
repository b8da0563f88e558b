import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quoteName, quoteText } from '../../../pipelines/contracts/sql-quote.ts';
import { type TestDatabase, testDatabase } from '../../helpers/postgres.ts';

type Ask = (sql: string) => Promise<Record<string, unknown>>;
const asks: Record<string, Ask> = {};
let instance: DuckDBInstance;
let database: TestDatabase;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  database = await testDatabase({ migrated: false });
  asks.DuckDB = async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJS()[0]!;
  // A client's own way: knex would take a question mark for a parameter.
  asks.PostgreSQL = async (sql) => {
    const client = await database.knex.client.acquireConnection();
    try {
      return (await client.query(sql)).rows[0];
    } finally {
      database.knex.client.releaseConnection(client);
    }
  };
});
afterAll(async () => {
  instance.closeSync();
  await database.drop();
});

const AWKWARD = [
  `'`,
  `''`,
  `"`,
  `\\`,
  `\\'`,
  `'; drop table x; --`,
  `a.b`,
  `?`,
  '$1',
  'é',
  '\u{1f600}',
  '\n',
  `%_`,
];
/** PostgreSQL cuts names after 63 bytes. */
const NAME_UNITS = 15;
const character = fc.oneof(fc.constantFrom(...AWKWARD), fc.string({ unit: 'grapheme', maxLength: 4 }));
const anyText = fc.array(character, { maxLength: 12 }).map((parts) => parts.join('').replaceAll('\0', ''));
const anyName = anyText.map((text) => [...text].slice(0, NAME_UNITS).join('')).filter((text) => text !== '');

describe.each(['DuckDB', 'PostgreSQL'])('%s', (engine) => {
  test('reads a quoted text as that text, and a quoted name as that name', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, anyName, async (text, name) => {
        const row = await asks[engine]!(`SELECT ${quoteText(text)} AS ${quoteName(name)}`);
        expect(Object.entries(row)).toEqual([[name, text]]);
      }),
      { numRuns: 200, examples: AWKWARD.map((text) => [text, text]) },
    );
  });
});

test('what no statement can hold is refused, and the text is not told', () => {
  const refusal = (message: RegExp) =>
    expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringMatching(message) });
  expect(() => quoteName('')).toThrow(refusal(/found ""/));
  expect(() => quoteName('a\0b')).toThrow(refusal(/found "a\\u0000b"/));
  expect(() => quoteText('cust-17\0')).toThrow(refusal(/^(?!.*cust-17)/));
});
