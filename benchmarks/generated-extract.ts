import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { generateTransactions } from '../pipelines/generator/transactions.ts';
import type { Log } from '../scripts/log.ts';
import { writeBatches } from '../store/warehouse/write-batches.ts';

/** A customer of this shop has 10.3 lines in twelve months. */
export const SHOP = { months: 12, until: '2026-06-30', seed: 7 };

/** Made once for each number of customers: it is the benchmark's input, not what is measured. */
export async function generatedExtract(folder: string, customers: number, log: Log): Promise<string> {
  const file = join(folder, `shop-${customers}-${SHOP.months}-months.parquet`);
  if (existsSync(file)) return file;
  await mkdir(folder, { recursive: true });
  const step = log.step(`Generating the transactions of ${customers} customers`);
  const { rows } = await writeBatches(generateTransactions({ ...SHOP, customers }), `${file}.incoming`);
  await rename(`${file}.incoming`, file);
  step.done(`${rows} rows`);
  return file;
}
