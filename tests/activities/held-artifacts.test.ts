import { setTimeout as sleep } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { holdingArtifacts } from '../../activities/held-artifacts.ts';
import { withHeartbeats } from '../../activities/stage.ts';
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

test('an activity beats while it asks for artifacts, and what its work told last stays told', async () => {
  const artifacts = { during: (work: () => Promise<unknown>) => work() } as ArtifactStore;
  const environment = new MockActivityEnvironment();
  const beats: object[] = [];
  environment.on('heartbeat', (details) => beats.push({ ...details }));
  const { compute } = holdingArtifacts(
    {
      async compute() {
        await sleep(1_300);
        const isBeating = beats.length > 1;
        await withHeartbeats('cluster', async ({ onProgress }) => onProgress(3, 9));
        await sleep(1_300);
        return isBeating;
      },
    },
    artifacts,
  );
  expect(await environment.run(compute, {} as never)).toBe(true);
  expect(beats[0]).toEqual({ stage: 'compute', done: 0, of: 0 });
  expect(beats.at(-1)).toEqual({ stage: 'cluster', done: 3, of: 9 });
  const told = beats.length;
  await sleep(1_200);
  expect(beats).toHaveLength(told);
});
