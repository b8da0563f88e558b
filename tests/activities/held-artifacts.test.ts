import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { holdingArtifacts } from '../../activities/held-artifacts.ts';
import type { ArtifactStore } from '../../store/artifacts/artifact-store.ts';

test('an activity is one work of the artifacts, whose transfers end with its cancellation', async () => {
  const told: string[] = [];
  const artifacts = {
    async during<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
      told.push('begins');
      signal!.addEventListener('abort', () => told.push('cancelled'));
      return work().finally(() => told.push('ended'));
    },
  } as ArtifactStore;
  const environment = new MockActivityEnvironment();
  const { double } = holdingArtifacts(
    {
      async double({ of }: { of: number }) {
        environment.cancel();
        return of * 2;
      },
    },
    artifacts,
  );
  expect(await environment.run(double, { of: 21 })).toBe(42);
  expect(told).toEqual(['begins', 'cancelled', 'ended']);
});
