import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { SourceFormat } from '../../pipelines/contracts/source.ts';
import { nameSql } from '../../pipelines/stages/extract.ts';
import { openWarehouse } from '../../store/warehouse/duckdb.ts';
import { readableSource } from '../../store/warehouse/readable.ts';
import {
  describeSource,
  inspectFiles,
  type SourceColumn,
  type SourceFiles,
  whileReading,
} from '../../store/warehouse/sources.ts';
import { encodingOf } from './encoding.ts';
import { inspectTable, type Looking, type SeenTable } from './inspect.ts';

/** Files of the same columns, as one table. */
export interface LookedAt extends SeenTable {
  paths: string[];
  names: string[];
  encoding: SourceFormat['encoding'];
  /** Relation to stand behind FROM, while the folder of the looking is there. */
  from: string;
}

const MEMORY_MB = 700;

/** A DuckDB locked to the folders of the files, and a folder that goes when the work is done. */
export async function withLooking<R>(
  { paths, threads, signal }: { paths: readonly string[]; threads: number; signal: AbortSignal },
  work: (looking: Looking) => Promise<R>,
): Promise<R> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-init-'));
  try {
    const folders = [...new Set(paths.map((path) => dirname(path)))];
    const warehouse = await openWarehouse({
      threads,
      memoryLimitMb: MEMORY_MB,
      tempFolder: folder,
      allowedFolders: [folder, ...folders],
    });
    try {
      return await work({ warehouse, folder, signal });
    } finally {
      warehouse.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Opened {
  file: SourceFiles;
  path: string;
  encoding: SourceFormat['encoding'];
  columns: SourceColumn[];
}

/**
 * The files as tables: those of the same columns are one.
 *
 * @throws PipelineError EXTRACT_NOT_FOUND, EXTRACT_EMPTY, EXTRACT_UNREADABLE naming the file
 */
export async function lookAt(looking: Looking, paths: readonly string[]): Promise<LookedAt[]> {
  const tables = new Map<string, Opened[]>();
  for (const path of paths) {
    const opened = await open(looking, path);
    const key = opened.columns
      .map(({ name }) => name.toLowerCase())
      .sort()
      .join('\n');
    tables.set(key, [...(tables.get(key) ?? []), opened]);
  }
  const seen = [];
  for (const files of tables.values()) seen.push(await lookAtTable(looking, files));
  return seen;
}

async function open({ warehouse }: Looking, path: string): Promise<Opened> {
  const found = await inspectFiles(path);
  const [only] = found.files;
  const encoding = await encodingOf(only!);
  const file = encoding === undefined ? found : await inspectFiles(path, { encoding });
  return { file, path: only!.path, encoding, columns: await describeSource(warehouse, file) };
}

async function lookAtTable(looking: Looking, files: readonly Opened[]): Promise<LookedAt> {
  const [first] = files;
  const { columns, file } = first!;
  const parts: string[] = [];
  for (const opened of files) parts.push(await relationOf(looking, opened));
  const from =
    parts.length === 1 ? parts[0]! : `(${parts.map((part) => `FROM ${part}`).join(' UNION ALL BY NAME ')})`;
  const seen = await whileReading(file, () => inspectTable(looking, { name: file.name, from, columns }));
  return {
    ...seen,
    from,
    encoding: files.find(({ encoding }) => encoding)?.encoding,
    paths: files.map(({ path }) => path),
    names: files.map((opened) => opened.file.name),
  };
}

/** As a run reads it: a line that cannot be split is a row without values. */
async function relationOf(looking: Looking, { file, columns }: Opened): Promise<string> {
  const folder = await mkdtemp(join(looking.folder, 'plain-'));
  const wanted = columns.map(({ name }) => name);
  const { from } = await readableSource(file, { folder, wanted, signal: looking.signal });
  return file.kind === 'parquet' ? from : `(SELECT ${wanted.map(nameSql).join(', ')} FROM ${from})`;
}
