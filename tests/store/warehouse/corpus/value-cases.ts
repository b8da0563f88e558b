import type { CorpusCase } from './case.ts';

const customers = (...ids: string[]) => ids.map((customer_id) => ({ customer_id }));
const times = (...moments: (string | null)[]) => moments.map((ordered_at) => ({ ordered_at }));
const prices = (...amounts: (number | null)[]) => amounts.map((unit_price) => ({ unit_price }));

const dates: CorpusCase[] = [
  {
    name: 'days before months, named',
    file: 'dates-day-first.csv',
    format: { times: ['%d/%m/%Y'] },
    expected: {
      accepted: 2,
      refused: { malformed: 1 },
      malformed: ['ordered_at=2011-12-31'],
      rows: times('2011-12-31 00:00:00', '2011-02-01 00:00:00', null),
    },
  },
  {
    name: 'months before days and half days, named',
    file: 'dates-month-first.csv',
    format: { times: ['%m/%d/%Y %I:%M %p'] },
    expected: {
      accepted: 2,
      refused: { malformed: 1 },
      rows: times('2011-12-31 12:50:00', '2011-01-02 08:05:00', null),
    },
  },
  {
    name: 'dates with dots, and a year of two digits that is no year 11',
    file: 'dates-dotted.csv',
    format: { times: ['%d.%m.%Y'] },
    expected: {
      accepted: 2,
      refused: { malformed: 1 },
      malformed: ['ordered_at=31.12.11'],
      rows: times('2011-12-31 00:00:00', '2011-02-01 00:00:00', null),
    },
  },
  {
    name: 'dates of a form that is not named',
    file: 'dates-unnamed.csv',
    expected: { accepted: 1, refused: { malformed: 3 } },
  },
  {
    name: 'several forms, tried in order',
    file: 'dates-several-forms.csv',
    format: { times: ['%d.%m.%Y %H:%M', '%Y-%m-%d', '%d.%m.%Y'] },
    expected: {
      accepted: 3,
      refused: { malformed: 1 },
      rows: times('2011-12-31 08:26:00', '2011-12-31 00:00:00', '2011-12-31 00:00:00', null),
    },
  },
  {
    name: 'days and hours that do not exist',
    file: 'dates-impossible.csv',
    expected: { accepted: 1, refused: { malformed: 3 } },
  },
  {
    name: 'seconds since 1970',
    file: 'epoch-seconds.csv',
    expected: { accepted: 1, refused: { malformed: 1 } },
  },
  {
    name: 'infinity as a time',
    file: 'times-beyond-all.csv',
    expected: { accepted: 1, refused: { malformed: 2 } },
  },
  {
    name: 'times with zones, read in UTC',
    file: 'zones.csv',
    expected: {
      accepted: 4,
      rows: times('2026-07-01 10:00:00', '2026-07-01 10:00:00', '2026-07-01 08:00:00', '2026-07-01 10:00:00'),
    },
  },
  {
    name: 'times with zones, read on the clock of the shop',
    file: 'zones.csv',
    timezone: 'Europe/London',
    expected: {
      accepted: 4,
      rows: times('2026-07-01 10:00:00', '2026-07-01 11:00:00', '2026-07-01 09:00:00', '2026-07-01 11:00:00'),
    },
  },
  {
    name: 'the hour that comes twice and the one that never comes',
    file: 'clocks-go-back-and-forth.csv',
    timezone: 'Europe/London',
    expected: {
      accepted: 5,
      rows: times(
        '2026-10-25 01:30:00',
        '2026-10-25 01:30:00',
        '2026-03-29 00:59:59',
        '2026-03-29 02:00:00',
        '2026-03-29 01:30:00',
      ),
    },
  },
];

