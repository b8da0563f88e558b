import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import type { CompareInput, CompareProgress, ComparisonSummary } from '../pipelines/contracts/compare.ts';
import { DEFAULT_PIPELINE } from '../pipelines/contracts/same-start.ts';
import { WORKFLOWS, workflowIds } from '../pipelines/contracts/signatures.ts';
import { readPayload } from './codec/read-payload.ts';
import { followWorkflow, startOrJoinWorkflow } from './join-workflow.ts';
import type { Log, Step } from './log.ts';
import type { Strata } from './open-strata.ts';

const NOUN = 'comparison';
/** How long a comparison that was interrupted may take to stop. */
const CANCEL_WITHIN_MS = 15_000;
/** The step that comes after the candidates. */
const REPORT = 'report';

/**
 * Starts the comparison, or joins the one of the same id and input that is still going on, and follows it to its
 * end, with a line for each candidate. An interrupt cancels it: unlike a run it leaves nothing half done.
 *
 * @throws PipelineError RUN_IN_PROGRESS, TEMPORAL_UNREACHABLE; the workflow's failure; the signal's reason
 */
export async function followComparison(
  { client, log, addressOf }: Pick<Strata, 'client' | 'log' | 'addressOf'>,
  input: CompareInput,
  signal: AbortSignal,
): Promise<ComparisonSummary> {
  const { pipeline = DEFAULT_PIPELINE, asOf } = input;
  const execution = await startOrJoinWorkflow(client, {
    noun: NOUN,
    type: WORKFLOWS.compareAlgorithms,
    workflowId: workflowIds.compare(pipeline, asOf),
    input,
    summary: `compare algorithms on ${pipeline}${asOf ? ` as of ${asOf}` : ''}`,
  });
  log.info(`comparison  ${addressOf(execution)}`);
  const handle = client.workflow.getHandle(execution.id, execution.runId);
  const teller = candidateTeller(log);
  try {
    return await followWorkflow<CompareProgress, ComparisonSummary>(handle, {
      ...{ noun: NOUN, signal, cancelWithinMs: CANCEL_WITHIN_MS },
      onLook: async (progress, description) => teller.tell(progress, await heartbeatsOf(client, description)),
    });
  } finally {
    teller.stop();
  }
}

/** How far each candidate is that is being measured, by its name. */
async function heartbeatsOf(
  client: Client,
  { raw }: WorkflowExecutionDescription,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { heartbeatDetails } of raw.pendingActivities ?? []) {
    const told = await readPayload<{ stage: string; done: number; of: number }>(
      client,
      heartbeatDetails?.payloads?.[0],
    );
    if (!told) continue;
    const { stage, done, of } = told;
    found.set(stage, of > 0 ? `${done} of ${of} fits` : '');
  }
  return found;
}

function candidateTeller(log: Log) {
  const steps = new Map<string, Step>();
  const told = new Set<string>();
  const begin = (name: string): Step => {
    const step = steps.get(name) ?? log.step(name);
    steps.set(name, step);
    return step;
  };
  const end = (name: string, says: string, how: 'done' | 'fail' = 'done') => {
    if (told.has(name)) return;
    told.add(name);
    begin(name)[how](says);
    steps.delete(name);
  };
  return {
    tell({ done, step, candidates }: CompareProgress, heartbeats: ReadonlyMap<string, string>) {
      for (const { step: ended, says } of done) if (ended !== REPORT) end(ended, says);
      for (const { candidate, status, says } of candidates) {
        if (status === 'waiting') {
          const howFar = heartbeats.get(candidate);
          if (howFar !== undefined) begin(candidate).update(howFar);
        } else end(candidate, says, status === 'failed' ? 'fail' : 'done');
      }
      if (step && !told.has(step)) begin(step);
      for (const { step: ended, says } of done) if (ended === REPORT) end(ended, says);
    },
    stop() {
      for (const step of steps.values()) step.skip();
    },
  };
}
