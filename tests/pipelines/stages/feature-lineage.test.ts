import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { FeatureSettings } from '../../../pipelines/contracts/definition.ts';
import { featureLineage } from '../../../pipelines/stages/feature-lineage.ts';

const aggregate = (name: string, sql: string, over?: 'lines' | 'orders') => ({
  ...{ name, unit: 'x', why: 'y', sql },
  ...(over && { over }),
});
const derive = (name: string, expression: string) => ({ name, unit: 'x', why: 'y', expression });
const settings = (features: Partial<FeatureSettings>) => ({
  aggregate: [],
  derive: [],
  cluster: [],
  ...features,
});

test('an aggregate rests on the columns its SQL names, outside texts and comments', () => {
  const lineage = featureLineage(
    settings({
      aggregate: [
        aggregate('lines', 'count(*)'),
        aggregate('recencyDays', `date_diff('day', max(ordered_at), as_of) -- not amount`),
        aggregate('webSpend', `sum(amount) FILTER (WHERE channel = 'discount')`),
      ],
    }),
  );
  expect(Object.fromEntries(lineage)).toEqual({
    lines: { columns: [], features: [] },
    recencyDays: { columns: ['ordered_at'], features: [] },
    webSpend: { columns: ['amount', 'channel'], features: [] },
  });
});

test('one over orders rests on the key of orders, and on what their columns are made of', () => {
  const lineage = featureLineage(
    settings({
      aggregate: [aggregate('gap', 'avg(gap_days)', 'orders'), aggregate('basket', 'avg(amount)', 'orders')],
    }),
  );
  expect(lineage.get('gap')!.columns).toEqual(['order_id', 'ordered_at']);
  expect(lineage.get('basket')!.columns).toEqual(['amount', 'order_id']);
});

test('a derived feature rests on the columns of all it names, through others too', () => {
  const lineage = featureLineage(
    settings({
      aggregate: [aggregate('spendCents', 'sum(amount)'), aggregate('orders', 'count(DISTINCT order_id)')],
      derive: [
        derive('spend', 'd.spendCents / 100'),
        derive('basket', `op.log1p(d['spend'] / d.orders)`),
        derive('high', 'd => d.basket > 10 ? 1 : 0'),
      ],
      categories: [{ name: 'home', why: 'y', sql: 'arg_max(country, ordered_at)' }],
    }),
  );
  expect(lineage.get('spend')).toEqual({ columns: ['amount'], features: ['spendCents'] });
  expect(lineage.get('basket')).toEqual({ columns: ['amount', 'order_id'], features: ['orders', 'spend'] });
  expect(lineage.get('high')).toEqual({ columns: ['amount', 'order_id'], features: ['basket'] });
  expect(lineage.get('home')).toEqual({ columns: ['country', 'ordered_at'], features: [] });
});

test('an expression that names what is not there is refused with what is', () => {
  const features = settings({
    aggregate: [aggregate('orders', 'count(*)')],
    derive: [derive('each', 'd.visits')],
  });
  expect(() => featureLineage(features)).toThrow(
    expect.objectContaining({
      code: 'FEATURE_INVALID',
      message: expect.stringMatching(/feature each .*there are d\.orders$/),
    }),
  );
});

test.each(['online-retail', 'shop'])('of %s every feature but a count rests on a column', (name) => {
  const text = readFileSync(
    new URL(`../../../pipelines/definitions/${name}/pipeline.yaml`, import.meta.url),
    'utf8',
  );
  const { features, source } = parse(text) as { features: FeatureSettings; source: { columns: object } };
  const there = [...Object.keys(source.columns), 'amount'];
  for (const { columns } of featureLineage(features).values()) {
    expect(columns.length).toBeGreaterThan(0);
    expect(there).toEqual(expect.arrayContaining(columns));
  }
});
