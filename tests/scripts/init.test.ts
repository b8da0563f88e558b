import { chmod, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { RunSummary } from '../../pipelines/contracts/run.ts';
import { PROJECT_FOLDER } from '../../scripts/config.ts';
import { initCommand } from '../../scripts/init/command.ts';
import { loadDefinition } from '../../store/definitions.ts';
import { inFolder } from './init/in-folder.ts';
import {
  ambiguousDates,
  germanCustomers,
  germanTill,
  mixedMoney,
  monthFirst,
  plainCustomers,
  plainOrders,
  plainOrdersZipped,
  withFuture,
} from './init/made-files.ts';

const DATA = process.env.STRATA_REAL_DATA;
const ANSWERED = ['--timezone', 'Europe/Berlin', '--currency', 'EUR'];

const here = inFolder(() => ({
  'Bestellungen 2025.csv': germanTill(),
  'Kunden.csv': germanCustomers(),
  'orders.csv': plainOrders(),
  'more-orders.csv.gz': plainOrdersZipped(),
  'ambiguous.csv': ambiguousDates(),
  'month-first.csv': monthFirst(),
  'future.csv': withFuture(),
  'signs.csv': mixedMoney({ isSign: true }),
  'codes.csv': mixedMoney({ isSign: false }),
  'customers.csv': plainCustomers(),
  'empty.csv': '',
  'header.csv': 'customer_id,ordered_at,amount\n',
  'no-customer.csv': 'ordered_at,amount\n2025-01-01,3.5\n2025-02-02,4.5\n',
  'no-time.csv': 'customer,amount\na,3.5\nb,4.5\na,1.25\n',
  'no-money.csv': 'customer,ordered_at\na,2025-01-01\nb,2025-02-02\na,2025-03-03\n',
  'all-refused.csv': 'customer,ordered_at,amount\na,2025-01-01,-1.5\nb,2025-02-02,-2.5\nc,2025-02-02,0\n',
  'ragged.csv': `${plainOrders().trimEnd()}\ntoo,few\n`,
  'other.csv': 'colour,weight\nred,1.5\nblue,2.5\n',
}));

async function init(...args: string[]): Promise<number> {
  let exitCode = -1;
  const command = initCommand(new AbortController().signal, (code) => {
    exitCode = code;
  });
  await command
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .parseAsync(args, { from: 'user' });
  return exitCode;
}

const draft = (...args: string[]) => init(...args, '--no-run');
const drafted = async (name: string) => (await loadDefinition(here.definitions, name)).definition;

describe('what a file and flags do not say is asked for by name', () => {
  test('zone and currency, in one answer', async () => {
    await expect(draft('orders.csv')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(
        /--currency CODE.*--timezone ZONE \(the times of ordered_at carry no zone/,
      ),
    });
  });

  test.each([
    ['ambiguous.csv', ANSWERED, 'INPUT_INVALID', /--time-format "%d\/%m\/%Y" .*no day is above 12/],
    ['no-customer.csv', ANSWERED, 'INPUT_INVALID', /--customer COLUMN .*there are ordered_at, amount/],
    ['no-time.csv', ANSWERED, 'INPUT_INVALID', /--time COLUMN/],
    ['no-money.csv', ANSWERED, 'INPUT_INVALID', /--amount COLUMN/],
    ['all-refused.csv', ANSWERED, 'INPUT_INVALID', /at least 2 customers.*without-amount.*--returns keep/],
    ['empty.csv', ANSWERED, 'EXTRACT_EMPTY', /empty\.csv has no content/],
    ['header.csv', ANSWERED, 'EXTRACT_EMPTY', /header\.csv has columns and no rows/],
    ['nowhere.csv', ANSWERED, 'EXTRACT_NOT_FOUND', /nowhere\.csv/],
    [
      'orders.csv',
      [...ANSWERED, '--customer', 'Kunde'],
      'EXTRACT_COLUMN_MISSING',
      /--customer Kunde.*it has order_id, customer_id/,
    ],
    ['orders.csv', [...ANSWERED, '--customer', 'none'], 'INPUT_INVALID', /--customer COLUMN/],
    ['orders.csv', [...ANSWERED, '--json', 'nowhere/out.json'], 'CONFIG_INVALID', /--json needs a folder/],
  ])('%s %j: %s', async (file, args, code, message) => {
    await expect(draft(file, ...args)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    await expect(loadDefinition(here.definitions, file.replace('.csv', ''))).rejects.toMatchObject({
      code: 'PIPELINE_UNKNOWN',
    });
  });

  test.each([
    ['--timezone', 'CEST'],
    ['--timezone', '+01:00'],
    ['--currency', 'Euros'],
    ['--returns', 'perhaps'],
    ['--name', 'My Shop'],
    ['--owner', ''],
    ['--as-of', 'yesterday'],
  ])('%s %s is refused before the file is looked at', async (flag, value) => {
    await expect(draft('nowhere.csv', flag, value)).rejects.toMatchObject({
      code: 'commander.invalidArgument',
    });
  });

  test('files that are neither one table nor transactions and customers', async () => {
    await expect(draft('orders.csv', 'other.csv', ...ANSWERED)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(
        /orders\.csv.*other\.csv \(colour, weight\): orders\.csv has money.*other\.csv.*--customer.*source\.customers/,
      ),
    });
  });
});

describe('what is drafted', () => {
  test('a file of a German till: its columns, encoding, times, numbers and missing values', async () => {
    expect(await draft('Bestellungen 2025.csv', '--timezone', 'europe/berlin')).toBe(0);
    const { source, currency, contract } = await drafted('bestellungen-2025');
    expect(currency).toBe('EUR');
    expect(source).toMatchObject({
      path: join(here.folder, 'Bestellungen 2025.csv'),
      columns: {
        customer_id: 'Kunden-Nr',
        ordered_at: 'Belegdatum',
        order_id: 'Beleg-Nr',
        quantity: 'Menge',
        unit_price: 'Stückpreis',
        amount: 'Betrag',
        category: 'Warengruppe',
        country: 'Land',
      },
      format: { encoding: 'windows-1252', times: ['%d.%m.%Y %H:%M'], decimal: ',', missing: ['NULL'] },
      timezone: 'Europe/Berlin',
    });
    expect(contract.rules.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['cancellation', 'amount-differs']),
    );
    expect(here.said.join('\n')).toMatch(/customer {2}Kunden-Nr .*its name says kunden/);
    expect(here.said.join('\n')).toMatch(/cancellation +\d+ .*begins with S/);
  });

  test('a line that cannot be split is a row, and refused', async () => {
    await draft('orders.csv', ...ANSWERED);
    const [, whole] = /drafted: ([\d,]+) rows/.exec(here.said.join('\n'))!;
    here.said = [];
    await draft('ragged.csv', ...ANSWERED);
    const [, ragged] = /drafted: ([\d,]+) rows/.exec(here.said.join('\n'))!;
    const count = (text: string | undefined) => Number(text!.replaceAll(',', ''));
    expect(count(ragged)).toBe(count(whole) + 1);
    expect(here.said.join('\n')).toMatch(/unreadable-line +1 /);
    expect(here.said[0]).toMatch(/^ragged\.csv: [\d,]+ rows \(1 line cannot be split\), /);
  });

  test('months before days where a day above 12 says so', async () => {
    await draft('month-first.csv', ...ANSWERED);
    expect((await drafted('month-first')).source).toMatchObject({ format: { times: ['%m/%d/%Y'] } });
  });

  test('the format that a person names', async () => {
    await draft('ambiguous.csv', ...ANSWERED, '--time-format', '%m/%d/%Y');
    expect((await drafted('ambiguous')).source).toMatchObject({ format: { times: ['%m/%d/%Y'] } });
  });

  test('roles that a person names or leaves out', async () => {
    await draft('orders.csv', ...ANSWERED, '--order', 'none', '--category', 'Order_ID');
    const { source } = await drafted('orders');
    expect(source.columns).toMatchObject({ category: 'order_id' });
    expect(source.columns).not.toHaveProperty('order_id');
  });

  test('several files of the same columns are one source, and a table of customers is the second', async () => {
    await draft('orders.csv', 'more-orders.csv.gz', ...ANSWERED);
    expect((await drafted('orders')).source).toMatchObject({
      path: [join(here.folder, 'orders.csv'), join(here.folder, 'more-orders.csv.gz')],
    });
    await draft('Kunden.csv', 'Bestellungen 2025.csv', ...ANSWERED);
    const { source } = await drafted('bestellungen-2025');
    expect(source).toMatchObject({
      path: join(here.folder, 'Bestellungen 2025.csv'),
      customers: {
        path: join(here.folder, 'Kunden.csv'),
        customer_id: 'Kunden-Nr',
        attributes: {
          geburtsjahr: { column: 'Geburtsjahr', type: 'number' },
          newsletter: { column: 'Newsletter', type: 'boolean' },
          ort: { column: 'Ort', type: 'text' },
          angemeldet_am: { column: 'Angemeldet am', type: 'time' },
        },
      },
    });
    expect(source).not.toHaveProperty('customers.attributes.name');
    expect(here.said.join('\n')).toMatch(
      /· orders\.csv, more-orders\.csv\.gz have the same columns: one table/,
    );
    expect(here.said.join('\n')).toMatch(
      /· transactions: Bestellungen 2025\.csv\n.*· customers: Kunden\.csv, 120 rows, joined by Kunden-Nr = Kunden-Nr of the transactions \(100 % of the values of Kunden-Nr are there\); gives Geburtsjahr, /,
    );
  });

  test('money of several currencies is told: by signs it is refused, by a column warned of in every run', async () => {
    await draft('signs.csv', '--timezone', 'UTC', '--currency', 'GBP');
    const [, dollars] =
      /amount has money of several currencies \(GBP in [\d,]+ rows, USD in (\d+) rows\)/.exec(
        here.said.join('\n'),
      )!;
    expect(here.said.join('\n')).toMatch(new RegExp(`unreadable +${dollars} `));
    here.said = [];
    await draft('codes.csv', '--timezone', 'UTC', '--currency', 'GBP');
    expect(here.said.join('\n')).toMatch(
      new RegExp(
        `Currency names several currencies \\(GBP in .*, USD in ${dollars} rows\\), and all are added up`,
      ),
    );
    const { source, contract } = await drafted('codes');
    expect(source.attributes).toMatchObject({ currency: { column: 'Currency' } });
    expect(contract.rules.find(({ name }) => name === 'other-currency')).toMatchObject({ severity: 'warn' });
  });

  test('no value of a row is in the files, beside the words of countries and channels', async () => {
    await draft('Bestellungen 2025.csv', ...ANSWERED);
    const { files } = await loadDefinition(here.definitions, 'bestellungen-2025');
    for (const text of Object.values(files)) expect(text).not.toMatch(/\b0\d{4}\b|S?70\d{3}\b|Möbel/);
  });

  test('the same file gives the same definition, whatever the order of its rows', async () => {
    await draft('orders.csv', ...ANSWERED);
    const first = await loadDefinition(here.definitions, 'orders');
    const [header, ...rows] = plainOrders().trim().split('\n');
    await mkdir(join(here.folder, 'again'), { recursive: true });
    await writeFile(join(here.folder, 'again', 'orders.csv'), `${[header, ...rows.reverse()].join('\n')}\n`);
    await draft('again/orders.csv', ...ANSWERED, '--force');
    const { files } = await loadDefinition(here.definitions, 'orders');
    expect(files.contract).toBe(first.files.contract);
    expect(files.pipeline.replace('/again/', '/')).toBe(first.files.pipeline);
  });
});

