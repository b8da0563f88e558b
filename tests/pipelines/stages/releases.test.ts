import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Contract } from '../../../pipelines/contracts/contract.ts';
import {
  type Choice,
  choiceCountsSql,
  type ExtractColumn,
  joinReleasesSql,
  mergedReleasesSql,
  otherRulesSql,
  type RowsFile,
  releasedRowsSql,
  withReleases,
} from '../../../pipelines/stages/releases.ts';
import { acceptedSql } from '../../../pipelines/stages/validate.ts';
import type { Row, Warehouse } from '../../../store/warehouse/duckdb.ts';
import { digestOfFile, type WarehouseFixture, warehouseFixture } from '../../store/warehouse/fixture.ts';

let fixture: WarehouseFixture;
let warehouse: Warehouse;
beforeAll(async () => {
  fixture = await warehouseFixture();
  warehouse = await fixture.open();
});
afterAll(() => fixture.remove());

let files = 0;

async function rowsFile(path: string, on = warehouse): Promise<RowsFile> {
  const from = `read_parquet('${path}')`;
  const described = await on.rows(`DESCRIBE SELECT * FROM ${from}`);
  return {
    from,
    columns: described.map(
      (row): ExtractColumn => ({ name: String(row.column_name), type: String(row.column_type) }),
    ),
  };
}

async function written(sql: string, on = warehouse): Promise<RowsFile & { path: string }> {
  const path = fixture.path(`rows-${++files}.parquet`);
  await on.copyToParquet(sql, path);
  return { ...(await rowsFile(path, on)), path };
}

/** `a 1 9.00`: customer a, January 1st, 9.00; `-` is NULL. */
function lines(texts: readonly string[], more = ''): string {
  const values = texts.map((text, i) => {
    const [customer, day, amount] = text.split(' ') as [string, string, string];
    const or = (value: string, sql: string) => (value === '-' ? 'NULL' : sql);
    return `(${i}, ${or(customer, `'${customer}'`)}, ${or(day, `TIMESTAMP '2026-01-01' + to_days(${Number(day) - 1})`)}, ${or(amount, amount)})`;
  });
  return `SELECT CAST(customer_id AS VARCHAR) AS customer_id, CAST(ordered_at AS TIMESTAMP) AS ordered_at,
  CAST(amount AS DECIMAL(18,4)) AS amount, CAST(NULL AS VARCHAR) AS malformed${more}
FROM (VALUES ${values.join(', ')}) AS t(place, customer_id, ordered_at, amount)
${texts.length === 0 ? 'WHERE false' : 'ORDER BY customer_id, ordered_at, place'}`;
}

/** An extract of no rows takes one that the WHERE drops. */
const extractOf = (texts: readonly string[], more?: string) =>
  written(lines(texts, more).replace('(VALUES )', "(VALUES (0, 'a', TIMESTAMP '2026-01-01', 1))"));

async function joined(
  source: readonly string[],
  released: readonly (readonly string[])[],
  asOf = '2026-02-01',
): Promise<string[]> {
  const extract = await extractOf(source);
  const merged = await written(mergedReleasesSql(await Promise.all(released.map((rows) => extractOf(rows)))));
  const rows = await warehouse.rows(joinReleasesSql({ extract, releases: merged, unique: [], asOf }));
  return rows.map(textOf);
}

const textOf = (row: Row) =>
  `${row.customer_id ?? '-'} ${row.ordered_at === null ? '-' : Number(String(row.ordered_at).slice(8, 10))} ${row.amount}${row.is_released ? ' released' : ''}`;

describe('the contract of a run with releases', () => {
  const contract: Contract = {
    version: 1,
    rules: [
      { name: 'amount', check: 'amount > 0 -- money', severity: 'reject', reason: 'free' },
      { name: 'known', check: 'customer_id IS NOT NULL', severity: 'fail', reason: 'nobody' },
      { name: 'large', check: 'amount < 5', severity: 'warn', reason: 'odd' },
    ],
    thresholds: { warnRefusedShare: 0.2, failRefusedShare: 0.5, minimumCustomers: 2 },
  };

  test('lets released rows through every rule that refuses, warns of them still, and leaves the original as it was', async () => {
    const before = structuredClone(contract);
    const released = withReleases(contract);
    expect(contract).toEqual(before);
    expect(released.rules[2]).toEqual(contract.rules[2]);
    const [row] = await warehouse.rows(`SELECT count(*) FILTER (WHERE ${acceptedSql(released)}) AS accepted
      FROM (VALUES ('a', -1, true), ('a', -1, false), ('a', NULL, true), ('a', NULL, false), ('b', 1, false))
        AS t(customer_id, amount, is_released)`);
    expect(row).toEqual({ accepted: 3 });
  });
});

