import { setTimeout as sleep } from 'node:timers/promises';
import type { RunProgress } from '../../pipelines/contracts/signatures.ts';
import { fakeStages } from './fake-stages.ts';
import { bundleWorkflows, type TestRuns, withWorker } from './temporal.ts';

let bundle: ReturnType<typeof bundleWorkflows> | undefined;

/** Today's workflow code on the real server, with these stages in place of the healthy ones. */
export async function runWith(
  stages: Parameters<typeof fakeStages>[0],
  check: (runs: TestRuns) => Promise<void>,
): Promise<void> {
  bundle ??= bundleWorkflows();
  await withWorker({ bundle: await bundle, activities: fakeStages(stages) }, check);
}

const OUTCOME_MS = 25_000;

export async function untilOutcome(
  runs: TestRuns,
  workflowId: string,
  outcome: string,
): Promise<RunProgress> {
  const deadline = performance.now() + OUTCOME_MS;
  for (;;) {
    const progress = await runs.client.workflow.getHandle(workflowId).query<RunProgress>('progress');
    if (progress.outcome === outcome) return progress;
    if (performance.now() > deadline)
      throw new Error(`run never became ${outcome}: ${JSON.stringify(progress)}`);
    await sleep(50);
  }
}

/** Type of the innermost failure: a code of the catalogue. */
export function codeOf(error: unknown): string | undefined {
  let cause = error as { type?: string; cause?: unknown };
  while (cause.cause) cause = cause.cause as typeof cause;
  return cause.type;
}
