import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Definition, parseDefinition } from '../../../pipelines/contracts/definition.ts';
import { type Answers, draftDefinition, type Seen } from '../../../pipelines/init/draft.ts';
import { draftRules, draftThresholds, roomAbove } from '../../../pipelines/init/draft-rules.ts';
import type { MeasuredRows } from '../../../pipelines/init/measured.ts';
import { ROLES, type Role } from '../../../pipelines/init/role-words.ts';

const ROWS: MeasuredRows = {
  unreadableLines: 0,
  rows: 10_000,
  withoutCustomer: 2_500,
  withoutOrder: 0,
  withoutTime: 0,
  unreadable: 3,
  duplicates: 12,
  repeatedLines: 0,
  ancient: 0,
  oldest: '2025-01-03',
  newest: '2025-12-28',
  future: 0,
  afterLoading: 0,
  quantity: { missing: 0, zeros: 1, negatives: 200, max: 80 },
  price: { missing: 0, zeros: 4, negatives: 0, max: 99.5 },
  amount: { missing: 0, zeros: 4, negatives: 200, max: 4_000 },
  prefixes: [{ prefix: 'C', rows: 190, negativeShare: 1 }],
  countries: ['DE', "Côte d'Ivoire", 'NO'],
  channels: ['web', 'null: or not'],
};

const CUSTOMERS: Seen['customers'] = {
  rows: 7_300,
  customers: 900,
  historyDays: 360,
  gaps: { count: 500, median: 28, upper: 70, long: 155 },
  recency: { quarter: 20, half: 60, threeQuarters: 200 },
  spend: { half: 674, fourFifths: 2058 },
};

const COLUMNS: Readonly<Record<Role, string>> = {
  customer: 'Kunden-Nr',
  time: 'When: the "moment"',
  order: '#order',
  quantity: 'Menge',
  price: 'Preis',
  amount: 'Betrag',
  discount: 'Rabatt',
  category: "it's a kind",
  channel: '{channel}',
  country: '- land',
  'line-id': '* id',
  'loaded-at': 'true',
};

const OPTIONAL = ['order', 'discount', 'category', 'channel', 'country', 'line-id', 'loaded-at'] as const;

function answers(roles: readonly Role[], more: Partial<Answers> = {}): Answers {
  return {
    name: 'made',
    title: 'Made: by hand',
    currency: 'EUR',
    owner: null,
    timezone: 'Europe/Berlin',
    returns: 'refuse',
    paths: ['/data/a file: #1.csv'],
    roles: Object.fromEntries(
      roles.map((role) => [role, { column: COLUMNS[role], why: 'its name says so: # yes' }]),
    ),
    attributes: [],
    customers: null,
    format: { times: ['%d.%m.%Y %H:%M'], decimal: ',', missing: ['NULL', '-', '\\N'] },
    hasClock: true,
    ...more,
  };
}

function seenBy(roles: readonly Role[], returns: 'refuse' | 'keep' = 'refuse', rows = ROWS): Seen {
  const rules = draftRules(rows, { roles: new Set(roles), returns, isProduct: true, money: null });
  return {
    rows,
    customers: CUSTOMERS,
    files: ['a.csv'],
    money: [],
    rules: rules.map((rule) => ({ ...rule, brokenRows: 7 })),
  };
}

function drafted(roles: readonly Role[], more: Partial<Answers> = {}): Definition {
  return parseDefinition('made', draftDefinition(answers(roles, more), seenBy(roles, more.returns)));
}

