import { isDeepStrictEqual } from 'node:util';
import type { Knex } from 'knex';
import type { ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import type { SegmentSummary } from '../../pipelines/contracts/run.ts';
import { translating } from './database-errors.ts';
import { lockNames } from './name-versions.ts';
import { type LockedRun, lockOpenRun } from './run-lock.ts';
import { removeStability } from './stability.ts';

/** What the next run needs of this one. */
export interface ModelArtifacts {
  model: ArtifactRef;
  customers: ArtifactRef;
  labels: ArtifactRef;
  /** Untransformed features. */
  values: ArtifactRef;
  identities: ArtifactRef;
}

/** A segment as it is in one run. */
export interface SegmentInRun extends SegmentSummary {
  /** Label of its cluster in the run's artifacts. */
  cluster: number;
  /** Segments it was split or merged from. */
  parents: readonly string[];
  /** Figures by feature, as JSON. */
  profile: unknown;
}

export interface NewName {
  segmentId: string;
  name: string;
  description: string;
  author: 'auto' | 'manual';
  /** Why it got this name: `born`, `split of seg_…`. */
  reason: string;
  /** What must hold for the name to be true, as JSON. */
  condition: unknown;
}

export interface Segmentation {
  artifacts: ModelArtifacts;
  /** The run that fitted the model; absent: this one. */
  fittedIn?: string;
  segments: readonly SegmentInRun[];
  /**
   * Names as this run has them. A name in force stays whatever is said here; when the condition it rests on
   * has changed, it is saved as a new version of the same name.
   */
  names: readonly NewName[];
}

interface NameRow extends Pick<NewName, 'name' | 'author' | 'condition'> {
  segment_id: string;
}

interface SegmentRow {
  segment_id: string;
  pipeline: string;
  born_in_run: string;
  retired_in_run: string | null;
}

export type SegmentationsRepository = ReturnType<typeof createSegmentationsRepository>;

/** Models, segments, their names and snapshots: what a run says before it is published. */
export const createSegmentationsRepository = (knex: Knex) =>
  translating({
    /**
     * Writes a run's segmentation in one transaction, in place of what an earlier attempt wrote. Names stay
     * proposals until the run is published. For a published run nothing is changed.
     *
     * @throws RangeError when a born segment's id was used before, or a segment is another pipeline's or retired
     * @throws PipelineError RUN_UNKNOWN, RUN_ABANDONED, POSTGRES_UNREACHABLE
     */
    async save(runId: string, segmentation: Segmentation): Promise<void> {
      await knex.transaction(async (transaction) => {
        await lockNamesFor(transaction, runId);
        const run = await lockOpenRun(transaction, runId);
        if (run.isPublished) return;
        await removeSegmentation(transaction, runId, segmentation.segments);
        await saveSegments(transaction, run, segmentation.segments);
        await saveNames(transaction, runId, segmentation.names);
        await saveModel(transaction, run, segmentation);
      });
    },

    /**
     * Every segment id the pipeline ever had, retired ones too: none is given out again. A run that gives
     * out its ids a second time leaves out those born in it, so that it finds the same ones free.
     */
    async idsOf(pipeline: string, { exceptBornIn }: { exceptBornIn?: string } = {}): Promise<string[]> {
      const query = knex<SegmentRow>('segments').where({ pipeline }).orderBy('segment_id');
      const rows = await (exceptBornIn === undefined ? query : query.whereNot({ born_in_run: exceptBornIn }));
      return rows.map((row) => row.segment_id);
    },

    /** What a run left for those after it; null when it has no segments. */
    async artifactsOf(runId: string): Promise<ModelArtifacts | null> {
      const row = await knex<ModelRow & { run_id: string }>('models').where({ run_id: runId }).first();
      return row ? artifactsOf(row) : null;
    },
  });

export type ModelRow = Record<`${keyof ModelArtifacts}_artifact`, ArtifactRef>;

export function artifactsOf(row: ModelRow): ModelArtifacts {
  return {
    model: row.model_artifact,
    customers: row.customers_artifact,
    labels: row.labels_artifact,
    values: row.values_artifact,
    identities: row.identities_artifact,
  };
}

/**
 * Takes back what an unpublished run said; for `save` and for the clean-up.
 *
 * @param saidAgain segments that stay, since the run's movements may be there and speak of them
 */
export async function removeSegmentation(
  transaction: Knex.Transaction,
  runId: string,
  saidAgain: readonly Pick<SegmentInRun, 'segmentId'>[] = [],
): Promise<void> {
  await transaction('models').where({ run_id: runId }).delete();
  await transaction('segment_snapshots').where({ run_id: runId }).delete();
  await transaction('segment_names').where({ run_id: runId }).delete();
  const gone = transaction('segments')
    .where({ born_in_run: runId })
    .whereNotIn(
      'segment_id',
      saidAgain.map(({ segmentId }) => segmentId),
    );
  if ((await gone.clone().select('segment_id')).length > 0) await removeStability(transaction, runId);
  await gone.delete();
}

async function saveSegments(
  transaction: Knex.Transaction,
  run: LockedRun,
  segments: readonly SegmentInRun[],
): Promise<void> {
  if (segments.length === 0) return;
  await checkIdentities(transaction, run, segments);
  await transaction('segments')
    .insert(
      segments.map((segment) => ({
        segment_id: segment.segmentId,
        pipeline: run.pipeline,
        born_in_run: run.runId,
        parents: [...segment.parents],
      })),
    )
    .onConflict('segment_id')
    .merge(['parents'])
    .where('segments.born_in_run', run.runId);
  await transaction('segment_snapshots').insert(
    segments.map((segment) => ({
      run_id: run.runId,
      segment_id: segment.segmentId,
      cluster: segment.cluster,
      name: segment.name,
      description: segment.description,
      name_status: segment.nameStatus,
      event: segment.event,
      customers: segment.customers,
      share: segment.share,
      spend_share: segment.spendShare,
      typical: JSON.stringify(segment.typical),
      profile: JSON.stringify(segment.profile),
    })),
  );
}

async function checkIdentities(
  transaction: Knex.Transaction,
  run: LockedRun,
  segments: readonly SegmentInRun[],
): Promise<void> {
  const known = await transaction('segments as s')
    .leftJoin('runs as r', 'r.run_id', 's.retired_in_run')
    .whereIn(
      's.segment_id',
      segments.map((segment) => segment.segmentId),
    )
    .select<(SegmentRow & { retired_as_of: string | null })[]>('s.*', 'r.as_of as retired_as_of');
  const own = await transaction('runs').where({ run_id: run.runId }).first<{ as_of: string | null }>('as_of');
  const asOf = own?.as_of ?? null;
  const born = new Set(segments.filter((s) => s.event === 'born').map((s) => s.segmentId));
  for (const { segment_id, pipeline, born_in_run, retired_in_run, retired_as_of } of known) {
    if (born.has(segment_id) && born_in_run !== run.runId)
      throw new RangeError(`born segment ${segment_id} needs a new id, this one was used`);
    if (pipeline !== run.pipeline) {
      throw new RangeError(
        `segment ${segment_id} needs to be one of ${run.pipeline}, it is one of ${pipeline}`,
      );
    }
    // In a run as of an earlier date it lives, whatever became of it later.
    const isLater = asOf !== null && retired_as_of !== null && retired_as_of > asOf;
    if (retired_in_run !== null && !isLater) {
      throw new RangeError(
        `segment ${segment_id} needs to be alive, it was retired in run ${retired_in_run}`,
      );
    }
  }
}

/** Before the run's own row, which is the order of a publish. A person who renames meanwhile takes a version, too. */
async function lockNamesFor(transaction: Knex.Transaction, runId: string): Promise<void> {
  const row = await transaction<{ run_id: string; pipeline: string }>('runs')
    .where({ run_id: runId })
    .first();
  if (row) await lockNames(transaction, row.pipeline);
}

async function saveNames(
  transaction: Knex.Transaction,
  runId: string,
  names: readonly NewName[],
): Promise<void> {
  const segmentIds = names.map((name) => name.segmentId);
  const valid = await transaction<NameRow>('segment_names')
    .whereIn('segment_id', segmentIds)
    .whereNotNull('valid_from')
    .whereNull('valid_to');
  const versions = await transaction<{ segment_id: string; version: number }>('segment_names')
    .whereIn('segment_id', segmentIds)
    .groupBy('segment_id')
    .select('segment_id')
    .max({ version: 'version' });
  const lastVersion = new Map(versions.map((row) => [row.segment_id, row.version]));
  const present = new Map(valid.map((row) => [row.segment_id, row]));
  const changed = names.filter((name) => isNewVersion(name, present.get(name.segmentId)));
  if (changed.length === 0) return;
  await transaction('segment_names').insert(
    changed.map((name) => ({
      segment_id: name.segmentId,
      version: 1 + (lastVersion.get(name.segmentId) ?? 0),
      run_id: runId,
      name: name.name,
      description: name.description,
      author: name.author,
      reason: name.reason,
      condition: JSON.stringify(name.condition),
    })),
  );
}

/** Between naming and saving a person may have renamed the segment: only that very name is renewed. */
function isNewVersion(name: NewName, inForce: NameRow | undefined): boolean {
  if (!inForce) return true;
  // A person's name claims nothing about figures: there is no condition to renew.
  const isSame = inForce.name === name.name && inForce.author === 'auto' && name.author === 'auto';
  const condition: unknown = JSON.parse(JSON.stringify(name.condition));
  return isSame && !isDeepStrictEqual(inForce.condition, condition);
}

async function saveModel(
  transaction: Knex.Transaction,
  run: LockedRun,
  { artifacts, fittedIn = run.runId }: Segmentation,
): Promise<void> {
  await transaction('models').insert({
    run_id: run.runId,
    pipeline: run.pipeline,
    fitted_in_run_id: fittedIn,
    model_artifact: JSON.stringify(artifacts.model),
    customers_artifact: JSON.stringify(artifacts.customers),
    labels_artifact: JSON.stringify(artifacts.labels),
    values_artifact: JSON.stringify(artifacts.values),
    identities_artifact: JSON.stringify(artifacts.identities),
  });
}
