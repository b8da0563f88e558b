import type { ActivityContext } from '../activities/context.ts';
import { frozenDefinition } from '../activities/context.ts';
import { deliverEach } from '../activities/deliver.ts';
import { loadDefinition } from '../store/definitions.ts';
import { LINEAGE_CHANNEL } from '../store/postgres/add-messages.ts';
import { type OutboxScope, scopeOf } from '../store/postgres/outbox.ts';
import { counted } from './terminal.ts';

/**
 * Everything of a pipeline that is due, whether or not it has rested since its last failure.
 *
 * @throws PipelineError PIPELINE_UNKNOWN for one that nothing waits of and nobody has defined
 */
export async function deliverNow(
  context: ActivityContext,
  pipeline: string,
  signal: AbortSignal,
): Promise<{ report: string; isRefused: boolean }> {
  const { artifacts, repositories } = context;
  const waiting = await repositories.outbox.waiting(pipeline);
  const scopes = new Map<unknown, OutboxScope>(
    waiting.map((message) => [message.runId ?? message.alertId, scopeOf(message)]),
  );
  const events = waiting.filter(({ channel }) => channel === LINEAGE_CHANNEL).length;
  if (events > 0 && context.lineage) scopes.set(LINEAGE_CHANNEL, { lineage: pipeline, isUrgent: true });
  // A name mistyped is the likelier mistake: it is answered with those that there are.
  if (waiting.length === 0) await loadDefinition(context.definitionFolders, pipeline);
  let delivered = 0;
  const faults =
    events > 0 && !context.lineage
      ? [`OPENLINEAGE_URL is needed here for ${counted(events, 'event')} of lineage, as the workers have it`]
      : [];
  for (const scope of scopes.values()) {
    const sent = await deliverEach(context, {
      ...{ scope, signal },
      notify: async ({ runId }) => {
        if (runId === null) return [];
        const { definition } = await repositories.runs.get(runId);
        return (await frozenDefinition(artifacts, { definition })).notify;
      },
    });
    delivered += sent.delivered;
    faults.push(...sent.faults);
  }
  const left = await repositories.outbox.countUndelivered({ pipeline });
  const rest = left === 0 ? 'none waits' : left === 1 ? '1 still waits' : `${left} still wait`;
  const lines = [
    `${counted(delivered, 'message')} delivered, ${rest}`,
    ...faults.map((fault) => `  ${fault}`),
  ];
  return { report: lines.join('\n'), isRefused: faults.length > 0 };
}
