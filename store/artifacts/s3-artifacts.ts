import { AsyncLocalStorage } from 'node:async_hooks';
import { join } from 'node:path';
import type { ArtifactKind, ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { ArtifactStore } from './artifact-store.ts';
import { translateWriteError } from './disk-errors.ts';
import { digestBytes, realFs } from './disk-files.ts';
import { fileName } from './disk-uses.ts';
import { decodeJson, encodeJson } from './json.ts';
import { inLanes } from './lanes.ts';
import { createLocalCopies } from './local-copies.ts';
import { checkedEnding, checkedUri, digestIn, refOf } from './references.ts';
import { type Bucket, openBucket } from './s3-bucket.ts';
import { unreachable } from './s3-errors.ts';
import { PART_BYTES, uploadBytes, uploadFile } from './s3-multipart.ts';
import { downloadObject, readObject, verifyObject } from './s3-objects.ts';
import { addressOf, type S3Place } from './s3-place.ts';
import { createS3Uses } from './s3-uses.ts';

/** Of local copies, beside those in use, and never more than half of what the disk has left. */
const COPIES_BYTES = 20 * 2 ** 30;
const LANES = 8;
const LOOKS = 5;

/**
 * Artifacts in a bucket that every worker of the installation sees, under the names that a folder has:
 *
 *     <prefix>/<kind>/<aa>/<sha256>.<ending>      the artifacts
 *     <prefix>/.steps/<run>/<stage>-<key>.json    results of stages
 *     <prefix>/.uses/<uri>/<run>, .runs/<run>/…   who uses what
 *     <prefix>/.releasing/<uri>/…                 releases that are going on
 *
 * The server has to show every write to all reads that begin after it, as S3 does. Nothing passes by local disk:
 * what lies in the folder of copies is one process's own.
 */
export function createS3Artifacts(
  place: S3Place,
  options: {
    /** For files that are being made and copies of what is read; made when it is needed. */
    copiesFolder: string;
    copiesBytes?: number;
    /** From which size on an object goes in parts, and how large these are; S3 takes none below 5 MiB. */
    partBytes?: number;
    pageSize?: number;
    /** How long another's release may take before it is taken for a killed one's. */
    claimMs?: number;
  },
): ArtifactStore {
  const { copiesFolder, copiesBytes = COPIES_BYTES, partBytes = PART_BYTES, pageSize, claimMs } = options;
  const signals = new AsyncLocalStorage<AbortSignal | undefined>();
  const bucket = openBucket(place, {
    signalNow: () => signals.getStore(),
    ...(pageSize !== undefined && { pageSize }),
  });
  const uses = createS3Uses(bucket, claimMs === undefined ? {} : { claimMs });
  const copies = createLocalCopies(copiesFolder, { limitBytes: copiesBytes });

  /** What is written here on the way may find a full disk: it is tried once more when copies that wait for use are gone. */
  async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    const about = { what, root: copiesFolder, bytes: null, variable: 'STRATA_HOME' };
    const once = () =>
      work().catch(async (error: unknown) => {
        throw await translateWriteError(error, about, realFs);
      });
    return once().catch(async (error: unknown) => {
      const isFull = error instanceof PipelineError && error.code === 'ARTIFACT_DISK_FULL';
      if (isFull && (await copies.dropIdle()) > 0) return once();
      throw error;
    });
  }

  /** Marks first, looks second: a release going on meanwhile leaves a marked artifact alone. */
  async function settle(runId: string, ref: ArtifactRef, put: (ifAbsent: boolean) => Promise<boolean>) {
    await uses.mark(runId, ref.uri);
    for (let look = 1; look <= LOOKS; look++) {
      const found = await bucket.look(ref.uri);
      if (found?.bytes === ref.bytes) return ref;
      // What is there of another size is none of ours: it is written over. So is what the condition meets and no look
      // sees: of an object that was half written, or half removed, when the server was killed.
      if (await put(found === null && look === 1)) return ref;
    }
    throw unreachable('uploads that were gone before their end, again and again', `write ${ref.uri}`, place);
  }

  const stepsOf = (runId: string) => `.steps/${fileName(runId)}/`;
  const stepName = (runId: string, stage: string, key: string) =>
    `${stepsOf(runId)}${fileName(stage)}-${fileName(key)}.json`;

  return {
    async write(kind, bytes, about) {
      const sha256 = await digestBytes(bytes);
      const ref = { ...refOf(kind, about, { sha256, bytes: bytes.byteLength }), rows: about.rows };
      const upload = { name: ref.uri, bytes: ref.bytes, sha256, partBytes };
      return settle(about.runId, ref, (ifAbsent) => uploadBytes(bucket, bytes, { ...upload, ifAbsent }));
    },

    take: (kind, about, produce) =>
      attempt(`${kind} artifact of run ${about.runId}`, () =>
        copies.withIncoming(async (folder) => {
          const file = join(folder, `${kind}.${checkedEnding(about.ending)}`);
          const { rows } = await produce(file);
          const ref = { ...refOf(kind, about, await copies.digestFile(file)), rows };
          const { uri: name, bytes, sha256 } = ref;
          await settle(about.runId, ref, (ifAbsent) =>
            uploadFile(bucket, file, { name, bytes, sha256, ifAbsent, partBytes }),
          );
          await copies.adopt(file, name, bytes);
          return ref;
        }),
      ),

    async read(ref) {
      checkedUri(ref);
      return readObject(bucket, ref);
    },

    async path(ref) {
      const uri = checkedUri(ref);
      return attempt(`local copy of ${uri}`, () =>
        copies.path(uri, ref.bytes, (file) => downloadObject(bucket, ref, file), signals.getStore()),
      );
    },

    async verify(ref) {
      checkedUri(ref);
      await verifyObject(bucket, ref);
    },

    async readStep(runId, stage, key) {
      const bytes = await readSmall(bucket, stepName(runId, stage, key));
      try {
        return bytes && decodeJson(bytes);
      } catch (error) {
        // A damaged result is as good as none: the stage is done again and writes it anew.
        if (error instanceof PipelineError && error.code === 'ARTIFACT_CORRUPT') return null;
        throw error;
      }
    },

    async writeStep(runId, stage, key, result) {
      const bytes = encodeJson(result);
      await bucket.put(stepName(runId, stage, key), bytes, { sha256: await digestBytes(bytes) });
    },

    async release(runId, keep = []) {
      const steps: string[] = [];
      for await (const { name } of bucket.list(stepsOf(runId))) steps.push(name);
      await inLanes(steps, LANES, (name) => bucket.remove(name));
      return uses.release(runId, keep, copies.forget);
    },

    list: (kind) => listArtifacts(kind, bucket),

    async find(ref) {
      const uri = checkedUri(ref);
      return (await bucket.look(uri)) === null ? null : addressOf(place, uri);
    },

    during: (work, signal) => signals.run(signal, () => copies.during(work)),
  };
}

async function listArtifacts(kind: ArtifactKind, bucket: Bucket): Promise<ArtifactRef[]> {
  const refs: ArtifactRef[] = [];
  for await (const { name: uri, bytes } of bucket.list(`${kind}/`)) {
    const sha256 = digestIn(uri);
    if (sha256 !== null) refs.push({ uri, sha256, rows: 0, bytes, kind });
  }
  return refs.sort((a, b) => (a.uri < b.uri ? -1 : 1));
}

async function readSmall(bucket: Bucket, name: string): Promise<Buffer | null> {
  const object = await bucket.get(name);
  if (object === null) return null;
  const chunks: Buffer[] = [];
  for await (const chunk of object.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
