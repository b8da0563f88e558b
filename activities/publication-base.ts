import type { Run } from '../pipelines/contracts/run.ts';
import { isAside, refusalOf } from '../pipelines/stages/publish.ts';
import type { Publication } from '../store/postgres/publications.ts';
import type { ActivityContext } from './context.ts';

type Stores = Pick<ActivityContext, 'repositories'>;

/**
 * What a run is compared with: what readers see; of one that is kept aside, the publication before its own date. Null
 * when there is none.
 */
export async function baseOf({ repositories }: Stores, run: Run): Promise<Publication | null> {
  const current = await repositories.publications.current(run.pipeline);
  if (!isAside({ ...run, publishedAsOf: current?.asOf ?? null })) return current;
  return repositories.publications.before({ ...run, asOf: run.asOf! });
}

/** As of when is what readers see, where the run stays beside it; null where it takes its place. */
export async function asideOf({ repositories }: Stores, run: Run): Promise<string | null> {
  const publishedAsOf = await repositories.publications.asOfCurrent(run.pipeline);
  return isAside({ ...run, publishedAsOf }) ? publishedAsOf : null;
}

/** Why the run is rejected before its work begins; undefined where it is not, or its date is not known yet. */
export async function refusalOfRun({ repositories }: Stores, run: Run): Promise<string[] | undefined> {
  // Most runs ask nothing: the line of runs is not held up for them.
  if (run.beforePublished !== 'refuse' || run.asOf === null) return undefined;
  return refusalOf({ ...run, publishedAsOf: await repositories.publications.asOfCurrent(run.pipeline) });
}
