import { describe, expect, test } from 'vitest';
import type { Definition } from '../../../../pipelines/contracts/definition.ts';
import { compareDefinitions } from '../../../../pipelines/stages/evolution/definition-changes.ts';
import { SHOP } from './made-evolution.ts';

type Change = (definition: Definition) => unknown;

const ordersOf = ({ features }: Definition) => features.aggregate.find(({ name }) => name === 'orders')!;

function changed(change: Change): [string, boolean][] {
  const after = structuredClone(SHOP);
  change(after);
  return compareDefinitions(SHOP, after).map(({ what, isDoubtful }) => [what, isDoubtful]);
}

describe('compareDefinitions', () => {
  test('the same definition has no changes', () => {
    expect(changed(() => undefined)).toEqual([]);
  });

  test.each<[string, Change]>([
    ['feature orders is computed in another way', (d) => Object.assign(ordersOf(d), { sql: 'count(*)' })],
    [
      '2 to 5 segments may be chosen, before 3 to 8',
      (d) => Object.assign(d.clustering.k, { min: 2, max: 5 }),
    ],
    ['money is counted in USD, before in EUR', (d) => Object.assign(d, { currency: 'USD' })],
    ['money is not counted, before spendCents', (d) => Reflect.deleteProperty(d.naming, 'spend')],
    ['the lifecycle bands that names are made of are others', (d) => d.naming.stage.bands.pop()],
    ['the value bands that names are made of are others', (d) => d.naming.value.bands.pop()],
    [
      'rows come from another source, or from other columns of it',
      (d) => Object.assign(d.source, { kind: 'file' }),
    ],
  ])('%s: doubtful', (what, change) => {
    expect(changed(change)).toEqual([[what, true]]);
  });

  test('customers told apart by other features is doubtful, with both lists', () => {
    const found = changed((definition) => definition.features.cluster.pop());
    expect(found).toHaveLength(1);
    expect(found[0]).toEqual([expect.stringMatching(/^customers are told apart by .+, before by .+/), true]);
  });

  test.each<[string, Change]>([
    ['the traits that names may use are others', (d) => d.naming.traits.pop()],
    ['the definition is version 2, before 1', (d) => Object.assign(d, { version: 2 })],
    ['the limits of the stability verdict are others', (d) => Object.assign(d.stability, { majorPsi: 0.3 })],
    [
      'centres are fitted on a sample of 20,000 at most, before on all customers',
      (d) => Object.assign(d.clustering, { coresetRows: 20_000 }),
    ],
    [
      'feature extra is new',
      (d) => d.features.derive.push({ ...ordersOf(d), name: 'extra', expression: 'd.orders' }),
    ],
  ])('%s: a note, after what is doubtful', (what, change) => {
    expect(changed(change)).toEqual([[what, false]]);
    const both = changed((definition) => {
      change(definition);
      definition.currency = 'USD';
    });
    expect(both.map(([, isDoubtful]) => isDoubtful)).toEqual([true, false]);
  });

  test('a definition of before there was a version of a feature reads as it was', () => {
    const older = structuredClone(SHOP);
    for (const feature of older.features.aggregate) feature.over ??= 'lines';
    expect(compareDefinitions(SHOP, older)).toEqual([]);
  });
});
