import { Context } from '@temporalio/activity';
import type { ArtifactStore } from '../store/artifacts/artifact-store.ts';
import { beating } from './beat.ts';

type Activity = (input: never) => Promise<unknown>;

/**
 * The same activities, each of which keeps the local copies that it was told of until it ends; what it asks of the
 * artifacts ends when it is cancelled. All beat from their beginning to their end: one request to a bucket that does not
 * answer may take longer than an activity may stay silent.
 */
export function holdingArtifacts<A extends Record<string, Activity>>(
  activities: A,
  artifacts: ArtifactStore,
): A {
  const holding = Object.entries(activities).map(([name, activity]) => [
    name,
    (input: never) =>
      beating({ stage: name, done: 0, of: 0 }, () =>
        artifacts.during(() => activity(input), Context.current().cancellationSignal),
      ),
  ]);
  return Object.fromEntries(holding) as A;
}
