import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { SourceFormat } from '../../pipelines/contracts/source.ts';
import { openWarehouse } from '../../store/warehouse/duckdb.ts';
import {
  describeSource,
  inspectFile,
  type SourceColumn,
  type SourceFile,
  sourceSql,
  whileReading,
} from '../../store/warehouse/sources.ts';
import { encodingOf, writeAsUtf8 } from './encoding.ts';
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
  file: SourceFile;
  readable: SourceFile;
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
  for (const [i, path] of paths.entries()) {
    const opened = await open(looking, path, i);
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

async function open(looking: Looking, path: string, i: number): Promise<Opened> {
  const file = await inspectFile(path);
  const other = await encodingOf(file);
  if (other === null)
    return {
      file,
      readable: file,
      encoding: undefined,
      columns: await describeSource(looking.warehouse, file),
    };
  const copy = join(looking.folder, `${i}.csv`);
  await writeAsUtf8(file, other, copy);
  const readable = { ...(await inspectFile(copy)), name: file.name };
  return { file, readable, encoding: other, columns: await describeSource(looking.warehouse, readable) };
}

async function lookAtTable(looking: Looking, files: readonly Opened[]): Promise<LookedAt> {
  const [first] = files;
  const { columns, file } = first!;
  const from =
    files.length === 1
      ? sourceSql(first!.readable)
      : `(${files.map(({ readable }) => `FROM ${sourceSql(readable)}`).join(' UNION ALL BY NAME ')})`;
  const seen = await whileReading(first!.readable, () =>
    inspectTable(looking, { name: file.name, from, columns }),
  );
  return {
    ...seen,
    from,
    encoding: files.find(({ encoding }) => encoding)?.encoding,
    paths: files.map(({ file: { path } }) => path),
    names: files.map(({ file: { name } }) => name),
  };
}
