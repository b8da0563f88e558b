import type { Knex } from 'knex';
import { translating } from './database-errors.ts';

/** Figures of what readers of a pipeline see; null where the run has none. */
export interface PublishedFigures {
  pipeline: string;
  publishedAt: string;
  asOf: string | null;
  customers: number | null;
  segments: number | null;
  silhouette: number | null;
  minJaccard: number | null;
  adjustedRand: number | null;
  movedShare: number | null;
  quarantinedShare: number | null;
}

export interface OpenRuns {
  pipeline: string;
  state: 'running' | 'held';
  runs: number;
}

interface Asked {
  /** Rows at most. */
  limit: number;
  /** Afterwards the question and its connection are given up. */
  withinMs: number;
}

export type RunFiguresRepository = ReturnType<typeof createRunFiguresRepository>;

/** What is told of runs outside, of all pipelines at once. All functions may throw POSTGRES_UNREACHABLE. */
export const createRunFiguresRepository = (knex: Knex) =>
  translating({
    /** By pipeline, those published last first; a run that is just being closed is left out until it has a summary. */
    async published({ limit, withinMs }: Asked): Promise<PublishedFigures[]> {
      const question = knex.raw<{ rows: PublishedRow[] }>(
        `select u.pipeline, u.published_at, r.as_of,
           (r.summary #>> '{counts,customers}')::float8 as customers,
           (r.summary ->> 'k')::float8 as segments,
           (r.summary #>> '{quality,silhouette}')::float8 as silhouette,
           (r.summary #>> '{quality,minJaccard}')::float8 as min_jaccard,
           (r.summary #>> '{quality,adjustedRand}')::float8 as adjusted_rand,
           (r.summary #>> '{quality,movedShare}')::float8 as moved_share,
           (r.summary #>> '{counts,rowsQuarantined}')::float8
             / nullif((r.summary #>> '{counts,rowsRead}')::float8, 0) as quarantined_share
         from pipelines p
         join publications u on u.publication_id = p.published_publication_id
         join runs r on r.run_id = u.run_id
         where r.summary is not null
         order by u.published_at desc, u.pipeline
         limit ?`,
        [limit],
      );
      const { rows } = await question.timeout(withinMs);
      return rows.map((row) => ({
        pipeline: row.pipeline,
        publishedAt: row.published_at.toISOString(),
        asOf: row.as_of,
        customers: row.customers,
        segments: row.segments,
        silhouette: row.silhouette,
        minJaccard: row.min_jaccard,
        adjustedRand: row.adjusted_rand,
        movedShare: row.moved_share,
        quarantinedShare: row.quarantined_share,
      }));
    },

    /** By pipeline and state, most first. */
    async open({ limit, withinMs }: Asked): Promise<OpenRuns[]> {
      const question = knex.raw<{ rows: OpenRuns[] }>(
        `select pipeline, case when outcome = 'held' then 'held' else 'running' end as state, count(*) as runs
         from runs
         where closed_at is null
         group by 1, 2
         order by 3 desc, 1, 2
         limit ?`,
        [limit],
      );
      const { rows } = await question.timeout(withinMs);
      return rows;
    },
  });

interface PublishedRow {
  pipeline: string;
  published_at: Date;
  as_of: string | null;
  customers: number | null;
  segments: number | null;
  silhouette: number | null;
  min_jaccard: number | null;
  adjusted_rand: number | null;
  moved_share: number | null;
  quarantined_share: number | null;
}
