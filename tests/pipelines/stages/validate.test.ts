import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Contract, UNREADABLE_LINE } from '../../../pipelines/contracts/contract.ts';
import type { Definition } from '../../../pipelines/contracts/definition.ts';
import { parseContract } from '../../../pipelines/contracts/parse-contract.ts';
import { judge, toldReasons, validationReport } from '../../../pipelines/stages/judge.ts';
import {
  acceptedSql,
  quarantineSql,
  readValidation,
  type ValidationCounts,
  validationSql,
} from '../../../pipelines/stages/validate.ts';
import type { Warehouse } from '../../../store/warehouse/duckdb.ts';
import { type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';

const CONTRACT: Contract = {
  version: 3,
  rules: [
    {
      name: 'without-customer',
      check: 'customer_id IS NOT NULL',
      severity: 'reject',
      reason: 'nobody is known',
    },
    { name: 'quantity', check: 'quantity > 0 -- pieces', severity: 'reject', reason: 'nothing was sold' },
    { name: 'large', check: 'quantity < 1000', severity: 'warn', reason: 'more than a household needs' },
    { name: 'malformed', check: 'malformed IS NULL', severity: 'reject', reason: "a value can't be read" },
  ],
  thresholds: { warnRefusedShare: 0.2, failRefusedShare: 0.5, minimumCustomers: 2 },
};

const FROM = `(SELECT customer_id, TIMESTAMP '2026-01-01' + to_days(day) AS ordered_at, quantity, malformed, day AS file_row_number
  FROM (VALUES ('a', 0, 1, NULL), ('a', 1, 5000, NULL), ('b', 2, 2, NULL),
    (NULL, 3, -1, 'unit_price=x'), ('c', 4, 0, NULL), ('d', 5, NULL, 'quantity=y')
  ) AS t(customer_id, day, quantity, malformed))`;

let fixture: WarehouseFixture;
let warehouse: Warehouse;
beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

const countRows = async (contract = CONTRACT) =>
  readValidation((await warehouse.rows(validationSql({ from: FROM, contract })))[0]!, contract);

describe('validation', () => {
  it('counts each refused row once, under the first rule it breaks, and each breach under its rule', async () => {
    const counts = await countRows();
    expect(counts).toMatchObject({
      rows: 6,
      accepted: 3,
      customers: 2,
      malformed: 2,
      firstOrderedAt: '2026-01-01T00:00:00',
      lastOrderedAt: '2026-01-03T00:00:00',
    });
    expect(counts.rules.map(({ name, broken, refused }) => [name, broken, refused])).toEqual([
      ['without-customer', 1, 1],
      // A missing quantity cannot be judged, so it is refused.
      ['quantity', 3, 2],
      ['large', 2, 0],
      ['malformed', 2, 0],
    ]);
  });

  it('accepts with one predicate exactly the rows it counts as accepted', async () => {
    const [row] = await warehouse.rows(`SELECT count(*) AS rows FROM ${FROM} WHERE ${acceptedSql(CONTRACT)}`);
    expect(row).toEqual({ rows: 3 });
  });

  it('keeps every refused row with all its reasons', async () => {
    const rows = await warehouse.rows(quarantineSql({ from: FROM, contract: CONTRACT, refused: 3 }));
    expect(
      rows.map(({ refused_by, broken_rules, customer_id }) => [refused_by, broken_rules, customer_id]),
    ).toEqual([
      ['without-customer', ['without-customer', 'quantity', 'malformed'], null],
      ['quantity', ['quantity'], 'c'],
      ['quantity', ['quantity', 'malformed'], 'd'],
    ]);
  });

  it('tells a line that could not be split under that rule alone, whatever else its missing values break', async () => {
    const more = Array.from({ length: 70 }, (_, i) => ({ ...CONTRACT.rules[1]!, name: `more-${i}` }));
    const contract = { ...CONTRACT, rules: [UNREADABLE_LINE, ...CONTRACT.rules, ...more] };
    const lines = `(SELECT CAST(NULL AS VARCHAR), CAST(NULL AS TIMESTAMP), CAST(NULL AS INTEGER), 'line 7: has 2 fields', 9)`;
    const from = `(FROM ${FROM} UNION ALL FROM ${lines})`;
    const [row] = await warehouse.rows(validationSql({ from, contract }));
    const { rows, accepted, rules } = readValidation(row!, contract);
    expect({ rows, accepted }).toEqual({ rows: 7, accepted: 3 });
    const alone = (await countRows({ ...contract, rules: contract.rules.slice(1) })).rules;
    expect(rules.map(({ broken, refused }) => [broken, refused])).toEqual([
      [1, 1],
      ...alone.map(({ broken, refused }) => [broken, refused]),
    ]);
    const quarantine = await warehouse.rows(quarantineSql({ from, contract, refused: 4 }));
    expect(quarantine.map(({ broken_rules }) => (broken_rules as string[]).length)).toEqual([73, 71, 72, 1]);
    expect(quarantine.at(-1)).toMatchObject({
      refused_by: 'unreadable-line',
      broken_rules: ['unreadable-line'],
    });
  });

  it('refuses nothing when every rule only warns', async () => {
    const contract = { ...CONTRACT, rules: CONTRACT.rules.filter(({ severity }) => severity === 'warn') };
    expect((await countRows(contract)).accepted).toBe(6);
    expect(await warehouse.rows(quarantineSql({ from: FROM, contract, refused: 0 }))).toEqual([]);
  });

  it('of an extract without a refused row is empty and has the same columns', async () => {
    const columnsOf = async (refused: number) => {
      const { sql } = quarantineSql({ from: FROM, contract: CONTRACT, refused });
      const rows = await warehouse.rows(`DESCRIBE ${sql}`);
      return rows.map(({ column_name, column_type }) => [column_name, column_type]);
    };
    expect(await columnsOf(0)).toEqual(await columnsOf(3));
    expect(await warehouse.rows(quarantineSql({ from: FROM, contract: CONTRACT, refused: 0 }))).toEqual([]);
  });

  it.each([
    ['a column that is not there', 'colour IS NOT NULL'],
    ['a fault of grammar', 'quantity >'],
  ])('names the rule with %s', async (_, check) => {
    const rules = [...CONTRACT.rules, { name: 'faulty', check, severity: 'reject' as const, reason: 'none' }];
    await expect(countRows({ ...CONTRACT, rules })).rejects.toMatchObject({
      code: 'FEATURE_INVALID',
      message: expect.stringContaining('rule faulty of contract.yaml'),
    });
  });

  it('does not believe counts that do not add up', () => {
    const row = {
      rows: 5,
      accepted: 3,
      customers: 2,
      malformed: 0,
      refused_0: 1,
      refused_1: 0,
      refused_2: 0,
      refused_3: 0,
    };
    expect(() => readValidation(row, CONTRACT)).toThrow(/5 = 3 \+ 1/);
  });
});

describe('judge', () => {
  const clustering = {
    k: { min: 3, max: 8 },
    smallestShare: 0.02,
    starts: 10,
    bootstraps: 20,
    nullDraws: 20,
    sampleRows: 10_000,
  } satisfies Definition['clustering'];
  const definition = { contract: CONTRACT, clustering };
  const countsOf = (accepted: number, refused: number, customers: number): ValidationCounts => ({
    rows: accepted + refused,
    accepted,
    customers,
    malformed: 0,
    firstOrderedAt: null,
    lastOrderedAt: null,
    rules: CONTRACT.rules.map(({ name, severity, reason }, i) => ({
      name,
      severity,
      reason,
      broken: i === 1 ? refused : 0,
      refused: i === 1 ? refused : 0,
    })),
  });

  it('passes a good extract without a word, and counts read = accepted + refused', () => {
    expect(judge(countsOf(90, 10, 50), definition)).toEqual({
      verdict: 'pass',
      reasons: [],
      counts: {
        rowsRead: 100,
        rowsAccepted: 90,
        rowsQuarantined: 10,
        quarantinedBy: [
          { rule: 'without-customer', rows: 0 },
          { rule: 'quantity', rows: 10 },
          { rule: 'malformed', rows: 0 },
        ],
        customers: 50,
      },
    });
  });

  it.each<[string, ValidationCounts, 'warn' | 'fail', RegExp]>([
    [
      'many refused rows',
      countsOf(70, 30, 60),
      'warn',
      /30 of 100 rows were refused \(30 %\), most by rule quantity \(30\)/,
    ],
    ['too many refused rows', countsOf(40, 60, 60), 'fail', /60 %.*allows 50 %.*mend the source/],
    ['only bad rows', countsOf(0, 10, 0), 'fail', /No row satisfies the contract: 10 of 10/],
    ['no rows', countsOf(0, 0, 0), 'fail', /no rows; check the source/],
    [
      'fewer customers than the smallest share needs',
      countsOf(100, 0, 49),
      'fail',
      /have 49 customers, at least 50/,
    ],
  ])('says of %s what was found and the way out', (_, counts, verdict, reason) => {
    const judgement = judge(counts, definition);
    expect(judgement.verdict).toBe(verdict);
    expect(judgement.reasons).toHaveLength(1);
    expect(judgement.reasons[0]).toMatch(reason);
  });

  it('fails with fewer customers than segments even where nothing else asks for more', () => {
    const loose = { contract: CONTRACT, clustering: { ...clustering, smallestShare: 0 } };
    expect(judge(countsOf(10, 0, 3), loose).verdict).toBe('pass');
    expect(judge(countsOf(10, 0, 2), loose).reasons[0]).toMatch(/2 customers, at least 3/);
  });

  it('stands on both sides of a threshold as the contract says: only above it', () => {
    expect(judge(countsOf(80, 20, 50), definition).verdict).toBe('pass');
    expect(judge(countsOf(50, 50, 50), definition).verdict).toBe('warn');
  });

  it('warns of odd rows that are accepted all the same', () => {
    const counts = countsOf(100, 0, 60);
    counts.rules[2]!.broken = 4;
    expect(judge(counts, definition)).toMatchObject({
      verdict: 'warn',
      reasons: ['4 rows are odd by rule large: more than a household needs.'],
    });
  });

  it('tells of several hundred broken rules in a few kilobytes, the failures first; the report keeps all', () => {
    const rules = Array.from({ length: 400 }, (_, i) => ({
      name: `rule-${i}`,
      check: 'quantity > 0',
      severity: i < 390 ? ('warn' as const) : ('fail' as const),
      reason: 'as the contract says at length '.repeat(100),
    }));
    const contract = { ...CONTRACT, rules };
    const found = rules.map((rule) => ({ ...rule, broken: 1, refused: 0 }));
    const counts = { ...countsOf(90, 10, 50), rules: found };
    const judgement = judge(counts, { contract, clustering });
    const told = toldReasons(judgement.reasons);
    expect(told).toHaveLength(21);
    expect(told[0]).toMatch(/break rule rule-390/);
    expect(told.at(-1)).toBe('and 380 more, in the validation report');
    expect(JSON.stringify(told).length).toBeLessThan(16_000);
    expect(validationReport(counts, judgement, contract).reasons).toHaveLength(400);
    expect(toldReasons(judgement.reasons.slice(0, 20))).toHaveLength(20);
  });

  it('reports every rule with its check and both counts', () => {
    const counts = countsOf(90, 10, 50);
    const report = validationReport(counts, judge(counts, definition), CONTRACT);
    expect(report.rules).toHaveLength(4);
    expect(report.rules[1]).toEqual({
      name: 'quantity',
      severity: 'reject',
      reason: 'nothing was sold',
      broken: 10,
      refused: 10,
      check: 'quantity > 0 -- pieces',
    });
  });
});

it('a contract may be about columns whose names are words of SQL', async () => {
  const quality = [
    { type: 'sql', query: 'SELECT COUNT(*) FROM {object} WHERE {property} = 3', mustBe: 0 },
    { type: 'sql', query: `SELECT COUNT(*) FROM {object} WHERE "\${column}" = 4`, mustBe: 0 },
    { metric: 'invalidValues', arguments: { validValues: [1, 2, 3, 4] }, mustBe: 0 },
    { metric: 'missingValues', arguments: { missingValues: [null, 9] }, mustBe: 0 },
  ];
  const properties = ['group', 'order', 'end'].map((name) => ({
    ...{ name, required: true, logicalType: 'integer', quality },
    logicalTypeOptions: { minimum: 1, multipleOf: 1, format: 'i8' },
  }));
  const contract = parseContract(
    stringify({
      ...{ apiVersion: 'v3.1.0', kind: 'DataContract', id: 'words', version: '1.0.0', status: 'draft' },
      schema: [{ name: 'transactions', properties }],
    }),
  );
  const from = `(SELECT 'a' AS customer_id, TIMESTAMP '2026-01-01' AS ordered_at, NULL AS malformed,
    v AS "group", 1 AS "order", 2 AS "end", v AS file_row_number FROM (VALUES (1), (2), (3), (4), (5)) AS t(v))`;
  const [row] = await warehouse.rows(validationSql({ from, contract }));
  const counts = readValidation(row!, contract);
  expect(counts.accepted).toBe(2);
  expect(contract.rules.find(({ name }) => name === 'group-condition')).toMatchObject({
    about: { columns: ['group'], value: 'group = 3' },
    reason: 'group = 3, which the contract calls broken',
  });
});
