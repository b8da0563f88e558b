import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { UNREADABLE_LINE } from '../../../pipelines/contracts/contract.ts';
import { parseContract } from '../../../pipelines/contracts/parse-contract.ts';

type Property = Record<string, unknown>;

const written = (properties: Property[], more: object = {}, table: object = {}) =>
  stringify({
    ...{ apiVersion: 'v3.1.0', kind: 'DataContract', id: 'books', version: '1.0.0', status: 'draft' },
    schema: [{ name: 'transactions', properties, ...table }],
    ...more,
  });
const parse = (properties: Property[], more: object = {}, table: object = {}) =>
  parseContract(written(properties, more, table));
/** The rules beyond those that every contract has. */
const rulesOf = (properties: Property[], table: object = {}) => parse(properties, {}, table).rules.slice(2);
const ruleOf = (property: Property) => rulesOf([property])[0]!;
const quality = (item: object, name = 'quantity') => ({ name, quality: [{ mustBe: 0, ...item }] });

describe('a contract', () => {
  test('begins with what cannot be read, whatever it says', () => {
    const { rules, version, unique } = parse([{ name: 'customer_id' }]);
    expect(rules.map(({ name, severity }) => [name, severity])).toEqual([
      ['unreadable-line', 'reject'],
      ['unreadable', 'reject'],
    ]);
    expect(rules[0]).toEqual(UNREADABLE_LINE);
    expect([version, unique]).toEqual(['1.0.0', undefined]);
  });

  test('leaves values that cannot be read to a check of its own that names them', () => {
    const mine = {
      name: 'mine',
      type: 'sql',
      query: 'SELECT COUNT(*) FROM {object} WHERE malformed IS NOT NULL',
      mustBe: 0,
    };
    const { rules } = parse([{ name: 'customer_id' }], {}, { quality: [mine] });
    expect(rules.map(({ name }) => name)).toEqual(['unreadable-line', 'mine']);
  });

  test('lets through what the standard has for people and other tools', () => {
    const contract = parse(
      [
        {
          name: 'country',
          classification: 'public',
          tags: ['geo'],
          businessName: 'Country',
          examples: ['DE'],
        },
      ],
      {
        tags: ['x'],
        team: { name: 'sales' },
        roles: [{ role: 'reader' }],
        price: {},
        servers: [{ server: 's', type: 'local' }],
      },
    );
    expect(contract.notChecked).toBeUndefined();
  });

  test('tells what it asks and nobody checks', () => {
    const { notChecked } = parse(
      [
        {
          name: 'ordered_at',
          logicalType: 'timestamp',
          logicalTypeOptions: { format: 'yyyy-MM-dd', timezone: true },
        },
        {
          name: 'quantity',
          quality: [
            { name: 'soda', type: 'custom', engine: 'soda', implementation: 'x' },
            { type: 'text', description: 'whole' },
          ],
        },
      ],
      { slaProperties: [{ property: 'retention', value: 3, unit: 'y' }] },
    );
    expect(notChecked).toEqual([
      expect.stringMatching(/^ordered_at: format: .*source\.format\.times/),
      expect.stringMatching(/^ordered_at: timezone: .*source\.timezone/),
      'quantity: soda: a check of soda, which Strata does not run',
      'slaProperties: retention: an extract does not show it',
    ]);
  });
});

