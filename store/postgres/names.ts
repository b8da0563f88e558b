import { isDeepStrictEqual } from 'node:util';
import type { Knex } from 'knex';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { holderOf, segmentNameKey } from '../../pipelines/contracts/segment-name.ts';
import { translating } from './database-errors.ts';
import { historyOf, lockNames, momentOf, type NameVersion } from './name-versions.ts';

/** A segment that readers see, under its present name. */
export interface NamedSegment {
  pipeline: string;
  segmentId: string;
  name: string;
  version: number;
  author: 'auto' | 'manual';
  givenBy: string | null;
  since: string;
  status: 'holds' | 'questionable';
  customers: number;
  share: number;
  /** The published run, whose figures `status` rests on. */
  runId: string;
}

interface Decision {
  segmentId: string;
  by: string;
  reason: string;
  /** Version in force that the person saw. */
  seen: number;
}

/** Whether a condition holds, by the segment's figures in the published run. */
export type Judge = (condition: unknown, profile: unknown) => 'holds' | 'questionable';

export interface ChangedName {
  name: NameVersion;
  /** In force before it; null where there was none. */
  previous: NameVersion | null;
  /** False where it was in force already, and nothing was changed. */
  isNew: boolean;
}

/** A name that makes no claim about figures: no run will find it broken. */
const NO_CONDITION = { words: [] };
const LIST = 'npm run strata -- names list';

export type NamesRepository = ReturnType<typeof createNamesRepository>;

/**
 * Names of segments as people decide them. A name is in force for readers at once; whichever run is under way
 * finds it there. Of two people who rename at once the first is obeyed, and the second is told.
 *
 * Those that change a name throw PipelineError SEGMENT_UNKNOWN for a segment that readers do not see, NAME_CHANGED
 * when `seen` is not in force any more, NAME_TAKEN; all may throw POSTGRES_UNREACHABLE.
 */
export const createNamesRepository = (knex: Knex) =>
  translating({
    /** Published segments, largest first within their pipelines. */
    list: (filter: { pipeline?: string } = {}): Promise<NamedSegment[]> => listNamed(knex, filter),

    /**
     * A published segment by its id or its present name.
     *
     * @throws PipelineError SEGMENT_UNKNOWN; INPUT_INVALID for a name that several pipelines have
     */
    find: (wanted: { segment: string; pipeline?: string }): Promise<NamedSegment> => findNamed(knex, wanted),

    /** All names a segment ever had, oldest first; of a retired one, too. */
    history: (segmentId: string): Promise<NameVersion[]> => historyOf(knex, segmentId),

    /** A person's own name, as `checkSegmentName` gives it. */
    set: ({ name, ...decision }: Decision & { name: string }): Promise<ChangedName> =>
      change(knex, decision, ({ inForce }) => ({
        ...{ name, author: 'manual', condition: NO_CONDITION, status: 'holds' },
        description: inForce.description,
      })),

    /** A name that the engine proposes: from now on its condition is checked in every run. */
    accept: ({ proposal, ...decision }: Decision & { proposal: { name: string; condition: unknown } }) =>
      change(knex, decision, ({ inForce }) => ({
        ...{ ...proposal, author: 'auto', status: 'holds' },
        description: inForce.description,
      })),

    /**
     * Goes back to a version that was in force, with its author and its condition.
     *
     * @throws PipelineError INPUT_INVALID for a version that never was
     */
    revert: ({ version, judge, ...decision }: Decision & { version: number; judge: Judge }) =>
      change(knex, decision, ({ history, profile }) => {
        const back = history.find((known) => known.version === version);
        if (!back) throw unknownVersion(decision.segmentId, { version, history });
        const { name, author, condition, description } = back;
        return { name, author, condition, description, status: judge(condition, profile) };
      }),
  });

interface NamedRow {
  pipeline: string;
  segment_id: string;
  name: string;
  name_version: number;
  name_author: NamedSegment['author'];
  name_given_by: string | null;
  name_since: Date;
  name_status: NamedSegment['status'];
  customers: number;
  share: number;
  run_id: string;
}

async function listNamed(knex: Knex, { pipeline }: { pipeline?: string }): Promise<NamedSegment[]> {
  const rows = await knex<NamedRow>('published_segments')
    .where(pipeline === undefined ? {} : { pipeline })
    .whereNotNull('name_version')
    .orderBy(['pipeline', { column: 'customers', order: 'desc' }, 'segment_id']);
  return rows.map((row) => ({
    pipeline: row.pipeline,
    segmentId: row.segment_id,
    name: row.name,
    version: row.name_version,
    author: row.name_author,
    givenBy: row.name_given_by,
    since: row.name_since.toISOString(),
    status: row.name_status,
    customers: row.customers,
    share: row.share,
    runId: row.run_id,
  }));
}

