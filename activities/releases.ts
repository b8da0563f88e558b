import { rm } from 'node:fs/promises';
import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { Contract } from '../pipelines/contracts/contract.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import { joinReleasesSql, mergedReleasesSql, type RowsFile } from '../pipelines/stages/releases.ts';
import type { ReleaseRecord } from '../store/postgres/releases.ts';
import type { Warehouse } from '../store/warehouse/duckdb.ts';
import type { ActivityContext } from './context.ts';
import { withHeartbeats } from './stage.ts';
import { parquet, withWarehouse } from './warehouse.ts';

/** The rows of all releases in force as one artifact of the run that opens; null where there are none. */
export async function gatherReleases(
  context: ActivityContext,
  { runId, pipeline }: Pick<Run, 'runId' | 'pipeline'>,
): Promise<ArtifactRef | null> {
  const releases = await context.repositories.releases.active(pipeline);
  if (releases.length === 0) return null;
  return withHeartbeats('releases', ({ signal }) =>
    withWarehouse(context, async (warehouse) => {
      const files: RowsFile[] = [];
      for (const release of releases)
        files.push(await rowsFile(warehouse, await releasedPath(context, release)));
      return context.artifacts.take('release', { runId, ending: 'parquet' }, (path) =>
        warehouse.copyToParquet(mergedReleasesSql(files), path, { signal }),
      );
    }),
  );
}

async function releasedPath({ artifacts }: ActivityContext, release: ReleaseRecord): Promise<string> {
  try {
    return await artifacts.path(release.artifact);
  } catch (cause) {
    if (!(cause instanceof PipelineError)) throw cause;
    throw new PipelineError(
      cause.code,
      `release ${release.releaseId} of pipeline ${release.pipeline} cannot be read: ${cause.message}; ` +
        `bring it back, or end it with: npm run strata -- quarantine revoke ${release.releaseId}`,
      cause.details,
      { cause },
    );
  }
}

export interface TakenExtract {
  artifact: ArtifactRef;
  /** Without the released rows that the source did not bring. */
  rowsOfSource: number;
  /** Null for a run without releases. */
  rowsReleased: number | null;
}

/** Takes in the extract that `freeze` writes; where the run has releases, their rows are marked and join it. */
export async function takeExtract(
  { artifacts }: ActivityContext,
  taking: {
    run: Run;
    contract: Contract;
    asOf: string;
    /** Relation of the frozen customers' table, where there is one. */
    known: string | undefined;
    warehouse: Warehouse;
    signal: AbortSignal;
  },
  freeze: (path: string) => Promise<{ rows: number }>,
): Promise<TakenExtract> {
  const { run, contract, asOf, known, warehouse, signal } = taking;
  const about = { runId: run.runId, ending: 'parquet' };
  if (!run.releases) {
    const artifact = await artifacts.take('extract', about, freeze);
    return { artifact, rowsOfSource: artifact.rows, rowsReleased: null };
  }
  const releases = await rowsFile(warehouse, await artifacts.path(run.releases));
  let rowsOfSource = 0;
  const artifact = await artifacts.take('extract', about, async (path) => {
    const frozen = `${path}.frozen`;
    rowsOfSource = (await freeze(frozen)).rows;
    const extract = await rowsFile(warehouse, frozen);
    const sql = joinReleasesSql({ extract, releases, unique: contract.unique ?? [], known, asOf });
    const joined = await warehouse.copyToParquet(sql, path, { signal });
    await rm(frozen, { force: true });
    return joined;
  });
  const from = parquet(await artifacts.path(artifact));
  const [counted] = await warehouse.rows(`SELECT count(*) AS rows FROM ${from} WHERE is_released`, {
    signal,
  });
  return { artifact, rowsOfSource, rowsReleased: Number(counted!.rows) };
}

/** A Parquet file with the columns it has. */
export async function rowsFile(warehouse: Warehouse, path: string): Promise<RowsFile> {
  const from = parquet(path);
  const described = await warehouse.rows(`DESCRIBE SELECT * FROM ${from}`);
  return {
    from,
    columns: described.map((row) => ({ name: String(row.column_name), type: String(row.column_type) })),
  };
}
