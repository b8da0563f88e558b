import type { Knex } from 'knex';
import { translating } from './database-errors.ts';
import { seenByReaders } from './evolution.ts';
import {
  type Publication,
  type PublishedRow,
  type PublishedSegmentRow,
  publishedOf,
  segmentOf,
} from './publications.ts';
import { unknownRun } from './run-lock.ts';

export type PastRepository = ReturnType<typeof createPastRepository>;

interface Moment {
  publicationId: number;
  /** The run that found it, and found it under the pointer unless it is one that was kept aside. */
  foundBy: string;
  /** ISO time at which the run was named. */
  at: string;
}

/**
 * What a run found when it was going on: names and ids have been given since. Reads alone. All functions may throw
 * POSTGRES_UNREACHABLE.
 */
export const createPastRepository = (knex: Knex) =>
  translating({
    /** A publication under the names that were in force then; null when there is none of this id. */
    publicationAt: (moment: Moment): Promise<Publication | null> =>
      knex.transaction((transaction) => publicationAt(transaction, moment), {
        isolationLevel: 'repeatable read',
        readOnly: true,
      }),

    /**
     * Segment ids that the pipeline had given out before the run gave out its own: those of runs before it, since runs of
     * a pipeline go one after another.
     */
    async segmentIdsBefore(runId: string): Promise<string[]> {
      const own = await knex('runs')
        .where({ run_id: runId })
        .first<{ pipeline: string; sequence: number } | undefined>('pipeline', 'sequence');
      if (!own) throw unknownRun(runId);
      return knex('segments as s')
        .join('runs as r', 'r.run_id', 's.born_in_run')
        .where('s.pipeline', own.pipeline)
        .where('r.sequence', '<', own.sequence)
        .orderBy('s.segment_id')
        .pluck('s.segment_id');
    },
  });

async function publicationAt(
  transaction: Knex.Transaction,
  { publicationId, foundBy, at }: Moment,
): Promise<Publication | null> {
  const row = await transaction<PublishedRow>('publications as u')
    .join('runs as r', 'r.run_id', 'u.run_id')
    .join('models as m', 'm.run_id', 'u.run_id')
    .where('u.publication_id', publicationId)
    .first<PublishedRow | undefined>('u.*', 'r.as_of', 'm.*');
  if (!row) return null;
  const isSeen = await wasSeen(transaction, row.pipeline, foundBy);
  // As published_segments says it of what readers see; of a publication that they do not, its own judgement stands.
  const status = `case when n.author = 'manual' then 'holds'
                       when n.status_when_given is not null and (n.valid_from > u.published_at or n.name <> s.name)
                         then n.status_when_given
                       else s.name_status end`;
  const segments = await transaction('segment_snapshots as s')
    .join('publications as u', 'u.run_id', 's.run_id')
    .joinRaw(
      `left join lateral (
         select name, author, condition, status_when_given, valid_from, valid_to,
                valid_to is null or valid_to > :at::timestamptz as is_in_force
         from segment_names
         where segment_id = s.segment_id and valid_from <= :at::timestamptz order by version desc limit 1) n on true`,
      { at },
    )
    .where('s.run_id', row.run_id)
    .orderBy('s.cluster')
    .select<PublishedSegmentRow[]>(
      's.*',
      'n.author',
      'n.condition',
      transaction.raw('coalesce(n.name, s.name) as name'),
      transaction.raw('coalesce(n.is_in_force, true) as is_name_in_force'),
      transaction.raw(
        isSeen
          ? `case when n.is_in_force then ${status} else s.name_status end as name_status`
          : 's.name_status',
      ),
    );
  return { ...publishedOf(row), segments: segments.map(segmentOf) };
}

/** Whether the run took the place of what it was compared with: then readers had seen that. */
async function wasSeen(transaction: Knex.Transaction, pipeline: string, runId: string): Promise<boolean> {
  const row = await transaction
    .withRecursive('seen', seenByReaders(transaction, pipeline))
    .from('publications as p')
    .where('p.run_id', runId)
    .first(transaction.raw('p.publication_id in (select publication_id from seen) as is_seen'));
  return (row as { is_seen: boolean } | undefined)?.is_seen ?? true;
}
