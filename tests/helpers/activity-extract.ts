import { join } from 'node:path';
import { generateTransactions } from '../../pipelines/generator/transactions.ts';
import { openWarehouse } from '../../store/warehouse/duckdb.ts';
import { writeBatches } from '../../store/warehouse/write-batches.ts';

/** Every customer id of the extract begins with it, so that one that leaked anywhere is found. */
export const ID_MARK = 'kunde-';

/** A file as the built-in shop would export it, small and quickly read, with ids that cannot be mistaken for a number. */
export async function writeShopExtract(
  folder: string,
  { customers }: { customers: number },
): Promise<string> {
  const plain = join(folder, 'plain.parquet');
  const path = join(folder, 'extract.parquet');
  const plan = { customers, months: 12, until: '2026-06-30', seed: 1 };
  await writeBatches(generateTransactions(plan), plain, { tempFolder: folder });
  const warehouse = await openWarehouse({
    threads: 1,
    memoryLimitMb: 512,
    tempFolder: folder,
    allowedFolders: [folder],
  });
  try {
    await warehouse.copyToParquet(
      `SELECT * REPLACE ('${ID_MARK}' || customer_number AS customer_number) FROM read_parquet('${plain}')`,
      path,
    );
  } finally {
    warehouse.close();
  }
  return path;
}
