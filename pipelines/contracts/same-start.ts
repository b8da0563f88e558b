import { PipelineError } from './errors.ts';
import type { Run, RunKind, StartInput } from './run.ts';
import { WORKFLOWS, workflowIds } from './signatures.ts';

// Who asks for what is going on already joins it; who asks for something else under the same id is told what differs.

export const DEFAULT_PIPELINE = 'shop';

const OF_KIND = {
  refit: { workflow: WORKFLOWS.segmentCustomers, idOf: workflowIds.segment, does: 'segment' },
  assign: { workflow: WORKFLOWS.assignCustomers, idOf: workflowIds.assign, does: 'assign' },
} as const;

const FIELDS = [
  'pipeline',
  'extract',
  'asOf',
  'seed',
  'review',
  'k',
  'beforePublished',
  'timezone',
] as const satisfies (keyof StartInput)[];

/** The workflow that a run of this kind is, its id, and what the Temporal UI says of it. */
export function startOf({ pipeline = DEFAULT_PIPELINE, asOf }: StartInput, kind: RunKind) {
  const { workflow, idOf, does } = OF_KIND[kind];
  return {
    workflow,
    workflowId: idOf(pipeline, asOf),
    staticSummary: `${does} customers of ${pipeline}${asOf ? ` as of ${asOf}` : ''}`,
  };
}

/** What a run that is going on was asked for otherwise, in words; none: it is the same. */
export function differencesOf(running: StartInput, asked: StartInput): string[] {
  const [there, here] = [running, asked].map((input) => ({ pipeline: DEFAULT_PIPELINE, ...input }));
  return FIELDS.filter((field) => there![field] !== here![field]).map(
    (field) => `${field} is ${said(there![field])} there, ${said(here![field])} here`,
  );
}

/** @param heldRun id of the run where it is held for review */
export function runInProgress(
  { id, runId }: Run['workflow'],
  differences: readonly string[],
  heldRun: string | null,
): PipelineError {
  const [state, wayOut] =
    heldRun === null
      ? ['still going on', 'wait until it has ended, cancel it in the Temporal UI,']
      : ['held for review', `decide on it (npm run strata -- review ${heldRun} publish, or reject),`];
  return new PipelineError(
    'RUN_IN_PROGRESS',
    `run ${id} (${runId}) is ${state} and was asked for something else: ${differences.join('; ')}; ${wayOut} or ask for the same to join it`,
    { workflowId: id, workflowRunId: runId, differences: differences.length },
  );
}

function said(value: string | number | undefined): string {
  return value === undefined ? 'left out' : JSON.stringify(value);
}
