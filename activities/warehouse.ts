import { quoteText } from '../pipelines/contracts/sql-quote.ts';
import { openWarehouse, type Warehouse } from '../store/warehouse/duckdb.ts';
import type { ActivityContext } from './context.ts';

/** A DuckDB of this activity alone, locked to the artifacts and, where given, to the folders of the source. */
export async function withWarehouse<R>(
  { threads, memoryLimitMb, scratchFolder, artifactsFolder }: ActivityContext,
  work: (warehouse: Warehouse) => Promise<R>,
  sourceFolders: readonly string[] = [],
): Promise<R> {
  const warehouse = await openWarehouse({
    threads,
    memoryLimitMb,
    tempFolder: scratchFolder,
    allowedFolders: [artifactsFolder, scratchFolder, ...sourceFolders],
  });
  try {
    return await work(warehouse);
  } finally {
    warehouse.close();
  }
}

/** A Parquet artifact as a relation to stand behind FROM. */
export function parquet(path: string): string {
  return `read_parquet(${quoteText(path)})`;
}
