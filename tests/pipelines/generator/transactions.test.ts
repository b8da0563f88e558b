import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { MISSING } from '../../../pipelines/contracts/batches.ts';
import { endOfDay } from '../../../pipelines/generator/calendar.ts';
import { FAULTS } from '../../../pipelines/generator/faults.ts';
import {
  describeTruth,
  generateTransactions,
  type TransactionBatch,
} from '../../../pipelines/generator/transactions.ts';

const PLAN = { customers: 2_000, months: 18, until: '2026-06-30', seed: 7 };
const batches = [...generateTransactions(PLAN)];
const truth = describeTruth(PLAN);

/** One column of all batches, as integers. */
function column(name: string, from: readonly TransactionBatch[] = batches): number[] {
  return from.flatMap(({ columns, values }) => [...values[columns.findIndex((own) => own.name === name)]!]);
}

function words(name: string): readonly string[] {
  const found = batches[0]!.columns.find((own) => own.name === name)!;
  return found.kind === 'word' ? found.words : [];
}

function digest(of: Iterable<TransactionBatch>): string {
  const hash = createHash('sha256');
  for (const { values } of of) for (const own of values) hash.update(own);
  return hash.digest('hex');
}

const rows = column('transaction_line_id').length;
const isReturn = column('order_number').map((order) => order < 0);
const pieces = column('quantity').map((code) => Number(words('quantity')[code]));

describe('generateTransactions', () => {
  test('equal plans give equal rows, another seed gives others', () => {
    expect(digest(generateTransactions(PLAN))).toBe(digest(batches));
    expect(digest(generateTransactions({ ...PLAN, seed: 8 }))).not.toBe(digest(batches));
  });

  test('can be read twice', () => {
    const transactions = generateTransactions({ ...PLAN, customers: 100 });
    expect(digest(transactions)).toBe(digest(transactions));
  });

  test('a customer has 10 to 16 rows on average', () => {
    expect(rows / PLAN.customers).toBeGreaterThan(10);
    expect(rows / PLAN.customers).toBeLessThan(16);
  });

  test('nothing is ordered before the first month, nor ordered or loaded after the last day', () => {
    const [first, end] = [endOfDay('2024-12-31'), endOfDay(PLAN.until)];
    for (const name of ['ordered_at', 'loaded_at']) {
      const moments = column(name);
      expect(Math.min(...moments)).toBeGreaterThanOrEqual(first);
      expect(Math.max(...moments)).toBeLessThan(end);
    }
  });

  test('a last month that ends early ends on its day', () => {
    const moments = column('ordered_at', [...generateTransactions({ ...PLAN, until: '2026-06-11' })]);
    expect(Math.max(...moments)).toBeLessThan(endOfDay('2026-06-11'));
    expect(Math.max(...moments)).toBeGreaterThan(endOfDay('2026-06-09'));
  });

  test('rows stand in no order of customers or lines', () => {
    const ids = column('transaction_line_id', batches.slice(0, 1));
    const rising = ids.filter((id, i) => i > 0 && id > ids[i - 1]!).length / (ids.length - 1);
    expect(rising).toBeGreaterThan(0.45);
    expect(rising).toBeLessThan(0.55);
  });

  test('every column has a value for each row, and every word its text', () => {
    for (const { columns, values, rows: count } of batches) {
      expect(values.map(({ length }) => length)).toEqual(columns.map(() => count));
    }
    for (const name of ['product_category', 'sales_channel', 'country', 'quantity']) {
      expect(column(name).every((code) => words(name)[code] !== undefined)).toBe(true);
      expect(new Set(words(name)).size).toBe(words(name).length);
    }
  });

  test('November and December outsell all other months', () => {
    const december = endOfDay('2025-12-31');
    const october = endOfDay('2025-10-31');
    const inSeason = column('ordered_at').filter((at) => at >= october && at < december).length / 2;
    expect(inSeason).toBeGreaterThan((rows / PLAN.months) * 1.5);
  });
});

