import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ArtifactStore } from '../../../store/artifacts/artifact-store.ts';
import { createS3Artifacts } from '../../../store/artifacts/s3-artifacts.ts';
import { openBucket } from '../../../store/artifacts/s3-bucket.ts';
import type { S3Place } from '../../../store/artifacts/s3-place.ts';
import { createS3Uses } from '../../../store/artifacts/s3-uses.ts';
import { versitygw } from '../../helpers/artifact-places.ts';
import { type BucketOfTest, useBucket } from '../../helpers/bucket-of-test.ts';

const about = (runId: string) => ({ runId, rows: 3, ending: 'bin' });
const content = Buffer.from('three rows');
const coded = (code: string, text = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(text) as string }) as Error;

describe.skipIf(versitygw === null)('releases of a bucket (needs versitygw)', () => {
  let place: S3Place;
  let copiesFolder: BucketOfTest['copiesFolder'];
  let artifacts: ArtifactStore;

  const open = (options: { claimMs?: number } = {}) =>
    createS3Artifacts(place, { copiesFolder: copiesFolder(), ...options });

  useBucket((bucket) => {
    ({ place, copiesFolder } = bucket);
    artifacts = open();
  });

  test('a writer that comes between the look and the removal waits, and writes anew', async () => {
    const ref = await artifacts.write('extract', content, about('old'));
    const bucket = openBucket(place);
    let writing: Promise<unknown> | null = null;
    let hasWritten = false;
    const uses = createS3Uses({
      ...bucket,
      async remove(name, limits) {
        if (name === ref.uri) {
          writing = open()
            .write('extract', content, about('new'))
            .then(() => {
              hasWritten = true;
            });
          await sleep(400);
          expect(hasWritten).toBe(false);
        }
        await bucket.remove(name, limits);
      },
    });
    expect(await uses.release('old', [], async () => undefined)).toEqual({ removed: 1, bytes: 10 });
    await writing;
    expect(await open().read(ref)).toEqual(content);
  });

  test('one that was killed holds writers up for a while, not for ever', async () => {
    const ref = await artifacts.write('extract', content, about('old'));
    await openBucket(place).put(`.releasing/${ref.uri}/${randomUUID()}`, Buffer.alloc(0));
    const startMs = performance.now();
    await open({ claimMs: 600 }).write('extract', content, about('new'));
    expect(performance.now() - startMs).toBeGreaterThan(600);
    const again = performance.now();
    // It would wait for a minute.
    await open().write('extract', content, about('another'));
    expect(performance.now() - again).toBeLessThan(20_000);
  });

  test('one that was killed holds no cancelled writer up', async () => {
    const ref = await artifacts.write('extract', content, about('old'));
    await openBucket(place).put(`.releasing/${ref.uri}/${randomUUID()}`, Buffer.alloc(0));
    const cancelled = new AbortController();
    const reason = new Error('cancelled');
    setTimeout(() => cancelled.abort(reason), 200);
    const store = open();
    const startMs = performance.now();
    const writing = store.during(() => store.write('extract', content, about('new')), cancelled.signal);
    await expect(writing).rejects.toBe(reason);
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });

  describe('one that is cancelled', () => {
    /** How many claims and artifacts it leaves, when it is cancelled at what it asks of the artifact. */
    async function left(at: 'look' | 'remove', when: 'before' | 'during' | 'after') {
      const { uri } = await artifacts.write('extract', content, about('old'));
      const cancelled = new AbortController();
      const reason = new Error('the worker stops');
      const bucket = openBucket(place, { signalNow: () => cancelled.signal });
      const asking = async <T>(asked: typeof at, name: string, ask: () => Promise<T>): Promise<T> => {
        if (asked !== at || name !== uri) return ask();
        if (when === 'before') cancelled.abort(reason);
        const answer = ask();
        if (when === 'during') cancelled.abort(reason);
        const told = await answer;
        cancelled.abort(reason);
        return told;
      };
      const uses = createS3Uses({
        ...bucket,
        look: (name) => asking('look', name, () => bucket.look(name)),
        remove: (name, limits) => asking('remove', name, () => bucket.remove(name, limits)),
      });
      await expect(uses.release('old', [], async () => undefined)).rejects.toBe(reason);
      const names: string[] = [];
      for await (const { name } of openBucket(place).list('')) names.push(name);
      return {
        claims: names.filter((name) => name.startsWith('.releasing/')).length,
        artifacts: names.filter((name) => name === uri).length,
      };
    }

    test.each(['before', 'during'] as const)(
      '%s it looks for the artifact takes its claim away: no writer has to wait for it',
      async (when) => expect(await left('look', when)).toEqual({ claims: 0, artifacts: 1 }),
    );

    test('after it has removed the artifact takes its claim away', async () => {
      expect(await left('remove', 'after')).toEqual({ claims: 0, artifacts: 0 });
    });

    test('while it removes the artifact keeps its claim: the removal may happen yet', async () => {
      expect(await left('remove', 'during')).toMatchObject({ claims: 1 });
    });
  });

  test('one that is too slow leaves the artifact, and ends when it is tried again', async () => {
    const ref = await artifacts.write('extract', content, about('old'));
    const bucket = openBucket(place);
    const slow = {
      ...bucket,
      look: async (name: string) => {
        await sleep(150);
        return bucket.look(name);
      },
    };
    const uses = createS3Uses(slow, { claimMs: 200 });
    await expect(uses.release('old', [], async () => undefined)).rejects.toThrow(
      coded('ARTIFACTS_UNREACHABLE', 'too late'),
    );
    expect(await artifacts.read(ref)).toEqual(content);
    expect(await artifacts.release('old')).toEqual({ removed: 1, bytes: 10 });
  });
});
