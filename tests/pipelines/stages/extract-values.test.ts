import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sourceSchema } from '../../../pipelines/contracts/source.ts';
import { quoteText } from '../../../pipelines/contracts/sql-quote.ts';
import { canonicalValue, type SourceValue, withoutMissing } from '../../../pipelines/stages/extract-casts.ts';
import type { Warehouse } from '../../../store/warehouse/duckdb.ts';
import { type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';

let fixture: WarehouseFixture;
let warehouse: Warehouse;
beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

/** The canonical values of texts, as text. */
async function read(texts: readonly string[], source: Omit<SourceValue, 'column' | 'type'>) {
  const { value } = canonicalValue({ ...source, column: 'said', type: 'VARCHAR' });
  const rows = texts.map((text, i) => `(${i}, ${quoteText(text)})`);
  const found = await warehouse.rows(
    `SELECT CAST(${value} AS VARCHAR) AS value FROM (VALUES ${rows.join(', ')}) AS t(i, said) ORDER BY i`,
  );
  return found.map((row) => row.value);
}

describe('money', () => {
  it.each<[string, string | null]>([
    ['2.5', '2.5000'],
    ['+2.5', '2.5000'],
    ['.5', '0.5000'],
    ['£2.50', '2.5000'],
    ['-£2.50', '-2.5000'],
    ['£-2.50', '-2.5000'],
    ['(2.50)', '-2.5000'],
    ['(£ 1,234.50)', '-1234.5000'],
    ['2.50-', '-2.5000'],
    ['2.50 GBP', '2.5000'],
    ['GBP 1,234,567', '1234567.0000'],
    ["1'234'567.89", '1234567.8900'],
    ['1\u202f234.5', '1234.5000'],
    ['1,234', null],
    ['12,50', null],
    ['1,23,456.00', null],
    ['1.234.567', null],
    ["12'34", null],
    ['1 2', null],
    ['--2', null],
    ['-(2)', null],
    ['(2', null],
    ['2)', null],
    ['€2.50', null],
    ['2.50 USD', null],
    ['GBP', null],
    ['£', null],
    ['()', null],
    ['1;DROP', null],
  ])('%s in pounds is %s', async (text, amount) => {
    expect(await read([text], { role: 'unit_price', currency: 'GBP' })).toEqual([amount]);
  });

  it.each<[string, string | null]>([
    ['2,5', '2.5000'],
    ['1.234', '1234.0000'],
    ['1.234,5', '1234.5000'],
    ['1.234.567', '1234567.0000'],
    ['1 234,5', '1234.5000'],
    ['-1.234,50 €', '-1234.5000'],
    ['EUR 12', '12.0000'],
    ['2.5', null],
    ['1,234.5', null],
    ['1,2,3', null],
  ])('%s in euros with a decimal comma is %s', async (text, amount) => {
    const format = { decimal: ',' } as const;
    expect(await read([text], { role: 'unit_price', currency: 'EUR', format })).toEqual([amount]);
  });

  it('is what was written, however it was written', async () => {
    const cents = fc.integer({ min: -99_999_999, max: 99_999_999 });
    const styles = [
      { locale: 'en-GB', decimal: '.', sign: '£', currency: 'GBP' },
      { locale: 'de-DE', decimal: ',', sign: '€', currency: 'EUR' },
      { locale: 'fr-FR', decimal: ',', sign: '€', currency: 'EUR' },
      { locale: 'de-CH', decimal: '.', sign: 'CHF', currency: 'CHF' },
    ] as const;
    for (const { locale, decimal, sign, currency } of styles) {
      const amounts = fc.sample(cents, 40);
      const plain = new Intl.NumberFormat(locale, { minimumFractionDigits: 2 });
      const texts = amounts.flatMap((amount) => {
        const size = plain.format(Math.abs(amount) / 100);
        const minus = amount < 0 ? '-' : '';
        return [
          `${minus}${size}`,
          `${minus}${sign}${size}`,
          `${minus}${size} ${sign}`,
          amount < 0 ? `(${size})` : size,
        ];
      });
      const expected = amounts.flatMap((amount) => Array(4).fill((amount / 100).toFixed(2)));
      const found = await read(texts, { role: 'unit_price', currency, format: { decimal } });
      expect(found.map((value) => Number(value).toFixed(2).replace('-0.00', '0.00'))).toEqual(
        expected.map((value) => value.replace('-0.00', '0.00')),
      );
    }
  });
});

describe('pieces', () => {
  it.each<[string, '.' | ',' | undefined, string | null]>([
    ['1,000', '.', '1000'],
    ['1,000', undefined, null],
    ['1.000', ',', '1000'],
    ['1.000', '.', '1'],
    ['2,0', ',', '2'],
    ['2,5', ',', null],
    ['(3)', '.', '-3'],
    ['3-', '.', '-3'],
    ['£3', '.', null],
  ])('%s with decimal mark %s is %s', async (text, decimal, pieces) => {
    expect(await read([text], { role: 'quantity', currency: 'GBP', format: { decimal } })).toEqual([pieces]);
  });
});

describe('times', () => {
  const role = 'ordered_at';

  it.each<[string, string[], string | null]>([
    ['31/12/2011 8:26', ['%d/%m/%Y %H:%M'], '2011-12-31 08:26:00'],
    ['12/31/2011 12:50 PM', ['%m/%d/%Y %I:%M %p'], '2011-12-31 12:50:00'],
    ['31-Dec-11', ['%d-%b-%y'], '2011-12-31 00:00:00'],
    ['3/4/2011', ['%d/%m/%Y', '%m/%d/%Y'], '2011-04-03 00:00:00'],
    ['12/31/2011', ['%d/%m/%Y', '%m/%d/%Y'], '2011-12-31 00:00:00'],
    ['31.12.11', ['%d.%m.%Y'], null],
    ['31.02.2011', ['%d.%m.%Y'], null],
    ['31.12.2011 and more', ['%d.%m.%Y'], null],
    ['2011-12-31', ['%d.%m.%Y'], null],
    ['31.12.2011 10:00 +0200', ['%d.%m.%Y %H:%M %z'], '2011-12-31 08:00:00'],
  ])('%s by %j is %s', async (text, times, moment) => {
    expect(await read([text], { role, format: { times } })).toEqual([moment]);
  });

  it.each<[string, string | undefined, string | null]>([
    ['2026-07-01 10:00:00', 'Europe/London', '2026-07-01 10:00:00'],
    ['2026-07-01T10:00:00Z', 'Europe/London', '2026-07-01 11:00:00'],
    ['2026-01-01T10:00:00Z', 'Europe/London', '2026-01-01 10:00:00'],
    ['2026-07-01T10:00:00+02:00', 'Europe/London', '2026-07-01 09:00:00'],
    ['2026-07-01 10:00:00 UTC', 'Asia/Kolkata', '2026-07-01 15:30:00'],
    ['2026-07-01 10:00:00 UTC', undefined, '2026-07-01 10:00:00'],
    // Clocks in New York skip 2:00 to 3:00 on 2026-03-08 and run through 1:00 to 2:00 twice on 2026-11-01.
    ['2026-03-08T06:59:59Z', 'America/New_York', '2026-03-08 01:59:59'],
    ['2026-03-08T07:00:00Z', 'America/New_York', '2026-03-08 03:00:00'],
    ['2026-03-08 02:30:00', 'America/New_York', '2026-03-08 02:30:00'],
    ['2026-11-01T05:30:00Z', 'America/New_York', '2026-11-01 01:30:00'],
    ['2026-11-01T06:30:00Z', 'America/New_York', '2026-11-01 01:30:00'],
    ['   2026-07-01 10:00:00', 'Europe/London', '2026-07-01 10:00:00'],
    ['    2026-07-01 10:00:00', 'Europe/London', '2026-07-01 10:00:00'],
    ['\t \t \t2026-07-01 10:00:00 ', 'Europe/London', '2026-07-01 10:00:00'],
    ['      2026-07-01 10:00:00-05', 'Europe/London', '2026-07-01 16:00:00'],
    ['2026-07-01 10:00:00-05', 'Europe/London', '2026-07-01 16:00:00'],
    ['epoch', undefined, null],
    [' Epoch ', 'Europe/London', null],
    ['infinity', undefined, null],
    ['now', undefined, null],
    ['1767348000', undefined, null],
  ])('%s on the clock of %s is %s', async (text, timezone, moment) => {
    expect(await read([text], { role, timezone })).toEqual([moment]);
  });

  it('of instants in the source are of the clock of the shop', async () => {
    const column = `TIMESTAMPTZ '2026-07-01 10:00:00+00'`;
    const { value, mayFail } = canonicalValue({
      role,
      column,
      type: 'TIMESTAMP WITH TIME ZONE',
      timezone: 'Europe/London',
    });
    const [row] = await warehouse.rows(`SELECT CAST(${value} AS VARCHAR) AS at`);
    expect({ ...row, mayFail }).toEqual({ at: '2026-07-01 11:00:00', mayFail: false });
  });
});

it('takes spellings of nothing for nothing, in any case and with blanks around, and no other text', async () => {
  const column = withoutMissing(
    { column: 'said', type: 'VARCHAR' },
    { missing: ['NULL', 'n/a', "it's out"] },
  );
  const texts = ['null', ' N/A ', "It's out", 'nullify', ''];
  const rows = texts.map((text) => `(${quoteText(text)})`).join(', ');
  const found = await warehouse.rows(`SELECT ${column} AS kept FROM (VALUES ${rows}) AS t(said)`);
  expect(found.map((row) => row.kept)).toEqual([null, null, null, 'nullify', '']);
  expect(withoutMissing({ column: 'said', type: 'INTEGER' }, { missing: ['0'] })).toBe('said');
});

describe('a format', () => {
  const parse = (format: unknown) =>
    sourceSchema.safeParse({
      kind: 'file',
      columns: { customer_id: 'c', ordered_at: 't', amount: 'a' },
      format,
    }).success;

  it.each([
    ['%d.%m.%Y %H:%M', true],
    ['%-d/%-m/%y', true],
    ['%Y-%j', true],
    ['%b %d, %Y %I:%M %p', true],
    ['%H:%M', false],
    ['%d.%m.', false],
    ['%d.%m.%Y %Q', false],
    ['%d.%m.%Y %I:%M', false],
    ['dd.mm.yyyy', false],
  ])('of times %s: %s', (times, isFine) => {
    expect(parse({ times: [times] })).toBe(isFine);
  });

  it.each([
    [';', true],
    ['\t', true],
    ['^', true],
    ['"', false],
    ['\n', false],
    [' ', false],
    ['a', false],
    ['§', false],
  ])('with delimiter %j: %s', (delimiter, isFine) => {
    expect(parse({ delimiter })).toBe(isFine);
  });
});
