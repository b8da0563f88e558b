import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWarehouse, type Warehouse } from '../../../store/warehouse/duckdb.ts';

export interface WarehouseFixture {
  folder: string;
  path(name: string): string;
  write(name: string, content: string | Uint8Array): Promise<string>;
  /** A warehouse on the folder, closed with the fixture. */
  open(threads?: number): Promise<Warehouse>;
  remove(): Promise<void>;
}

export async function warehouseFixture(): Promise<WarehouseFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-warehouse-'));
  const opened: Warehouse[] = [];
  const path = (name: string) => join(folder, name);
  return {
    folder,
    path,
    async write(name, content) {
      await writeFile(path(name), content);
      return path(name);
    },
    async open(threads = 2) {
      const warehouse = await openWarehouse({
        threads,
        memoryLimitMb: 500,
        tempFolder: path('spill'),
        allowedFolders: [folder],
      });
      opened.push(warehouse);
      return warehouse;
    },
    async remove() {
      for (const warehouse of opened) warehouse.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function digestOfFile(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}
