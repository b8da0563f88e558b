import { WorkflowNotFoundError } from '@temporalio/common';
import { WorkflowRunOperationHandler } from '@temporalio/nexus';
import { type CancelOperationContext, type ServiceHandler, serviceHandler } from 'nexus-rpc';
import type { RunKind } from '../pipelines/contracts/run.ts';
import { type CalledRun, segmentation } from '../pipelines/contracts/segmentation-service.ts';
import type { ServiceContext } from './context.ts';
import { describePipeline } from './describe.ts';
import { refusing, toHandlerError } from './refusal.ts';
import { readStart, startOrJoin } from './start-or-join.ts';

/** The handlers of `segmentation`, for a worker on the task queue `strata`. */
export function createSegmentationService(
  context: ServiceContext,
): ServiceHandler<typeof segmentation.operations> {
  const runOf = (kind: RunKind) =>
    new RunOperation(
      refusing(async (operation, sent) => {
        const input = await readStart(sent, kind, context);
        return startOrJoin(operation, { input, kind }, context);
      }),
    );
  return serviceHandler(segmentation, {
    run: runOf('refit'),
    assign: runOf('assign'),
    describe: refusing((_, sent) => describePipeline(sent, context)),
  });
}

/** A run whose cancel may be asked for twice, and after its end. */
class RunOperation extends WorkflowRunOperationHandler<unknown, CalledRun> {
  override async cancel(operation: CancelOperationContext, token: string): Promise<void> {
    try {
      await super.cancel(operation, token);
    } catch (error) {
      // Ended: there is nothing left to cancel, and the end is told by itself.
      if (!(error instanceof WorkflowNotFoundError)) throw toHandlerError(error);
    }
  }
}
