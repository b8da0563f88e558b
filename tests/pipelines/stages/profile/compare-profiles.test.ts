import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareProfiles } from '../../../../pipelines/stages/profile/compare-profiles.ts';
import type { ProfileReport } from '../../../../pipelines/stages/profile/report.ts';
import { type WarehouseFixture, warehouseFixture } from '../../../store/warehouse/fixture.ts';
import { profileOf, shopSql } from './fixture.ts';

const SINCE = { runId: 'books-1', asOf: '2026-03-01' };

let fixture: WarehouseFixture;
let base: ProfileReport;
const measure = async (sql: string) => profileOf(await fixture.open(), sql);
beforeAll(async () => {
  fixture = await warehouseFixture();
  base = await measure(shopSql());
});
afterAll(() => fixture.remove());

const changesTo = (current: ProfileReport, previous: unknown = base) =>
  compareProfiles(previous, current, SINCE).findings.map(({ code, where }) =>
    `${code} ${where ?? ''}`.trim(),
  );

test('the same extract has not changed', () => {
  expect(compareProfiles(base, base, SINCE)).toEqual({ since: SINCE, missing: null, findings: [] });
});

describe('a change is found where it is', () => {
  test.each<[string, string, string[]]>([
    ['fewer rows', `(SELECT * FROM ${shopSql()} WHERE hash(order_id) % 5 > 0)`, ['rows-changed']],
    ['a new column', `(SELECT *, 'web' AS channel FROM ${shopSql()})`, ['column-new channel']],
    ['a lost column', `(SELECT * EXCLUDE (country) FROM ${shopSql()})`, ['column-lost country']],
    [
      'missing values',
      `(SELECT * REPLACE (CASE WHEN hash(order_id) % 4 > 0 THEN country END AS country) FROM ${shopSql()})`,
      ['missing-share country'],
    ],
    [
      'prices ten times as high',
      `(SELECT * REPLACE (CAST(unit_price * 10 AS DECIMAL(18,4)) AS unit_price) FROM ${shopSql()})`,
      ['distribution-moved unit_price', 'rule-share odd'],
    ],
    [
      'a new word and another mix',
      `(SELECT * REPLACE (CASE WHEN hash(order_id) % 3 = 0 THEN 'FR' ELSE country END AS country) FROM ${shopSql()})`,
      ['new-words country', 'mix-moved country'],
    ],
    [
      'rows that the contract refuses',
      `(SELECT * REPLACE (CASE WHEN hash(order_id) % 5 = 0 THEN -1 ELSE quantity END AS quantity) FROM ${shopSql()})`,
      ['refused-share', 'rule-share no-pieces'],
    ],
    ['another type', `(SELECT * REPLACE (1 AS country) FROM ${shopSql()})`, ['column-type country']],
    ['copies', `(FROM ${shopSql()} UNION ALL FROM ${shopSql()} LIMIT 6500)`, ['duplicate-share']],
  ])('%s', async (_, sql, expected) => {
    const found = changesTo(await measure(sql));
    for (const change of expected) expect(found).toContain(change);
  });

  test('no newer rows although time went on', () => {
    expect(changesTo({ ...base, asOf: '2026-05-01' })).toEqual(['no-newer-rows']);
  });
});

test('worst first', async () => {
  const { findings } = compareProfiles(base, await measure(shopSql({ rows: 600 })), SINCE);
  const ranks = findings.map(({ severity }) => ['serious', 'look', 'note'].indexOf(severity));
  expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
  expect(ranks[0]).toBe(0);
});

test.each<[string, unknown]>([
  ['a profile of the first form', { title: 'Books', rows: 5, columns: [] }],
  ['one of a later form', { profile: 3 }],
  ['anything else', null],
])('%s is not compared, and that is said', (_, previous) => {
  const { missing, findings } = compareProfiles(previous, base, SINCE);
  expect(missing).toContain('another form than version 2');
  expect(findings).toEqual([]);
});
