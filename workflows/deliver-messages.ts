import { condition, continueAsNew, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';
import { IO } from '../pipelines/contracts/policies.ts';
import { HANDLERS } from '../pipelines/contracts/signatures.ts';
import type { DeliveryStages } from '../pipelines/contracts/stages.ts';

const io = proxyActivities<DeliveryStages>(IO);

const LEAST_WAIT_SECONDS = 15;
/** A history stays short: after so many rounds the work goes on in another one. */
const ROUNDS = 100;

/**
 * Delivers what waits in a pipeline's outbox, until nothing does: messages that quiet hours postponed, and those whose
 * receiver is out. Runs start it; a message does not depend on another run to come.
 */
export async function deliverMessages({ pipeline }: { pipeline: string }): Promise<void> {
  let more = false;
  setHandler(
    defineSignal(HANDLERS.more),
    () => {
      more = true;
    },
    { description: 'a run has left another message' },
  );
  for (let round = 0; round < ROUNDS; round++) {
    more = false;
    const { secondsToNext } = await io.deliverPipeline.executeWithOptions(
      { summary: `deliver the outbox of ${pipeline}` },
      [{ pipeline }],
    );
    if (secondsToNext !== null) {
      const seconds = Math.ceil(Math.max(secondsToNext, LEAST_WAIT_SECONDS));
      await condition(() => more, `${seconds} seconds`);
    } else if (!more) return;
  }
  await continueAsNew<typeof deliverMessages>({ pipeline });
}
