import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

export const HEADER = 'customer,order,at,pieces,price,line\n';
export const row = (i: number, customer = String(17_850 + i)) =>
  `${customer},O-${i},2026-01-0${i} 10:00:00,2,2.50,L-${i}\n`;
export const THREE = HEADER + row(1) + row(2) + row(3);
export const GOOD = { accepted: 3 };

/** A file of the name with the content. */
export const made =
  (name: string, content: string | Uint8Array) =>
  async (folder: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };

export const wide = (text: string, isBigEndian: boolean) => {
  const bytes = Buffer.from(text, 'utf16le');
  return isBigEndian ? bytes.swap16() : bytes;
};

/** A Parquet or Zstandard file of the SQL. */
export async function copied(path: string, sql: string, options = 'FORMAT parquet'): Promise<string> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  await connection.run(`COPY (${sql}) TO '${path}' (${options})`);
  connection.closeSync();
  instance.closeSync();
  return path;
}

export const ROWS = `SELECT 17850 + range AS customer, 'O-' || range AS "order", TIMESTAMP '2026-01-01' + to_days(range::INTEGER) AS at,
  2 AS pieces, 2.50::DECIMAL(9,2) AS price, 'L-' || range AS line FROM range(3)`;
/** Too many for one block of a compressed file, and hard to compress. */
export const MANY = `SELECT hash(range) AS customer, 'O-' || range AS "order", TIMESTAMP '2026-01-01' + to_seconds(range) AS at,
  2 AS pieces, 2.5 AS price, hash(range + 1) AS line FROM range(20000)`;

export async function packedMany(folder: string): Promise<string> {
  return copied(join(folder, 'many.csv.zst'), MANY, 'FORMAT csv, HEADER, COMPRESSION zstd');
}

export async function cutOff(path: string, bytes: number): Promise<string> {
  await truncate(path, bytes);
  return path;
}
