import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Contract, type Rule, UNREADABLE_LINE } from '../../../pipelines/contracts/contract.ts';
import { quoteText } from '../../../pipelines/contracts/sql-quote.ts';
import { customersContract, customersSql, judgeCustomers } from '../../../pipelines/stages/customers.ts';
import {
  acceptedSql,
  quarantineSql,
  readValidation,
  validationSql,
} from '../../../pipelines/stages/validate.ts';
import type { Warehouse } from '../../../store/warehouse/duckdb.ts';
import { type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';

const CONTRACT: Contract = {
  version: 1,
  rules: [{ name: 'known', check: 'is_known_customer', severity: 'warn', reason: 'nobody' }],
  thresholds: { warnRefusedShare: 0.2, failRefusedShare: 0.5, minimumCustomers: 2 },
};
/** As the parser makes it where a contract says nothing of the table. */
const CUSTOMERS: NonNullable<Contract['customers']> = {
  unique: ['customer_id'],
  rules: [
    UNREADABLE_LINE,
    { name: 'unreadable', check: 'malformed IS NULL', severity: 'warn', reason: 'cannot be read' },
    { name: 'customer_id-missing', check: 'customer_id IS NOT NULL', severity: 'reject', reason: 'nobody' },
    { name: 'duplicate', check: 'NOT is_duplicate', severity: 'reject', reason: 'there is another row' },
  ],
};
const ATTRIBUTES = { birth_year: { column: 'born', type: 'number' as const }, city: { column: 'town' } };

let fixture: WarehouseFixture;
let warehouse: Warehouse;
beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

type Line = [id: string | null, born: string | null, town: string | null];

function frozenSql(lines: readonly Line[], rules: readonly Rule[] = []) {
  const text = (value: string | null) => (value === null ? 'NULL' : quoteText(value));
  const rows = lines.map((line) => `(${line.map((value) => `CAST(${text(value)} AS VARCHAR)`).join(', ')})`);
  const types = { id: 'VARCHAR', born: 'VARCHAR', town: 'VARCHAR' };
  const from = `(FROM (VALUES ${rows.join(', ')}) AS t(id, born, town))`;
  const source = { from, columns: { customer_id: 'id' }, attributes: ATTRIBUTES, types, name: 'made' };
  return customersSql(source, rules);
}

async function judged(lines: readonly Line[], change: Partial<Contract> = {}) {
  const contract = customersContract({ ...CONTRACT, customers: CUSTOMERS, ...change });
  const path = join(fixture.folder, 'customers.parquet');
  await warehouse.copyToParquet(frozenSql(lines, contract.rules), path);
  const from = `read_parquet('${path}')`;
  const [row] = await warehouse.rows(validationSql({ from, contract, table: 'customers' }));
  const counts = readValidation(row!, contract);
  const refused = counts.rows - counts.accepted;
  return {
    counts,
    ...judgeCustomers(counts, contract),
    accepted: await warehouse.rows(
      `SELECT customer_id, birth_year FROM ${from} WHERE ${acceptedSql(contract)}`,
    ),
    quarantine: await warehouse.rows(quarantineSql({ from, contract, refused })),
  };
}

describe('a table of customers', () => {
  it('is sorted by customer, of each the whole row first, the others are duplicates', async () => {
    const lines: Line[] = [
      ['2', '1990', 'Oslo'],
      ['10', 'x', 'Bern'],
      ['10', '1980', 'Bern'],
      [null, '1', 'Rome'],
      ['10', '1970', 'Rome'],
    ];
    const wanted = [
      { customer_id: '10', birth_year: 1970, city: 'Rome', malformed: null, is_duplicate: false },
      { customer_id: '10', birth_year: 1980, city: 'Bern', malformed: null, is_duplicate: true },
      { customer_id: '10', birth_year: null, city: 'Bern', malformed: 'birth_year=x', is_duplicate: true },
      { customer_id: '2', birth_year: 1990, city: 'Oslo', malformed: null, is_duplicate: false },
      { customer_id: null, birth_year: 1, city: 'Rome', malformed: null, is_duplicate: false },
    ];
    expect(await warehouse.rows(frozenSql(lines))).toEqual(wanted);
    expect(await warehouse.rows(frozenSql(lines.toReversed()))).toEqual(wanted);
  });

  it('keeps of a customer a row that the contract accepts before one that it refuses', async () => {
    const adult: Rule = {
      name: 'adult',
      check: 'birth_year BETWEEN 1900 AND 2008',
      severity: 'reject',
      reason: 'no year of birth',
    };
    const odd: Rule = { ...adult, name: 'old', check: 'birth_year > 1950', severity: 'warn' };
    const customers = { ...CUSTOMERS, rules: [...CUSTOMERS.rules, adult, odd] };
    const lines: Line[] = [
      ['1', '1066', 'Oslo'],
      ['1', '1990', 'Bern'],
      ['1', '1940', 'Rome'],
      ['2', '1066', 'Oslo'],
      ['2', '1067', 'Oslo'],
    ];
    for (const given of [lines, lines.toReversed()]) {
      const { accepted, quarantine, table } = await judged(given, { customers });
      expect(accepted).toEqual([{ customer_id: '1', birth_year: 1940 }]);
      expect(table).toMatchObject({ rowsRead: 5, rowsAccepted: 1, rowsQuarantined: 4 });
      expect(quarantine.map((row) => [row.customer_id, row.birth_year, row.broken_rules])).toEqual([
        ['1', 1990, ['duplicate']],
        ['1', 1066, ['duplicate', 'adult']],
        ['2', 1066, ['adult']],
        ['2', 1067, ['duplicate', 'adult']],
      ]);
    }
  });

  it('lays a rule that cannot be computed at that rule', async () => {
    const wrong: Rule = { name: 'wrong', check: 'birth_yaer > 0', severity: 'reject', reason: 'none' };
    await expect(warehouse.rows(frozenSql([['1', '1990', 'Oslo']], [wrong]))).rejects.toMatchObject({
      code: 'FEATURE_INVALID',
      details: { part: 'rule wrong of contract.yaml' },
    });
  });

  it('is joined by one row per customer at most, and read = accepted + refused, whatever is in it', async () => {
    const cell = fc.oneof(
      fc.constantFrom(null, '', ' ', '1', '2', '1.0', 'x', "l'été"),
      fc.string({ maxLength: 3 }).map((text) => text.replaceAll('\0', '')),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 12 }),
        async (lines) => {
          const { table, accepted, quarantine } = await judged(lines as Line[]);
          expect(table.rowsRead).toBe(lines.length);
          expect(table.rowsAccepted + table.rowsQuarantined).toBe(table.rowsRead);
          expect(table.quarantinedBy.reduce((sum, { rows }) => sum + rows, 0)).toBe(table.rowsQuarantined);
          expect(quarantine).toHaveLength(table.rowsQuarantined);
          const ids = accepted.map(({ customer_id }) => customer_id);
          expect(ids).toHaveLength(table.rowsAccepted);
          expect(new Set(ids).size).toBe(ids.length);
          expect(ids).not.toContain(null);
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('the verdict', () => {
  const good: Line[] = Array.from({ length: 10 }, (_, i) => [`${i}`, `${1950 + i}`, 'Oslo']);

  it('passes a table of good rows without a word', async () => {
    expect(await judged(good)).toMatchObject({ verdict: 'pass', reasons: [], table: { rowsAccepted: 10 } });
  });

  it('needs the rules that the join rests on', () => {
    expect(() => customersContract(CONTRACT)).toThrow(
      expect.objectContaining({ code: 'DEFINITION_INVALID' }),
    );
  });

  it.each<[string, Line[], Contract['rules'], 'pass' | 'warn' | 'fail', RegExp | null]>([
    [
      'a value that cannot be read',
      [...good, ['11', 'x', 'Oslo']],
      [],
      'warn',
      /1 row is odd by rule unreadable/,
    ],
    ['a third of the rows refused', [...good, ...good.slice(0, 5)], [], 'warn', /5 of 15 rows were refused/],
    ['most rows refused', [...good, ...good, ...good], [], 'fail', /20 of 30 rows were refused/],
    [
      'as many odd rows as the rule bears',
      good,
      [{ name: 'young', check: 'birth_year < 1958', severity: 'warn', reason: 'young', limit: { rows: 2 } }],
      'pass',
      null,
    ],
    [
      'more of them than it bears',
      good,
      [
        {
          name: 'young',
          check: 'birth_year < 1958',
          severity: 'reject',
          reason: 'young',
          limit: { share: 0.1 },
        },
      ],
      'fail',
      /2 of 10 rows .* break rule young/,
    ],
  ])('on %s', async (_, lines, rules, verdict, reason) => {
    const found = await judged(lines, { customers: { ...CUSTOMERS, rules: [...CUSTOMERS.rules, ...rules] } });
    expect(found.verdict).toBe(verdict);
    if (reason === null) expect(found.reasons).toEqual([]);
    else expect(found.reasons).toContainEqual(expect.stringMatching(reason));
  });
});