describe('a drafted definition', () => {
  test('is one that a run can read, whatever the columns are and are called', () => {
    const money = fc.constantFrom<Role[]>(['quantity', 'price'], ['amount'], ['quantity', 'price', 'amount']);
    const returns = fc.constantFrom('refuse', 'keep');
    fc.assert(
      fc.property(
        fc.subarray([...OPTIONAL]),
        money,
        returns,
        fc.boolean(),
        (optional, needed, kept, hasClock) => {
          const roles = ROLES.filter((role) =>
            (['customer', 'time', ...needed, ...optional] as Role[]).includes(role),
          );
          const { source, features } = drafted(roles, { returns: kept as 'refuse' | 'keep', hasClock });
          expect(Object.values(source.columns).sort()).toEqual(roles.map((role) => COLUMNS[role]).sort());
          expect(features.cluster.map(({ feature }) => feature)).toEqual(['recencyDays', 'orders', 'spend']);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('says where, in which zone and how the file is read', () => {
    const { source } = drafted(['customer', 'time', 'amount']);
    expect(source).toMatchObject({
      kind: 'file',
      path: '/data/a file: #1.csv',
      timezone: 'Europe/Berlin',
      format: { times: ['%d.%m.%Y %H:%M'], decimal: ',', missing: ['NULL', '-', '\\N'] },
    });
  });

  test('names the owner of features and contract, where there is one', () => {
    const roles = ['customer', 'time', 'amount'] as const;
    const texts = draftDefinition(answers(roles, { owner: 'growth: team' }), seenBy(roles));
    const { features } = parseDefinition('made', texts);
    const owners = [...features.aggregate, ...features.derive].map(({ owner }) => owner);
    expect(new Set(owners)).toEqual(new Set(['growth: team']));
    expect(parse(texts.contract).team).toEqual({ name: 'growth: team' });
    expect(draftDefinition(answers(roles), seenBy(roles)).contract).not.toContain('team:');
  });

  test('of several files and a second table', () => {
    const { source } = drafted(['customer', 'time', 'amount'], {
      paths: ['/data/1.csv', '/data/2.csv'],
      customers: {
        path: '/data/people.csv',
        customerId: 'Kunden-Nr',
        attributes: [{ name: 'born_at', column: 'Born: at', type: 'time' }],
        format: { times: ['%d.%m.%Y'] },
      },
    });
    expect(source).toMatchObject({
      path: ['/data/1.csv', '/data/2.csv'],
      customers: {
        customer_id: 'Kunden-Nr',
        attributes: { born_at: { column: 'Born: at', type: 'time' } },
        format: { times: ['%d.%m.%Y'] },
      },
    });
  });

  test('stages and values part at numbers near those seen', () => {
    const { naming } = drafted(['customer', 'time', 'amount']);
    expect(naming.stage.bands.map(({ below }) => below)).toEqual([30, 60, 150, undefined]);
    expect(naming.value.bands.map(({ below }) => below)).toEqual([500, 2000, undefined]);
    expect([naming.stage.version, naming.value.version]).toEqual([1, 1]);
  });

  test('in German has German words for every stage, value and trait', () => {
    const { naming } = drafted(ROLES, { locale: 'de', returns: 'keep' });
    expect(naming.locale).toBe('de');
    expect(naming.stage.bands.map(({ word }) => word)).toEqual([
      ...['Aktive', 'Nachlassende', 'Abwandernde', 'Inaktive'],
    ]);
    const english = drafted(ROLES, { returns: 'keep' });
    expect(english.naming).not.toHaveProperty('locale');
    const wordsOf = (traits: typeof naming.traits) =>
      traits.flatMap(({ high = '', low = '' }) => [high, low]);
    const same = wordsOf(naming.traits).filter(
      (word, i) => word && word === wordsOf(english.naming.traits)[i],
    );
    expect(same).toEqual([]);
  });

  test('takes no logarithm of spend that returns make negative', () => {
    const spend = (returns: 'refuse' | 'keep') =>
      drafted(['customer', 'time', 'amount'], { returns }).features.cluster.find(
        ({ feature }) => feature === 'spend',
      );
    expect(spend('refuse')!.transforms).toEqual(['log1p', 'standard']);
    expect(spend('keep')!.transforms).toEqual(['yeo-johnson', 'standard']);
  });

  test('has no features of the hour where times have none', () => {
    const names = (hasClock: boolean) =>
      drafted(['customer', 'time', 'amount'], { hasClock }).features.aggregate.map(({ name }) => name);
    expect(names(true)).toContain('eveningShare');
    expect(names(false)).not.toContain('eveningShare');
  });
});

test('a drafted contract checks what was drafted, and counts a refused row under the same rule', () => {
  const roles = ROLES.filter((role) => role !== 'discount');
  const { contract } = drafted(roles);
  const rules = seenBy(roles).rules;
  const named = (severity: string) => (found: { name: string; severity: string }) =>
    found.severity === severity ? [found.name] : [];
  expect(contract.rules.flatMap(named('reject'))).toEqual([
    'unreadable-line',
    ...rules.flatMap(named('reject')),
  ]);
  expect(contract.rules.flatMap(named('warn')).sort()).toEqual(rules.flatMap(named('warn')).sort());
  expect(contract.rules.find(({ name }) => name === 'without-customer')!.limit).toEqual({ share: 0.4 });
  expect(contract.unique).toEqual(['line_id']);
  expect(contract.volume).toMatchObject([{ name: 'few-rows', value: 2_000, severity: 'warn' }]);
});

describe('drafted rules', () => {
  const named = (roles: Role[], change: Partial<MeasuredRows> = {}, returns: 'refuse' | 'keep' = 'refuse') =>
    Object.fromEntries(
      draftRules(
        { ...ROWS, ...change },
        { roles: new Set(roles), returns, isProduct: true, money: null },
      ).map((rule) => [rule.name, rule]),
    );
  const ALL: Role[] = ['customer', 'time', 'order', 'quantity', 'price', 'country', 'channel'];

  test('a known share without a customer has a limit with head room', () => {
    expect(named(ALL)['without-customer']!.limit).toBe(0.4);
    expect(named(ALL, { withoutCustomer: 0 })['without-customer']!.limit).toBeUndefined();
  });

  test('a prefix is one of cancellations only when its rows are below zero, and not all rows', () => {
    expect(named(ALL)).toHaveProperty('cancellation');
    expect(named(ALL, { prefixes: [{ prefix: 'C', rows: 190, negativeShare: 0.4 }] })).not.toHaveProperty(
      'cancellation',
    );
    expect(named(ALL, { prefixes: [{ prefix: 'SO', rows: 9_900, negativeShare: 1 }] })).not.toHaveProperty(
      'cancellation',
    );
  });

  test('kept returns are refused by nothing', () => {
    const rules = named([...ALL, 'amount'], {}, 'keep');
    expect(rules).not.toHaveProperty('cancellation');
    expect(rules['no-pieces']!.broken).toBe('quantity = 0');
    expect(rules['without-amount']!.broken).toBe('amount = 0 OR amount IS NULL');
  });

  test('made-up dates are refused where a few of them are seen among others', () => {
    expect(named(ALL, { oldest: '1970-01-01', ancient: 3 })['too-old']!.broken).toContain('2000-01-01');
    expect(named(ALL, { oldest: '1996-05-01', ancient: 4_000 })['too-old']!.broken).toContain('1990-01-01');
  });

  test('what was never seen warns and refuses nothing', () => {
    const warning = draftRules(ROWS, {
      roles: new Set(ALL),
      returns: 'refuse',
      isProduct: false,
      money: null,
    }).filter(({ severity }) => severity === 'warn');
    expect(warning.map(({ name }) => name)).toEqual([
      'many-pieces',
      'high-price',
      'new-channel',
      'new-country',
    ]);
    expect(warning[0]!.broken).toBe('quantity > 1000');
    expect(warning[3]!.broken).toContain(`'Côte d''Ivoire'`);
  });
});

test('thresholds leave room above what was refused, and never allow all', () => {
  expect(draftThresholds({ rows: 541_909, refused: 144_025, customers: 4_338 })).toEqual({
    warnRefusedShare: 0.35,
    failRefusedShare: 0.55,
    minimumCustomers: 1_000,
    minimumRows: 100_000,
  });
  expect(draftThresholds({ rows: 9, refused: 8, customers: 3 })).toMatchObject({
    failRefusedShare: 0.95,
    minimumCustomers: 2,
  });
  expect([roomAbove(0.05), roomAbove(0.051), roomAbove(2)]).toEqual([0.05, 0.1, 0.95]);
});
