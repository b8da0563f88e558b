import type { Knex } from 'knex';
import { PipelineError } from '../../pipelines/contracts/errors.ts';

export interface LockedRun {
  runId: string;
  pipeline: string;
  sequence: number;
  isPublished: boolean;
  isCleaned: boolean;
  isClosed: boolean;
  membershipRows: number | null;
  membershipSha256: string | null;
}

interface RunRow {
  run_id: string;
  pipeline: string;
  sequence: number;
  cleaned_at: Date | null;
  closed_at: Date | null;
  membership_rows: number | null;
  membership_sha256: string | null;
}

/** `shared` is for those that keep out of each other's way by other means, and never change the run's row. */
export type RunLock = 'exclusive' | 'shared';

/**
 * The run's row, locked until the transaction ends: all that writes for a run goes through here, so that two
 * attempts of one activity, or an attempt and the clean-up, never write at the same time.
 *
 * @throws PipelineError RUN_UNKNOWN
 */
export async function lockRun(
  transaction: Knex.Transaction,
  runId: string,
  lock: RunLock = 'exclusive',
): Promise<LockedRun> {
  const asked = transaction<RunRow>('runs').where({ run_id: runId });
  // Not FOR UPDATE: that would also keep out the foreign keys of the run log. Not FOR KEY SHARE: it would let the
  // clean-up in.
  const row = await (lock === 'shared' ? asked.forShare() : asked.forNoKeyUpdate()).first();
  if (!row) throw unknownRun(runId);
  // A statement of its own, so that it sees what was committed while this one waited for the lock.
  const publications = await transaction('publications').where({ run_id: runId }).select('publication_id');
  return {
    runId,
    pipeline: row.pipeline,
    sequence: row.sequence,
    isPublished: publications.length > 0,
    isCleaned: row.cleaned_at !== null,
    isClosed: row.closed_at !== null,
    membershipRows: row.membership_rows,
    membershipSha256: row.membership_sha256,
  };
}

/**
 * A run that may still be written for. An attempt that Temporal gave up may wake after the clean-up: it must
 * not bring rows back.
 *
 * @throws PipelineError RUN_UNKNOWN, RUN_ABANDONED
 */
export async function lockOpenRun(
  transaction: Knex.Transaction,
  runId: string,
  lock: RunLock = 'exclusive',
): Promise<LockedRun> {
  const run = await lockRun(transaction, runId, lock);
  if (run.isCleaned || run.isClosed) {
    throw new PipelineError(
      'RUN_ABANDONED',
      `run ${runId} needs to be open to be written, it has been ${run.isClosed ? 'closed' : 'cleaned up'}`,
      { runId },
    );
  }
  return run;
}

export function unknownRun(runId: string): PipelineError {
  return new PipelineError('RUN_UNKNOWN', `run ${runId} needs to be registered, there is none of this id`, {
    runId,
  });
}
