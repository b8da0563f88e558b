import type { Channel } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Stages } from '../pipelines/contracts/stages.ts';
import type { OutboxMessage } from '../store/postgres/outbox.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { runStage } from './stage.ts';

const BATCH = 20;
const WEBHOOK_TIMEOUT_MS = 10_000;

/** Messages of the outbox -> their channels, at least once; the message's id lets a receiver drop a second one. */
export function createNotifyActivities(context: ActivityContext): Pick<Stages, 'deliverOutbox'> {
  const { artifacts, repositories } = context;
  return {
    async deliverOutbox({ run }) {
      return runStage(context, { stage: 'notify', run, inputs: [] }, async ({ signal }) => {
        const { notify } = await frozenDefinition(artifacts, run.definition);
        let delivered = 0;
        const faults: string[] = [];
        const messages = await repositories.outbox.claim({ runId: run.runId }, { limit: BATCH });
        for (const message of messages) {
          const channel = notify[Number.parseInt(message.channel, 10)];
          try {
            await deliver(context, { channel, message, signal });
            await repositories.outbox.markDelivered(message.messageId);
            delivered += 1;
          } catch (error) {
            if (!(error instanceof PipelineError)) throw error;
            faults.push(error.message);
            await repositories.outbox.markFailed(message.messageId, error.message);
          }
        }
        if (faults.length > 0)
          throw new PipelineError('DELIVERY_FAILED', faults.join('; '), { undelivered: faults.length });
        const pending = await repositories.outbox.countUndelivered({ runId: run.runId });
        // A deliverer that was killed has its messages for a minute yet: the next attempt takes them.
        if (pending > 0)
          throw new PipelineError('DELIVERY_FAILED', `${pending} messages wait for another deliverer`);
        return { delivered, pending };
      });
    },
  };
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
