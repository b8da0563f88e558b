import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stageQuery } from '../../../store/warehouse/postgres-staging.ts';
import { type QueryFixture, queryFixture } from './postgres-fixture.ts';

let fixture: QueryFixture;
beforeAll(async () => {
  fixture = await queryFixture();
}, 60_000);
afterAll(() => fixture?.remove());

const stage = (query: string) => fixture.stage(query);

describe('values come as PostgreSQL has them', () => {
  it('whole numbers, decimals, doubles, times and booleans keep their types', async () => {
    const { types, rows } = await stage(`select 1::int2 as small, 2 as whole, 9007199254740993::int8 as big,
      12345678901234.5678::numeric(18,4) as price, 0.1::float8 + 0.2 as share, 1.5::float4 as single, true as flag,
      date '2026-01-02' as day, timestamp '2026-01-02 10:00:00.123456' as at, 'x'::varchar(3) as word`);
    expect(types).toEqual({
      small: 'SMALLINT',
      whole: 'INTEGER',
      big: 'BIGINT',
      price: 'DECIMAL(18,4)',
      share: 'DOUBLE',
      single: 'FLOAT',
      flag: 'BOOLEAN',
      day: 'DATE',
      at: 'TIMESTAMP',
      word: 'VARCHAR',
    });
    expect(rows).toEqual([
      {
        small: '1',
        whole: '2',
        big: '9007199254740993',
        price: '12345678901234.5678',
        share: '0.30000000000000004',
        single: '1.5',
        flag: 'true',
        day: '2026-01-02',
        at: '2026-01-02 10:00:00.123456',
        word: 'x',
      },
    ]);
  });

  it.each([
    [['1.234', '-12', '0.5'], 'DECIMAL(5,3)', ['1.234', '-12.000', '0.500']],
    [['17850', null], 'DECIMAL(5,0)', ['17850', null]],
    [[null], 'DECIMAL(1,0)', [null]],
    [['12345678901234567890123456789.123456789'], 'DECIMAL(38,9)', null],
    [['1234567890123456789012345678901234567890'], 'VARCHAR', null],
    [['123456789012345678901234567890.123456789'], 'DOUBLE', ['1.2345678901234568e+29']],
    [['NaN', '1.234'], 'DOUBLE', ['nan', '1.234']],
    [['NaN', '2'], 'VARCHAR', null],
  ])('numerics without a precision %j are %s', async (numbers, type, texts) => {
    const list = numbers.map((number) => `(${number === null ? 'null' : `'${number}'`}::numeric)`).join(', ');
    const { types, rows } = await stage(`select amount from (values ${list}) as t(amount)`);
    expect(types).toEqual({ amount: type });
    expect(rows.map(({ amount }) => amount)).toEqual(texts ?? numbers);
  });

  it('a time with a zone is its moment, whatever the zone of the database', async () => {
    const { types, rows } = await stage(`select timestamptz '2026-07-01 12:00:00+02' as at`);
    expect(types).toEqual({ at: 'TIMESTAMP WITH TIME ZONE' });
    expect(rows).toEqual([{ at: '2026-07-01 10:00:00+00' }]);
  });

  it('NULL is not the empty text, in one column as in several', async () => {
    expect((await stage(`select * from (values (1, null), (2, ''), (3, ' ')) as t(i, word)`)).rows).toEqual([
      { i: '1', word: null },
      { i: '2', word: '' },
      { i: '3', word: ' ' },
    ]);
    const single = await stage(`select * from (values (null), (''), ('x'), (null)) as t(word)`);
    expect(single.rows.map(({ word }) => word)).toEqual([null, '', 'x', null]);
  });

  it('text keeps every character that may stand in it', async () => {
    const words = [
      'Zoë',
      '日本',
      '😀',
      'a,b',
      'say "so"',
      'two\nlines',
      'cr\r\nlf',
      '\\N',
      '\\.',
      "l'été",
      '\t',
    ];
    const list = words
      .map((word) => `(E'${word.replaceAll('\\', '\\\\').replaceAll("'", "''")}')`)
      .join(', ');
    const { rows } = await stage(`select word, 1 as one from (values ${list}) as t(word)`);
    expect(rows.map(({ word }) => word)).toEqual(words);
  });

  it('a column with a value that its type cannot hold in DuckDB stays text, the others do not', async () => {
    const { types, rows } =
      await stage(`select count::numeric(9), cost::numeric(9,2), at::timestamp from (values
      ('NaN', 1.5, '0044-03-15 12:00:00 BC'), ('2', 2.5, '2026-01-01')) as t(count, cost, at)`);
    expect(types).toEqual({ count: 'VARCHAR', cost: 'DECIMAL(9,2)', at: 'VARCHAR' });
    expect(rows).toEqual([
      { count: 'NaN', cost: '1.50', at: '0044-03-15 12:00:00 BC' },
      { count: '2', cost: '2.50', at: '2026-01-01 00:00:00' },
    ]);
  });

  it('fractions beside a value that is no decimal are no text, which a decimal comma would read as another number', async () => {
    const { types, rows } = await stage(
      `select price::numeric(9,3) from (values ('NaN'), ('1.234')) as t(price)`,
    );
    expect(types).toEqual({ price: 'DOUBLE' });
    expect(rows).toEqual([{ price: 'nan' }, { price: '1.234' }]);
  });

  it.each(['timestamp', 'timestamptz', 'date'])('an infinite %s leaves its column text', async (type) => {
    const { types, rows } = await stage(
      `select at::${type}, at::${type} as again from (values ('infinity'), (null), ('-infinity')) as t(at)`,
    );
    expect(types).toEqual({ at: 'VARCHAR', again: 'VARCHAR' });
    expect(rows.map((row) => row.at)).toEqual(['infinity', null, '-infinity']);
  });

  it('other types are the text they are printed as', async () => {
    const { rows } = await stage(
      `select '{"a": 1}'::jsonb as j, array[1,2] as list, '00000000-0000-0000-0000-000000000001'::uuid as id`,
    );
    expect(rows).toEqual([{ j: '{"a": 1}', list: '{1,2}', id: '00000000-0000-0000-0000-000000000001' }]);
  });
});

