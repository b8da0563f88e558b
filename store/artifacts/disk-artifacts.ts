import { join, resolve } from 'node:path';
import type { ArtifactKind, ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { ArtifactStore } from './artifact-store.ts';
import { translateWriteError } from './disk-errors.ts';
import { type ArtifactFs, createDiskFiles, digestBytes, isMissing, realFs } from './disk-files.ts';
import { createDiskUses, fileName } from './disk-uses.ts';
import { decodeJson, encodeJson } from './json.ts';
import {
  checkedEnding,
  checkedUri,
  corruptArtifact,
  digestIn,
  missingArtifact,
  refOf,
} from './references.ts';

/**
 * Artifacts in a folder that every worker of the installation sees.
 *
 *     <root>/<kind>/<aa>/<sha256>.<ending>      the artifacts, aa = first two digits of the digest
 *     <root>/.steps/<run>/<stage>-<key>.json    results of stages
 *     <root>/.uses/<uri>/<run>, .runs/<run>/…   who uses what
 *     <root>/.incoming/                         files being written; what a killed process left there
 *                                               goes with the next write of another, or after a day
 *
 * @param root made when it is not there, at the first write
 * @param fs stands in for the file system in fault tests
 */
export function createDiskArtifacts(options: { root: string; fs?: ArtifactFs }): ArtifactStore {
  const root = resolve(options.root);
  const fs = options.fs ?? realFs;
  const files = createDiskFiles(root, fs);
  const uses = createDiskUses(files, fs);
  /** Paths whose digest this process has computed or checked. */
  const verified = new Map<string, Promise<void>>();

  async function attempt<T>(what: string, bytes: number | null, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw await translateWriteError(error, { what, root, bytes }, fs);
    }
  }

  /** Marks first, looks second: a release going on meanwhile leaves a marked artifact alone. */
  async function settle(runId: string, ref: ArtifactRef, put: (path: string) => Promise<void>) {
    await uses.mark(runId, ref.uri);
    const path = join(root, ref.uri);
    if ((await files.sizeOf(path)) !== ref.bytes) {
      await put(path);
      verified.set(path, Promise.resolve());
    }
    return ref;
  }

  /** The artifact's path, its size checked. */
  async function place(ref: ArtifactRef): Promise<string> {
    const path = join(root, checkedUri(ref));
    const bytes = await files.sizeOf(path);
    if (bytes === null) throw missingArtifact(ref, root);
    if (bytes !== ref.bytes) throw corruptArtifact(ref, `${bytes} bytes`);
    return path;
  }

  async function verify(path: string, ref: ArtifactRef): Promise<void> {
    const found = await files.digestFile(path);
    if (found.sha256 !== ref.sha256) throw corruptArtifact(ref, `digest ${found.sha256.slice(0, 12)}…`);
  }

  const stepPath = (runId: string, stage: string, key: string) =>
    join(root, '.steps', fileName(runId), `${fileName(stage)}-${fileName(key)}.json`);

  return {
    write: (kind, bytes, about) =>
      attempt(`${kind} artifact of run ${about.runId}`, bytes.byteLength, async () => {
        const ref = refOf(kind, about, { sha256: await digestBytes(bytes), bytes: bytes.byteLength });
        return settle(about.runId, { ...ref, rows: about.rows }, (path) => files.put(path, bytes));
      }),

    take: (kind, about, produce) =>
      attempt(`${kind} artifact of run ${about.runId}`, null, () =>
        files.withIncoming(async (folder) => {
          const file = join(folder, `${kind}.${checkedEnding(about.ending)}`);
          const { rows } = await produce(file);
          const ref = refOf(kind, about, await files.digestFile(file));
          return settle(about.runId, { ...ref, rows }, (path) => files.adopt(file, path));
        }),
      ),

    async read(ref) {
      const path = join(root, checkedUri(ref));
      const { bytes, sha256 } = await files.readDigested(path).catch((error: unknown) => {
        throw isMissing(error) ? missingArtifact(ref, root, error) : error;
      });
      if (bytes.byteLength !== ref.bytes) throw corruptArtifact(ref, `${bytes.byteLength} bytes`);
      if (sha256 !== ref.sha256) throw corruptArtifact(ref, `digest ${sha256.slice(0, 12)}…`);
      return bytes;
    },

    async path(ref) {
      const path = await place(ref);
      const checked = verified.get(path) ?? verify(path, ref);
      verified.set(path, checked);
      await checked.catch((error: unknown) => {
        // Not remembered: a repaired file is looked at again.
        verified.delete(path);
        throw error;
      });
      return path;
    },

    async verify(ref) {
      await verify(await place(ref), ref);
    },

    async readStep(runId, stage, key) {
      try {
        return decodeJson((await files.readDigested(stepPath(runId, stage, key))).bytes);
      } catch (error) {
        // A damaged result is as good as none: the stage is done again and writes it anew.
        if (isMissing(error) || (error instanceof PipelineError && error.code === 'ARTIFACT_CORRUPT'))
          return null;
        throw error;
      }
    },

    async writeStep(runId, stage, key, result) {
      const bytes = encodeJson(result);
      await attempt(`result of stage ${stage} of run ${runId}`, bytes.byteLength, () =>
        files.put(stepPath(runId, stage, key), bytes),
      );
    },

    async release(runId, keep = []) {
      await fs.rm(join(root, '.steps', fileName(runId)), { recursive: true, force: true });
      return uses.release(runId, keep, (path) => verified.delete(path));
    },

    list: (kind) => listArtifacts(kind, root, fs),

    async find(ref) {
      const path = join(root, checkedUri(ref));
      return (await files.sizeOf(path)) === null ? null : path;
    },

    during: (work) => work(),
  };
}

async function listArtifacts(kind: ArtifactKind, root: string, fs: ArtifactFs): Promise<ArtifactRef[]> {
  const refs: ArtifactRef[] = [];
  const folder = join(root, kind);
  const found = await fs.readdir(folder, { recursive: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  for (const name of found.sort()) {
    const uri = `${kind}/${name}`;
    const sha256 = digestIn(uri);
    if (sha256 === null) continue;
    refs.push({ uri, sha256, rows: 0, bytes: (await fs.stat(join(root, uri))).size, kind });
  }
  return refs;
}
