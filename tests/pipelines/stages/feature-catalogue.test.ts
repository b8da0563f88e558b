import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Contract } from '../../../pipelines/contracts/contract.ts';
import type { FeatureSettings } from '../../../pipelines/contracts/definition.ts';
import type { ExtractSource } from '../../../pipelines/stages/extract.ts';
import { extractSql } from '../../../pipelines/stages/extract-sql.ts';
import { type CatalogueFeature, featureCatalogue } from '../../../pipelines/stages/feature-catalogue.ts';
import { deriveColumns, whenMissingOf } from '../../../pipelines/stages/features.ts';
import { featuresSql } from '../../../pipelines/stages/features-sql.ts';
import type { Warehouse } from '../../../store/warehouse/duckdb.ts';
import { type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';
import { type Line, slowFeatures } from './slow-features.ts';

const DAY = 24 * 60;
const AS_OF = '2026-07-01';
const AS_OF_MINUTE = Date.parse(`${AS_OF}T00:00:00Z`) / 60_000;
const HISTORY_DAYS = 500;
const CONTRACT: Contract = {
  version: 1,
  rules: [{ name: 'priced', check: 'amount IS NOT NULL', severity: 'reject', reason: 'no money' }],
  thresholds: { warnRefusedShare: 1, failRefusedShare: 1, minimumCustomers: 2 },
};
const COLUMNS = new Set(['quantity', 'category', 'channel', 'discount']);
const catalogue = featureCatalogue({
  columns: COLUMNS,
  currency: 'EUR',
  historyDays: HISTORY_DAYS,
  acceptsReturns: true,
});

let fixture: WarehouseFixture;
let warehouse: Warehouse;
beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

const line = (minutesBefore: fc.Arbitrary<number>): fc.Arbitrary<Line> =>
  fc.record({
    customer: fc.constantFrom('a', 'b', 'ü'),
    order: fc.option(fc.constantFrom('O1', 'O2', 'O3', 'O4', 'O5', 'O6'), { freq: 6 }),
    minute: minutesBefore.map((minutes) => AS_OF_MINUTE - minutes),
    quantity: fc.integer({ min: 1, max: 9 }),
    cents: fc.integer({ min: -500, max: 5_000 }),
    category: fc.option(fc.constantFrom('toys', 'books', "it's")),
    channel: fc.option(fc.constantFrom('web', 'app', 'store')),
    discountCents: fc.option(fc.integer({ min: 0, max: 900 })),
  });
const minutesBefore = fc.oneof(
  fc.integer({ min: 1, max: HISTORY_DAYS * DAY }),
  // The edges of the windows and the last moment before the date.
  fc.constantFrom(1, 90 * DAY, 90 * DAY + 1, 180 * DAY, 180 * DAY + 1, 275 * DAY, 275 * DAY + 1, 365 * DAY),
);
const tables = fc.array(line(minutesBefore), { minLength: 1, maxLength: 25 });

const text = (value: string | null) => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`);
const moment = (minute: number) => `TIMESTAMP '${new Date(minute * 60_000).toISOString().slice(0, 19)}'`;
const money = (cents: number | null) =>
  cents === null ? 'NULL' : `CAST(${(cents / 100).toFixed(2)} AS DECIMAL(18,4))`;
const relation = (lines: readonly Line[]) =>
  `(SELECT * FROM (VALUES ${lines
    .map(
      (l) =>
        `(${text(l.customer)}, ${text(l.order)}, ${moment(l.minute)}, CAST(${l.quantity} AS BIGINT), ${money(l.cents)}, ${text(l.category)}, ${text(l.channel)}, ${money(l.discountCents)})`,
    )
    .join(', ')}) AS t(customer_id, order_id, ordered_at, quantity, amount, category, channel, discount))`;

const aggregates = catalogue.filter(({ level }) => level === 'aggregate') as FeatureSettings['aggregate'];
const derive = catalogue.filter(({ level }) => level === 'derive') as unknown as FeatureSettings['derive'];

async function build(from: string, list = aggregates): Promise<Record<string, Record<string, number>>> {
  const { texts, numbers, rows } = await warehouse.columns(
    featuresSql({ from, contract: CONTRACT, aggregate: list, asOf: AS_OF }),
  );
  const { columns } = deriveColumns(
    numbers,
    derive.filter(({ name }) => restsOn(name).every((input) => input in numbers)),
    whenMissingOf(list),
  );
  const { offsets, bytes } = texts.customer_id!;
  return Object.fromEntries(
    Array.from({ length: rows }, (_, row) => [
      new TextDecoder().decode(bytes.subarray(offsets[row], offsets[row + 1])),
      Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[row]!])),
    ]),
  );
}

const restsOn = (name: string) => catalogue.find((feature) => feature.name === name)!.rests ?? [];

describe('the catalogue', () => {
  test('offers what the columns and the history allow, aggregates before what rests on them', () => {
    const names = (columns: string[], historyDays: number) =>
      featureCatalogue({ columns: new Set(columns), currency: 'EUR', historyDays }).map(({ name }) => name);
    expect(names([], 60)).toEqual(
      expect.arrayContaining([
        'recencyDays',
        'orders',
        'spendCents',
        'gapRegularity',
        'spend',
        'recencyToGap',
      ]),
    );
    for (const absent of ['items', 'categories', 'channels', 'discountShare', 'returnShare', 'itemsPerOrder'])
      expect(names([], 60)).not.toContain(absent);
    for (const [days, name] of [
      [90, 'ordersLast90Days'],
      [179, 'trend'],
      [364, 'holidayShare'],
    ] as const) {
      expect(names([], days)).not.toContain(name);
      expect(names([], days + 1)).toContain(name);
    }
    const all = catalogue.map(({ name }) => name);
    for (const { name, rests = [] } of catalogue)
      for (const input of rests) expect(all.indexOf(input)).toBeLessThan(all.indexOf(name));
    expect(new Set(all).size).toBe(all.length);
  });

  test('every feature has the value of plain loops over the rows', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async (lines) => {
        const found = await build(relation(lines));
        expect(Object.keys(found).sort()).toEqual([...new Set(lines.map(({ customer }) => customer))].sort());
        for (const [customer, features] of Object.entries(found)) {
          const own = lines.filter((one) => one.customer === customer);
          const expected = slowFeatures(own, AS_OF_MINUTE, HISTORY_DAYS);
          expect(Object.keys(features).sort()).toEqual(Object.keys(expected).sort());
          for (const [name, value] of Object.entries(expected))
            expect([name, features[name]]).toEqual([name, expect.closeTo(value, 9)]);
        }
      }),
      { numRuns: 30 },
    );
  }, 120_000);

  test('rows outside a window do not change what looks through it', async () => {
    const windowed = aggregates.filter(({ windowDays }) => windowDays !== undefined);
    expect(windowed.length).toBeGreaterThan(3);
    await fc.assert(
      fc.asyncProperty(tables, fc.constantFrom(...windowed), async (made, feature) => {
        const isInside = ({ minute }: Line) => minute >= AS_OF_MINUTE - feature.windowDays! * DAY;
        // An order is where its first line is, with all of its lines: those across the edge are left out.
        const isWhole = ({ customer, order }: Line) =>
          order === null ||
          new Set(made.filter((one) => one.customer === customer && one.order === order).map(isInside))
            .size === 1;
        const lines = made.filter(isWhole);
        const inside = lines.filter(isInside);
        fc.pre(inside.length > 0);
        const [all, some] = [
          await build(relation(lines), [feature]),
          await build(relation(inside), [feature]),
        ];
        for (const customer of Object.keys(some)) expect(some[customer]).toEqual(all[customer]);
        for (const customer of Object.keys(all))
          if (!(customer in some)) expect(all[customer]).toEqual({ [feature.name]: 0 });
      }),
      { numRuns: 30 },
    );
  }, 120_000);

  test('rows of the as-of date or later change no feature', async () => {
    const basic = (feature: CatalogueFeature) => !feature.needs.includes('discount');
    const list = aggregates.filter((one) => basic(one as CatalogueFeature));
    const later = fc.array(line(fc.integer({ min: -400 * DAY, max: 0 })), { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(tables, later, async (lines, rest) => {
        const extract = (some: readonly Line[]) => {
          const priced = `(SELECT *, CAST(amount / quantity AS DECIMAL(18,4)) AS unit_price FROM ${relation(some)})`;
          const names = [
            'customer_id',
            'order_id',
            'ordered_at',
            'quantity',
            'unit_price',
            'category',
            'channel',
          ];
          const columns = Object.fromEntries(
            names.map((name) => [name, name]),
          ) as unknown as ExtractSource['columns'];
          const types = { ordered_at: 'TIMESTAMP', quantity: 'BIGINT', unit_price: 'DECIMAL(18,4)' };
          const source: ExtractSource = { from: priced, columns, types, name: 'lines' };
          return `(${extractSql({ source, contract: CONTRACT, asOf: AS_OF })})`;
        };
        expect(await build(extract([...rest, ...lines]), list)).toEqual(await build(extract(lines), list));
      }),
      { numRuns: 12 },
    );
  }, 120_000);
});
