import { randomUUID } from 'node:crypto';
import type { ArtifactKind } from '../../pipelines/contracts/artifacts.ts';
import { fileName, markName, uriOfMark } from './disk-uses.ts';
import { inLanes } from './lanes.ts';
import type { Bucket } from './s3-bucket.ts';
import { unreachable } from './s3-errors.ts';

// Which run uses which artifact, by the same names as in a folder. A bucket has no rename that would take an artifact
// aside while one looks again, so a release announces itself first: it writes its claim, then looks for marks; a
// writer writes its mark, then looks for claims. Reads see all writes before them, so of two at the same time at
// least one sees the other: the release leaves a marked artifact alone, the writer waits for the claim to go and
// only then looks whether the artifact is there. Nothing here needs a lock or a conditional write.

/**
 * A claim counts so long, for it may be that of a killed process. Whoever holds one removes the artifact within
 * half of it, or not at all.
 */
const CLAIM_MS = 60_000;
/** An orderly stop waits so long for it. */
const UNCLAIM_MS = 3_000;
const POLL_MS = { first: 50, longest: 1_000 };
const LANES = 8;
const NOTHING = new Uint8Array(0);

export interface S3Uses {
  /** Notes that a run uses an artifact; from then on no release takes it away. */
  mark(runId: string, uri: string): Promise<void>;
  /** Takes the run's marks away, and the artifacts that no mark is left for. */
  release(
    runId: string,
    keep: readonly ArtifactKind[],
    onRemoved: (uri: string) => Promise<void>,
  ): Promise<{ removed: number; bytes: number }>;
}

export function createS3Uses(bucket: Bucket, { claimMs = CLAIM_MS }: { claimMs?: number } = {}): S3Uses {
  const usesOf = (uri: string) => `.uses/${uri}/`;
  const usedBy = (runId: string) => `.runs/${fileName(runId)}/`;
  const claimsOn = (uri: string) => `.releasing/${uri}/`;

  async function mark(runId: string, uri: string): Promise<void> {
    // In this order: an artifact that only its own mark names would never be released.
    await bucket.put(`${usedBy(runId)}${markName(uri)}`, NOTHING);
    await bucket.put(`${usesOf(uri)}${fileName(runId)}`, NOTHING);
    await untilUnclaimed(uri);
  }

  /** Time is counted from when a claim was first seen here: no two clocks have to agree. */
  async function untilUnclaimed(uri: string): Promise<void> {
    const seenAt = new Map<string, number>();
    for (let pauseMs = POLL_MS.first; ; pauseMs = Math.min(pauseMs * 2, POLL_MS.longest)) {
      const claims = await namesIn(claimsOn(uri));
      for (const claim of claims) {
        const since = seenAt.get(claim) ?? performance.now();
        seenAt.set(claim, since);
        if (performance.now() - since > claimMs) await bucket.remove(claim);
      }
      if (claims.length === 0) return;
      await bucket.pause(pauseMs);
    }
  }

  /** Bytes freed; null when another run uses the artifact, or it was gone already. */
  async function removeUnused(uri: string): Promise<number | null> {
    if (await isUsed(uri)) return null;
    const claim = `${claimsOn(uri)}${randomUUID()}`;
    const untilMs = performance.now() + claimMs / 2;
    let mayHappenYet = false;
    try {
      await bucket.put(claim, NOTHING);
      const found = (await isUsed(uri)) ? null : await bucket.look(uri);
      if (found === null) return null;
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) throw unreachable('answers that came too late', `release ${uri}`, bucket.place);
      mayHappenYet = true;
      await bucket.remove(uri, { limitMs: leftMs });
      mayHappenYet = false;
      return found.bytes;
    } finally {
      // A removal that may happen yet keeps its claim, so that no writer trusts what it sees. What else ends this, a
      // cancel mostly, must not hold writers up; they hear of a claim that stays in vain by its age.
      if (!mayHappenYet)
        await bucket.remove(claim, { limitMs: UNCLAIM_MS, isCancellable: false }).catch(() => undefined);
    }
  }

  async function isUsed(uri: string): Promise<boolean> {
    for await (const _ of bucket.list(usesOf(uri))) return true;
    return false;
  }

  async function namesIn(prefix: string): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of bucket.list(prefix)) names.push(name);
    return names;
  }

  return {
    mark,

    async release(runId, keep, onRemoved) {
      const total = { removed: 0, bytes: 0 };
      await inLanes(await namesIn(usedBy(runId)), LANES, async (name) => {
        const uri = uriOfMark(name.slice(usedBy(runId).length));
        if (keep.some((kind) => uri.startsWith(`${kind}/`))) return;
        await bucket.remove(`${usesOf(uri)}${fileName(runId)}`);
        const bytes = await removeUnused(uri);
        if (bytes !== null) {
          total.removed += 1;
          total.bytes += bytes;
          await onRemoved(uri);
        }
        // Last, so that a release that was killed finds this artifact again.
        await bucket.remove(name);
      });
      return total;
    },
  };
}