describe('what is said around it', () => {
  const help = () => initCommand(new AbortController().signal, () => undefined).helpInformation();

  test('help says what each column is for, and what is read', () => {
    expect(help().replace(/\s+/g, ' ')).toMatch(
      /--loaded-at <column> column that says when the row was loaded/,
    );
    expect(help()).not.toContain('default: []');
    expect(help().replace(/\s+/g, ' ')).toMatch(/\.tsv.*\.zst.* Parquet: transactions/);
  });

  test('who only writes is told what comes next', async () => {
    await writeFile(join(here.folder, 'one.csv'), withFuture().replace(/90002.*\n$/, ''));
    await draft('one.csv', ...ANSWERED);
    expect(here.said.join('\n')).toContain('1 row lies in the future');
    const steps = here.said.at(-1)!.split('\n');
    expect(steps[0]).toBe('What is next:');
    expect(steps.at(-1)).toMatch(/^ {2}run it {2,}npm start -- --pipeline one$/);
    expect(new Set(steps.slice(1).map((step) => step.search(/\S+( \S+)*$/)))).toHaveProperty('size', 1);
  });
});

describe('a definition that is there already', () => {
  test('is written over by force alone', async () => {
    await draft('orders.csv', ...ANSWERED);
    await expect(draft('orders.csv', ...ANSWERED)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/orders is there already: write it anew with --force/),
    });
    expect(await draft('orders.csv', '--timezone', 'UTC', '--currency', 'GBP', '--force')).toBe(0);
    expect((await drafted('orders')).currency).toBe('GBP');
  });

  test('stays when a person wrote it, by force too', async () => {
    await mkdir(join(here.definitions, 'mine'));
    await writeFile(join(here.definitions, 'mine', 'pipeline.yaml'), 'pipeline: mine\n');
    await expect(draft('orders.csv', ...ANSWERED, '--name', 'mine', '--force')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('a person wrote it'),
    });
    expect(await readFile(join(here.definitions, 'mine', 'pipeline.yaml'), 'utf8')).toBe('pipeline: mine\n');
  });

  test('of those that come with Strata is not stood before', async () => {
    await writeFile(join(here.folder, 'shop.csv'), plainOrders());
    await draft('shop.csv', ...ANSWERED);
    expect((await drafted('shop-2')).pipeline).toBe('shop-2');
    await expect(draft('shop.csv', ...ANSWERED, '--name', 'shop', '--force')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/definitions\/shop is there already: .* another name with --name$/),
    });
  });
});

