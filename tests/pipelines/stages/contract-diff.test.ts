import { expect, test } from 'vitest';
import { parse as parseYaml, stringify } from 'yaml';
import { parseContract } from '../../../pipelines/contracts/parse-contract.ts';
import { diffContracts, type Effect } from '../../../pipelines/stages/contract-diff.ts';

const BASE = `
apiVersion: v3.1.0
kind: DataContract
id: books
version: 1.0.0
status: draft
schema:
  - name: transactions
    properties:
      - { name: customer_id, required: true }
      - { name: quantity, logicalType: integer, logicalTypeOptions: { minimum: 1, maximum: 10 } }
      - name: channel
        quality: [{ name: channel, metric: invalidValues, arguments: { validValues: [web, shop] }, mustBe: 0 }]
`;

const definition = {
  pipeline: 'books',
  source: {
    kind: 'file' as const,
    columns: { customer_id: 'c', ordered_at: 't', quantity: 'q', unit_price: 'p' },
  },
  features: {
    aggregate: [
      { name: 'spendCents', unit: 'cents', why: 'w', sql: 'sum(amount) * 100' },
      { name: 'web', unit: 'share', why: 'w', sql: "count(*) FILTER (WHERE channel = 'web')" },
    ],
    derive: [{ name: 'spend', unit: 'GBP', why: 'w', expression: 'd.spendCents / 100' }],
    cluster: [{ feature: 'spend', transforms: [] }],
  },
  naming: {
    stage: { feature: 'web', bands: [] },
    value: { feature: 'spend', bands: [] },
    traits: [],
  },
};

const changed = (from: string, to: string) =>
  diffContracts(parseContract(BASE), parseContract(BASE.replace(from, to)), [definition]);

test.each<[string, string, string, Effect, RegExp]>([
  [
    'a raised minimum',
    'minimum: 1',
    'minimum: 2',
    'stricter',
    /quantity-below-minimum asks minimum 2, asked minimum 1/,
  ],
  ['a raised maximum', 'maximum: 10', 'maximum: 99', 'looser', /maximum 99/],
  ['a dropped bound', ', maximum: 10', '', 'looser', /quantity-above-maximum is gone/],
  ['a longer list', '[web, shop]', '[web, shop, phone]', 'looser', /asks values/],
  ['a shorter list', '[web, shop]', '[web]', 'stricter', /asks values/],
  [
    'a list that warns',
    'mustBe: 0 }',
    'mustBe: 0, severity: warning }',
    'looser',
    /warns, did: refuses rows/,
  ],
  [
    'a list that refuses runs',
    'mustBe: 0 }',
    'mustBe: 0, severity: critical }',
    'stricter',
    /refuses rows and runs/,
  ],
  [
    'another type',
    'logicalType: integer',
    'logicalType: number',
    'looser',
    /quantity is number, was integer/,
  ],
  ['another name', 'name: channel, metric', 'name: way, metric', 'same', /rule channel is named way/],
  [
    'a new column',
    '      - name: channel',
    '      - { name: country }\n      - name: channel',
    'same',
    /country is new/,
  ],
  [
    'a new required column',
    '      - name: channel',
    '      - { name: country, required: true }\n      - name: channel',
    'stricter',
    /new and required/,
  ],
  [
    'another column of the source',
    'name: quantity,',
    'name: quantity, physicalName: pieces,',
    'breaks',
    /read from pieces/,
  ],
])('%s', (_, from, to, effect, text) => {
  const { changes, isBreaking } = changed(from, to);
  expect(
    changes.some((change) => change.effect === effect && text.test(change.text)),
    JSON.stringify(changes),
  ).toBe(true);
  expect(isBreaking).toBe(effect === 'breaks' || effect === 'stricter');
});

test('a column that goes breaks the features that rest on it, through money and through others', () => {
  const without = parseYaml(BASE);
  without.schema[0].properties.splice(1, 1);
  const { changes, pipelines } = diffContracts(parseContract(BASE), parseContract(stringify(without)), [
    definition,
  ]);
  expect(changes.map(({ text }) => text)).toEqual(['column quantity is gone']);
  expect(pipelines).toEqual([
    {
      pipeline: 'books',
      features: [
        { feature: 'spendCents', columns: ['amount'], uses: [] },
        { feature: 'spend', columns: ['amount'], uses: ['clustering', 'names by value'] },
      ],
    },
  ]);
});

test('a contract and itself differ in nothing', () => {
  expect(changed('x', 'x')).toMatchObject({ changes: [], isBreaking: false });
});

test('none allowed, in place of a share, is told as no limit on the run, with the way out', () => {
  const share = 'mustBeLessOrEqualTo: 5, unit: percent }';
  const { changes, pipelines } = diffContracts(
    parseContract(BASE.replace('mustBe: 0 }', share)),
    parseContract(BASE),
    [definition],
  );
  expect(changes).toEqual([
    expect.objectContaining({
      effect: 'looser',
      text: expect.stringMatching(/allows any number .*\(mustBe: 0 of severity error .*severity: critical/),
    }),
  ]);
  expect(pipelines[0]!.features.map(({ feature }) => feature)).toEqual(['web']);
});

test('a changed condition may be stricter or not; it breaks, and names the features on its columns', () => {
  const where = (condition: string) =>
    parseContract(
      `${BASE}    quality: [{ name: free, type: sql, query: "SELECT COUNT(*) FROM {object} WHERE ${condition}", mustBe: 0 }]\n`,
    );
  const found = diffContracts(where('quantity <= 0'), where('quantity < 0'), [definition]);
  expect(found.changes.map(({ effect }) => effect)).toEqual(['changed']);
  expect(found.isBreaking).toBe(true);
  expect(found.pipelines[0]!.features.map(({ feature }) => feature)).toEqual(['spendCents', 'spend']);
});

test('a condition under another name is renamed, not gone and new; one whose name is taken again is another', () => {
  const withChecks = (...checks: [name: string, where: string][]) => {
    const quality = checks.map(
      ([name, where]) =>
        `{ name: ${name}, type: sql, query: "SELECT COUNT(*) FROM {object} WHERE ${where}", mustBe: 0 }`,
    );
    return parseContract(`${BASE}    quality: [${quality.join(', ')}]\n`);
  };
  const before = withChecks(['free', 'quantity = 0'], ['odd', 'quantity > 5']);
  const texts = (...checks: [name: string, where: string][]) =>
    diffContracts(before, withChecks(...checks), []).changes.map(({ effect, text }) => `${effect}: ${text}`);
  expect(texts(['gift', 'quantity = 0'], ['odd', 'quantity > 5'])).toEqual(['same: rule free is named gift']);
  expect(texts(['gift', 'quantity > 5'], ['odd', 'quantity > 9'])).toEqual([
    expect.stringMatching(/^stricter: rule gift is new/),
    expect.stringMatching(/^changed: rule odd may be stricter: asks/),
    expect.stringMatching(/^looser: rule free is gone/),
  ]);
});
