import type { Knex } from 'knex';
import type { ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import type { Quality, RunSummary, Verdict } from '../../pipelines/contracts/run.ts';
import { translating } from './database-errors.ts';
import type { ModelArtifacts, SegmentInRun } from './segmentations.ts';
import type { MovementRow } from './stability.ts';

/** A publication as it is looked back at. */
export interface PastPublication {
  publicationId: number;
  pipeline: string;
  runId: string;
  kind: 'refit' | 'assign';
  asOf: string;
  version: number;
  publishedAt: string;
  /** What it was compared with: what readers saw before; null for the first. */
  replaced: number | null;
  /** Readers never saw it: it was kept beside a later one. */
  isAside: boolean;
  review: string | null;
  verdict: Verdict | null;
  reasons: string[];
  quality: Quality | null;
  definition: ArtifactRef;
  /** Null for a run that noted none. */
  artifacts: ModelArtifacts | null;
  /** In the order of their clusters, under the names they had then. */
  segments: PastSegment[];
  /** Since the publication before. */
  movements: MovementRow[];
}

export type PastSegment = Pick<
  SegmentInRun,
  'segmentId' | 'cluster' | 'name' | 'nameStatus' | 'event' | 'customers' | 'share' | 'spendShare'
>;

/** A name that was in force. */
export interface PastName {
  segmentId: string;
  version: number;
  name: string;
  /** `auto`: a run, by its figures; else the person who put it in force. */
  author: string;
  reason: string;
  validFrom: string;
  /** Null: it is in force. */
  validTo: string | null;
}

interface PublicationRow {
  publication_id: number;
  pipeline: string;
  run_id: string;
  kind: 'refit' | 'assign';
  as_of: string;
  version: number;
  published_at: Date;
  replaced_publication_id: number | null;
  is_aside: boolean;
  reviewed_by: string | null;
  verdict: Verdict | null;
  reasons: string[];
  summary: RunSummary | null;
  definition: ArtifactRef;
  model_artifact: ArtifactRef | null;
  customers_artifact: ArtifactRef;
  labels_artifact: ArtifactRef;
  values_artifact: ArtifactRef;
  identities_artifact: ArtifactRef;
}

export type EvolutionRepository = ReturnType<typeof createEvolutionRepository>;

/** What was published, over time; reads alone. All functions may throw POSTGRES_UNREACHABLE. */
export const createEvolutionRepository = (knex: Knex) =>
  translating({
    /** Pipelines with a publication, in order. */
    pipelines: (): Promise<string[]> =>
      knex('publications').distinct('pipeline').orderBy('pipeline').pluck('pipeline'),

    /** All publications of a pipeline in the order in which readers saw them; one snapshot of the database. */
    publications: (pipeline: string): Promise<PastPublication[]> =>
      knex.transaction((transaction) => pastPublications(transaction, pipeline), {
        isolationLevel: 'repeatable read',
        readOnly: true,
      }),

    /** Every name that was ever in force, by segment, oldest first. */
    async names(pipeline: string): Promise<PastName[]> {
      const rows = await knex('segment_names as n')
        .join('segments as s', 's.segment_id', 'n.segment_id')
        .where('s.pipeline', pipeline)
        .whereNotNull('n.valid_from')
        .orderBy(['n.segment_id', 'n.version'])
        .select<NameRow[]>('n.*');
      return rows.map((row) => ({
        segmentId: row.segment_id,
        version: row.version,
        name: row.name,
        author: row.given_by ?? row.author,
        reason: row.reason,
        validFrom: row.valid_from.toISOString(),
        validTo: row.valid_to?.toISOString() ?? null,
      }));
    },
  });

interface NameRow extends Pick<PastName, 'version' | 'name' | 'author' | 'reason'> {
  segment_id: string;
  given_by: string | null;
  valid_from: Date;
  valid_to: Date | null;
}

async function pastPublications(transaction: Knex.Transaction, pipeline: string): Promise<PastPublication[]> {
  const rows = await transaction
    .withRecursive('seen', seenByReaders(transaction, pipeline))
    .from('publications as u')
    .join('runs as r', 'r.run_id', 'u.run_id')
    .leftJoin('models as m', 'm.run_id', 'u.run_id')
    .where('u.pipeline', pipeline)
    // A run that was kept aside came later and tells of an earlier date.
    .orderBy(['r.as_of', 'u.publication_id'])
    .select<PublicationRow[]>(
      ...['u.publication_id', 'u.pipeline', 'u.run_id', 'u.published_at', 'u.replaced_publication_id'],
      ...['u.reviewed_by', 'r.kind', 'r.as_of', 'r.version', 'r.verdict', 'r.reasons', 'r.summary'],
      ...['r.definition', 'm.model_artifact', 'm.customers_artifact', 'm.labels_artifact'],
      ...['m.values_artifact', 'm.identities_artifact'],
      transaction.raw('u.publication_id not in (select publication_id from seen) as is_aside'),
    );
  const runIds = rows.map((row) => row.run_id);
  const segments = await transaction('segment_snapshots')
    .whereIn('run_id', runIds)
    .orderBy('cluster')
    .select<(PastSegment & { runId: string })[]>({
      ...{ runId: 'run_id', segmentId: 'segment_id', cluster: 'cluster', name: 'name' },
      ...{ nameStatus: 'name_status', event: 'event', customers: 'customers' },
      ...{ share: 'share', spendShare: 'spend_share' },
    });
  const movements = await transaction('movements')
    .whereIn('run_id', runIds)
    .orderBy(['from_segment_id', 'to_segment_id', 'cause'])
    .select<(MovementRow & { runId: string })[]>({
      ...{ runId: 'run_id', from: 'from_segment_id', to: 'to_segment_id' },
      ...{ cause: 'cause', customers: 'customers', spendCents: 'spend_cents' },
    });
  const ofRun = <R extends { runId: string }>(all: readonly R[], run: string) =>
    all.filter(({ runId }) => runId === run).map(({ runId: _, ...rest }) => rest);
  return rows.map((row) => ({
    ...publicationOf(row),
    segments: ofRun(segments, row.run_id),
    movements: ofRun(movements, row.run_id),
  }));
}

/** The publication under the pointer and those that it replaced, one after the other. */
export function seenByReaders(transaction: Knex.Transaction, pipeline: string): Knex.Raw {
  return transaction.raw(
    `select u.publication_id, u.replaced_publication_id
     from publications u join pipelines p on p.published_publication_id = u.publication_id
     where p.name = :pipeline
     union all
     select b.publication_id, b.replaced_publication_id
     from seen s join publications b on b.publication_id = s.replaced_publication_id`,
    { pipeline },
  );
}

function publicationOf(row: PublicationRow): Omit<PastPublication, 'segments' | 'movements'> {
  return {
    publicationId: row.publication_id,
    pipeline: row.pipeline,
    runId: row.run_id,
    kind: row.kind,
    asOf: row.as_of,
    version: row.version,
    publishedAt: row.published_at.toISOString(),
    replaced: row.replaced_publication_id,
    isAside: row.is_aside,
    review: row.reviewed_by,
    verdict: row.verdict,
    reasons: row.reasons,
    quality: row.summary?.quality ?? null,
    definition: row.definition,
    artifacts: row.model_artifact && {
      model: row.model_artifact,
      customers: row.customers_artifact,
      labels: row.labels_artifact,
      values: row.values_artifact,
      identities: row.identities_artifact,
    },
  };
}
