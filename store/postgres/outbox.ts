import type { Knex } from 'knex';
import { LINEAGE_CHANNEL } from './add-messages.ts';
import { translating } from './database-errors.ts';

const ERROR_LENGTH = 500;
const REST_AFTER_RUN_SECONDS = 60;
const FIRST_REST_SECONDS = 60;
const LONGEST_REST_SECONDS = 6 * 3600;

export interface OutboxMessage {
  messageId: number;
  pipeline: string;
  /** Null: it is about no run. */
  runId: string | null;
  /** Of a message about no run the first of its alerts, else null. */
  alertId: string | null;
  event: string;
  channel: string;
  /**
   * The channel as it was set when this was written, of mailboxes those that have not taken it yet; null: that of the
   * run's definition.
   */
  settings: unknown;
  payload: unknown;
  createdAt: string;
  /** Deliveries begun, this one included. */
  attempts: number;
}

export interface WaitingMessage
  extends Pick<OutboxMessage, 'pipeline' | 'runId' | 'alertId' | 'event' | 'channel' | 'attempts'> {
  /** Why it could not be delivered last; null: not tried yet. */
  lastError: string | null;
  /** Postponed until then; null: not. */
  notBefore: Date | null;
}

/** Lineage that comes behind an event of the same run waits until that was taken or given up. Takes the channel of lineage. */
const IN_ORDER = `(channel <> ? or not exists (
  select 1 from outbox earlier
  where earlier.run_id = outbox.run_id and earlier.channel = outbox.channel
    and earlier.message_id < outbox.message_id and earlier.delivered_at is null and earlier.given_up_at is null))`;

interface OutboxRow {
  message_id: number;
  pipeline: string;
  run_id: string | null;
  alert_id: string | null;
  event: string;
  channel: string;
  settings: unknown;
  payload: unknown;
  created_at: Date;
  attempts: number;
}

/**
 * Which messages: of one run, whose own retries pace it, or of an alert about no run; or of a pipeline, where one that
 * failed rests for a while before it is tried again; all of these without lineage. Or the lineage of a pipeline, each
 * run's in its order; `isUrgent`: whether or not it has rested.
 */
export type OutboxScope =
  | { runId: string }
  | { alertId: string }
  | { pipeline: string }
  | { lineage: string; isUrgent?: boolean };

