import type { ActivityContext } from '../activities/context.ts';
import { frozenDefinition } from '../activities/context.ts';
import { deliverEach } from '../activities/deliver.ts';
import { loadDefinition } from '../store/definitions.ts';
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
  const runs = new Set((await repositories.outbox.waiting(pipeline)).map(({ runId }) => runId));
  // A name mistyped is the likelier mistake: it is answered with those that there are.
  if (runs.size === 0) await loadDefinition(context.definitionFolders, pipeline);
  let delivered = 0;
  const faults: string[] = [];
  for (const runId of runs) {
    const sent = await deliverEach(context, {
      ...{ scope: { runId }, signal },
      notify: async () => {
        const { definition } = await repositories.runs.get(runId);
        return (await frozenDefinition(artifacts, { definition })).notify;
      },
    });
    delivered += sent.delivered;
    faults.push(...sent.faults);
  }
  const left = await repositories.outbox.countUndelivered({ pipeline });
  const waiting = left === 0 ? 'none waits' : left === 1 ? '1 still waits' : `${left} still wait`;
  const lines = [
    `${counted(delivered, 'message')} delivered, ${waiting}`,
    ...faults.map((fault) => `  ${fault}`),
  ];
  return { report: lines.join('\n'), isRefused: faults.length > 0 };
}