async function findNamed(
  knex: Knex,
  { segment, pipeline }: { segment: string; pipeline?: string },
): Promise<NamedSegment> {
  const all = await listNamed(knex, { ...(pipeline !== undefined && { pipeline }) });
  const byId = all.find(({ segmentId }) => segmentId === segment);
  if (byId) return byId;
  const key = segmentNameKey(segment);
  const [first, ...others] = all.filter(({ name }) => segmentNameKey(name) === key);
  if (!first) throw await unseen(knex, { segment, pipeline });
  if (others.length === 0) return first;
  const told = [first, ...others].map((found) => `${found.segmentId} of ${found.pipeline}`);
  throw new PipelineError(
    'INPUT_INVALID',
    `a segment needs to be named so that one is meant, "${segment}" are ${told.join(', ')}; give its id`,
  );
}

/** Why readers see no such segment. */
async function unseen(
  knex: Knex,
  { segment, pipeline }: { segment: string; pipeline?: string | undefined },
): Promise<PipelineError> {
  const row = await knex<SegmentRow>('segments').where({ segment_id: segment }).first();
  if (row && (pipeline === undefined || row.pipeline === pipeline)) return unnamed(row);
  const where = pipeline === undefined ? '' : ` of ${pipeline}`;
  return new PipelineError(
    'SEGMENT_UNKNOWN',
    `a segment${where} needs to be given by its id or its present name, no published one is "${segment.slice(0, 80)}"; ` +
      ((await formerHolder(knex, { segment, pipeline })) ?? `${LIST} shows them`),
  );
}

/** Whose name it was: who types a name that was changed since means that segment. */
async function formerHolder(
  knex: Knex,
  { segment, pipeline }: { segment: string; pipeline: string | undefined },
): Promise<string | undefined> {
  const names = await knex('segment_name_history')
    .where(pipeline === undefined ? {} : { pipeline })
    .whereNotNull('valid_to')
    .orderBy('valid_to', 'desc')
    .select<{ segment_id: string; name: string; valid_to: Date }[]>('segment_id', 'name', 'valid_to');
  const key = segmentNameKey(segment);
  const former = names.find(({ name }) => segmentNameKey(name) === key);
  return former && `${former.segment_id} was called so until ${former.valid_to.toISOString()}: give its id`;
}

interface SegmentRow {
  segment_id: string;
  pipeline: string;
  born_in_run: string;
  retired_in_run: string | null;
}

function unnamed({ segment_id, born_in_run, retired_in_run }: SegmentRow): PipelineError {
  const why =
    retired_in_run === null
      ? `it is born in run ${born_in_run}, which readers do not see; name it when they do`
      : `it has retired with run ${retired_in_run}; its history stays as it is`;
  return new PipelineError(
    'SEGMENT_UNKNOWN',
    `segment ${segment_id} needs to be published to be named: ${why}`,
    {
      segmentId: segment_id,
    },
  );
}

interface Present {
  inForce: NameVersion;
  history: readonly NameVersion[];
  /** Its figures in the published run. */
  profile: unknown;
}

interface Next extends Pick<NameVersion, 'name' | 'author' | 'condition' | 'description'> {
  status: NamedSegment['status'];
}

function change(knex: Knex, decision: Decision, decide: (present: Present) => Next): Promise<ChangedName> {
  return knex.transaction(async (transaction) => {
    const { segmentId } = decision;
    const pipeline = await lockPipelineOf(transaction, segmentId);
    const history = await historyOf(transaction, segmentId);
    const inForce = history.find(({ until }) => until === null);
    if (!inForce) {
      const row = await transaction<SegmentRow>('segments').where({ segment_id: segmentId }).first();
      throw unnamed(row!);
    }
    const next = decide({ inForce, history, profile: await profileOf(transaction, { segmentId, pipeline }) });
    // Said twice, or by two people alike: it is as they want it.
    if (isSame(next, inForce)) return { name: inForce, previous: before(inForce, history), isNew: false };
    if (hasChanged(decision.seen, { inForce, history })) throw changedSince(decision, { inForce, history });
    await refuseTaken(transaction, { pipeline, segmentId, name: next.name });
    await putInForce(transaction, { decision, next });
    const changed = await historyOf(transaction, segmentId);
    return { name: changed.at(-1)!, previous: inForce, isNew: true };
  });
}

async function lockPipelineOf(transaction: Knex.Transaction, segmentId: string): Promise<string> {
  const row = await transaction<SegmentRow>('segments').where({ segment_id: segmentId }).first();
  if (!row) throw await unseen(transaction, { segment: segmentId });
  await lockNames(transaction, row.pipeline);
  return row.pipeline;
}

async function profileOf(
  transaction: Knex.Transaction,
  { segmentId, pipeline }: { segmentId: string; pipeline: string },
): Promise<unknown> {
  const row = await transaction<{ pipeline: string; segment_id: string; profile: unknown }>(
    'published_segments',
  )
    .where({ pipeline, segment_id: segmentId })
    .first('profile');
  return row?.profile;
}

