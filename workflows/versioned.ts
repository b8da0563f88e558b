import { setWorkflowOptions } from '@temporalio/workflow';
import { deliverMessages } from './deliver-messages.ts';
import { pipelineInbox } from './pipeline-inbox.ts';
import { preserveHistory } from './preserve-history.ts';
import { watchSchedules } from './watch-schedules.ts';

// The entry for workers of a deployment. A run ends on the version of the worker that began it, which is what such a
// worker does by itself; what lives for ever, or as long as a person takes, goes on with the version that is current.
// A worker without a deployment must not say this: the server refuses its workflow tasks.

export * from './index.ts';
export { default } from './index.ts';

for (const workflow of [pipelineInbox, deliverMessages, preserveHistory, watchSchedules])
  setWorkflowOptions(
    { versioningBehavior: 'AUTO_UPGRADE' },
    workflow as (...args: never[]) => Promise<unknown>,
  );
