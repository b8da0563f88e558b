import type { Knex } from 'knex';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { addMessages, type NewMessage } from './add-messages.ts';
import { checkAlerts, type DecideAlerts } from './alerts.ts';
import { translating } from './database-errors.ts';
import { momentOf } from './name-versions.ts';
import { type NamesInForce, namesInForce, retireSegments, validateNames } from './published-names.ts';
import { lockOpenRun, unknownRun } from './run-lock.ts';
import { artifactsOf, type ModelArtifacts, type ModelRow, type SegmentInRun } from './segmentations.ts';

/** What readers of a pipeline see now, and what its next run is compared with. */
export interface Publication {
  publicationId: number;
  pipeline: string;
  runId: string;
  asOf: string | null;
  publishedAt: string;
  /** The run that fitted its model: itself, or the one that an assign run took it from. */
  fittedIn: string;
  artifacts: ModelArtifacts;
  /** In the order of their clusters. */
  segments: PublishedSegment[];
}

export interface PublishedSegment extends Omit<SegmentInRun, 'parents'> {
  /** Who gave the present name; `name` is the present one, also when a person renamed since. */
  author: 'auto' | 'manual';
  /** What must hold for the name to be true, as it was saved. */
  condition: unknown;
  /** False of a segment that has retired since: it gave its name back. */
  isNameInForce: boolean;
}

export interface PublicationRecord {
  publicationId: number;
  pipeline: string;
  runId: string;
  /** The publication readers saw before; null for the first. */
  replaced: number | null;
  publishedAt: string;
  review: string | null;
}

export interface PublishRequest {
  pipeline: string;
  runId: string;
  /** The publication the run was compared with; null when there was none. */
  expectedBase: number | null;
  /** Who let it through and why; null where no one was asked. */
  review: string | null;
  /** What others are told, or how it is told once the names that readers see are known. Payloads hold no customer ids. */
  messages: readonly NewMessage[] | ((names: NamesInForce) => readonly NewMessage[]);
  /** Joins the history and leaves the pointer where it is: the run is older than what readers see. */
  isAside?: boolean;
  /** What becomes of the alerts, now that readers see the run; absent: they are left as they are. */
  alerts?: DecideAlerts;
}

interface PublicationRow {
  publication_id: number;
  pipeline: string;
  run_id: string;
  replaced_publication_id: number | null;
  published_at: Date;
  reviewed_by: string | null;
}

export type PublicationsRepository = ReturnType<typeof createPublicationsRepository>;

/** The pointer that readers follow. All functions may throw POSTGRES_UNREACHABLE. */
export const createPublicationsRepository = (knex: Knex) =>
  translating({
    current: (pipeline: string): Promise<Publication | null> =>
      readPublication(knex, (query) =>
        query
          .join('pipelines as p', 'p.published_publication_id', 'u.publication_id')
          .where('p.name', pipeline),
      ),

    /** As of when is what readers see; null before there is anything. */
    async asOfCurrent(pipeline: string): Promise<string | null> {
      const row = await knex('published_runs').where({ pipeline }).first<{ as_of: string | null }>('as_of');
      return row?.as_of ?? null;
    },

    /** The newest publication as of the run's date or before it, the run's own left out; null when there is none. */
    before: (run: { pipeline: string; runId: string; asOf: string }): Promise<Publication | null> =>
      readPublication(knex, (query) =>
        query
          .where('u.pipeline', run.pipeline)
          .where('r.as_of', '<=', run.asOf)
          .whereNot('u.run_id', run.runId)
          .orderBy([
            { column: 'r.as_of', order: 'desc' },
            { column: 'u.publication_id', order: 'desc' },
          ]),
      ),

    /** The publication of a run; null when it was not published. */
    async ofRun(runId: string): Promise<PublicationRecord | null> {
      const row = await knex<PublicationRow>('publications').where({ run_id: runId }).first();
      return row ? recordOf(row) : null;
    },

    /**
     * Moves the pointer to a run, in one transaction with all that follows from it: its names become valid,
     * segments it no longer has retire, the outbox gets its messages. A second time nothing is changed.
     *
     * @throws PipelineError PUBLICATION_STALE when another run was published since the comparison,
     *   RUN_UNKNOWN, RUN_ABANDONED
     * @throws RangeError when the run has no memberships, or is another pipeline's
     */
    publish: (request: PublishRequest): Promise<PublicationRecord> =>
      knex.transaction((transaction) => publish(transaction, request)),
  });

