import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseDefinition, parseFiles } from '../../../pipelines/contracts/definition.ts';
import { PROJECT_FOLDER } from '../../../scripts/config.ts';

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

const PIPELINE = `
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
  stage: { feature: orders, bands: [{ word: New, below: 2 }, { word: Regular, atLeast: 2 }] }
  value: { feature: spendCents, bands: [{ word: low-value, below: 1000 }] }
`;

/** A `derive` block with features of these names. */
const derived = (...names: string[]) =>
  `  derive:\n${names.map((name) => `    - { name: ${name}, unit: x, why: y, expression: d.spendCents / d.orders }\n`).join('')}`;

const parse = (pipeline: string, contract = CONTRACT, name = 'books') =>
  parseDefinition(name, { pipeline, contract });

describe('parseDefinition', () => {
  test('docs/verdicts.md shows a sample to fit on as a definition may ask for it, with its limits', () => {
    const page = readFileSync(join(PROJECT_FOLDER, 'docs/verdicts.md'), 'utf8');
    const shown = /```yaml\n(clustering:\n {2}coresetRows[\s\S]*?)```/.exec(page)![1]!;
    expect(parse(PIPELINE + shown).clustering.coresetRows).toBe(100_000);
    const [, least, most] = /# ([\d,]+) to ([\d,]+)/.exec(shown)!.map((figure) => figure.replaceAll(',', ''));
    const asking = (rows: number) =>
      parse(`${PIPELINE}clustering: { sampleRows: 500, coresetRows: ${rows} }\n`);
    for (const rows of [Number(least), Number(most)]) expect(asking(rows).clustering.coresetRows).toBe(rows);
    for (const rows of [Number(least) - 1, Number(most) + 1])
      expect(() => asking(rows)).toThrow('coresetRows');
  });

  test('docs/parts.md shows a scale as a definition may ask for it, with its limits', () => {
    const page = readFileSync(join(PROJECT_FOLDER, 'docs/parts.md'), 'utf8');
    const shown = /```yaml\n# pipeline.yaml\n(scale:\n[\s\S]*?)```/.exec(page)![1]!;
    const scaleOf = (text: string) =>
      parseFiles('books', { pipeline: PIPELINE + text, contract: CONTRACT }).scale;
    expect(scaleOf(shown)).toEqual({ parts: 8, atOnce: 4 });
    const [, least, most] = /customers, (\d+) to (\d+);/.exec(shown)!.map(Number);
    expect(scaleOf('')).toEqual({ parts: least, atOnce: least });
    const [, atOnce] = /at a time, .* absent: (\d+)/.exec(shown)!.map(Number);
    expect(scaleOf(`scale: { parts: ${most} }\n`)).toEqual({ parts: most, atOnce });
    for (const parts of [least! - 1, most! + 1])
      expect(() => scaleOf(`scale: { parts: ${parts} }\n`)).toThrow('scale.parts');
    expect(scaleOf('scale: { parts: 2, atOnce: 30 }\n')).toEqual({ parts: 2, atOnce: 2 });
  });

  test('in how many parts a run is done is no part of what is frozen', () => {
    expect(parse(`${PIPELINE}scale: { parts: 8 }\n`)).toEqual(parse(PIPELINE));
  });

  test('a short definition is filled with the defaults', () => {
    const definition = parse(PIPELINE);
    expect(definition.clustering).toEqual({
      k: { min: 3, max: 8 },
      smallestShare: 0.02,
      starts: 10,
      bootstraps: 100,
      nullDraws: 20,
      sampleRows: 6_000,
    });
    const { clustering } = parse(`${PIPELINE}clustering: { coresetRows: 6000 }\n`);
    expect(clustering).toEqual({ ...definition.clustering, coresetRows: 6000 });
    expect(definition.assignment).toEqual({
      abstainBelowMargin: 0,
      abstainBelowConfidence: 0,
      noveltyQuantile: 0.999,
    });
    expect(definition.features.cluster).toEqual([{ feature: 'orders', transforms: ['log1p', 'standard'] }]);
    expect(definition.review).toEqual({
      policy: 'when-unstable',
      timeoutHours: 72,
      onTimeout: 'reject',
      beforePublished: 'hold',
    });
    expect(definition.contract.rules.map(({ name }) => name)).toEqual([
      'unreadable-line',
      'unreadable',
      'customer_id-missing',
    ]);
    expect(definition.contract.thresholds.failRefusedShare).toBe(0.5);
  });

  test.each([
    [
      'a wrong type',
      PIPELINE.replace('version: 1', 'version: one'),
      /pipeline\.yaml: version: .*number.*found "one"/,
    ],
    ['a missing field', PIPELINE.replace('title: Books\n', ''), /pipeline\.yaml: title: /],
    ['an unknown field', `${PIPELINE}colour: red\n`, /pipeline\.yaml: \(whole file\): .*colour/],
    [
      'a fault deep inside',
      PIPELINE.replace('name: orders,', 'name: Orders,'),
      /features\.aggregate\.0\.name: needs a camelCase name, found "Orders"/,
    ],
    [
      'a currency',
      PIPELINE.replace('GBP', 'pounds'),
      /currency: needs an ISO 4217 code such as GBP, found "pounds"/,
    ],
    [
      'k the wrong way round',
      `${PIPELINE}clustering: { k: { min: 6, max: 4 } }\n`,
      /clustering\.k: needs min <= max/,
    ],
    [
      'a fit on fewer customers than are scored',
      `${PIPELINE}clustering: { coresetRows: 5000 }\n`,
      /clustering\.coresetRows: needs to be at least sampleRows: .*, found 5000/,
    ],
    [
      'a fit on hardly any customers',
      `${PIPELINE}clustering: { coresetRows: 999, sampleRows: 500 }\n`,
      /clustering\.coresetRows: .*>=\s?1000.*found 999/,
    ],
    [
      'an unknown transform',
      PIPELINE.replace('{ feature: orders }', '{ feature: orders, transforms: [sqrt] }'),
      /features\.cluster\.0\.transforms\.0: .*found "sqrt"/,
    ],
    [
      'an unknown feature in a list',
      PIPELINE.replace('{ feature: orders }', '{ feature: visits }'),
      /features\.cluster\.0\.feature: needs a feature of this definition \(orders, spendCents\), found "visits"/,
    ],
    [
      'an unknown feature in names',
      PIPELINE.replace('value: { feature: spendCents', 'value: { feature: spend'),
      /naming\.value\.feature: needs a feature of this definition .*, found "spend"/,
    ],
    [
      'an unknown feature as spend',
      PIPELINE.replace('naming:\n', 'naming:\n  spend: revenue\n'),
      /naming\.spend: needs a feature of this definition \(orders, spendCents\), found "revenue"$/,
    ],
    [
      'a feature that asks the clock',
      PIPELINE.replace('sum(amount) * 100', 'sum(amount) * year(now())'),
      /features\.aggregate\.1\.sql: needs SQL without now\(…\), .*as_of/,
    ],
    [
      'two aggregates of one name',
      PIPELINE.replace('name: spendCents', 'name: orders'),
      /features\.aggregate\.1\.name: needs a name of its own, features\.aggregate\.0\.name has it .*, found "orders"/,
    ],
    [
      'a name that differs in case alone',
      PIPELINE.replace('name: orders,', 'name: spendcents,'),
      /features\.aggregate\.1\.name: needs a name of its own, .*, found "spendCents"/,
    ],
    [
      'a derived feature that takes the place of an aggregate',
      PIPELINE.replace('  cluster:', `${derived('orders')}  cluster:`),
      /features\.derive\.0\.name: needs a name of its own, features\.aggregate\.0\.name has it .*, found "orders"/,
    ],
    [
      'a derived feature that takes the place of another',
      PIPELINE.replace('  cluster:', `${derived('each', 'each')}  cluster:`),
      /features\.derive\.1\.name: needs a name of its own, features\.derive\.0\.name has it .*, found "each"/,
    ],
    [
      'a feature clustered twice',
      PIPELINE.replace(
        '- { feature: orders }',
        '- { feature: orders }\n    - { feature: orders, transforms: [robust] }',
      ),
      /features\.cluster\.1\.feature: needs a feature that is clustered once, features\.cluster\.0 has it, found "orders"/,
    ],
    ['broken YAML', 'pipeline: [books', /pipeline\.yaml: /],
    // What the parser makes of the rest is no further fault.
    ['a tab', 'pipeline: books\n\tversion: 1\n\ttitle: x\n', /pipeline\.yaml: [^;]*Tab[^;]*$/i],
    ['an empty file', '', /pipeline\.yaml: \(whole file\): /],
  ])('%s is refused with its file, path and what was found', (_, pipeline, message) => {
    expect(() => parse(pipeline)).toThrow(expect.objectContaining({ code: 'DEFINITION_INVALID' }));
    expect(() => parse(pipeline)).toThrow(message);
  });

  test('a derived feature can be clustered, can be spend and can be named by', () => {
    const text = PIPELINE.replace('  cluster:', `${derived('eachCents')}  cluster:`)
      .replace('- { feature: orders }', '- { feature: eachCents }')
      .replace('naming:\n', 'naming:\n  spend: eachCents\n')
      .replace('value: { feature: spendCents', 'value: { feature: eachCents');
    expect(parse(text).naming.spend).toBe('eachCents');
  });

  test('faults of both files come in one error', () => {
    const both = () => parse(PIPELINE.replace('GBP', 'pounds'), CONTRACT.replace('draft', '1'));
    expect(both).toThrow(/pipeline\.yaml: currency.*contract\.yaml: status/s);
    expect(both).toThrow(expect.objectContaining({ details: { faults: 2 } }));
  });

  test.each([
    [
      'a column with another name in the source',
      'physicalName: Customer',
      'physicalName: Client',
      /properties\.0\.physicalName: needs Customer, which pipeline\.yaml reads as customer_id \(the two files differ: .*\), found "Client"/,
    ],
    [
      'a check of a column that is not read',
      'name: customer_id, physicalName: Customer',
      'name: age',
      /properties\.0\.name: needs a column that pipeline\.yaml reads.*found "age"/,
    ],
  ])('a contract and a source that do not agree: %s', (_, text, other, message) => {
    expect(() => parse(PIPELINE, CONTRACT.replace(text, other))).toThrow(message);
  });

  test('the name inside has to be that of the folder', () => {
    expect(() => parse(PIPELINE, CONTRACT, 'papers')).toThrow(
      /definition papers: .*needs the name of its folder, papers, found books/,
    );
  });
});
