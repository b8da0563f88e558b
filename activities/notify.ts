import type { Channel } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Stages } from '../pipelines/contracts/stages.ts';
import type { OutboxMessage } from '../store/postgres/outbox.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { runStage, type Work } from './stage.ts';

const WEBHOOK_TIMEOUT_MS = 10_000;
/** One delivery and the two statements around it, with room to spare. */
const LEASE_SECONDS = 30;

/** Messages of the outbox -> their channels, at least once; the message's id lets a receiver drop a second one. */
export function createNotifyActivities(context: ActivityContext): Pick<Stages, 'deliverOutbox'> {
  const { artifacts, repositories } = context;
  return {
    async deliverOutbox({ run }) {
      return runStage(context, { stage: 'notify', run, inputs: [] }, async (work) => {
        const { notify } = await frozenDefinition(artifacts, run);
        const faults = await deliverEach(context, { runId: run.runId, notify, work });
        if (faults.length > 0)
          throw new PipelineError('DELIVERY_FAILED', faults.join('; '), { undelivered: faults.length });
        const pending = await repositories.outbox.countUndelivered({ runId: run.runId });
        // A deliverer that was killed has its message until the lease ends: then the next attempt takes it.
        if (pending > 0)
          throw new PipelineError('DELIVERY_FAILED', `${pending} messages wait for another deliverer`);
        // Those of earlier attempts, too.
        const delivered = await repositories.outbox.countDelivered({ runId: run.runId });
        return { delivered, pending };
      });
    },
  };
}

/**
 * Every message once, claimed one at a time: the lease covers one delivery, however many wait behind it, and
 * an attempt that runs out of time holds no more than the message it was at.
 */
async function deliverEach(
  context: ActivityContext,
  { runId, notify, work }: { runId: string; notify: readonly Channel[]; work: Work },
): Promise<string[]> {
  const { outbox } = context.repositories;
  const { signal, onProgress } = work;
  const tried: number[] = [];
  const faults: string[] = [];
  for (;;) {
    signal.throwIfAborted();
    const claim = { limit: 1, except: tried, leaseSeconds: LEASE_SECONDS };
    const [message] = await outbox.claim({ runId }, claim);
    if (!message) return faults;
    tried.push(message.messageId);
    try {
      await deliver(context, { channel: notify[Number.parseInt(message.channel, 10)], message, signal });
      await outbox.markDelivered(message.messageId);
    } catch (error) {
      if (!(error instanceof PipelineError && error.code === 'DELIVERY_FAILED')) throw error;
      faults.push(error.message);
      await outbox.markFailed(message.messageId, error.message);
    }
    onProgress(tried.length, notify.length);
  }
}

async function deliver(
  { log, secret }: ActivityContext,
  { channel, message, signal }: { channel: Channel | undefined; message: OutboxMessage; signal: AbortSignal },
): Promise<void> {
  const { runId, pipeline, event } = message;
  if (channel?.kind !== 'webhook') {
    log.info(`${event}: ${pipeline} ${runId}`);
    return;
  }
  const address = secret(channel.urlFrom);
  if (!address) {
    throw new PipelineError(
      'DELIVERY_FAILED',
      `webhook needs its address in the worker's environment as ${channel.urlFrom}`,
    );
  }
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': String(message.messageId) },
    body: JSON.stringify(message.payload),
    signal: AbortSignal.any([signal, AbortSignal.timeout(WEBHOOK_TIMEOUT_MS)]),
  }).catch(() => null);
  // The address may hold a secret: it is named by its variable.
  if (!response?.ok) {
    const answer = response ? `it answered ${response.status}` : 'it did not answer';
    throw new PipelineError(
      'DELIVERY_FAILED',
      `webhook of ${channel.urlFrom} needs to answer 2xx, ${answer}`,
    );
  }
}
