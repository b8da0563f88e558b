import type { Knex } from 'knex';
import type { Outcome } from '../../pipelines/contracts/run.ts';
import type { RunRow } from './run-records.ts';

export interface RefitsAsked {
  pipeline: string;
  /** The run that fitted the published model. */
  fittedIn: string;
  /** ISO date. */
  asOf: string;
}

/** Refits that say whether another one may be started; each null for none. */
export interface Refits {
  /** Not ended, of whatever date. */
  open: { runId: string } | null;
  /** Of that as-of date, and neither failed nor cancelled. */
  ofDate: { runId: string; outcome: Outcome } | null;
  /** The newest one up to that date that a person turned down since the model was fitted. */
  turnedDown: { runId: string; asOf: string; outcome: 'rejected' | 'cancelled' } | null;
}

/** One look for each: the refit that was opened last may be another one, of a backfill or of somebody's try. */
export async function refitsAround(knex: Knex, { pipeline, fittedIn, asOf }: RefitsAsked): Promise<Refits> {
  const refits = () => knex<RunRow>('runs').where({ pipeline, kind: 'refit' }).whereNot({ run_id: fittedIn });
  const open = await refits().whereNull('closed_at').orderBy('sequence', 'desc').first();
  const ofDate = await knex<RunRow>('runs')
    .where({ pipeline, kind: 'refit', as_of: asOf })
    .whereNotNull('closed_at')
    .whereNotIn('outcome', ['failed', 'cancelled'])
    .orderBy('sequence', 'desc')
    .first();
  const fit = knex<RunRow>('runs').where({ run_id: fittedIn });
  const turnedDown = await refits()
    .where('sequence', '>', fit.clone().select('sequence'))
    .where('as_of', '>=', fit.clone().select('as_of'))
    .where('as_of', '<=', asOf)
    // Rejected without having waited for a person: its data was.
    .where((query) =>
      query
        .where({ outcome: 'cancelled' })
        .orWhere((or) => or.where({ outcome: 'rejected' }).whereNotNull('held_at')),
    )
    .whereNotNull('closed_at')
    .orderBy([
      { column: 'as_of', order: 'desc' },
      { column: 'sequence', order: 'desc' },
    ])
    .first();
  return {
    open: open ? { runId: open.run_id } : null,
    ofDate: ofDate ? { runId: ofDate.run_id, outcome: ofDate.outcome! } : null,
    turnedDown: turnedDown
      ? {
          runId: turnedDown.run_id,
          asOf: turnedDown.as_of!,
          outcome: turnedDown.outcome as 'rejected' | 'cancelled',
        }
      : null,
  };
}
