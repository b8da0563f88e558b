import type { ActivityContext } from '../activities/context.ts';
import { frozenDefinition } from '../activities/context.ts';
import { deliverEach } from '../activities/deliver.ts';
import { counted } from './terminal.ts';

/** Everything of a pipeline that is due, whether or not it has rested since its last failure. */
export async function deliverNow(
  context: ActivityContext,
  pipeline: string,
  signal: AbortSignal,
): Promise<string> {
  const { artifacts, repositories } = context;
  const runs = new Set((await repositories.outbox.waiting(pipeline)).map(({ runId }) => runId));
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
  return [
    `${counted(delivered, 'message')} delivered, ${left} wait`,
    ...faults.map((fault) => `  ${fault}`),
  ].join('\n');
}
