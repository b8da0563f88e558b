import { join, resolve } from 'node:path';
import { ARTIFACT_KINDS, type ArtifactKind, type ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { AboutArtifact, ArtifactStore } from './artifact-store.ts';
import { translateWriteError } from './disk-errors.ts';
import { type ArtifactFs, createDiskFiles, digestBytes, isMissing, realFs } from './disk-files.ts';
import { createDiskUses, fileName } from './disk-uses.ts';
import { decodeJson, encodeJson } from './json.ts';

const URI = /^([a-z]+)\/([0-9a-f]{2})\/([0-9a-f]{64})\.[a-z0-9]+(?:\.[a-z0-9]+)*$/;
const ENDING = /^[a-z0-9]+(?:\.[a-z0-9]+)*$/;

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
    if (bytes !== ref.bytes) throw corrupt(ref, `${bytes} bytes`);
    return path;
  }

  async function verify(path: string, ref: ArtifactRef): Promise<void> {
    const found = await files.digestFile(path);
    if (found.sha256 !== ref.sha256) throw corrupt(ref, `digest ${found.sha256.slice(0, 12)}…`);
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
      const { bytes, sha256 } = await files.readDigested(path).catch(missing(ref, root));
      if (bytes.byteLength !== ref.bytes) throw corrupt(ref, `${bytes.byteLength} bytes`);
      if (sha256 !== ref.sha256) throw corrupt(ref, `digest ${sha256.slice(0, 12)}…`);
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
    const sha256 = URI.exec(uri)?.[3];
    if (sha256 === undefined) continue;
    refs.push({ uri, sha256, rows: 0, bytes: (await fs.stat(join(root, uri))).size, kind });
  }
  return refs;
}

function refOf(
  kind: ArtifactKind,
  about: AboutArtifact,
  content: { sha256: string; bytes: number },
): Omit<ArtifactRef, 'rows'> {
  const { sha256, bytes } = content;
  return {
    uri: `${kind}/${sha256.slice(0, 2)}/${sha256}.${checkedEnding(about.ending)}`,
    sha256,
    bytes,
    kind,
  };
}

function checkedEnding(ending: string): string {
  if (ENDING.test(ending)) return ending;
  throw new RangeError(`ending of an artifact needs small letters and digits, found ${ending}`);
}

/** A reference may come back from outside: it must not lead out of the root, nor to another artifact. */
function checkedUri(ref: ArtifactRef): string {
  const [, kind, start, sha256] = URI.exec(ref.uri) ?? [];
  const fits = kind === ref.kind && sha256 === ref.sha256 && start === sha256?.slice(0, 2);
  if (fits && ARTIFACT_KINDS.includes(ref.kind)) return ref.uri;
  throw new PipelineError(
    'ARTIFACT_CORRUPT',
    `reference to an artifact needs the uri <kind>/<aa>/<sha256>.<ending> of its own digest, found ${ref.uri}`,
    { kind: ref.kind },
  );
}

function missing(ref: ArtifactRef, root: string): (error: unknown) => never {
  return (error) => {
    throw isMissing(error) ? missingArtifact(ref, root, error) : error;
  };
}

function missingArtifact(ref: ArtifactRef, root: string, cause?: unknown): PipelineError {
  return new PipelineError(
    'ARTIFACT_MISSING',
    `${ref.kind} artifact needs ${ref.uri} in ${root}, not found there; ` +
      'its run may have been released, or STRATA_ARTIFACTS may name another folder',
    { kind: ref.kind, sha256: ref.sha256 },
    { cause },
  );
}

function corrupt(ref: ArtifactRef, found: string): PipelineError {
  return new PipelineError(
    'ARTIFACT_CORRUPT',
    `${ref.kind} artifact ${ref.uri} needs ${ref.bytes} bytes of digest ${ref.sha256.slice(0, 12)}…, found ${found}`,
    { kind: ref.kind, sha256: ref.sha256 },
  );
}