describe('docs/first-pipeline.md', () => {
  const page = readFile(join(PROJECT_FOLDER, 'docs/first-pipeline.md'), 'utf8');

  test('names no flag that there is not, and leaves none out', async () => {
    const command = initCommand(new AbortController().signal, () => undefined);
    const taken = command.options.map(({ long }) => long!.replace('--no-', '--'));
    const named = (await page).match(/--(no-)?[a-z][a-z-]*/g)!.map((flag) => flag.replace('--no-', '--'));
    const ofStart = ['--once', '--pipeline', '--extract'];
    expect(new Set(named.filter((flag) => !ofStart.includes(flag)))).toEqual(new Set(taken));
  });

  test('its commands with flags do what they say', async () => {
    const typed = [...(await page).matchAll(/^npm run strata -- init (.*--timezone.*)$/gm)].map(([, args]) =>
      args!.split(' '),
    );
    expect(typed.length).toBe(2);
    await writeFile(join(here.folder, 'customers.csv'), plainCustomers());
    for (const args of typed) expect(await draft(...args, '--force')).toBe(0);
    expect((await drafted('orders')).source).toMatchObject({
      customers: { customer_id: 'customer_id', attributes: { customer_country: { column: 'country' } } },
    });
  });
});

describe('from a file to segments', () => {
  const run = async (...args: string[]): Promise<RunSummary> => {
    const home = await mkdtemp(join(here.folder, 'home-'));
    await chmod(home, 0o755);
    vi.stubEnv('STRATA_HOME', home);
    const json = join(home, 'out.json');
    expect(await init(...args, '--json', json)).toBe(0);
    return JSON.parse(await readFile(json, 'utf8')) as RunSummary;
  };

  test('a small file in one go, though two rows lie in the future', async () => {
    const summary = await run('future.csv', ...ANSWERED, '--k', '3');
    expect(summary).toMatchObject({ pipeline: 'future', outcome: 'published', k: 3 });
    expect(summary.asOf).toMatch(/^2025-12-/);
    expect(summary.counts.customers).toBe(120);
    expect(here.said.join('\n')).toMatch(
      /2 rows lie in the future[\s\S]*✓ published {2}.*future[\s\S]*npm start -- --pipeline future/,
    );
  }, 180_000);

  test.skipIf(!DATA)(
    'Online Retail: every row accepted or refused with a reason',
    async () => {
      const file = join(DATA!, 'online_retail/online_retail.parquet');
      const { counts, outcome, pipeline, segments } = await run(
        file,
        '--timezone',
        'Europe/London',
        '--currency',
        'GBP',
      );
      expect({ outcome, pipeline }).toEqual({ outcome: 'published', pipeline: 'online-retail-2' });
      expect(counts).toMatchObject({ rowsRead: 541_909, rowsAccepted: 397_884, customers: 4_338 });
      const reasons = counts.quarantinedBy.reduce((sum, { rows }) => sum + rows, 0);
      expect(counts.rowsAccepted + reasons).toBe(541_909);
      expect(segments.length).toBeGreaterThanOrEqual(3);
    },
    300_000,
  );
});
