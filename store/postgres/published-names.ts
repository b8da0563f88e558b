import type { Knex } from 'knex';
import { holderOf } from '../../pipelines/contracts/segment-name.ts';

// What a publication does to names, within its transaction. The pipeline's row is locked by then: people who rename
// have either done so, and are found here, or wait.

/** Names that readers see, by segment. */
export type NamesInForce = ReadonlyMap<string, string>;

/** Segments that the publication before had and this run has not. Their names are free from then on. */
export async function retireSegments(
  transaction: Knex.Transaction,
  { runId, replaced, seen, at }: { runId: string; replaced: number | null; seen: number | null; at: string },
): Promise<void> {
  if (replaced === null) return;
  // A segment that an older run lacks may live in what readers see.
  await transaction.raw(
    `update segments set retired_in_run = :runId
     where retired_in_run is null
       and segment_id in (select segment_id from segment_snapshots s join publications u using (run_id)
                          where u.publication_id = :replaced)
       and segment_id not in (select segment_id from segment_snapshots where run_id = :runId)
       and segment_id not in (select segment_id from segment_snapshots s join publications u using (run_id)
                              where u.publication_id = :seen)`,
    { runId, replaced, seen },
  );
  await transaction.raw(
    `update segment_names n set valid_to = greatest(n.valid_from, :at::timestamptz)
     from segments s
     where s.segment_id = n.segment_id and s.retired_in_run = :runId
       and n.valid_from is not null and n.valid_to is null`,
    { runId, at },
  );
}

/**
 * A name a person gave after this run's was proposed has a higher version, and stays. An older run names what was born
 * in it and renames nothing.
 */
export async function validateNames(
  transaction: Knex.Transaction,
  { runId, at, isAside }: { runId: string; at: string; isAside: boolean },
): Promise<void> {
  await yieldToPeople(transaction, runId);
  const proposed = `
    select p.segment_id, p.version from segment_names p
    where p.run_id = :runId and p.valid_from is null and not exists (
      select from segment_names later
      where later.segment_id = p.segment_id and later.valid_from is not null
        ${isAside ? '' : 'and later.version > p.version'})`;
  // Two statements: the index that allows one valid name per segment is checked row by row.
  await transaction.raw(
    `update segment_names n set valid_to = greatest(n.valid_from, :at::timestamptz) from (${proposed}) p
     where n.segment_id = p.segment_id and n.valid_from is not null and n.valid_to is null`,
    { runId, at },
  );
  await transaction.raw(
    `update segment_names n set valid_from = :at::timestamptz from (${proposed}) p
     where n.segment_id = p.segment_id and n.version = p.version`,
    { runId, at },
  );
}

interface LivingName {
  segmentId: string;
  version: number;
  name: string;
  isInForce: boolean;
}

/**
 * A person may have given another segment the very name that this run has for a new one: theirs stays, and the new
 * segment is told apart by its id until somebody names it.
 */
async function yieldToPeople(transaction: Knex.Transaction, runId: string): Promise<void> {
  const names = await transaction('segment_names as n')
    .join('segments as s', 's.segment_id', 'n.segment_id')
    // Of the segments that readers of this run see: one that lives in a run kept aside alone is in nobody's way.
    .whereIn('n.segment_id', transaction('segment_snapshots').where({ run_id: runId }).select('segment_id'))
    .whereNull('n.valid_to')
    .where((query) => query.whereNotNull('n.valid_from').orWhere('n.run_id', runId))
    .select<LivingName[]>(
      { segmentId: 'n.segment_id', version: 'n.version', name: 'n.name' },
      transaction.raw('n.valid_from is not null as "isInForce"'),
    );
  const among = names.filter(({ isInForce }) => isInForce);
  for (const { segmentId, version, name } of names.filter(({ isInForce }) => !isInForce)) {
    const holder = holderOf(name, { segmentId, among });
    if (!holder) continue;
    await transaction('segment_names')
      .where({ segment_id: segmentId, version })
      .update({
        name: `${name} (${segmentId})`,
        reason: transaction.raw(`reason || ?`, [
          `; ${holder.segmentId} was given the same name before this run was published`,
        ]),
      });
  }
}

/** After `validateNames`: of the segments that the run has. */
export async function namesInForce(transaction: Knex.Transaction, runId: string): Promise<NamesInForce> {
  const rows = await transaction('segment_snapshots as s')
    .join('segment_names as n', 'n.segment_id', 's.segment_id')
    .where('s.run_id', runId)
    .whereNotNull('n.valid_from')
    .whereNull('n.valid_to')
    .select<{ segmentId: string; name: string }[]>({ segmentId: 's.segment_id', name: 'n.name' });
  return new Map(rows.map(({ segmentId, name }) => [segmentId, name]));
}
