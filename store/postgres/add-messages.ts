import type { Knex } from 'knex';

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

/** Messages into the outbox, in the transaction of what they tell. */
export async function addMessages(
  transaction: Knex.Transaction,
  { pipeline, runId, messages }: { pipeline: string; runId: string; messages: readonly NewMessage[] },
): Promise<void> {
  if (messages.length === 0) return;
  await transaction('outbox').insert(
    messages.map(({ event, channel, settings, payload, notBefore = null }) => ({
      pipeline,
      run_id: runId,
      event,
      channel,
      settings: settings === undefined ? null : JSON.stringify(settings),
      payload: JSON.stringify(payload),
      not_before: notBefore,
    })),
  );
}