/** What a message is about, for those who deliver it alone. */
export function scopeOf({ runId, alertId }: Pick<OutboxMessage, 'runId' | 'alertId'>): OutboxScope {
  return runId === null ? { alertId: alertId! } : { runId };
}

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
           where delivered_at is null and given_up_at is null and (claimed_until is null or claimed_until <= now()) and ?? = ?
             and (not_before is null or not_before <= now())
             and (retry_at is null or retry_at <= now() or ?)
             and message_id <> all (?)
             and (channel = ?) = ?
             and ${IN_ORDER}
           order by attempts, message_id limit ? for update skip locked)
         update outbox o set claimed_until = now() + make_interval(secs => ?), attempts = attempts + 1
         from free where o.message_id = free.message_id
         returning o.*`,
        [
          ...[...columnOf(scope), !isRested(scope), [...except]],
          ...[LINEAGE_CHANNEL, 'lineage' in scope, LINEAGE_CHANNEL, limit, leaseSeconds],
        ],
      );
      return rows.map(messageOf).sort((left, right) => left.messageId - right.messageId);
    },

    /** Messages that wait to be delivered, claimed ones too; `due`: without those that are postponed. */
    async countUndelivered(scope: OutboxScope, { due = false }: { due?: boolean } = {}): Promise<number> {
      const [column, value] = columnOf(scope);
      const [row] = await knex('outbox')
        .where(column, value)
        .whereNull('delivered_at')
        .whereNull('given_up_at')
        .whereRaw('(not ? or not_before is null or not_before <= now())', [due])
        .modify(own, scope)
        .count({ rows: '*' });
      return Number(row?.rows ?? 0);
    },

    /** Seconds until something of a pipeline can be delivered, 0 = now; null: there is nothing. */
    async secondsToNext(pipeline: string): Promise<number | null> {
      const { rows } = await knex.raw<{ rows: { seconds: number | null }[] }>(
        `select extract(epoch from min(greatest(not_before, retry_at, claimed_until, now())) - now())::float8 as seconds
         from outbox where pipeline = ? and delivered_at is null and given_up_at is null and ${IN_ORDER}`,
        [pipeline, LINEAGE_CHANNEL],
      );
      return rows[0]?.seconds ?? null;
    },

    /** What waits, oldest first, and why. */
    async waiting(pipeline?: string): Promise<WaitingMessage[]> {
      const query = knex('outbox').whereNull('delivered_at').whereNull('given_up_at').orderBy('message_id');
      if (pipeline !== undefined) query.where({ pipeline });
      return query.select<WaitingMessage[]>({
        ...{
          pipeline: 'pipeline',
          runId: 'run_id',
          alertId: 'alert_id',
          event: 'event',
          channel: 'channel',
          attempts: 'attempts',
        },
        ...{ lastError: 'last_error', notBefore: 'not_before' },
      });
    },

    /** Messages that were delivered, by whichever attempt. */
    async countDelivered(scope: OutboxScope): Promise<number> {
      const [column, value] = columnOf(scope);
      const [row] = await knex('outbox')
        .where(column, value)
        .whereNotNull('delivered_at')
        .modify(own, scope)
        .count({ rows: '*' });
      return Number(row?.rows ?? 0);
    },

    /** Marked twice, the first time stands. */
    async markDelivered(messageId: number): Promise<void> {
      await knex('outbox')
        .where({ message_id: messageId })
        .whereNull('delivered_at')
        .update({ delivered_at: knex.fn.now(), given_up_at: null, claimed_until: null, last_error: null });
    },

    /** It waits no more, and holds up nothing behind it; a delivered one stays delivered. */
    async giveUp(messageId: number, error: string): Promise<void> {
      await knex('outbox')
        .where({ message_id: messageId })
        .whereNull('delivered_at')
        .update({
          ...{ given_up_at: knex.fn.now(), claimed_until: null },
          last_error: error.slice(0, ERROR_LENGTH),
        });
    },

    /**
     * Notes why and frees the message for the next attempt; a delivered one stays delivered. To those who deliver for
     * a whole pipeline it comes back after a rest, which doubles with each of their own failures, up to six hours: a
     * receiver may be out for a day. The many attempts of a run, minutes long together, make it no longer.
     *
     * @param left the channel for those who have not taken it; absent: nobody has
     */
    async markFailed(messageId: number, error: string, scope: OutboxScope, left?: unknown): Promise<void> {
      const isPaced = 'runId' in scope || 'alertId' in scope;
      await knex('outbox')
        .where({ message_id: messageId })
        .whereNull('delivered_at')
        .update({
          claimed_until: null,
          last_error: error.slice(0, ERROR_LENGTH),
          ...(left !== undefined && { settings: JSON.stringify(left) }),
          ...(isPaced
            ? { retry_at: knex.raw('now() + make_interval(secs => ?)', [REST_AFTER_RUN_SECONDS]) }
            : {
                retry_at: knex.raw('now() + make_interval(secs => least(?, ? * 2 ^ least(rests, 20)))', [
                  LONGEST_REST_SECONDS,
                  FIRST_REST_SECONDS,
                ]),
                rests: knex.raw('rests + 1'),
              }),
        });
    },
  });

/** Whether what failed has to rest before it is tried again. */
const isRested = (scope: OutboxScope): boolean =>
  'pipeline' in scope || ('lineage' in scope && !scope.isUrgent);

/** Lineage is nothing that a run waits for. */
function own(query: Knex.QueryBuilder, scope: OutboxScope): void {
  if ('runId' in scope || 'alertId' in scope) query.whereNot({ channel: LINEAGE_CHANNEL });
}

function columnOf(scope: OutboxScope): [column: string, value: string] {
  if ('pipeline' in scope) return ['pipeline', scope.pipeline];
  if ('lineage' in scope) return ['pipeline', scope.lineage];
  return 'runId' in scope ? ['run_id', scope.runId] : ['alert_id', scope.alertId];
}

function messageOf(row: OutboxRow): OutboxMessage {
  return {
    messageId: row.message_id,
    pipeline: row.pipeline,
    runId: row.run_id,
    alertId: row.alert_id,
    event: row.event,
    channel: row.channel,
    settings: row.settings,
    payload: row.payload,
    createdAt: row.created_at.toISOString(),
    attempts: row.attempts,
  };
}
