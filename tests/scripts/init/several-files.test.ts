import { join } from 'node:path';
import { expect, test } from 'vitest';
import { initCommand } from '../../../scripts/init/command.ts';
import { loadDefinition } from '../../../store/definitions.ts';
import { inFolder } from './in-folder.ts';
import { mixedMoney, plainCustomers, plainOrders, spentOn } from './made-files.ts';

const ANSWERED = ['--timezone', 'Europe/Berlin', '--currency', 'EUR'];

const here = inFolder(() => ({
  'orders.csv': plainOrders(),
  'codes.csv': mixedMoney({ isSign: false }),
  'people.csv': `${plainCustomers().replace('customer_id', 'number').replace(/^c1,/m, ',')}c7,gold,3,GB\n`,
  'decimal-points.csv': spentOn('.'),
  'decimal-commas.csv': spentOn(','),
}));

async function draft(...args: string[]): Promise<void> {
  const command = initCommand(new AbortController().signal, () => undefined);
  await command
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .parseAsync([...args, '--no-run'], { from: 'user' });
}

const drafted = async (name: string) => (await loadDefinition(here.definitions, name)).definition;

test('files of one table that are written in two ways: which file, and how', async () => {
  await expect(draft('decimal-points.csv', 'decimal-commas.csv', ...ANSWERED)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringMatching(
      /decimal-commas\.csv is written otherwise than decimal-points\.csv: fields end with ; .*ordered_at is written as %d\.%m\.%Y in place of ISO 8601, spent has a decimal comma in place of a point/,
    ),
  });
});

test('a key of customers that is called otherwise is known by its values, some of them missing', async () => {
  await draft('orders.csv', 'people.csv', ...ANSWERED);
  expect((await drafted('orders')).source).toMatchObject({
    customers: { path: join(here.folder, 'people.csv'), customer_id: 'number' },
  });
  expect(here.said.join('\n')).toMatch(
    /joined by number = customer_id of the transactions \(\d+(\.\d)? % of the values of customer_id are there\)/,
  );
});

test('a column that names the money is used, and said to be', async () => {
  await draft('codes.csv', '--timezone', 'UTC');
  expect(here.said.join('\n')).toMatch(/read for the currency: Currency/);
  expect(here.said.join('\n')).not.toMatch(/not used: .*Currency/);
});
