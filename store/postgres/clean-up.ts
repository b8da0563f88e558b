import type { Knex } from 'knex';
import { LINEAGE_CHANNEL } from './add-messages.ts';
import { translated } from './database-errors.ts';
import { LOCK_TIMEOUT } from './membership-table.ts';
import { removeMemberships } from './memberships.ts';
import { lockRun } from './run-lock.ts';
import { removeSegmentation } from './segmentations.ts';
import { removeStability } from './stability.ts';

/**
 * Removes all that an unpublished run wrote, in one transaction; its record and its log stay. Afterwards
 * nothing can be written for it any more, so an attempt that wakes late brings nothing back.
 *
 * @returns false when the run is published: then nothing is touched
 * @throws PipelineError RUN_UNKNOWN; POSTGRES_UNREACHABLE, also while a reader is in the way
 */
export const createCleanUp =
  (knex: Knex) =>
  (runId: string): Promise<boolean> =>
    translated(() =>
      knex.transaction(async (transaction) => {
        // For the run as well: an attempt that is still at work ends first.
        await transaction.raw(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
        const run = await lockRun(transaction, runId);
        if (run.isPublished) return false;
        await removeStability(transaction, runId);
        await removeSegmentation(transaction, runId);
        await removeMemberships(transaction, run);
        // That it began, and that it waited for a person, was true, and is told whatever became of it.
        await transaction('outbox')
          .where({ run_id: runId })
          .whereNot('event', 'like', 'alerts.%')
          .whereNot({ channel: LINEAGE_CHANNEL })
          .delete();
        await transaction('runs')
          .where({ run_id: runId })
          .update({ cleaned_at: transaction.raw('coalesce(cleaned_at, now())') });
        return true;
      }),
    );