function isSame(next: Next, inForce: NameVersion): boolean {
  return (
    next.name === inForce.name &&
    next.author === inForce.author &&
    isDeepStrictEqual(JSON.parse(JSON.stringify(next.condition)), inForce.condition)
  );
}

function before(version: NameVersion, history: readonly NameVersion[]): NameVersion | null {
  return history[history.indexOf(version) - 1] ?? null;
}

/** A run that renews the condition of the same name changes nothing that a person saw. */
function hasChanged(
  seen: number,
  { inForce, history }: { inForce: NameVersion; history: readonly NameVersion[] },
): boolean {
  const isKnown = history.some(({ version }) => version === seen);
  const later = history.filter(({ version }) => version > seen);
  return !isKnown || later.some(({ name, givenBy }) => name !== inForce.name || givenBy !== null);
}

function changedSince(
  { segmentId, seen }: Decision,
  { inForce, history }: { inForce: NameVersion; history: readonly NameVersion[] },
): PipelineError {
  const old = history.find(({ version }) => version === seen);
  const was = old ? `version ${seen} ("${old.name}")` : `version ${seen}, which never was in force`;
  const who = inForce.givenBy ?? 'the naming of a run';
  return new PipelineError(
    'NAME_CHANGED',
    `the name of ${segmentId} needs to be the one that was seen, ${was}, found version ${inForce.version} ` +
      `("${inForce.name}"), given by ${who} at ${inForce.since} (${inForce.reason}); ` +
      `if it is to be changed all the same, say so with version ${inForce.version} as seen`,
    { segmentId, seen, version: inForce.version },
  );
}

function unknownVersion(
  segmentId: string,
  { version, history }: { version: number; history: readonly NameVersion[] },
): PipelineError {
  return new PipelineError(
    'INPUT_INVALID',
    `segment ${segmentId} needs a version that was in force, found ${version}; there are ` +
      history.map((known) => known.version).join(', '),
    { segmentId, version },
  );
}

/**
 * Names in force, and those that a run under way has for its segments, but for a segment that a person has named since:
 * there the run's will not be in force.
 */
async function refuseTaken(
  transaction: Knex.Transaction,
  { pipeline, segmentId, name }: { pipeline: string; segmentId: string; name: string },
): Promise<void> {
  const among = await transaction('segment_names as n')
    .join('segments as s', 's.segment_id', 'n.segment_id')
    .leftJoin('runs as r', 'r.run_id', 'n.run_id')
    .where('s.pipeline', pipeline)
    .whereNull('n.valid_to')
    .where((query) =>
      query
        .where((seen) =>
          seen
            .whereNotNull('n.valid_from')
            .whereIn(
              'n.segment_id',
              transaction('published_segments').where({ pipeline }).select('segment_id'),
            ),
        )
        .orWhere((open) =>
          open
            .whereNull('n.valid_from')
            .whereNull('r.closed_at')
            .whereNotExists(
              transaction('segment_names as later')
                .whereRaw('later.segment_id = n.segment_id and later.version > n.version')
                .whereNotNull('later.valid_from'),
            ),
        ),
    )
    .orderByRaw('n.valid_from nulls last, n.segment_id')
    .select<{ segmentId: string; name: string; runId: string | null; since: Date | null }[]>({
      segmentId: 'n.segment_id',
      name: 'n.name',
      runId: 'n.run_id',
      since: 'n.valid_from',
    });
  const holder = holderOf(name, { segmentId, among });
  if (!holder) return;
  const whose =
    holder.since === null
      ? `run ${holder.runId}, which is not published yet, gives it to its segment ${holder.segmentId}`
      : `${holder.segmentId} is called "${holder.name}"`;
  throw new PipelineError(
    'NAME_TAKEN',
    `a segment's name needs to be its own within ${pipeline}, ${whose}; choose another, or rename that one first`,
    { segmentId, holder: holder.segmentId },
  );
}

async function putInForce(
  transaction: Knex.Transaction,
  { decision, next }: { decision: Decision; next: Next },
): Promise<void> {
  const { segmentId, by, reason } = decision;
  const { name, author, condition, description, status } = next;
  // A clock that was set back must not end a name before it began.
  const { rows } = await transaction.raw<{ rows: { at: string }[] }>(
    `update segment_names set valid_to = greatest(valid_from, :at::timestamptz)
     where segment_id = :segmentId and valid_from is not null and valid_to is null returning valid_to::text as at`,
    { segmentId, at: await momentOf(transaction) },
  );
  await transaction.raw(
    `insert into segment_names (segment_id, version, name, description, author, given_by, reason, condition,
                                status_when_given, valid_from)
     select :segmentId, 1 + max(version), :name, :description, :author, :by, :reason, :condition, :status,
            :at::timestamptz
     from segment_names where segment_id = :segmentId`,
    {
      segmentId,
      name,
      description,
      author,
      by,
      reason,
      status,
      condition: JSON.stringify(condition),
      at: rows[0]!.at,
    },
  );
}
