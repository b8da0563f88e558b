import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withNumberedRows } from '../../../../activities/numbered-rows.ts';
import type { Contract } from '../../../../pipelines/contracts/contract.ts';
import type { SourceColumns, SourceFormat } from '../../../../pipelines/contracts/source.ts';
import {
  type ExtractSource,
  readWatermark,
  resolveAsOf,
  watermarkSql,
} from '../../../../pipelines/stages/extract.ts';
import { extractSql } from '../../../../pipelines/stages/extract-sql.ts';
import { quarantineSql, readValidation, validationSql } from '../../../../pipelines/stages/validate.ts';
import { openWarehouse, type Row, type Warehouse } from '../../../../store/warehouse/duckdb.ts';
import { typesOf } from '../../../../store/warehouse/source-columns.ts';
import {
  describeSource,
  inspectFiles,
  type SourceFiles,
  whileReading,
} from '../../../../store/warehouse/sources.ts';

export const COLUMNS: SourceColumns = {
  customer_id: 'customer',
  order_id: 'order',
  ordered_at: 'at',
  quantity: 'pieces',
  unit_price: 'price',
  line_id: 'line',
};

const CONTRACT: Contract = {
  version: 1,
  rules: [
    ['unreadable-line', `malformed IS NULL OR NOT starts_with(malformed, 'line ')`],
    ['malformed', 'malformed IS NULL'],
    ['without-customer', 'customer_id IS NOT NULL'],
    ['without-date', 'ordered_at IS NOT NULL'],
    ['without-price', 'unit_price IS NOT NULL'],
    ['without-quantity', 'quantity IS NOT NULL'],
  ].map(([name, check]) => ({ name: name!, check: check!, severity: 'reject', reason: 'of the corpus' })),
  thresholds: { warnRefusedShare: 0.2, failRefusedShare: 0.5, minimumCustomers: 2 },
};

const WITHOUT_COPIES = {
  name: 'duplicate',
  check: 'NOT is_duplicate',
  severity: 'reject',
  reason: 'of the corpus',
} as const;

export interface Reading {
  folder: string;
  columns?: SourceColumns | undefined;
  format?: SourceFormat | undefined;
  timezone?: string | undefined;
  unique?: string[] | undefined;
  /** Of the folders that the case reads; absent: one of its own. */
  warehouse?: Warehouse | undefined;
  threads?: number | undefined;
}

export interface Outcome {
  read: number;
  accepted: number;
  /** Rules that refused rows -> how many. */
  refusedBy: Record<string, number>;
  /** Of refused rows, sorted. */
  malformed: string[];
  /** In the order of the extract. */
  rows: Row[];
  extract: string;
}

/** What the activities of extract and validation do, without Temporal and the artifact store. */
export async function readExtract(paths: string | string[], reading: Reading): Promise<Outcome> {
  const scratchFolder = join(reading.folder, `scratch-${randomUUID()}`);
  await mkdir(scratchFolder);
  const files = await inspectFiles(paths, reading.format);
  if (reading.warehouse) return readWith(reading.warehouse, files, { ...reading, scratchFolder });
  const warehouse = await openWarehouse({
    threads: reading.threads ?? 2,
    memoryLimitMb: 500,
    tempFolder: scratchFolder,
    allowedFolders: [scratchFolder, ...files.folders],
  });
  try {
    return await readWith(warehouse, files, { ...reading, scratchFolder });
  } finally {
    warehouse.close();
  }
}

async function readWith(
  warehouse: Warehouse,
  files: SourceFiles,
  { columns = COLUMNS, format, timezone, unique, scratchFolder }: Reading & { scratchFolder: string },
): Promise<Outcome> {
  const extract = join(scratchFolder, 'extract.parquet');
  const contract: Contract = unique
    ? { ...CONTRACT, unique, rules: [...CONTRACT.rules, WITHOUT_COPIES] }
    : CONTRACT;
  await whileReading(files, async () => {
    const described = await describeSource(warehouse, files);
    const types = typesOf(columns, described, files.name);
    const source = { columns, types, name: files.name, format, timezone, currency: 'GBP' };
    await withNumberedRows(
      { files, described, source, warehouse, scratchFolder },
      async (numbered: ExtractSource) => {
        const watermark = readWatermark((await warehouse.rows(watermarkSql(numbered, null)))[0]!);
        const asOf = resolveAsOf(watermark, numbered, null);
        await warehouse.copyToParquet(extractSql({ source: numbered, contract, asOf }), extract);
      },
    );
  });
  const from = `read_parquet('${extract}')`;
  const counts = readValidation((await warehouse.rows(validationSql({ from, contract })))[0]!, contract);
  const quarantine = join(scratchFolder, 'quarantine.parquet');
  const refused = counts.rows - counts.accepted;
  const sql = quarantineSql({ from, contract, refused });
  const kept = await warehouse.copyToParquet(sql, quarantine, { hasLists: true });
  if (kept.rows !== refused) throw new Error(`${refused} rows were refused, ${kept.rows} kept`);
  const malformed = await warehouse.rows(
    `SELECT malformed FROM '${quarantine}' WHERE malformed IS NOT NULL ORDER BY malformed`,
  );
  const rows = await warehouse.rows(
    `SELECT * REPLACE (CAST(ordered_at AS VARCHAR) AS ordered_at) FROM '${extract}' LIMIT ${ROWS_SHOWN}`,
  );
  const refusing = counts.rules.filter((rule) => rule.refused > 0);
  return {
    read: counts.rows,
    accepted: counts.accepted,
    refusedBy: Object.fromEntries(refusing.map((rule) => [rule.name, rule.refused])),
    malformed: malformed.map((row) => String(row.malformed)),
    rows,
    extract,
  };
}

const ROWS_SHOWN = 20;