it('text with line breaks and quotation marks is whole beyond what a reader takes at once', async () => {
  const word = 'say ""so"", then\n'.repeat(40);
  const lines = Array.from({ length: 60_000 }, (_, i) => `"${word}",${i}\n`);
  const csv = await fixture.warehouse.write('long.csv', `word,id\n${lines.join('')}`);
  const columns = [
    { name: 'word', type: 'VARCHAR' },
    { name: 'id', type: 'INTEGER' },
  ];
  const parquet = `${csv}.parquet`;
  const warehouse = await fixture.warehouse.open(2);
  await stageQuery(warehouse, { columns, rows: lines.length, bytes: 0 }, { csv, parquet });
  const [row] = await warehouse.rows(
    `SELECT count(DISTINCT word) AS words, max(length(word)) AS length, sum(id) AS sum FROM '${parquet}'`,
  );
  expect(row).toEqual({ words: 1, length: 15 * 40, sum: (60_000 * 59_999) / 2 });
}, 30_000);

it('rows that are fewer than PostgreSQL counted are no extract', async () => {
  const { path: csv, ...copied } = await fixture.copy(`select * from generate_series(1, 3) as t(id)`);
  const warehouse = await fixture.warehouse.open();
  const staging = stageQuery(warehouse, { ...copied, rows: 4 }, { csv, parquet: `${csv}.parquet` });
  await expect(staging).rejects.toMatchObject({
    code: 'WAREHOUSE_FAILED',
    message: expect.stringMatching(/4 rows .* found 3/),
  });
});
