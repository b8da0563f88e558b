import { ARTIFACT_KINDS, type ArtifactKind } from '../pipelines/contracts/artifacts.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { ActivityContext } from './context.ts';

/** What closing a run may keep of it; a late attempt must not take it away. */
const KEPT_OF_CLOSED_RUNS: readonly ArtifactKind[] = [
  'definition',
  'report',
  'quarantine',
  'manifest',
  'history',
];
/** What parts were joined to stays; they themselves are as much once more. */
const ALL_BUT_PARTS = ARTIFACT_KINDS.filter((kind) => kind !== 'part');

type Stores = Pick<ActivityContext, 'artifacts' | 'repositories'>;

/**
 * Work for a run that another attempt may have closed meanwhile: what a late one wrote goes, too, and of a published run
 * nothing but that.
 */
export async function leavingClosedRuns<R>(
  stores: Stores,
  runId: string,
  work: () => Promise<R>,
): Promise<R> {
  try {
    return await work();
  } catch (error) {
    // A late attempt may be cancelled as well, which must not end its clean-up.
    if (error instanceof PipelineError && error.code === 'RUN_ABANDONED')
      await stores.artifacts.during(() => releaseLate(stores, runId));
    throw error;
  }
}

async function releaseLate(stores: Stores, runId: string): Promise<void> {
  if (await stores.repositories.publications.ofRun(runId)) await releaseParts(stores, runId);
  else await stores.artifacts.release(runId, KEPT_OF_CLOSED_RUNS);
}

/** The parts of a run that is over, and what its stages remember. */
export async function releaseParts({ artifacts }: Pick<Stores, 'artifacts'>, runId: string): Promise<void> {
  await artifacts.release(runId, ALL_BUT_PARTS);
}