describe('rows chosen for a release', () => {
  const QUARANTINE = `SELECT * FROM (VALUES
    ('free', ['free'], 'b', TIMESTAMP '2026-01-02', 0.0, NULL, false),
    ('free', ['free'], 'a', TIMESTAMP '2026-01-02', 0.0, NULL, false),
    ('free', ['free'], 'a', TIMESTAMP '2026-01-02', 0.0, NULL, true),
    ('free', ['free', 'void'], 'c', TIMESTAMP '2026-01-02', 0.0, NULL, false),
    ('free', ['free'], NULL, TIMESTAMP '2026-01-02', 0.0, NULL, false),
    ('free', ['free'], 'd', NULL, 0.0, 'ordered_at=soon', false),
    ('free', ['free'], 'd', TIMESTAMP '2026-01-02', NULL, 'unit_price=x', false),
    ('line', ['line', 'free'], NULL, NULL, NULL, 'line 17: has 7 fields', false),
    ('void', ['void'], 'e', TIMESTAMP '2026-01-02', 5.0, NULL, false)
  ) AS t(refused_by, broken_rules, customer_id, ordered_at, amount, malformed, is_duplicate)`;

  async function choose(rules: string[], where: string | null = null) {
    const choice: Choice = { quarantine: await written(QUARANTINE), rules, where };
    const counts = await warehouse.rows(choiceCountsSql(choice));
    return {
      choice,
      counts: counts.map((row) => [row.held_back, row.rows]),
      others: await warehouse.rows(otherRulesSql(choice)),
      rows: await warehouse.rows(releasedRowsSql(choice)),
    };
  }

  test('are those that can join a run and break no other rule; of each of the others is said why not', async () => {
    const { counts, others, rows } = await choose(['free']);
    expect(counts).toEqual([
      [null, 3],
      ['no-amount', 1],
      ['no-customer', 1],
      ['no-time', 1],
      ['other-rules', 1],
      ['unreadable-line', 1],
    ]);
    expect(others).toEqual([{ rule: 'void', rows: 1 }]);
    expect(rows.map((row) => row.customer_id)).toEqual(['a', 'a', 'b']);
    expect(Object.keys(rows[0]!)).toEqual(['customer_id', 'ordered_at', 'amount', 'malformed']);
  });

  test('are more with every rule that is named, fewer by a condition', async () => {
    expect((await choose(['free', 'void'])).rows.map((row) => row.customer_id)).toEqual([
      'a',
      'a',
      'b',
      'c',
      'e',
    ]);
    const { counts, rows } = await choose(['free'], "customer_id = 'b' -- only b");
    expect(counts).toEqual([[null, 1]]);
    expect(rows).toHaveLength(1);
  });

  test('are named by a condition: one that cannot be computed is told apart from a fault of ours', async () => {
    await expect(choose(['free'], "customer = 'b'")).rejects.toMatchObject({
      code: 'FEATURE_INVALID',
      message: expect.stringMatching(/^--where failed: Binder error: .*"customer"/) as string,
    });
  });
});

