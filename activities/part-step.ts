import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Timed } from '../pipelines/contracts/stages.ts';
import type { ActivityContext } from './context.ts';
import { keptStep } from './kept-step.ts';
import { KEPT_OF_CLOSED_RUNS, type Work } from './stage.ts';

/** As {@link keptStep}, for a part of a run: a late attempt at one that was closed meanwhile leaves nothing behind. */
export async function partStep<R extends Timed>(
  {
    artifacts,
    repositories,
    codeVersion,
  }: Pick<ActivityContext, 'artifacts' | 'repositories' | 'codeVersion'>,
  call: Parameters<typeof keptStep>[1],
  work: (work: Work) => Promise<Omit<R, 'ms'>>,
): Promise<R> {
  const { runId } = call.run;
  try {
    const result = await keptStep<R>({ artifacts, codeVersion }, call, work);
    await repositories.runs.requireOpen(runId);
    return result;
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'RUN_ABANDONED')
      await artifacts.release(runId, KEPT_OF_CLOSED_RUNS);
    throw error;
  }
}
