import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ColumnFacts, TableFacts } from '../../../pipelines/init/facts.ts';
import { guessRoles, openQuestions } from '../../../pipelines/init/guess-roles.ts';
import { ROLES } from '../../../pipelines/init/role-words.ts';
import { column, list, moments, money, numbered, orders, people, pieces, table } from './made-facts.ts';

/** Role -> column, of those that have one. */
function rolesOf(facts: TableFacts): Record<string, string> {
  const guesses = guessRoles(facts);
  return Object.fromEntries(
    ROLES.flatMap((role) => (guesses[role].column ? [[role, guesses[role].column]] : [])),
  );
}

const openOf = (facts: TableFacts) => openQuestions(guessRoles(facts)).map(({ role }) => role);

// Column names as shops and public data sets have them; what the values are is the same each time.
const SHOPS: [string, ColumnFacts[], Record<string, string>][] = [
  [
    'a British wholesaler',
    [
      orders('InvoiceNo'),
      list('StockCode', 3000),
      list('Description', 3100),
      pieces('Quantity'),
      moments('InvoiceDate'),
      money('UnitPrice'),
      numbered('CustomerID'),
      list('Country', 38),
    ],
    {
      customer: 'CustomerID',
      time: 'InvoiceDate',
      order: 'InvoiceNo',
      quantity: 'Quantity',
      price: 'UnitPrice',
      category: 'StockCode',
      country: 'Country',
    },
  ],
  [
    'a German till',
    [
      orders('Beleg-Nr.'),
      people('Kundennr'),
      moments('Belegdatum'),
      pieces('Menge'),
      money('Einzelpreis'),
      list('Warengruppe'),
      list('Vertriebskanal', 3),
      list('Land', 4),
    ],
    {
      customer: 'Kundennr',
      time: 'Belegdatum',
      order: 'Beleg-Nr.',
      quantity: 'Menge',
      price: 'Einzelpreis',
      category: 'Warengruppe',
      channel: 'Vertriebskanal',
      country: 'Land',
    },
  ],
  [
    'a marketplace',
    [
      orders('order_id'),
      people('customer_unique_id'),
      moments('order_purchase_timestamp'),
      moments('order_delivered_customer_date'),
      moments('order_estimated_delivery_date'),
      money('payment_value'),
      money('freight_value'),
      list('product_category_name', 70),
      list('customer_state', 27),
    ],
    {
      customer: 'customer_unique_id',
      time: 'order_purchase_timestamp',
      order: 'order_id',
      amount: 'payment_value',
      category: 'product_category_name',
    },
  ],
  [
    'a supermarket',
    [
      numbered('household_key'),
      numbered('BASKET_ID', 2_000),
      moments('DAY'),
      numbered('PRODUCT_ID', 700),
      pieces('QUANTITY'),
      money('SALES_VALUE'),
      list('STORE_ID', 40),
      money('RETAIL_DISC'),
    ],
    {
      customer: 'household_key',
      time: 'DAY',
      order: 'BASKET_ID',
      quantity: 'QUANTITY',
      amount: 'SALES_VALUE',
      discount: 'RETAIL_DISC',
      category: 'PRODUCT_ID',
      channel: 'STORE_ID',
    },
  ],
  [
    'a French shop',
    [
      orders('commande_id'),
      people('client_id'),
      moments('date'),
      pieces('quantité'),
      money('prix'),
      list('catégorie'),
      list('pays', 3),
    ],
    {
      customer: 'client_id',
      time: 'date',
      order: 'commande_id',
      quantity: 'quantité',
      price: 'prix',
      category: 'catégorie',
      country: 'pays',
    },
  ],
  [
    'a Spanish shop',
    [
      orders('pedido'),
      people('cliente'),
      moments('fecha'),
      pieces('cantidad'),
      money('precio'),
      list('categoria'),
    ],
    {
      customer: 'cliente',
      time: 'fecha',
      order: 'pedido',
      quantity: 'cantidad',
      price: 'precio',
      category: 'categoria',
    },
  ],
  [
    'an app',
    [people('user_id'), moments('event_time'), money('revenue'), list('platform', 3)],
    { customer: 'user_id', time: 'event_time', amount: 'revenue', channel: 'platform' },
  ],
  [
    'a warehouse with lines and loading times',
    [
      column('transaction_line_id', { distinct: 5_000 }),
      orders('order_number'),
      people('customer_number'),
      moments('ordered_at'),
      moments('loaded_at'),
      pieces('quantity'),
      money('unit_price'),
    ],
    {
      customer: 'customer_number',
      time: 'ordered_at',
      order: 'order_number',
      quantity: 'quantity',
      price: 'unit_price',
      'line-id': 'transaction_line_id',
      'loaded-at': 'loaded_at',
    },
  ],
  [
    'who knows customers by their address',
    [column('email', { distinct: 400, emailShare: 1 }), moments('created_at'), money('total')],
    { customer: 'email', time: 'created_at', amount: 'total' },
  ],
];