describe('rules', () => {
  test.each<[string, Property, string, string]>([
    ['required', { name: 'country', required: true }, 'country-missing', '"country" IS NOT NULL'],
    [
      'a bound',
      { name: 'quantity', logicalType: 'integer', logicalTypeOptions: { minimum: 1 } },
      'quantity-below-minimum',
      '"quantity" IS NULL OR "quantity" >= 1',
    ],
    [
      'a negative bound',
      { name: 'unit_price', logicalType: 'number', logicalTypeOptions: { exclusiveMaximum: -0.5 } },
      'unit_price-not-below-maximum',
      '"unit_price" IS NULL OR "unit_price" < (-0.5)',
    ],
    [
      'a time',
      { name: 'ordered_at', logicalType: 'date', logicalTypeOptions: { minimum: '2026-01-01' } },
      'ordered_at-below-minimum',
      `"ordered_at" IS NULL OR "ordered_at" >= TIMESTAMP '2026-01-01'`,
    ],
    [
      'digits',
      { name: 'customer_id', logicalType: 'integer' },
      'customer_id-not-integer',
      '"customer_id" IS NULL OR TRY_CAST("customer_id" AS DECIMAL(38,6)) = trunc(TRY_CAST("customer_id" AS DECIMAL(38,6)))',
    ],
    [
      'a length',
      { name: 'country', logicalType: 'string', logicalTypeOptions: { maxLength: 2 } },
      'country-too-long',
      '"country" IS NULL OR length("country") <= 2',
    ],
    [
      'a pattern',
      { name: 'country', logicalType: 'string', logicalTypeOptions: { pattern: "^[A-Z]'\\u00e9$" } },
      'country-pattern',
      `"country" IS NULL OR regexp_full_match(CAST("country" AS VARCHAR), '[A-Z]''\\x{00e9}')`,
    ],
    [
      'an integer format',
      { name: 'quantity', logicalType: 'integer', logicalTypeOptions: { format: 'u8' } },
      'quantity-not-u8',
      '"quantity" IS NULL OR "quantity" >= 0 AND "quantity" <= 255',
    ],
    [
      'a list',
      quality({ metric: 'invalidValues', arguments: { validValues: ["it's", null, 7] } }, 'country'),
      'country-invalid',
      `"country" IS NULL OR "country" IN ('it''s', '7')`,
    ],
    [
      'missing values',
      quality({ metric: 'missingValues', arguments: { missingValues: [null, '', 'N/A'] } }, 'country'),
      'country-missing-values',
      `"country" IS NOT NULL AND ("country" IS NULL OR "country" NOT IN ('', 'N/A'))`,
    ],
    [
      'a condition',
      quality({
        type: 'sql',
        query: 'select count(*) from $' + '{table} where {property} > 10 OR country = $$x$$; ',
      }),
      'quantity-condition',
      '("quantity" > 10 OR country = $$x$$\n) IS NOT TRUE',
    ],
  ])('of %s', (_, property, name, check) => {
    const rule = ruleOf(property);
    expect(rule).toMatchObject({ name, check, severity: 'reject' });
    expect(rule.reason).not.toMatch(/\.$/);
  });

  test('have the name and the words of the check, in the order of the file', () => {
    const rules = rulesOf(
      [
        {
          name: 'quantity',
          required: true,
          logicalType: 'integer',
          logicalTypeOptions: { minimum: 1 },
          quality: [
            { metric: 'nullValues', mustBe: 0, name: 'No Pieces!', description: 'nothing was\n sold.' },
          ],
        },
        { name: 'country', quality: [{ metric: 'nullValues', mustBe: 0, id: 'no_country' }] },
      ],
      {
        quality: [{ type: 'sql', query: 'SELECT COUNT(*) FROM transactions WHERE quantity < 0', mustBe: 0 }],
      },
    );
    // The check takes the place of `required`, whose name nobody chose.
    expect(rules.map(({ name }) => name)).toEqual([
      'quantity-below-minimum',
      'no-pieces',
      'no_country',
      'transactions-condition',
    ]);
    expect(rules[1]!.reason).toBe('nothing was sold');
  });

  test.each<[object, object]>([
    [{}, { severity: 'reject' }],
    [{ severity: 'critical' }, { severity: 'fail', limit: { rows: 0 } }],
    [{ severity: 'WARNING' }, { severity: 'warn', limit: { rows: 0 } }],
    [{ mustBe: undefined, mustBeLessThan: 1 }, { severity: 'reject' }],
    [
      { mustBe: undefined, mustBeLessThan: 5 },
      { severity: 'reject', limit: { rows: 4 } },
    ],
    [
      { mustBe: undefined, mustBeLessOrEqualTo: 5, severity: 'warn' },
      { severity: 'warn', limit: { rows: 5 } },
    ],
    [
      { mustBe: undefined, mustBeLessThan: 1, unit: 'percent', severity: 'fail' },
      { limit: { share: 0.01, below: true } },
    ],
    [{ mustBe: undefined, mustBeBetween: [0, 2], unit: 'percent' }, { limit: { share: 0.02 } }],
  ])('of %j are %j', (item, expected) => {
    const rule = ruleOf(quality({ metric: 'nullValues', ...item }));
    expect(rule).toMatchObject(expected);
    if (!('limit' in expected)) expect(rule.limit).toBeUndefined();
  });

  test('one key, however it is said, makes one rule', () => {
    const said: [Property[], object?][] = [
      [[{ name: 'line_id', unique: true }]],
      [[{ name: 'line_id', unique: true, quality: [{ metric: 'duplicateValues', mustBe: 0 }] }]],
      [
        [{ name: 'line_id' }],
        { quality: [{ metric: 'duplicateValues', mustBe: 0, arguments: { properties: ['line_id'] } }] },
      ],
    ];
    for (const [properties, table] of said) {
      const { unique, rules } = parse(properties, {}, table);
      expect(unique).toEqual(['line_id']);
      expect(rules.slice(2).map(({ name, check }) => [name, check])).toEqual([
        ['duplicate', 'NOT is_duplicate'],
      ]);
    }
    const compound = parse([
      { name: 'category', primaryKey: true, primaryKeyPosition: 2 },
      { name: 'order_id', primaryKey: true, primaryKeyPosition: 1 },
    ]);
    expect(compound.unique).toEqual(['order_id', 'category']);
    expect(compound.rules.slice(2).map(({ name }) => name)).toEqual([
      'category-missing',
      'order_id-missing',
      'duplicate',
    ]);
  });

  test('of a whole run: rows, freshness, shares', () => {
    const contract = parse(
      [{ name: 'ordered_at' }],
      {
        slaProperties: [{ property: 'latency', value: 2, unit: 'd', element: 'transactions.ordered_at' }],
        customProperties: [
          { property: 'strataFailRefusedShare', value: 0.1 },
          { property: 'team', value: 'x' },
        ],
      },
      { quality: [{ metric: 'rowCount', mustBeBetween: [10, 20], severity: 'warning' }] },
    );
    expect(contract).toMatchObject({
      freshness: { column: 'ordered_at', hours: 48, severity: 'fail' },
      volume: [{ operator: 'mustBeBetween', value: [10, 20], severity: 'warn' }],
      thresholds: { failRefusedShare: 0.1, warnRefusedShare: 0.2, minimumCustomers: 50 },
    });
  });

  test('of customers: one row for each, and transactions that know them', () => {
    const relationships = [{ to: 'customers.customer_id' }];
    const contract = parseContract(
      stringify({
        ...{ apiVersion: 'v3.1.0', kind: 'DataContract', id: 'two', version: '1.0.0', status: 'draft' },
        schema: [
          { name: 'transactions', properties: [{ name: 'customer_id', relationships }] },
          {
            name: 'customers',
            properties: [
              { name: 'customer_id', required: true },
              { name: 'age', logicalType: 'integer', logicalTypeOptions: { maximum: 120 } },
            ],
          },
        ],
      }),
    );
    expect(contract.rules.at(-1)).toMatchObject({
      name: 'customer_id-unknown',
      check: 'customer_id IS NULL OR is_known_customer',
    });
    expect(contract.customers!.unique).toEqual(['customer_id']);
    expect(contract.customers!.rules.map(({ name }) => name)).toEqual([
      ...[
        'unreadable-line',
        'unreadable',
        'customer_id-missing',
        'age-not-integer',
        'age-above-maximum',
        'duplicate',
      ],
    ]);
  });
});
