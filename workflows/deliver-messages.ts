import {
  ApplicationFailure,
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import { IO } from '../pipelines/contracts/policies.ts';
import { PIPELINE_NAME } from '../pipelines/contracts/sent-text.ts';
import { HANDLERS } from '../pipelines/contracts/signatures.ts';
import type { DeliveryStages } from '../pipelines/contracts/stages.ts';
import { openChoreBoard } from './chore-board.ts';

const { scheduleToCloseTimeout: _, ...untilItIsDone } = IO;
/** A database that is away for a night must not end what nobody would start again before the next run. */
const io = proxyActivities<DeliveryStages>({
  ...untilItIsDone,
  retry: { ...IO.retry, maximumInterval: '5 minutes' },
});

const LEAST_WAIT_SECONDS = 15;
/** A history stays short: after so many rounds the work goes on in another one. */
const ROUNDS = 100;

/**
 * Delivers what waits in a pipeline's outbox, until nothing does: messages that quiet hours postponed, and those whose
 * receiver is out. Runs start it; a message does not depend on another run to come.
 */
export async function deliverMessages(input?: { pipeline?: string }): Promise<void> {
  let more = false;
  setHandler(
    defineSignal(HANDLERS.more),
    () => {
      more = true;
    },
    { description: 'a run has left another message' },
  );
  const tell = openChoreBoard();
  const pipeline = pipelineOf(input);
  tell(`delivers the outbox of **${pipeline}**, until nothing waits there`);
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

/** A person may start it by hand, with anything: what throws otherwise would be tried for ever. */
function pipelineOf(input: unknown): string {
  const pipeline = (input as { pipeline?: unknown } | null | undefined)?.pipeline;
  if (typeof pipeline === 'string' && PIPELINE_NAME.test(pipeline)) return pipeline;
  throw ApplicationFailure.nonRetryable(
    'deliverMessages needs {"pipeline": NAME}, the pipeline whose outbox is to be delivered, found no such name',
    'INPUT_INVALID',
  );
}