describe('an extract with releases', () => {
  test('has its rows in order, marked where they were released', async () => {
    expect(await joined(['a 1 1', 'b 2 0', 'b 3 0', '- 1 2'], [['b 2 0']])).toEqual([
      'a 1 1',
      'b 2 0 released',
      'b 3 0',
      '- 1 2',
    ]);
  });

  test('gets the released rows that the source does not bring, before the as-of date, in their places', async () => {
    expect(
      await joined(['b 2 1', 'b 2 3', 'c 1 1'], [['a 9 0', 'b 2 2', 'z 1 0', 'b 31 0']], '2026-01-31'),
    ).toEqual(['a 9 0 released', 'b 2 1', 'b 2 3', 'b 2 2 released', 'c 1 1', 'z 1 0 released']);
  });

  test.each([
    ['two equal rows of the source are both released', ['a 1 0', 'a 1 0'], [['a 1 0']], 2, 2],
    ['two that were released come back as two', [], [['a 1 0', 'a 1 0']], 2, 2],
    ['of two, the one that the source lacks is added', ['a 1 0'], [['a 1 0', 'a 1 0']], 2, 2],
    ['a row that two releases hold is there once', [], [['a 1 0'], ['a 1 0', 'b 1 0']], 2, 2],
    ['of two releases the one with more equal rows counts', [], [['a 1 0', 'a 1 0'], ['a 1 0']], 2, 2],
  ])('%s', async (_, source, released, rows, marked) => {
    const found = await joined(source, released);
    expect([found.length, found.filter((text) => text.endsWith('released')).length]).toEqual([rows, marked]);
  });

  test('takes NULL for equal to NULL, and never a number for another', async () => {
    const extract = await written(
      `${lines(['a 1 0', 'b 1 0'], `, CASE WHEN place = 0 THEN 7 END AS quantity`)}`,
    );
    const released = await written(`${lines(['a 1 0', 'b 1 0'], `, CAST(NULL AS INTEGER) AS quantity`)}`);
    const merged = await written(mergedReleasesSql([released]));
    const rows = await warehouse.rows(
      joinReleasesSql({ extract, releases: merged, unique: [], asOf: '2026-02-01' }),
    );
    expect(rows.map((row) => [row.customer_id, row.quantity, row.is_released])).toEqual([
      ['a', 7, false],
      ['a', null, true],
      ['b', null, true],
    ]);
  });

  test('law: what the source brings stays as it is, and every released row of the time is there, marked, as often as it was released at least', async () => {
    const row = fc.tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(0, 1),
    );
    const text = row.map(([customer, day, amount]) => `${customer} ${day} ${amount}`);
    const some = fc.array(text, { maxLength: 8 });
    const releases = fc.array(fc.array(text, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 });
    const count = (texts: readonly string[], wanted: string) => texts.filter((one) => one === wanted).length;
    await fc.assert(
      fc.asyncProperty(some, releases, async (source, released) => {
        const found = await joined(source, released, '2026-01-08');
        const all = found.map((one) => one.replace(' released', ''));
        for (const one of new Set([...source, ...released.flat()])) {
          const most = Math.max(...released.map((rows) => count(rows, one)));
          const due = Number(one.split(' ')[1]) < 8 ? most : 0;
          expect(count(all, one)).toBe(Math.max(count(source, one), due));
          expect(count(found, `${one} released`)).toBe(most > 0 ? count(all, one) : 0);
        }
        const order = (one: string) => one.split(' ').slice(0, 2).join(' ');
        expect(all.map(order)).toEqual(all.map(order).sort());
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('where there is a table of customers', () => {
  const marked = (isKnown: boolean) => `, ${isKnown} AS is_known_customer`;

  test('a released row is the same row once its customer becomes known, and is not added again', async () => {
    const extract = await extractOf(['a 1 0', 'b 1 5'], marked(true));
    // Released twice: before the customer was known and after.
    const releases = await written(
      mergedReleasesSql([
        await extractOf(['a 1 0'], marked(false)),
        await extractOf(['a 1 0'], marked(true)),
      ]),
    );
    const rows = await warehouse.rows(joinReleasesSql({ extract, releases, unique: [], asOf: '2026-02-01' }));
    expect(rows.map((row) => [textOf(row), row.is_known_customer])).toEqual([
      ['a 1 0 released', true],
      ['b 1 5', true],
    ]);
  });

  test('of an added row the table of the run says whether its customer is known', async () => {
    const extract = await extractOf([], marked(true));
    const release = await extractOf(['a 1 0', 'b 1 0'], marked(false));
    const releases = await written(mergedReleasesSql([release]));
    const known = `(VALUES ('b'), (NULL)) AS t(customer_id)`;
    const rows = await warehouse.rows(
      joinReleasesSql({ extract, releases, unique: [], known: `(FROM ${known})`, asOf: '2026-02-01' }),
    );
    expect(rows.map((row) => [row.customer_id, row.is_known_customer])).toEqual([
      ['a', false],
      ['b', true],
    ]);
  });
});

describe('where a key names one row', () => {
  const withKey = (rows: [string, number, string | null, boolean?][]) =>
    written(`SELECT CAST(customer_id AS VARCHAR) AS customer_id, TIMESTAMP '2026-01-01' + to_days(day) AS ordered_at,
      CAST(amount AS DECIMAL(18,4)) AS amount, CAST(line_id AS VARCHAR) AS line_id, CAST(NULL AS VARCHAR) AS malformed, is_duplicate
    FROM (VALUES ${rows.map(([customer, amount, line, duplicate = false]) => `('${customer}', 1, ${amount}, ${line === null ? 'NULL' : `'${line}'`}, ${duplicate})`).join(', ')})
      AS t(customer_id, day, amount, line_id, is_duplicate) ORDER BY customer_id, amount`);

  async function joinedByKey(
    source: Parameters<typeof withKey>[0],
    released: Parameters<typeof withKey>[0],
  ): Promise<unknown[][]> {
    const extract = await withKey(source);
    const choice = { from: (await withKey(released)).from };
    const rows = await written(`SELECT * EXCLUDE (is_duplicate) FROM ${choice.from}`);
    const releases = await written(mergedReleasesSql([rows]));
    const found = await warehouse.rows(
      joinReleasesSql({ extract, releases, unique: ['line_id'], asOf: '2026-02-01' }),
    );
    return found.map((row) => [row.customer_id, row.amount, row.line_id, row.is_duplicate, row.is_released]);
  }

  test('a row that the source has mended since is not added beside it', async () => {
    expect(
      await joinedByKey(
        [['a', 5, '1']],
        [
          ['a', 0, '1'],
          ['a', 0, '2'],
        ],
      ),
    ).toEqual([
      ['a', 5, '1', false, false],
      ['a', 0, '2', false, true],
    ]);
  });

  test('released duplicates are added all, and said to be duplicates; without a key none is', async () => {
    expect(
      await joinedByKey(
        [['b', 1, '1']],
        [
          ['a', 0, '2'],
          ['a', 0, '2'],
          ['a', 0, null],
          ['a', 0, null],
        ],
      ),
    ).toEqual([
      ['a', 0, '2', false, true],
      ['a', 0, '2', true, true],
      ['a', 0, null, false, true],
      ['a', 0, null, false, true],
      ['b', 1, '1', false, false],
    ]);
  });
});

describe('when the definition has changed between the releases and the run', () => {
  const shaped = (columns: string) =>
    written(
      `SELECT customer_id, ordered_at, amount, malformed, ${columns} FROM (${lines(['a 1 0', 'a 1 0', 'b 1 0'])})`,
    );

  test('rows are known by the columns that all have; what only some tell comes with the rows added', async () => {
    const old = await shaped(`'x' AS channel`);
    const recent = await shaped(`'x' AS channel, customer_id || '!' AS city`);
    const releases = await written(mergedReleasesSql([old, recent]));
    const extract = await written(`${lines(['a 1 0'], `, 'Rome' AS city, 7 AS quantity`)}`);
    const rows = await warehouse.rows(
      joinReleasesSql({ extract, releases, unique: ['line_id'], asOf: '2026-02-01' }),
    );
    expect(rows.map((row) => [row.customer_id, row.city, row.quantity, row.is_released])).toEqual([
      ['a', 'Rome', 7, true],
      ['a', 'a!', null, true],
      ['b', 'b!', null, true],
    ]);
  });

  test('a column that had another type is compared as text', async () => {
    const releases = await written(
      mergedReleasesSql([await shaped('7 AS size'), await shaped(`'7' AS size`)]),
    );
    const extract = await written(lines(['a 1 0', 'a 1 0', 'b 1 0'], ', 7 AS size'));
    const rows = await warehouse.rows(joinReleasesSql({ extract, releases, unique: [], asOf: '2026-02-01' }));
    expect(rows.map((row) => [row.customer_id, row.is_released])).toEqual([
      ['a', true],
      ['a', true],
      ['b', true],
    ]);
  });
});

test('the same bytes for any number of threads', async () => {
  const digests = new Set<string>();
  for (const threads of [1, 2, 4]) {
    const on = await fixture.open(threads);
    const rows = (from: number, every: number) => `SELECT CAST(i % 5000 AS VARCHAR) AS customer_id,
      TIMESTAMP '2026-01-01' + to_minutes(i % 997) AS ordered_at, CAST(i % 7 AS DECIMAL(18,4)) AS amount,
      CAST(NULL AS VARCHAR) AS malformed FROM range(${from}, 300000) AS t(i) WHERE i % ${every} = 0`;
    const extract = await written(`FROM (${rows(50_000, 1)}) ORDER BY ALL`, on);
    const releases = await written(
      mergedReleasesSql([await written(rows(0, 50), on), await written(rows(0, 30), on)]),
      on,
    );
    const { path } = await written(
      joinReleasesSql({ extract, releases, unique: [], asOf: '2026-02-01' }),
      on,
    );
    digests.add((await digestOfFile(releases.path)) + (await digestOfFile(path)));
  }
  expect(digests.size).toBe(1);
}, 60_000);
