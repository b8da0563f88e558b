import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import { shortened } from '../pipelines/contracts/inbox.ts';
import { WORKFLOWS } from '../pipelines/contracts/signatures.ts';

/** What is started under a name that no workflow has: without it such an execution would be tried for ever. */
export default async function unknownWorkflow(): Promise<never> {
  const { workflowType } = workflowInfo();
  const told = JSON.stringify(shortened(workflowType, 60));
  throw ApplicationFailure.nonRetryable(
    `a workflow needs one of the types ${Object.keys(WORKFLOWS).join(', ')}, found ${told}`,
    'INPUT_INVALID',
  );
}
