import { describe, expect, test } from 'vitest';
import { typesOf } from '../../../store/warehouse/source-columns.ts';

function messageFor(names: string[]): string {
  try {
    typesOf(
      { customer_id: 'Client' },
      names.map((name) => ({ name, type: 'VARCHAR' })),
      'orders.csv',
    );
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}

describe('a column that is missing', () => {
  test('is told with those that there are', () => {
    const names = ['Customer No.', 'Order date', 'line2', '2nd address', 'Q4 2026 total', 'Preis (EUR)'];
    expect(messageFor(names)).toContain(`found ${names.join(', ')};`);
  });

  test.each([
    '2026-03-05',
    '05.03.2026 08:26',
    '1,200.50',
    '05 March 2026',
    '5. Mär 2026 08:26',
    'Mar 5, 2026',
    '5-Mar-26',
    'anna@shop.example',
  ])('is told without the fields of a first line with %s in it, which is a row', (value) => {
    const message = messageFor(['kunde-7', 'LANTERN', value, 'Malta']);
    expect(message).toContain('found a first line of 4 fields that looks like a row');
    expect(message).not.toMatch(/kunde|LANTERN|Malta/);
  });
});
