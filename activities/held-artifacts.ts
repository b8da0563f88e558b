import { Context } from '@temporalio/activity';
import type { ArtifactStore } from '../store/artifacts/artifact-store.ts';

type Activity = (input: never) => Promise<unknown>;

/**
 * The same activities, each of which keeps the local copies that it was told of until it ends; uploads and downloads
 * end when it is cancelled.
 */
export function holdingArtifacts<A extends Record<string, Activity>>(
  activities: A,
  artifacts: ArtifactStore,
): A {
  const holding = Object.entries(activities).map(([name, activity]) => [
    name,
    (input: never) => artifacts.during(() => activity(input), Context.current().cancellationSignal),
  ]);
  return Object.fromEntries(holding) as A;
}