const values: CorpusCase[] = [
  {
    name: 'words among numbers',
    file: 'mixed-types.csv',
    expected: {
      accepted: 1,
      refused: { malformed: 4 },
      malformed: [
        'ordered_at=yesterday',
        'quantity=many; unit_price=cheap',
        'quantity=two',
        'unit_price=free',
      ],
    },
  },
  {
    name: 'signs and code of the currency',
    file: 'currency-signs.csv',
    expected: { accepted: 5, rows: prices(2.5, 2.5, 2.5, -2.5, 1250) },
  },
  {
    name: 'money of other currencies',
    file: 'foreign-currency.csv',
    expected: { accepted: 1, refused: { malformed: 2 } },
  },
  {
    name: 'a decimal comma',
    file: 'decimal-comma.csv',
    format: { decimal: ',' },
    expected: {
      accepted: 5,
      refused: { malformed: 1 },
      malformed: ['unit_price=2.5'],
      rows: [
        { unit_price: 2.5, quantity: 2 },
        { unit_price: 1234.5, quantity: 2 },
        { unit_price: 1234, quantity: 2 },
        { unit_price: null, quantity: 2 },
        { unit_price: 2.5, quantity: 1000 },
        { unit_price: 2.5, quantity: 2 },
      ],
    },
  },
  {
    name: 'commas between thousands, with the point named',
    file: 'thousands-commas.csv',
    format: { decimal: '.' },
    expected: { accepted: 3, refused: { malformed: 1 }, malformed: ['unit_price=12,34'] },
  },
  {
    name: 'commas that may be either',
    file: 'thousands-unnamed.csv',
    expected: {
      accepted: 2,
      refused: { malformed: 2 },
      malformed: ['unit_price=1,234', 'unit_price=2,50'],
      rows: prices(1234.5, 1_234_567, null, null),
    },
  },
  {
    name: 'apostrophes and blanks between thousands',
    file: 'thousands-apart.csv',
    expected: { accepted: 4, rows: prices(1234.5, 1234.5, 1234, 1234) },
  },
  {
    name: 'negatives of accountants',
    file: 'accounting-negatives.csv',
    expected: { accepted: 3, refused: { malformed: 1 }, rows: prices(-2.5, -2.5, -2.5, null) },
  },
  {
    name: 'spellings of nothing, named',
    file: 'missing-spellings.csv',
    format: { missing: ['null', 'N/A', '\\N', 'nil'] },
    expected: { accepted: 1, refused: { 'without-customer': 2, 'without-price': 3 }, malformed: [] },
  },
  {
    name: 'spellings of nothing, not named',
    file: 'missing-spellings-unnamed.csv',
    expected: { accepted: 1, refused: { malformed: 2 }, malformed: ['unit_price=N/A', 'unit_price=NULL'] },
  },
  {
    name: 'ids beyond ASCII, one of them in two Unicode forms',
    file: 'unicode-ids.csv',
    expected: { accepted: 4, rows: customers('Zoe\u0308', 'Zo\u00eb', '客户-7', '🛒') },
  },
  {
    name: 'ids with zeros in front',
    file: 'leading-zeros.csv',
    expected: { accepted: 3, rows: customers('007', '07', '7') },
  },
  {
    name: 'ids with blanks around',
    file: 'blanks-around-ids.csv',
    expected: { accepted: 2, refused: { 'without-customer': 1 } },
  },
  {
    name: 'numbers beyond all',
    file: 'huge-numbers.csv',
    expected: { accepted: 1, refused: { malformed: 4 } },
  },
  {
    name: 'negative zero',
    file: 'negative-zero.csv',
    expected: { accepted: 3, rows: [{ unit_price: 0 }, { unit_price: 0 }, { quantity: 0 }] },
  },
  {
    name: 'what is not a number, or infinite',
    file: 'not-a-number.csv',
    expected: { accepted: 1, refused: { malformed: 4 } },
  },
  {
    name: 'half a piece',
    file: 'half-pieces.csv',
    expected: { accepted: 2, refused: { malformed: 1 }, malformed: ['quantity=2.5'] },
  },
  {
    name: 'SQL in values',
    file: 'sql-in-values.csv',
    expected: { accepted: 2, refused: { malformed: 1 }, malformed: ['unit_price=1); --'] },
  },
];

export const VALUE_CASES: readonly CorpusCase[] = [...dates, ...values];
