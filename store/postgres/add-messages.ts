import type { Knex } from 'knex';

/** Messages on it are OpenLineage events: delivered beside runs alone, those of one run in their order. */
export const LINEAGE_CHANNEL = 'openlineage';

export interface NewMessage {
  event: string;
  channel: string;
  /** The channel as it is set now; absent: that of the run's definition. */
  settings?: unknown;
  /** Holds no customer ids. */
  payload: unknown;
  /** ISO time before which it is not sent; absent or null: at once. */
  notBefore?: string | null;
}

interface Told {
  pipeline: string;
  /** The run it is about; null: none. */
  runId: string | null;
  /** Of what is about no run: the first of its alerts. */
  alertId?: string | null;
  messages: readonly NewMessage[];
}

/** Messages into the outbox, in the transaction of what they tell. */
export async function addMessages(
  transaction: Knex.Transaction,
  { pipeline, runId, alertId = null, messages }: Told,
): Promise<void> {
  if (messages.length === 0) return;
  await transaction('outbox').insert(
    messages.map(({ event, channel, settings, payload, notBefore = null }) => ({
      pipeline,
      run_id: runId,
      alert_id: alertId,
      event,
      channel,
      settings: settings === undefined ? null : JSON.stringify(settings),
      payload: JSON.stringify(payload),
      not_before: notBefore,
    })),
  );
}
