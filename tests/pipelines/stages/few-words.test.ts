import { afterAll, beforeAll, expect, it } from 'vitest';
import type { FeatureSettings } from '../../../pipelines/contracts/definition.ts';
import { featuresSql } from '../../../pipelines/stages/features-sql.ts';
import { countFewWords, fewWordsSql, readFewWords } from '../../../pipelines/stages/few-words.ts';
import type { Warehouse } from '../../../store/warehouse/duckdb.ts';
import { type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';

const feature = (sql: string, over?: 'orders'): FeatureSettings['aggregate'][number] => ({
  name: 'categories',
  sql,
  unit: 'categories',
  why: 'a test',
  ...(over && { over }),
});
const CATEGORIES = feature('count(DISTINCT category)');
const CONTRACT = {
  version: 1 as const,
  rules: [],
  thresholds: { warnRefusedShare: 0.2, failRefusedShare: 0.5, minimumCustomers: 2 },
};

let fixture: WarehouseFixture;
let warehouse: Warehouse;
beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

/** 400 lines of 50 customers, every ninth without a word. */
const linesOf = (word: string) => `(SELECT 'c' || range % 50 AS customer_id, 'o' || range AS order_id,
  TIMESTAMP '2026-01-01' + to_hours(range) AS ordered_at, 1 AS quantity, 1.0 AS amount,
  CASE WHEN range % 9 <> 0 THEN ${word} END AS category FROM range(400))`;

async function wordsOf(from: string) {
  const [row] = await warehouse.rows(fewWordsSql(from, [CATEGORIES])!);
  return readFewWords(row!);
}

it.each([
  ['one word', `'toys'`, 1],
  ['words with signs, of any script, and the empty one', `['', 'it''s', 'Ä', 'ä', '玩具'][range % 5 + 1]`, 5],
  ['64 words', `'w' || range * 7 % 64`, 64],
])('%s counted as bits are as many as counted apart', async (_, word, count) => {
  const from = linesOf(word);
  const words = await wordsOf(from);
  expect(words.category).toHaveLength(count);
  const given = { from, contract: CONTRACT, aggregate: [CATEGORIES], asOf: '2026-03-01' };
  const bits = featuresSql({ ...given, words });
  expect(bits.sql).not.toContain('DISTINCT');
  const { numbers } = await warehouse.columns(bits);
  expect(numbers).toEqual((await warehouse.columns(featuresSql(given))).numbers);
});

it.each([
  ['65 words', `'w' || range * 7 % 65`],
  ['a word that SQL cannot name', `'a' || chr(0)`],
  ['no word', 'NULL::VARCHAR'],
])('%s are counted as any others', async (_, word) => {
  const words = await wordsOf(linesOf(word));
  expect(words).toEqual({});
  expect(countFewWords(CATEGORIES, words)).toBe(CATEGORIES);
});

it('leaves every other expression as it is, and asks for no words then', () => {
  const others = [
    feature('count(DISTINCT category)', 'orders'),
    feature('count(DISTINCT order_id)'),
    feature(`count(DISTINCT category) FILTER (WHERE channel = 'web')`),
  ];
  expect(fewWordsSql('lines', others)).toBeNull();
  for (const other of others) expect(countFewWords(other, { category: ['a'] })).toBe(other);
});

it('names the feature whose column is not there', async () => {
  const missing = fewWordsSql('(SELECT 1 AS category)', [
    CATEGORIES,
    { ...feature('count(DISTINCT channel)'), name: 'channels' },
  ])!;
  await expect(warehouse.rows(missing)).rejects.toThrow('feature channels of pipeline.yaml failed');
});
