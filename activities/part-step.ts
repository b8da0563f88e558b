import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { PartedRun } from '../pipelines/contracts/parts.ts';
import type { Timed } from '../pipelines/contracts/stages.ts';
import { digestOf } from '../store/artifacts/json.ts';
import { leavingClosedRuns } from './closed-run.ts';
import type { ActivityContext } from './context.ts';
import { keptUnder } from './kept-step.ts';
import type { Work } from './stage.ts';

/**
 * A part of a stage: kept under the digest of its inputs, so that a second attempt finds what the first one finished. A late
 * attempt at one whose run was closed meanwhile leaves nothing behind.
 *
 * @param call.name of the part, with its number
 * @param call.inputs all that the result depends on beside the code, such as a plan that tells of the run
 */
export async function partStep<R extends Timed>(
  context: Pick<ActivityContext, 'artifacts' | 'repositories' | 'codeVersion'>,
  call: { name: string; run: PartedRun; inputs: (ArtifactRef | object | string | number | null)[] },
  work: (work: Work) => Promise<Omit<R, 'ms'>>,
): Promise<R> {
  const { artifacts, repositories, codeVersion } = context;
  const { name, inputs } = call;
  const { runId } = call.run;
  return leavingClosedRuns(context, runId, async () => {
    const key = digestOf({ name, inputs, codeVersion });
    const result = await keptUnder<R>(artifacts, { name, runId, key }, work);
    await repositories.runs.requireOpen(runId);
    return result;
  });
}
