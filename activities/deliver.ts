import type { Channel } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { type AlertDigest, endedDigest } from '../pipelines/stages/alerts/digest.ts';
import type { OutboxMessage, OutboxScope } from '../store/postgres/outbox.ts';
import { channelOf, send } from './channels.ts';
import type { ActivityContext } from './context.ts';
import { aboutOf } from './post.ts';

/** One delivery and the two statements around it, with room to spare. */
const LEASE_SECONDS = 30;

export interface Delivering {
  scope: OutboxScope;
  /** Of the run's definition, for messages of before they kept their channel. */
  notify: (message: OutboxMessage) => Promise<readonly Channel[]>;
  signal: AbortSignal;
  onProgress?: (tried: number) => void;
  /** Ends early after so many faults, or when the time is up; what is left waits for another. */
  limit?: { faults: number; until: number };
}

/**
 * Every message once, claimed one at a time: the lease covers one delivery, however many wait behind it, and
 * an attempt that runs out of time holds no more than the message it was at.
 *
 * @returns what was delivered, and why what still waits was not
 */
export async function deliverEach(
  context: Pick<ActivityContext, 'log' | 'secret' | 'lineage'> & {
    repositories: Pick<ActivityContext['repositories'], 'outbox' | 'runs'>;
  },
  { scope, notify, signal, onProgress, limit }: Delivering,
): Promise<{ delivered: number; faults: string[] }> {
  const { outbox } = context.repositories;
  const tried: number[] = [];
  const faults: string[] = [];
  let givenUp = 0;
  for (;;) {
    signal.throwIfAborted();
    const isOver = limit && (faults.length >= limit.faults || Date.now() > limit.until);
    const [message] = isOver
      ? []
      : await outbox.claim(scope, { limit: 1, except: tried, leaseSeconds: LEASE_SECONDS });
    if (!message) return { delivered: tried.length - faults.length - givenUp, faults };
    tried.push(message.messageId);
    try {
      const channel = channelOf(message, message.settings === null ? await notify(message) : []);
      const left = await send(context, { channel, message: await asItIsNow(context, message), signal });
      if (left === null) await outbox.markDelivered(message.messageId);
      else {
        faults.push(left.fault);
        await outbox.markFailed(message.messageId, left.fault, scope, left.channel);
      }
    } catch (error) {
      if (!(error instanceof PipelineError && error.code === 'DELIVERY_FAILED')) throw error;
      if (isGivenUp({ message, scope, error })) {
        givenUp += 1;
        await outbox.giveUp(message.messageId, error.message);
        context.log.info(`${message.event} of ${aboutOf(message)} is given up: ${error.message}`);
      } else {
        faults.push(error.message);
        await outbox.markFailed(message.messageId, error.message, scope);
      }
    }
    onProgress?.(tried.length);
  }
}

/** Both: workers that were away for a week find a receiver that comes up with them. */
const GIVEN_UP_AFTER = { ms: 7 * 24 * 3_600_000, attempts: 6 };

/**
 * Lineage is told for some days, or until it is refused for itself: an old event is of no use to anyone, and would be tried
 * for ever. A person's command gives up nothing.
 */
function isGivenUp(tried: { message: OutboxMessage; scope: OutboxScope; error: PipelineError }): boolean {
  const { message, scope, error } = tried;
  if (!('lineage' in scope) || scope.isUrgent) return false;
  const isOld = Date.now() - Date.parse(message.createdAt) > GIVEN_UP_AFTER.ms;
  return error.details.isFinal === true || (isOld && message.attempts >= GIVEN_UP_AFTER.attempts);
}

/** A run that was held when this was written may have ended since: then nobody is asked to decide on it. */
async function asItIsNow(
  { repositories }: { repositories: Pick<ActivityContext['repositories'], 'runs'> },
  message: OutboxMessage,
): Promise<OutboxMessage> {
  if (!message.event.startsWith('alerts.held') || message.runId === null) return message;
  const { outcome } = await repositories.runs.get(message.runId);
  if (outcome === null || outcome === 'held') return message;
  return { ...message, payload: endedDigest(message.payload as AlertDigest, outcome) };
}
