import { Context } from '@temporalio/activity';
import type { Definition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { TASK_QUEUES } from '../pipelines/contracts/policies.ts';
import { HANDLERS, WORKFLOWS, workflowIds } from '../pipelines/contracts/signatures.ts';
import type { DeliveryStages, Stages } from '../pipelines/contracts/stages.ts';
import type { OutboxMessage } from '../store/postgres/outbox.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { deliverEach } from './deliver.ts';
import { runStage, type Work, withHeartbeats } from './stage.ts';

/** A receiver that is out must not hold up the run that finds its old messages. */
const LEFTOVERS = { faults: 3, ms: 30_000 };

type NotifyStages = Pick<Stages, 'deliverOutbox'> & DeliveryStages;

/** Messages of the outbox -> their channels, at least once; the message's id lets a receiver drop a second one. */
export function createNotifyActivities(context: ActivityContext): NotifyStages {
  const { artifacts, repositories } = context;
  const { outbox } = repositories;
  return {
    async deliverOutbox({ run }) {
      try {
        return await runStage(context, { stage: 'notify', run, inputs: [] }, async (work) => {
          const definition = await frozenDefinition(artifacts, run);
          const faults = await deliverOwn(context, { runId: run.runId, definition, work });
          if (faults.length === 0) await deliverLeftovers(context, { pipeline: run.pipeline }, work);
          if (faults.length > 0)
            throw new PipelineError('DELIVERY_FAILED', faults.join('; '), { undelivered: faults.length });
          // A deliverer that was killed has its message until the lease ends: then the next attempt takes it.
          const due = await outbox.countUndelivered({ runId: run.runId }, { due: true });
          if (due > 0)
            throw new PipelineError('DELIVERY_FAILED', `${due} messages wait for another deliverer`);
          // Those of earlier attempts, too; what is postponed is no fault.
          const delivered = await outbox.countDelivered({ runId: run.runId });
          return { delivered, pending: await outbox.countUndelivered({ runId: run.runId }) };
        });
      } finally {
        // Whatever went wrong, the store of artifacts too: this may be the last attempt of the run.
        await handOver(context, run.pipeline);
      }
    },

    async deliverPipeline({ pipeline }) {
      return withHeartbeats('notify', async (work) => {
        await deliverLeftovers(context, { pipeline }, work);
        await deliverLeftovers(context, { lineage: pipeline }, work);
        return { secondsToNext: await outbox.secondsToNext(pipeline) };
      });
    },
  };
}

async function deliverOwn(
  context: ActivityContext,
  { runId, definition, work }: { runId: string; definition: Definition; work: Work },
): Promise<string[]> {
  const { notify } = definition;
  const { faults } = await deliverEach(context, {
    ...{ scope: { runId }, notify: async () => notify, signal: work.signal },
    onProgress: (tried) => work.onProgress(tried, Math.max(tried, notify.length)),
  });
  return faults;
}

/** Older messages of the pipeline that have rested long enough. Their faults are theirs, and are kept with them. */
async function deliverLeftovers(
  context: ActivityContext,
  scope: { pipeline: string } | { lineage: string },
  work: Work,
): Promise<void> {
  const { delivered, faults } = await deliverEach(context, {
    ...{ scope, signal: work.signal },
    notify: (message) => channelsOfRun(context, message),
    limit: { faults: LEFTOVERS.faults, until: Date.now() + LEFTOVERS.ms },
    onProgress: (tried) => work.onProgress(tried, tried),
  });
  if (delivered + faults.length === 0) return;
  const what = 'lineage' in scope ? `lineage of ${scope.lineage}` : `outbox of ${scope.pipeline}`;
  const messages = 'lineage' in scope ? 'events' : 'older messages';
  context.log.info(`${what}: ${delivered} ${messages} delivered, ${faults.length} still wait`);
}

async function channelsOfRun({ artifacts, repositories }: ActivityContext, { runId }: OutboxMessage) {
  // Messages about no run have kept their channel all along.
  if (runId === null) return [];
  const { definition } = await repositories.runs.get(runId);
  return (await frozenDefinition(artifacts, { definition })).notify;
}

/**
 * Something is left: a workflow of its own delivers it, however long the receiver is out or the quiet hours last, and
 * whether or not another run ever comes. Signalled, so that one that is just ending looks once more.
 */
export async function handOver({ repositories }: ActivityContext, pipeline: string): Promise<void> {
  if ((await repositories.outbox.secondsToNext(pipeline)) === null) return;
  await Context.current().client.workflow.signalWithStart(WORKFLOWS.deliverMessages, {
    workflowId: workflowIds.deliver(pipeline),
    taskQueue: TASK_QUEUES.workflows,
    args: [{ pipeline }],
    signal: HANDLERS.more,
    signalArgs: [],
    staticSummary: `delivers what waits in the outbox of ${pipeline}`,
  });
}
