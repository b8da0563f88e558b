import { mkdir, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWarehouse, type Warehouse } from '../../../store/warehouse/duckdb.ts';
import { digestOfFile, type WarehouseFixture, warehouseFixture } from './fixture.ts';

let fixture: WarehouseFixture;
let warehouse: Warehouse;

beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

describe('columns', () => {
  it('gives numbers as float64 with NaN for NULL, and texts as UTF-8 with empty for NULL', async () => {
    const sql = `SELECT * FROM (VALUES (1, 'Zoë', 2.5::DECIMAL(18,4), true), (NULL, NULL, -1, false))
      AS t(whole, name, price, flag)`;
    const { rows, numbers, texts } = await warehouse.columns(sql);
    expect(rows).toBe(2);
    expect(numbers).toEqual({
      whole: Float64Array.of(1, Number.NaN),
      price: Float64Array.of(2.5, -1),
      flag: Float64Array.of(1, 0),
    });
    expect([...texts.name!.offsets]).toEqual([0, 4, 4]);
    expect(new TextDecoder().decode(texts.name!.bytes)).toBe('Zoë');
  });

  it('keeps every row in order beyond one block and one chunk', async () => {
    const { rows, numbers, texts } = await warehouse.columns(
      `SELECT range AS i, 'customer-' || lpad(range::VARCHAR, 9, '0') AS id FROM range(140001) ORDER BY id`,
    );
    expect(rows).toBe(140_001);
    expect(numbers.i!.every((value, row) => value === row)).toBe(true);
    const { offsets, bytes } = texts.id!;
    expect(offsets.every((offset, row) => offset === row * 18)).toBe(true);
    expect(new TextDecoder().decode(bytes.subarray(140_000 * 18))).toBe('customer-000140000');
  });

  it('gives texts of every length around what DuckDB keeps in place, whole', async () => {
    const { texts } = await warehouse.columns(
      `SELECT CASE WHEN range % 11 > 0 THEN repeat('aü€😀', range % 5) || repeat('x', range % 17) END AS name
        FROM range(5000) ORDER BY range`,
    );
    const { offsets, bytes } = texts.name!;
    const wanted = Array.from({ length: 5_000 }, (_, i) =>
      i % 11 > 0 ? 'aü€😀'.repeat(i % 5) + 'x'.repeat(i % 17) : '',
    );
    const found = wanted.map((_, i) => new TextDecoder().decode(bytes.subarray(offsets[i], offsets[i + 1])));
    expect(found).toEqual(wanted);
  });

  it('puts the rows of several queries one after the other, however long each takes', async () => {
    const slowFirst = [90_000, 3, 20_000, 0, 1].map(
      (rows, i) =>
        `SELECT range + ${i} AS n, 'of ' || ${i} AS name FROM range(${rows}) ORDER BY hash(range), n`,
    );
    const each = [];
    for (const sql of slowFirst) each.push(await warehouse.columns(sql));
    const together = await warehouse.columns(slowFirst);
    expect(together.rows).toBe(110_004);
    expect(together.numbers.n).toEqual(
      Float64Array.from(each.flatMap(({ numbers }) => Array.from(numbers.n!))),
    );
    const names = (from: number, to: number) =>
      new TextDecoder().decode(together.texts.name!.bytes.subarray(from, to));
    expect(names(0, 4)).toBe('of 0');
    expect(names(110_003 * 4, 110_004 * 4)).toBe('of 4');
  });

  it('of several queries one that fails is told, and the warehouse goes on', async () => {
    const failing = { sql: `SELECT CAST('x' AS INTEGER) AS n`, parts: [] };
    const long = 'SELECT count(*) AS n FROM range(3_000_000_000)';
    await expect(warehouse.columns([failing, long])).rejects.toMatchObject({ code: 'WAREHOUSE_FAILED' });
    await expect(warehouse.columns(['SELECT 1 AS n', failing, long])).rejects.toMatchObject({
      code: 'WAREHOUSE_FAILED',
    });
    expect((await warehouse.columns(['SELECT 1 AS n', 'SELECT 2 AS n'])).numbers.n).toEqual(
      Float64Array.of(1, 2),
    );
  });

  it('has columns of no rows when there are none', async () => {
    const { rows, numbers, texts } = await warehouse.columns(`SELECT 1 AS a, 'x' AS b WHERE false`);
    expect({ rows, numbers: numbers.a, offsets: texts.b!.offsets }).toEqual({
      rows: 0,
      numbers: new Float64Array(0),
      offsets: Uint32Array.of(0),
    });
  });
});

