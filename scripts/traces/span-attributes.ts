import type { Attributes } from '@opentelemetry/api';
import type { EndedExecution } from '../../pipelines/contracts/trace-context.ts';
import type { ActivityEnded } from '../observe/activity-ended.ts';

/** What spans tell beside their names; nothing of it is a customer, a row's value or a credential. */
export function attributesOfActivity(ended: ActivityEnded, asOf: string | null): Attributes {
  const { run, stage, work, outcome, failure } = ended;
  return withoutNull({
    'strata.run': run?.runId,
    'strata.pipeline': run?.pipeline,
    'strata.kind': run?.kind,
    'strata.as_of': asOf,
    'strata.stage': stage,
    'strata.attempt': ended.attempt,
    'strata.queue': ended.queue,
    'strata.queue_wait_seconds': ended.waitSeconds,
    'strata.rows': work?.rows,
    'strata.artifact_bytes': work?.artifactBytes,
    'strata.was_done_before': run && stage && !ended.isPart && !failure ? work === null : null,
    'strata.outcome': outcome,
    'error.type': failure?.code,
    temporalWorkflowId: ended.workflowId,
  });
}

export function attributesOfExecution(
  { run, outcome, failure }: EndedExecution,
  workflow: { id: string; runId: string },
): Attributes {
  return withoutNull({
    'strata.run': run?.runId,
    'strata.pipeline': run?.pipeline,
    'strata.as_of': run?.asOf,
    'strata.outcome': outcome,
    'error.type': failure,
    temporalWorkflowId: workflow.id,
    run_id: workflow.runId,
  });
}

const withoutNull = (attributes: Record<string, Attributes[string] | null>): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value != null)) as Attributes;
