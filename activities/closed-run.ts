import { Context } from '@temporalio/activity';
import { ARTIFACT_KINDS, type ArtifactKind } from '../pipelines/contracts/artifacts.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Outcome } from '../pipelines/contracts/run.ts';
import type { ActivityContext } from './context.ts';

const RECORDS: readonly ArtifactKind[] = ['manifest', 'history'];
/** What parts were joined to stays; they themselves are as much once more. */
const ALL_BUT_PARTS = ARTIFACT_KINDS.filter((kind) => kind !== 'part');

type Stores = Pick<ActivityContext, 'artifacts' | 'repositories'>;

/** What stays of a run that was not published: of a refused extract also what a person needs to mend it. */
export function keptOf(outcome: Outcome | null): readonly ArtifactKind[] {
  return outcome === 'rejected' ? [...RECORDS, 'definition', 'report', 'quarantine'] : RECORDS;
}

/**
 * Work for a run that another attempt may have closed meanwhile: what a late one wrote goes, too, and of a published run
 * nothing but that.
 */
export async function leavingClosedRuns<R>(
  stores: Stores,
  runId: string,
  work: () => Promise<R>,
): Promise<R> {
  const { cancellationSignal } = Context.current();
  try {
    return await work();
  } catch (error) {
    // Temporal cancels a late attempt as well when it hears of it again: that must not end its clean-up.
    if (isAbandoned(error) || (cancellationSignal.aborted && (await isOver(stores, runId))))
      await stores.artifacts.during(() => releaseLate(stores, runId));
    throw error;
  }
}

const isAbandoned = (error: unknown): boolean =>
  error instanceof PipelineError && error.code === 'RUN_ABANDONED';

/** A database that is away says nothing of it: what is thrown is the cancel. */
async function isOver({ repositories }: Stores, runId: string): Promise<boolean> {
  return repositories.runs.requireOpen(runId).then(() => false, isAbandoned);
}

async function releaseLate(stores: Stores, runId: string): Promise<void> {
  const { artifacts, repositories } = stores;
  if (await repositories.publications.ofRun(runId)) await releaseParts(stores, runId);
  else await artifacts.release(runId, keptOf((await repositories.runs.get(runId)).outcome));
}

/** The parts of a run that is over, and what its stages remember. */
export async function releaseParts({ artifacts }: Pick<Stores, 'artifacts'>, runId: string): Promise<void> {
  await artifacts.release(runId, ALL_BUT_PARTS);
}
