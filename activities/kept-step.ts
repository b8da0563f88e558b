import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Timed } from '../pipelines/contracts/stages.ts';
import { digestOf } from '../store/artifacts/json.ts';
import type { ActivityContext } from './context.ts';
import { type Work, withHeartbeats } from './stage.ts';

/**
 * Work that belongs to no run of the run log: kept under the digest of its inputs, so that a second attempt finds
 * what the first one finished, with heartbeats while it goes on.
 *
 * @param call.name what the work is called in heartbeats, and where its result is kept
 * @param call.inputs what the result depends on beside the definition, the seed and the code
 */
export async function keptStep<R extends Timed>(
  { artifacts, codeVersion }: Pick<ActivityContext, 'artifacts' | 'codeVersion'>,
  call: { name: string; run: Run; inputs: (ArtifactRef | object | string | number | null)[] },
  work: (work: Work) => Promise<Omit<R, 'ms'>>,
): Promise<R> {
  const { name, run, inputs } = call;
  const { definition, seed, asOf, extract } = run;
  const about = { name, inputs, definition: definition.sha256, seed, asOf, extract, codeVersion };
  const key = digestOf({ ...about, ...(run.releases && { releases: run.releases.sha256 }) });
  return keptUnder<R>(artifacts, { name, runId: run.runId, key }, work);
}

/** The same, under a key that tells all it depends on. */
export async function keptUnder<R extends Timed>(
  artifacts: ActivityContext['artifacts'],
  { name, runId, key }: { name: string; runId: string; key: string },
  work: (work: Work) => Promise<Omit<R, 'ms'>>,
): Promise<R> {
  const kept = (await artifacts.readStep(runId, name, key)) as R | null;
  if (kept) return kept;
  const began = performance.now();
  const product = await withHeartbeats(name, work);
  const result = { ...product, ms: performance.now() - began } as R;
  await artifacts.writeStep(runId, name, key, result);
  return result;
}