describe('copyToParquet', () => {
  const sql = `SELECT 'C' || hash(range) % 20000 AS id, (range % 977)::DECIMAL(18,4) AS price,
      TIMESTAMP '2026-01-01' + to_seconds(range * 31 % 999983) AS at
    FROM range(400000) ORDER BY ALL`;

  it('writes the same bytes for 1 and 2 threads and on a second run', async () => {
    const digests: string[] = [];
    for (const threads of [1, 2, 2]) {
      const own = await fixture.open(threads);
      const path = fixture.path(`copy-${digests.length}.parquet`);
      expect(await own.copyToParquet(sql, path)).toEqual({ rows: 400_000 });
      digests.push(await digestOfFile(path));
    }
    expect(new Set(digests).size).toBe(1);
  });

  it('keeps lists of few equal texts', async () => {
    for (const rows of [1, 2, 3, 9, 10]) {
      const path = fixture.path(`lists-${rows}.parquet`);
      await warehouse.copyToParquet(`SELECT ['malformed'] AS rules FROM range(${rows})`, path, {
        hasLists: true,
      });
      expect(await warehouse.rows(`SELECT DISTINCT rules[1] AS rule FROM '${path}'`)).toEqual([
        { rule: 'malformed' },
      ]);
    }
  });

  it('leaves a full disk recognisable for the caller', async () => {
    const full = await openWarehouse({
      threads: 1,
      memoryLimitMb: 200,
      tempFolder: fixture.path('spill-full'),
      allowedFolders: ['/dev/full'],
    });
    await expect(full.copyToParquet('SELECT * FROM range(1000)', '/dev/full')).rejects.toMatchObject({
      code: 'WAREHOUSE_FAILED',
      message: expect.stringContaining('No space left on device'),
    });
    full.close();
  });
});

describe('the lock: DuckDB works in the folders that a definition names, and nowhere else', () => {
  it.each([
    [`SELECT * FROM read_csv('/etc/passwd')`, /disabled by configuration/],
    [`SELECT * FROM read_text('/etc/passwd')`, /disabled by configuration/],
    [`SELECT * FROM read_blob('/etc/passwd')`, /disabled by configuration/],
    [`FROM '/etc/passwd.csv'`, /disabled by configuration|does not exist/],
    [`SELECT count(*) FROM glob('/etc/*')`, /disabled by configuration/],
    [`COPY (SELECT 1) TO '/tmp/strata-escape.parquet'`, /disabled by configuration/],
    [`ATTACH '/tmp/strata-escape.db'`, /disabled by configuration/],
    [`SELECT * FROM read_csv('https://example.com/a.csv')`, /disabled by configuration|Missing Extension/],
    ['SET enable_external_access = true', /locked|Cannot/],
    ['SET lock_configuration = false', /locked|Cannot/],
    [`SET allowed_directories = ['/']`, /locked|Cannot/],
    ['SET threads = 1', /locked/],
    ['INSTALL httpfs', /disabled by configuration/],
    [`LOAD '/tmp/strata-escape.duckdb_extension'`, /disabled (by|through) configuration/],
  ])('refuses %s', async (sql, message) => {
    await expect(warehouse.rows(sql)).rejects.toMatchObject({
      code: 'WAREHOUSE_FAILED',
      message: expect.stringMatching(message),
    });
  });

  it('refuses a path that climbs out of a folder it may read', async () => {
    for (const path of [`${fixture.folder}/../../etc/passwd`, `${fixture.folder}/./../../etc/passwd`]) {
      await expect(warehouse.rows(`SELECT * FROM read_text('${path}')`)).rejects.toThrow(
        /disabled by configuration/,
      );
    }
  });

  it('refuses a folder whose name only begins like one it may read', async () => {
    const beside = `${fixture.folder}-beside`;
    await mkdir(beside);
    await writeFile(`${beside}/a.csv`, 'a,b\n1,2\n');
    await expect(warehouse.rows(`FROM read_csv('${beside}/a.csv')`)).rejects.toThrow(
      /disabled by configuration/,
    );
    await rm(beside, { recursive: true });
  });
});

