import type { Knex } from 'knex';
import type { ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import type { Stage } from '../../pipelines/contracts/run.ts';
import { translating } from './database-errors.ts';
import { lockOpenRun } from './run-lock.ts';

export interface StageRecord {
  runId: string;
  stage: Stage;
  /** Which attempt it was that got through, from 1. */
  attempt: number;
  /** ISO with time. */
  startedAt: string;
  ms: number;
  rows: number | null;
  artifact: ArtifactRef | null;
}

interface StageRow {
  run_id: string;
  stage: Stage;
  attempts: number;
  started_at: Date;
  duration_ms: number;
  row_count: number | null;
  artifact: ArtifactRef | null;
}

export type StagesRepository = ReturnType<typeof createStagesRepository>;

/** The run log: one row per run and stage. */
export const createStagesRepository = (knex: Knex) =>
  translating({
    /** Notes a stage that was done; a later attempt replaces what an earlier one noted, never the reverse. @throws PipelineError RUN_UNKNOWN, RUN_ABANDONED */
    async record(stage: StageRecord): Promise<void> {
      await knex.transaction(async (transaction) => {
        await lockOpenRun(transaction, stage.runId, 'shared');
        await transaction('run_stages')
          .insert({
            run_id: stage.runId,
            stage: stage.stage,
            attempts: stage.attempt,
            started_at: stage.startedAt,
            duration_ms: stage.ms,
            row_count: stage.rows,
            artifact: stage.artifact && JSON.stringify(stage.artifact),
          })
          .onConflict(['run_id', 'stage'])
          .merge()
          .whereRaw('run_stages.attempts <= excluded.attempts');
      });
    },

    /** The rows that the run refused; null before they are known, and for a run that never came so far. */
    async quarantineOf(runId: string): Promise<ArtifactRef | null> {
      const row = await knex<StageRow>('run_stages')
        .where({ run_id: runId, stage: 'validate' })
        .whereRaw(`artifact ->> 'kind' = 'quarantine'`)
        .first();
      return row?.artifact ?? null;
    },

    /** In the order in which they were begun. */
    async forRun(runId: string): Promise<StageRecord[]> {
      const rows = await knex<StageRow>('run_stages')
        .where({ run_id: runId })
        .orderBy(['started_at', 'stage']);
      return rows.map((row) => ({
        runId: row.run_id,
        stage: row.stage,
        attempt: row.attempts,
        startedAt: row.started_at.toISOString(),
        ms: row.duration_ms,
        rows: row.row_count,
        artifact: row.artifact,
      }));
    },
  });
