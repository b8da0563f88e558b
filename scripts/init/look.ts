import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { SourceFormat } from '../../pipelines/contracts/source.ts';
import { openWarehouse } from '../../store/warehouse/duckdb.ts';
import { readableSource, UNREADABLE } from '../../store/warehouse/readable.ts';
import {
  describeSource,
  inspectFiles,
  type SourceColumn,
  type SourceFiles,
  whileReading,
} from '../../store/warehouse/sources.ts';
import { ident } from './column-sql.ts';
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
  source: SourceFiles;
  encoding: SourceFormat['encoding'];
  columns: SourceColumn[];
}

/**
 * The files as tables: those of the same columns are one.
 *
 * @throws PipelineError EXTRACT_NOT_FOUND, EXTRACT_EMPTY, EXTRACT_UNREADABLE naming the file
 */
export async function lookAt(looking: Looking, paths: readonly string[]): Promise<LookedAt[]> {
  const tables = new Map<string, string[]>();
  for (const path of paths) {
    const { columns } = await open(looking, [path], undefined);
    const key = columns
      .map(({ name }) => name.toLowerCase())
      .sort()
      .join('\n');
    tables.set(key, [...(tables.get(key) ?? []), path]);
  }
  const seen = [];
  for (const [i, files] of [...tables.values()].entries())
    seen.push(await lookAtTable(looking, files, `${i}`));
  return seen;
}

async function open(
  { warehouse }: Looking,
  paths: readonly string[],
  encoding: SourceFormat['encoding'],
): Promise<Opened> {
  const source = await inspectFiles(paths, encoding && { encoding });
  return { source, encoding, columns: await describeSource(warehouse, source) };
}

/** What texts that are not UTF-8 are nearly always: Excel's, and that of old tills. */
const OTHER_ENCODING = 'windows-1252';

/** @param place a name of its own for each table that is looked at */
export async function lookAtTable(
  looking: Looking,
  paths: readonly string[],
  place: string,
): Promise<LookedAt> {
  try {
    return await read(looking, await open(looking, paths, undefined), place);
  } catch (error) {
    const isOther = error instanceof PipelineError && /is not UTF-8 text/.test(error.message);
    if (!isOther) throw error;
    return read(looking, await open(looking, paths, OTHER_ENCODING), `${place}-again`);
  }
}

async function read(
  looking: Looking,
  { source, encoding, columns }: Opened,
  place: string,
): Promise<LookedAt> {
  const folder = join(looking.folder, `plain-${place}`);
  await mkdir(folder);
  const { signal } = looking;
  const wanted = columns.map(({ name }) => name);
  const readable = await readableSource(source, { folder, wanted, ...(signal && { signal }) });
  const from = readable.hasUnreadable
    ? `(SELECT * EXCLUDE (${ident(UNREADABLE)}) FROM ${readable.from} WHERE ${ident(UNREADABLE)} IS NULL)`
    : readable.from;
  const name = basename(source.paths[0]!);
  const seen = await whileReading(source, () => inspectTable(looking, { name, from, columns }));
  const [left] = readable.hasUnreadable
    ? await looking.warehouse.rows(`SELECT count(${ident(UNREADABLE)}) AS lines FROM ${readable.from}`)
    : [];
  return {
    ...seen,
    facts: { ...seen.facts, unreadableLines: Number(left?.lines ?? 0) },
    from,
    encoding,
    paths: source.paths,
    names: source.paths.map((path) => basename(path)),
  };
}