describe('failures', () => {
  it('quotes no value of a row', async () => {
    const error = await warehouse
      .rows(`SELECT CAST(id AS INTEGER) FROM (VALUES ('customer 17850')) AS t(id)`)
      .catch((caught) => caught);
    expect(error).toMatchObject({ code: 'WAREHOUSE_FAILED', details: { kind: 'Conversion' } });
    expect(`${error.message} ${error.cause}`).not.toMatch(/17850/);
  });

  it('names the part of the definition at fault', async () => {
    const parts = [
      { name: 'feature orders', sql: 'SELECT count(*) FROM range(3)' },
      { name: 'feature spendCents', sql: 'SELECT sum(amuont) FROM range(3)' },
    ];
    await expect(
      warehouse.columns({ sql: 'SELECT count(*), sum(amuont) FROM range(3)', parts }),
    ).rejects.toMatchObject({
      code: 'FEATURE_INVALID',
      message: expect.stringMatching(/^feature spendCents failed: .*amuont/),
    });
  });

  it('lays a failing value at its part too, without the value', async () => {
    const sql = `SELECT max(CAST(x AS INTEGER)) FROM (VALUES ('1'), ('secret')) AS t(x)`;
    const error = await warehouse.rows({ sql, parts: [{ name: 'rule x', sql }] }).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'FEATURE_INVALID', details: { part: 'rule x' } });
    expect(error.message).not.toMatch(/secret/);
  });

  it('stops when aborted, with the reason given, and works on afterwards', async () => {
    const abort = new AbortController();
    const endless = warehouse.rows(
      'SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b',
      {
        signal: abort.signal,
      },
    );
    setTimeout(() => abort.abort(new Error('cancelled by a person')), 100);
    await expect(endless).rejects.toThrow('cancelled by a person');
    expect(await warehouse.rows('SELECT 1::BIGINT AS one')).toEqual([{ one: 1 }]);
  }, 10_000);

  const ENDLESS = 'SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b';
  const FAILING = 'SELECT sum(amuont) FROM range(3)';

  it('stops while the part at fault is searched for', async () => {
    const abort = new AbortController();
    const parts = [
      { name: 'rule slow', sql: ENDLESS },
      { name: 'rule wrong', sql: FAILING },
    ];
    const searching = warehouse.rows({ sql: FAILING, parts }, { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('cancelled by a person')), 200);
    await expect(searching).rejects.toThrow('cancelled by a person');
    expect(await warehouse.rows('SELECT 1::BIGINT AS one')).toEqual([{ one: 1 }]);
  }, 10_000);

  it('looks at no further part once aborted', async () => {
    const abort = new AbortController();
    const parts = [
      {
        name: 'rule late',
        get sql() {
          abort.abort(new Error('cancelled by a person'));
          return FAILING;
        },
      },
    ];
    const searching = warehouse.rows({ sql: FAILING, parts }, { signal: abort.signal });
    await expect(searching).rejects.toThrow('cancelled by a person');
  });

  it('does not begin when already aborted', async () => {
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(warehouse.rows('SELECT 1', { signal })).rejects.toThrow('too late');
  });
});

it('runs calls made at once one after another', async () => {
  const answers = await Promise.all([1, 2, 3].map((i) => warehouse.rows(`SELECT ${i} AS i`)));
  expect(answers).toEqual([[{ i: 1 }], [{ i: 2 }], [{ i: 3 }]]);
});