async function publish(transaction: Knex.Transaction, request: PublishRequest): Promise<PublicationRecord> {
  const { pipeline, runId } = request;
  const pointer = await lockPointer(transaction, request);
  const earlier = await transaction<PublicationRow>('publications').where({ run_id: runId }).first();
  if (earlier) return recordOf(earlier);
  const run = await lockOpenRun(transaction, runId);
  if (run.pipeline !== pipeline) {
    throw new RangeError(
      `run ${runId} needs to be one of ${pipeline} to be published there, it is one of ${run.pipeline}`,
    );
  }
  if (run.membershipRows === null) {
    throw new RangeError(`run ${runId} needs its memberships loaded to be published, it has none`);
  }
  const isAside = request.isAside ?? false;
  if (!isAside) requireBase(request, pointer);
  const replaced = isAside ? request.expectedBase : pointer;
  const [row] = await transaction<PublicationRow>('publications')
    .insert({ pipeline, run_id: runId, replaced_publication_id: replaced, reviewed_by: request.review })
    .returning('*');
  const publication = row!;
  if (!isAside) {
    await transaction('pipelines')
      .where({ name: pipeline })
      .update({ published_publication_id: publication.publication_id });
  }
  await transaction('runs').where({ run_id: runId }).update({ outcome: 'published' });
  const at = await momentOf(transaction);
  await retireSegments(transaction, { runId, replaced, seen: isAside ? pointer : null, at });
  await validateNames(transaction, { runId, at, isAside });
  const { messages: given } = request;
  const messages = typeof given === 'function' ? given(await namesInForce(transaction, runId)) : given;
  await addMessages(transaction, { pipeline, runId, messages });
  if (request.alerts) {
    await checkAlerts(transaction, { pipeline, runId, moment: 'published', decide: request.alerts });
  }
  return recordOf(publication);
}

/** The pipeline's row, locked: of two publishes at once the second waits, and then finds the first one's pointer. */
async function lockPointer(
  transaction: Knex.Transaction,
  { pipeline, runId }: PublishRequest,
): Promise<number | null> {
  const row = await transaction<{ name: string; published_publication_id: number | null }>('pipelines')
    .where({ name: pipeline })
    // Not FOR UPDATE: foreign keys of a clean-up that this one then waits for would wait for it in turn.
    .forNoKeyUpdate()
    .first();
  if (!row) throw unknownRun(runId);
  return row.published_publication_id;
}

function requireBase({ pipeline, runId, expectedBase }: PublishRequest, pointer: number | null): void {
  if (pointer === expectedBase) return;
  const said = (publication: number | null) => (publication === null ? 'none' : `publication ${publication}`);
  throw new PipelineError(
    'PUBLICATION_STALE',
    `run ${runId} was compared with ${said(expectedBase)} of ${pipeline}, readers see ${said(pointer)} by now; ` +
      'start a new run, which is compared with that one',
    { runId, expectedBase, published: pointer },
  );
}

export interface PublishedRow extends PublicationRow, ModelRow {
  fitted_in_run_id: string;
  as_of: string | null;
}

export interface PublishedSegmentRow {
  segment_id: string;
  cluster: number;
  name: string;
  description: string;
  name_status: SegmentInRun['nameStatus'];
  event: SegmentInRun['event'];
  customers: number;
  share: number;
  spend_share: number | null;
  typical: string[];
  profile: unknown;
  author: 'auto' | 'manual';
  condition: unknown;
  is_name_in_force: boolean;
}

/** One snapshot of the database for both statements: a publish between them would mix two runs. */
async function readPublication(
  knex: Knex,
  which: (query: Knex.QueryBuilder) => void,
): Promise<Publication | null> {
  return knex.transaction(
    async (transaction) => {
      const row = await transaction<PublishedRow>('publications as u')
        .join('runs as r', 'r.run_id', 'u.run_id')
        .join('models as m', 'm.run_id', 'u.run_id')
        .modify(which)
        .first<PublishedRow | undefined>('u.*', 'r.as_of', 'm.*');
      if (!row) return null;
      const segments = await transaction('segment_snapshots as s')
        // In force, or the last one that was: of an older publication a segment may have retired since.
        .joinRaw(
          `left join lateral (
             select name, author, condition, valid_to from segment_names
             where segment_id = s.segment_id and valid_from is not null order by version desc limit 1) n on true`,
        )
        // Of what readers see the view knows whether the name in force holds.
        .leftJoin('published_segments as v', { 'v.run_id': 's.run_id', 'v.segment_id': 's.segment_id' })
        .where('s.run_id', row.run_id)
        .orderBy('s.cluster')
        .select<PublishedSegmentRow[]>(
          's.*',
          'n.author',
          'n.condition',
          transaction.raw('coalesce(n.name, s.name) as name'),
          transaction.raw('n.valid_to is null as is_name_in_force'),
          transaction.raw('coalesce(v.name_status, s.name_status) as name_status'),
        );
      return { ...publishedOf(row), segments: segments.map(segmentOf) };
    },
    { isolationLevel: 'repeatable read', readOnly: true },
  );
}

export function publishedOf(row: PublishedRow): Omit<Publication, 'segments'> {
  return {
    publicationId: row.publication_id,
    pipeline: row.pipeline,
    runId: row.run_id,
    asOf: row.as_of,
    publishedAt: row.published_at.toISOString(),
    fittedIn: row.fitted_in_run_id,
    artifacts: artifactsOf(row),
  };
}

export function segmentOf(row: PublishedSegmentRow): PublishedSegment {
  return {
    segmentId: row.segment_id,
    cluster: row.cluster,
    name: row.name,
    description: row.description,
    nameStatus: row.name_status,
    event: row.event,
    customers: row.customers,
    share: row.share,
    spendShare: row.spend_share,
    typical: row.typical,
    profile: row.profile,
    author: row.author,
    condition: row.condition,
    isNameInForce: row.is_name_in_force,
  };
}

function recordOf(row: PublicationRow): PublicationRecord {
  return {
    publicationId: row.publication_id,
    pipeline: row.pipeline,
    runId: row.run_id,
    replaced: row.replaced_publication_id,
    publishedAt: row.published_at.toISOString(),
    review: row.reviewed_by,
  };
}
