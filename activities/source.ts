import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { CustomerSource, Source } from '../pipelines/contracts/source.ts';
import { generateTransactions } from '../pipelines/generator/transactions.ts';
import { copyQuery } from '../store/warehouse/postgres-source.ts';
import { stageQuery } from '../store/warehouse/postgres-staging.ts';
import { typesOf } from '../store/warehouse/source-columns.ts';
import { writeBatches } from '../store/warehouse/write-batches.ts';
import type { ActivityContext } from './context.ts';
import type { Work } from './stage.ts';
import { withWarehouse } from './warehouse.ts';

type FileSource = { kind: 'file'; path?: string | string[] | undefined };
type QuerySource = Extract<Source | CustomerSource, { kind: 'postgres' }>;
type GeneratedSource = Extract<Source, { kind: 'generated' }>;

export interface Reading {
  source: FileSource | QuerySource | GeneratedSource;
  /** Role -> column of the source: no others are copied from a database. */
  wanted: Readonly<Record<string, string | undefined>>;
  work: Work;
}

export interface LocalFiles {
  /** A path, or several and patterns. */
  paths: string | readonly string[];
  /** For messages, where the path means nothing to a reader. */
  name?: string;
}

/** The source as files: those that are named, or one that is made of it for the run and goes with it. */
export async function withSourceFiles<R>(
  context: ActivityContext,
  reading: Reading,
  use: (files: LocalFiles) => Promise<R>,
): Promise<R> {
  const { source } = reading;
  if (source.kind === 'file') {
    if (source.path !== undefined) return use({ paths: source.path });
    throw new PipelineError(
      'EXTRACT_NOT_FOUND',
      'the pipeline needs a file: name it with --extract, as "extract" in the run\'s input, or as source.path in pipeline.yaml',
    );
  }
  const folder = await mkdtemp(join(context.scratchFolder, `${source.kind}-`));
  try {
    return await use(
      source.kind === 'postgres'
        ? await copiedFile(context, { folder, reading, source })
        : await generatedFile(context, { folder, reading, source }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function generatedFile(
  { threads }: ActivityContext,
  { folder, reading, source }: { folder: string; reading: Reading; source: GeneratedSource },
): Promise<LocalFiles> {
  const path = join(folder, 'transactions.parquet');
  const { signal } = reading.work;
  await writeBatches(generateTransactions(source), path, { tempFolder: folder, threads, signal });
  return { paths: path };
}

async function copiedFile(
  context: ActivityContext,
  { folder, reading, source }: { folder: string; reading: Reading; source: QuerySource },
): Promise<LocalFiles> {
  const { urlFrom, query } = source;
  const { signal } = reading.work;
  const csv = join(folder, 'query.csv');
  const path = join(folder, 'query.parquet');
  const copied = await copyQuery({ urlFrom, url: context.secret(urlFrom), query }, csv, {
    signal,
    choose: (columns) => {
      const types = typesOf(reading.wanted, columns, urlFrom);
      const names = new Set(Object.keys(types).map((name) => name.toLowerCase()));
      return columns.filter(({ name }) => names.has(name.toLowerCase()));
    },
  });
  await withWarehouse(context, (warehouse) => stageQuery(warehouse, copied, { csv, parquet: path, signal }));
  await rm(csv);
  return { paths: path, name: urlFrom };
}
