import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseContract } from '../../../pipelines/contracts/parse-contract.ts';
import { quoteText } from '../../../pipelines/contracts/sql-quote.ts';

/** The check that a contract makes of a pattern. */
function checkOf(pattern: string): string {
  const contract = parseContract(`apiVersion: v3.1.0
kind: DataContract
id: patterns
version: 1.0.0
status: draft
schema:
  - name: transactions
    properties:
      - name: category
        logicalType: string
        logicalTypeOptions: { pattern: ${JSON.stringify(pattern)} }
`);
  return contract.rules.find(({ name }) => name === 'category-pattern')!.check;
}

test.each([
  ['^C[0-9]+$', true],
  ['^(ab)+\\.$', true],
  ['^a\\\\$', true],
  ['^a|b$', false],
  ['^(a|b)$', false],
  ['^a\\$', false],
  ['^(?:a)$', false],
  ['[0-9]', false],
  ['^a', false],
])('%s is asked of the whole text at once: %s', (pattern, isWhole) => {
  expect(checkOf(pattern).includes('regexp_full_match')).toBe(isWhole);
});

test('whatever way it is asked, a pattern lets through what it matches', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const piece = fc.constantFrom('a', 'b', '.', '[ab]', '(a|b)', '|', 'a*', '\\$', '\\\\', '\\n', '(ab)+');
  const pattern = fc
    .tuple(
      fc.constantFrom('^', ''),
      fc.array(piece, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('$', ''),
    )
    .map(([first, pieces, last]) => `${first}${pieces.join('')}${last}`);
  const text = fc
    .array(fc.constantFrom('a', 'b', '$', '\\', '\n', '|'), { maxLength: 5 })
    .map((letters) => letters.join(''));
  await fc.assert(
    fc.asyncProperty(pattern, fc.array(text, { minLength: 1, maxLength: 8 }), async (pattern, texts) => {
      const rows = texts.map((one) => `(${quoteText(one)})`).join(', ');
      const sql = `SELECT count(*) FROM (VALUES ${rows}) AS t(category)
        WHERE (${checkOf(pattern)}) IS DISTINCT FROM regexp_matches(category, ${quoteText(pattern)})`;
      const [[differing]] = (await connection.runAndReadAll(sql)).getRowsJS() as [[bigint]];
      expect(differing).toBe(0n);
    }),
    { numRuns: 200 },
  );
  instance.closeSync();
});
