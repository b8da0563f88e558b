import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { getClient, startWorkflow, type WorkflowHandle, type WorkflowStartOptions } from '@temporalio/nexus';
import type { StartOperationContext } from 'nexus-rpc';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { holdsCredential } from '../pipelines/contracts/inbox-message.ts';
import { parseStartInput } from '../pipelines/contracts/input.ts';
import { TASK_QUEUES } from '../pipelines/contracts/policies.ts';
import type { Run, RunKind, RunSummary, StartInput } from '../pipelines/contracts/run.ts';
import {
  DEFAULT_PIPELINE,
  differencesOf,
  runInProgress,
  startOf,
} from '../pipelines/contracts/same-start.ts';
import { loadDefinition } from '../store/definitions.ts';
import type { ServiceContext } from './context.ts';

/** @throws PipelineError INPUT_INVALID, PIPELINE_UNKNOWN, DEFINITION_INVALID: before anything is started */
export async function readStart(
  sent: unknown,
  kind: RunKind,
  { definitionFolders }: Pick<ServiceContext, 'definitionFolders'>,
): Promise<StartInput> {
  const input = parseStartInput(sent, kind);
  if (input.extract !== undefined && holdsCredential(input.extract)) {
    throw new PipelineError(
      'INPUT_INVALID',
      'start input: extract: needs a location without user, password, key or signature: credentials belong into the environment of the worker',
    );
  }
  await loadDefinition(definitionFolders, input.pipeline ?? DEFAULT_PIPELINE);
  return input;
}

/**
 * Starts the run of this pipeline and as-of date, or waits with all others for the one that is going on, whoever has
 * started it, if that was asked for the same.
 *
 * @throws PipelineError RUN_IN_PROGRESS with what differs, when it was asked for something else
 */
export async function startOrJoin(
  operation: StartOperationContext,
  { input, kind }: { input: StartInput; kind: RunKind },
  context: ServiceContext,
): Promise<WorkflowHandle<RunSummary>> {
  const { workflow, workflowId, staticSummary } = startOf(input, kind);
  const start = (workflowIdConflictPolicy: WorkflowStartOptions<never>['workflowIdConflictPolicy']) =>
    startWorkflow<() => Promise<RunSummary>>(operation, workflow, {
      ...{ workflowId, staticSummary, args: [input] as never, taskQueue: TASK_QUEUES.workflows },
      ...{ workflowIdConflictPolicy, workflowIdReusePolicy: 'ALLOW_DUPLICATE' },
    });
  for (;;) {
    try {
      return await start('FAIL');
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    const running = await getClient().workflow.getHandle(workflowId).describe();
    // Ended between the two questions: then there is none to join.
    if (running.closeTime !== undefined) continue;
    await requireSame({ id: workflowId, runId: running.runId }, input, context);
    const joined = await start('USE_EXISTING');
    // Another may have begun in between; a caller must not wait for what it has not asked for.
    if (joined.runId !== undefined && joined.runId !== running.runId)
      await requireSame({ id: workflowId, runId: joined.runId }, input, context);
    return joined;
  }
}

async function requireSame(
  execution: Run['workflow'],
  input: StartInput,
  { inputOf, repositories }: ServiceContext,
): Promise<void> {
  const differences = differencesOf(await inputOf(getClient(), execution), input);
  if (differences.length === 0) return;
  const record = await repositories.runs.byWorkflow(execution);
  throw runInProgress(execution, differences, record?.outcome === 'held' ? record.runId : null);
}
