import type { Knex } from 'knex';
import { translating } from './database-errors.ts';
import { lockOpenRun } from './run-lock.ts';

export interface MovementRow {
  /** Segment id; null for customers who are new. */
  from: string | null;
  /** Segment id; null for customers who are lost. */
  to: string | null;
  cause: 'behaviour' | 'model' | 'border';
  customers: number;
  /** Rounded to whole cents; null where the pipeline has no spend. */
  spendCents: number | null;
}

export interface MetricRow {
  metric: string;
  /** A feature or a segment; empty for the run as a whole. */
  subject: string;
  value: number | null;
  threshold: number | null;
  verdict: string;
}

interface StabilityRows {
  movements: readonly MovementRow[];
  metrics: readonly MetricRow[];
}

export type StabilityRepository = ReturnType<typeof createStabilityRepository>;

/** What changed since the last publication. */
export const createStabilityRepository = (knex: Knex) =>
  translating({
    /**
     * Writes a run's movements and metrics in place of what an earlier attempt wrote; for a published run
     * nothing is changed.
     *
     * @throws PipelineError RUN_UNKNOWN, RUN_ABANDONED, POSTGRES_UNREACHABLE
     */
    async save(runId: string, { movements, metrics }: StabilityRows): Promise<void> {
      await knex.transaction(async (transaction) => {
        const run = await lockOpenRun(transaction, runId);
        if (run.isPublished) return;
        await removeStability(transaction, runId);
        if (movements.length > 0) {
          await transaction('movements').insert(movements.map((movement) => movementRow(runId, movement)));
        }
        if (metrics.length > 0) {
          await transaction('stability_metrics').insert(metrics.map((metric) => metricRow(runId, metric)));
        }
      });
    },

    async ofRun(runId: string): Promise<{ movements: MovementRow[]; metrics: MetricRow[] }> {
      const movements = await knex('movements')
        .where({ run_id: runId })
        .orderBy(['from_segment_id', 'to_segment_id', 'cause'])
        .select<MovementRow[]>({
          from: 'from_segment_id',
          to: 'to_segment_id',
          cause: 'cause',
          customers: 'customers',
          spendCents: 'spend_cents',
        });
      const metrics = await knex('stability_metrics')
        .where({ run_id: runId })
        .orderBy(['metric', 'subject'])
        .select<MetricRow[]>('metric', 'subject', 'value', 'threshold', 'verdict');
      return { movements, metrics };
    },
  });

/** For `save` and for the clean-up. */
export async function removeStability(transaction: Knex.Transaction, runId: string): Promise<void> {
  await transaction('movements').where({ run_id: runId }).delete();
  await transaction('stability_metrics').where({ run_id: runId }).delete();
}

function movementRow(runId: string, { from, to, cause, customers, spendCents }: MovementRow) {
  return {
    run_id: runId,
    from_segment_id: from,
    to_segment_id: to,
    cause,
    customers,
    spend_cents: spendCents === null ? null : Math.round(spendCents),
  };
}

/** JSON and SQL readers alike take null for what cannot be computed; NaN would sort above every threshold. */
function metricRow(runId: string, metric: MetricRow) {
  const finite = (value: number | null) => (value !== null && Number.isFinite(value) ? value : null);
  return { run_id: runId, ...metric, value: finite(metric.value), threshold: finite(metric.threshold) };
}