describe('what was planted can be counted in the rows', () => {
  const customers = column('customer_number');
  const prices = column('unit_price');
  const [ordered, loaded] = [column('ordered_at'), column('loaded_at')];
  const lineIds = column('transaction_line_id');
  const where = (test: (row: number) => boolean) => lineIds.filter((_, row) => test(row)).length;
  const weekMinutes = 7 * 24 * 60;

  test.each([
    ['without-customer', () => where((row) => customers[row] === MISSING)],
    ['duplicate', () => lineIds.length - new Set(lineIds).size],
    ['no-pieces', () => where((row) => pieces[row] === 0)],
    ['without-price', () => where((row) => prices[row]! <= 0)],
    ['future-date', () => where((row) => ordered[row]! > loaded[row]!)],
    ['unreadable-quantity', () => where((row) => Number.isNaN(pieces[row]))],
    ['late', () => where((row) => loaded[row]! - ordered[row]! >= weekMinutes)],
  ] as const)('%s', (fault, count) => {
    expect(truth.faults[fault]).toBeGreaterThan(0);
    expect(count()).toBe(truth.faults[fault]);
  });

  test('returns have an order number of their own and pieces below 0', () => {
    expect(isReturn.filter(Boolean).length).toBe(truth.returns);
    expect(isReturn.every((own, row) => own === pieces[row]! < 0)).toBe(true);
  });

  test('rows are the accepted ones, the returns and each refused fault once', () => {
    const refused = FAULTS.filter((fault) => fault !== 'late').reduce(
      (sum, fault) => sum + truth.faults[fault],
      0,
    );
    expect(truth.rows).toBe(rows);
    expect(truth.rows).toBe(truth.accepted + truth.returns + refused);
  });

  test('every customer has at least one row without a fault', () => {
    const sound = new Set(
      customers.filter((_, row) => pieces[row]! > 0 && prices[row]! > 0 && ordered[row]! <= loaded[row]!),
    );
    sound.delete(MISSING);
    expect(sound).toEqual(new Set(truth.customerNumbers));
    expect(sound.size).toBe(PLAN.customers);
  });
});

describe('the planted groups', () => {
  const index = new Map([...truth.customerNumbers].map((number, customer) => [number, customer]));
  const sales = column('customer_number').flatMap((number, row) =>
    number === MISSING || !(pieces[row]! > 0) ? [] : [{ customer: index.get(number)!, row }],
  );
  const ordersOf = (group: string) => {
    const wanted = truth.groupNames.indexOf(group);
    const members = new Set(
      [...truth.customerNumbers.keys()].filter(
        (customer) => truth.firstGroups[customer] === wanted && truth.lastGroups[customer] === wanted,
      ),
    );
    const orders = new Set<number>();
    const all = column('order_number');
    for (const { customer, row } of sales) if (members.has(customer)) orders.add(all[row]!);
    return orders.size / members.size;
  };

  test('are all there on the last day, and none is nearly everybody', () => {
    for (const [group] of truth.groupNames.entries()) {
      const share = truth.lastGroups.filter((own) => own === group).length / PLAN.customers;
      expect(share).toBeGreaterThan(0.02);
      expect(share).toBeLessThan(0.5);
    }
  });

  test('drift: a good part of the customers ends in another group than it began', () => {
    const moved = truth.lastGroups.filter((own, customer) => own !== truth.firstGroups[customer]).length;
    expect(moved / PLAN.customers).toBeGreaterThan(0.2);
    expect(moved / PLAN.customers).toBeLessThan(0.7);
  });

  test('shop as they were made to: regulars often, bargain hunters once', () => {
    expect(ordersOf('regular')).toBeGreaterThan(8);
    expect(ordersOf('bargain')).toBeLessThan(2);
    expect(ordersOf('business')).toBeGreaterThan(ordersOf('regular'));
  });
});