describe('which column is what', () => {
  test.each(SHOPS)('%s', (_, columns, roles) => {
    expect(rolesOf(table(columns))).toEqual(roles);
    expect(openOf(table(columns))).toEqual([]);
  });

  test('does not depend on the order of the columns', () => {
    for (const [, columns] of SHOPS) {
      const expected = guessRoles(table(columns));
      fc.assert(
        fc.property(fc.shuffledSubarray(columns, { minLength: columns.length }), (shuffled) => {
          expect(guessRoles(table(shuffled))).toEqual(expected);
        }),
        { numRuns: 30 },
      );
    }
  });

  test('no column has two roles, whatever the columns are called', () => {
    const name = fc.constantFrom(
      'order date',
      'order',
      'orderid',
      'kunde',
      'customer amount',
      'preis',
      'total',
      'id',
      'a',
      'Ware',
      'sum',
    );
    const made = fc.tuple(
      name,
      fc.constantFrom(people, numbered, orders, moments, pieces, money, (n: string) => list(n)),
    );
    fc.assert(
      fc.property(fc.uniqueArray(made, { selector: ([n]) => n, minLength: 1 }), (columns) => {
        const roles = Object.values(rolesOf(table(columns.map(([n, make]) => make(n)))));
        expect(new Set(roles).size).toBe(roles.length);
      }),
    );
  });
});

describe('what the values say', () => {
  test('an order that has one customer is a reason for both', () => {
    const facts = table([orders('order_no'), people('cust'), moments('date'), money('total')], {
      determines: [{ by: 'order_no', of: 'cust', share: 0.999 }],
    });
    const { customer, order } = guessRoles(facts);
    expect(customer.reasons).toEqual([
      'its name says cust',
      '400 different values in 5,000 rows, 12.5 rows each'.replace('12.5', '13'),
      'each order_no has one cust (99.9 % of them)',
    ]);
    expect(order.reasons.join('; ')).toContain('each has one cust (99.9 % of them)');
  });

  test('pieces times price is the amount, whatever the three are called', () => {
    const facts = table([people('customer'), moments('date'), pieces('x'), money('y'), money('z')], {
      products: [{ product: 'z', factors: ['x', 'y'], share: 0.999 }],
    });
    expect(openOf(facts)).toEqual(['amount']);
    expect(guessRoles(facts).amount.others[0]?.column ?? guessRoles(facts).amount.column).toBe('z');
  });

  test('money that is the same on all lines of an order is not the money of the line', () => {
    const facts = table(
      [orders('order_id'), people('customer_id'), moments('date'), money('order_total'), money('line_total')],
      {
        determines: [{ by: 'order_id', of: 'order_total', share: 1 }],
      },
    );
    expect(guessRoles(facts).amount.column).toBe('line_total');
  });

  test('numbers of customers are no quantity and no money', () => {
    const facts = table([numbered('Kd'), moments('Datum'), money('Betrag'), pieces('Anzahl')]);
    expect(rolesOf(facts)).toEqual({ customer: 'Kd', time: 'Datum', amount: 'Betrag', quantity: 'Anzahl' });
  });

  test('a discount between 0 and 1 is a rate, not money', () => {
    const rate = column('Discount', {
      distinct: 5,
      number: { wholeShare: 0.5, min: 0, median: 0.1, max: 0.8 },
    });
    expect(
      guessRoles(table([people('customer'), moments('date'), money('total'), rate])).discount.column,
    ).toBeNull();
  });

  test('names of regions and kinds of customer are not customers', () => {
    const facts = table([
      list('customer_segment', 3),
      list('customer_country', 9),
      people('cust_no'),
      moments('date'),
      money('total'),
    ]);
    expect(guessRoles(facts).customer.column).toBe('cust_no');
  });
});

describe('what cannot be told is asked', () => {
  test.each([
    [
      'two dates of the same kind',
      [people('customer'), moments('date_a'), moments('date_b'), money('total')],
      ['time'],
    ],
    [
      'two amounts',
      [people('customer'), moments('date'), money('total net'), money('total gross')],
      ['amount'],
    ],
    ['no customer', [moments('date'), money('total')], ['customer']],
    ['no time', [people('customer'), money('total')], ['time']],
    ['no money', [people('customer'), moments('date'), pieces('quantity')], ['amount']],
    [
      'a price without pieces, which may be what was paid',
      [people('customer'), moments('date'), money('price')],
      ['amount'],
    ],
    ['names that say nothing', [people('a'), moments('b'), money('c'), pieces('d')], ['customer', 'amount']],
  ] as const)('%s', (_, columns, roles) => {
    expect(openOf(table([...columns]))).toEqual(roles);
  });

  test('what a person says is taken, and settles the rest', () => {
    const facts = table([people('a'), moments('b'), money('c'), pieces('d')]);
    const guesses = guessRoles(facts, { customer: 'a', amount: 'c', category: null });
    expect(openQuestions(guesses)).toEqual([]);
    expect(guesses.customer).toMatchObject({ column: 'a', isGiven: true, reasons: ['named by a person'] });
    expect(guesses.time.column).toBe('b');
  });

  test('a column that a person gave to one role is not guessed for another', () => {
    const facts = table([people('customer_id'), people('member'), moments('date'), money('total')]);
    expect(guessRoles(facts, { category: 'customer_id' }).customer.column).toBe('member');
  });
});
