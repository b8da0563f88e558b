import type { Knex } from 'knex';
import type { ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { translating } from './database-errors.ts';

export interface NewRelease {
  pipeline: string;
  /** In whose quarantine the rows were found. */
  runId: string;
  rules: readonly string[];
  /** SQL over the quarantine's columns; null: all rows that those rules refused. */
  where: string | null;
  note: string | null;
  author: string;
  /** The released rows. */
  artifact: ArtifactRef;
}

export interface ReleaseRecord extends NewRelease {
  releaseId: number;
  releasedAt: string;
  rows: number;
  /** Null while the release is in force. */
  revokedAt: string | null;
  revokedBy: string | null;
}

interface ReleaseRow {
  release_id: number;
  pipeline: string;
  run_id: string;
  rules: string[];
  where_sql: string | null;
  note: string | null;
  author: string;
  released_at: Date;
  row_count: number;
  artifact: ArtifactRef;
  revoked_at: Date | null;
  revoked_by: string | null;
}

export type ReleasesRepository = ReturnType<typeof createReleasesRepository>;

/** Refused rows that a person found good, one row per release, kept for ever. */
export const createReleasesRepository = (knex: Knex) =>
  translating({
    /** Notes a release. The same rows a second time are the release that is in force already. */
    release: (release: NewRelease): Promise<{ release: ReleaseRecord; isNew: boolean }> =>
      saveRelease(knex, release),

    /** Those in force for a pipeline, oldest first. */
    async active(pipeline: string): Promise<ReleaseRecord[]> {
      const rows = await knex<ReleaseRow>('quarantine_releases')
        .where({ pipeline })
        .whereNull('revoked_at')
        .orderBy('release_id');
      return rows.map(recordOf);
    },

    /** All that there ever were, newest first. */
    async list(filter: { pipeline?: string } = {}): Promise<ReleaseRecord[]> {
      const rows = await knex<ReleaseRow>('quarantine_releases').where(filter).orderBy('release_id', 'desc');
      return rows.map(recordOf);
    },

    /**
     * Ends a release; runs opened from then on go without its rows. The first revoking stands.
     *
     * @throws PipelineError INPUT_INVALID for an id that there is not
     */
    revoke: (releaseId: number, author: string): Promise<{ release: ReleaseRecord; isNew: boolean }> =>
      revokeRelease(knex, releaseId, author),
  });

async function saveRelease(knex: Knex, release: NewRelease) {
  return knex.transaction(async (transaction) => {
    const { pipeline, artifact } = release;
    // One at a time: two people who release the same rows at once make one release.
    await transaction('pipelines').where({ name: pipeline }).forNoKeyUpdate();
    const known = await transaction<ReleaseRow>('quarantine_releases')
      .where({ pipeline })
      .whereNull('revoked_at')
      .whereRaw(`artifact ->> 'sha256' = ?`, [artifact.sha256])
      .first();
    if (known) return { release: recordOf(known), isNew: false };
    const [row] = await transaction('quarantine_releases')
      .insert({
        pipeline,
        run_id: release.runId,
        rules: JSON.stringify(release.rules),
        where_sql: release.where,
        note: release.note,
        author: release.author,
        row_count: artifact.rows,
        artifact: JSON.stringify(artifact),
      })
      .returning<ReleaseRow[]>('*');
    return { release: recordOf(row!), isNew: true };
  });
}

async function revokeRelease(knex: Knex, releaseId: number, author: string) {
  const [revoked] = await knex<ReleaseRow>('quarantine_releases')
    .where({ release_id: releaseId })
    .whereNull('revoked_at')
    .update({ revoked_at: knex.fn.now() as unknown as Date, revoked_by: author })
    .returning('*');
  if (revoked) return { release: recordOf(revoked), isNew: true };
  const known = await knex<ReleaseRow>('quarantine_releases').where({ release_id: releaseId }).first();
  if (known) return { release: recordOf(known), isNew: false };
  throw new PipelineError(
    'INPUT_INVALID',
    `release ${releaseId} needs to be one that there is; npm run strata -- quarantine releases lists them`,
    { releaseId },
  );
}

function recordOf(row: ReleaseRow): ReleaseRecord {
  return {
    releaseId: row.release_id,
    pipeline: row.pipeline,
    runId: row.run_id,
    rules: row.rules,
    where: row.where_sql,
    note: row.note,
    author: row.author,
    releasedAt: row.released_at.toISOString(),
    rows: row.row_count,
    artifact: row.artifact,
    revokedAt: row.revoked_at?.toISOString() ?? null,
    revokedBy: row.revoked_by,
  };
}
