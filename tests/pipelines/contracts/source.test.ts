import { expect, test } from 'vitest';
import { sourceSchema } from '../../../pipelines/contracts/source.ts';
import { ORDER_COLUMNS } from '../../../pipelines/stages/order-grain.ts';

const withAttribute = (name: string) => ({
  kind: 'file',
  columns: { customer_id: 'Customer', ordered_at: 'At', amount: 'Amount' },
  attributes: { [name]: { column: 'Weight' } },
});

test.each(ORDER_COLUMNS)('an attribute may not be called %s, which an order has', (name) => {
  expect(sourceSchema.safeParse(withAttribute(name)).error?.message).toMatch(
    /needs a name that Strata does not use itself/,
  );
});

test('an attribute may be called what SQL calls something else', () => {
  for (const name of ['group', 'order', 'end', 'weight']) {
    expect(sourceSchema.safeParse(withAttribute(name)).success).toBe(true);
  }
});
