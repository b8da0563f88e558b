import { describe, expect, test } from 'vitest';
import { parseDefinition } from '../../../pipelines/contracts/definition.ts';

const CONTRACT = `
apiVersion: v3.1.0
kind: DataContract
id: books
version: 1.0.0
status: draft
schema:
  - name: transactions
    properties:
      - { name: customer_id, physicalName: Customer, required: true }
`;

const pipeline = (naming: string) => `
pipeline: books
version: 1
title: Books
description: Orders of a bookshop
currency: GBP
source:
  kind: file
  columns: { customer_id: Customer, order_id: Order, ordered_at: At, quantity: Pieces, unit_price: Price }
features:
  aggregate:
    - { name: orders, unit: orders, why: how often, sql: count(distinct order_id) }
    - { name: spendCents, unit: cents, why: how much, sql: sum(amount) * 100 }
  cluster:
    - { feature: orders }
naming:
${naming}
`;

const STAGE = '  stage: { feature: orders, bands: [{ word: New, below: 2 }, { word: Regular, atLeast: 2 }] }';
const VALUE = '  value: { feature: spendCents, bands: [{ word: low-value, below: 1000 }] }';

const parse = (...lines: string[]) =>
  parseDefinition('books', { pipeline: pipeline(lines.join('\n')), contract: CONTRACT }).naming;

describe('the vocabulary of a definition', () => {
  test('has a language, versions of its bands and labels, each of which may be left out', () => {
    expect(parse(STAGE, VALUE)).not.toHaveProperty('locale');
    const full = parse(
      '  locale: de',
      STAGE.replace('orders,', 'orders, version: 3,'),
      VALUE,
      '  labels: { orders: Einkäufe }',
    );
    expect(full).toMatchObject({ locale: 'de', stage: { version: 3 }, labels: { orders: 'Einkäufe' } });
  });

  test.each([
    [
      'a protected trait',
      [STAGE.replace('New', 'Elderly'), VALUE],
      /naming\.stage\.bands\.0\.word: .*\(Elderly\)/,
    ],
    [
      'an insult',
      [STAGE, VALUE.replace('low-value', 'worthless')],
      /naming\.value\.bands\.0\.word: .*\(worthless\)/,
    ],
    [
      'a trait that insults',
      [STAGE, VALUE, '  traits: [{ feature: orders, low: lazy buyers }]'],
      /naming\.traits\.0\.low: .*\(lazy\)/,
    ],
    ['a label', [STAGE, VALUE, '  labels: { orders: Rassen }'], /naming\.labels\.orders: .*\(Rassen\)/],
    [
      'a rank',
      [STAGE, VALUE.replace('low-value', 'top')],
      /naming\.value\.bands\.0\.word: .*no ranks \(top\)/,
    ],
    [
      'a word of five words',
      [STAGE, VALUE, '  traits: [{ feature: orders, high: people who often buy something }]'],
      /naming\.traits\.0\.high: needs at most 4 words/,
    ],
    ['an empty word', [STAGE.replace('New', '" "'), VALUE], /naming\.stage\.bands\.0\.word: /],
    [
      'a band that nothing lies in',
      [STAGE, VALUE.replace('below: 1000', 'atLeast: 1000, below: 1000')],
      /naming\.value\.bands\.0\.atLeast: needs to be less than below, 1000, found 1000/,
    ],
    ['a language there is not', ['  locale: fr', STAGE, VALUE], /naming\.locale: /],
    ['a version 0', [STAGE.replace('orders,', 'orders, version: 0,'), VALUE], /naming\.stage\.version: /],
    [
      'a label of no feature',
      [STAGE, VALUE, '  labels: { revenue: x }'],
      /naming\.labels\.revenue: needs a feature/,
    ],
  ])('%s is refused with its path', (_, lines, message) => {
    expect(() => parse(...lines)).toThrow(expect.objectContaining({ code: 'DEFINITION_INVALID' }));
    expect(() => parse(...lines)).toThrow(message);
  });
});
