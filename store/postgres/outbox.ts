import type { Knex } from 'knex';
import { translating } from './database-errors.ts';

const ERROR_LENGTH = 500;

export interface OutboxMessage {
  messageId: number;
  pipeline: string;
  runId: string;
  event: string;
  channel: string;
  payload: unknown;
  createdAt: string;
  /** Deliveries begun, this one included. */
  attempts: number;
}

interface OutboxRow {
  message_id: number;
  pipeline: string;
  run_id: string;
  event: string;
  channel: string;
  payload: unknown;
  created_at: Date;
  attempts: number;
}

/** Which messages: of one run, or of a pipeline. */
export type OutboxScope = { runId: string } | { pipeline: string };

export interface ClaimOptions {
  limit: number;
  except?: readonly number[];
  leaseSeconds?: number;
}

export type OutboxRepository = ReturnType<typeof createOutboxRepository>;

/** What others are told of a publication: at least once, by one deliverer at a time. */
export const createOutboxRepository = (knex: Knex) =>
  translating({
    /**
     * Takes undelivered messages for this caller alone, those tried least and of them the oldest first, until
     * they are marked or the lease ends; then another may take them, since this one has probably been killed.
     *
     * @param options.except messages this caller has tried already
     * @param options.leaseSeconds longer than the delivery of all that are claimed takes; default 60
     */
    async claim(scope: OutboxScope, options: ClaimOptions): Promise<OutboxMessage[]> {
      const { limit, except = [], leaseSeconds = 60 } = options;
      // Materialized, so that the limit is taken once; skipping what another claims at this moment.
      const { rows } = await knex.raw<{ rows: OutboxRow[] }>(
        `with free as materialized (
           select message_id from outbox
           where delivered_at is null and (claimed_until is null or claimed_until <= now()) and ?? = ?
             and message_id <> all (?)
           order by attempts, message_id limit ? for update skip locked)
         update outbox o set claimed_until = now() + make_interval(secs => ?), attempts = attempts + 1
         from free where o.message_id = free.message_id
         returning o.*`,
        [...columnOf(scope), [...except], limit, leaseSeconds],
      );
      return rows.map(messageOf).sort((left, right) => left.messageId - right.messageId);
    },

    /** Messages not delivered yet, claimed ones too. */
    async countUndelivered(scope: OutboxScope): Promise<number> {
      const [column, value] = columnOf(scope);
      const [row] = await knex('outbox').where(column, value).whereNull('delivered_at').count({ rows: '*' });
      return Number(row?.rows ?? 0);
    },

    /** Messages that were delivered, by whichever attempt. */
    async countDelivered(scope: OutboxScope): Promise<number> {
      const [column, value] = columnOf(scope);
      const [row] = await knex('outbox')
        .where(column, value)
        .whereNotNull('delivered_at')
        .count({ rows: '*' });
      return Number(row?.rows ?? 0);
    },

    /** Marked twice, the first time stands. */
    async markDelivered(messageId: number): Promise<void> {
      await knex('outbox')
        .where({ message_id: messageId })
        .whereNull('delivered_at')
        .update({ delivered_at: knex.fn.now(), claimed_until: null, last_error: null });
    },

    /** Notes why and frees the message for the next attempt; a delivered one stays delivered. */
    async markFailed(messageId: number, error: string): Promise<void> {
      await knex('outbox')
        .where({ message_id: messageId })
        .whereNull('delivered_at')
        .update({ claimed_until: null, last_error: error.slice(0, ERROR_LENGTH) });
    },
  });

function columnOf(scope: OutboxScope): [column: string, value: string] {
  return 'runId' in scope ? ['run_id', scope.runId] : ['pipeline', scope.pipeline];
}

function messageOf(row: OutboxRow): OutboxMessage {
  return {
    messageId: row.message_id,
    pipeline: row.pipeline,
    runId: row.run_id,
    event: row.event,
    channel: row.channel,
    payload: row.payload,
    createdAt: row.created_at.toISOString(),
    attempts: row.attempts,
  };
}
