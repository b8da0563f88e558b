import { ARTIFACT_KINDS, type ArtifactKind, type ArtifactRef } from '../../pipelines/contracts/artifacts.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import type { AboutArtifact } from './artifact-store.ts';

// References are the same wherever artifacts are kept, so that a run's digests are, and a store can be moved.

const URI = /^([a-z]+)\/([0-9a-f]{2})\/([0-9a-f]{64})\.[a-z0-9]+(?:\.[a-z0-9]+)*$/;
const ENDING = /^[a-z0-9]+(?:\.[a-z0-9]+)*$/;

export function refOf(
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

/** @throws RangeError */
export function checkedEnding(ending: string): string {
  if (ENDING.test(ending)) return ending;
  throw new RangeError(`ending of an artifact needs small letters and digits, found ${ending}`);
}

/**
 * A reference may come back from outside: it must not lead out of the store, nor to another artifact.
 *
 * @throws PipelineError ARTIFACT_CORRUPT
 */
export function checkedUri(ref: ArtifactRef): string {
  const [, kind, start, sha256] = URI.exec(ref.uri) ?? [];
  const fits = kind === ref.kind && sha256 === ref.sha256 && start === sha256?.slice(0, 2);
  if (fits && ARTIFACT_KINDS.includes(ref.kind)) return ref.uri;
  throw new PipelineError(
    'ARTIFACT_CORRUPT',
    `reference to an artifact needs the uri <kind>/<aa>/<sha256>.<ending> of its own digest, found ${ref.uri}`,
    { kind: ref.kind },
  );
}

/** The digest that a name in the store stands for; null: it is the name of something else. */
export function digestIn(uri: string): string | null {
  return URI.exec(uri)?.[3] ?? null;
}

/** @param place the folder or bucket that was looked in */
export function missingArtifact(ref: ArtifactRef, place: string, cause?: unknown): PipelineError {
  return new PipelineError(
    'ARTIFACT_MISSING',
    `${ref.kind} artifact needs ${ref.uri} in ${place}, not found there; ` +
      'its run may have been released, or STRATA_ARTIFACTS may name another place',
    { kind: ref.kind, sha256: ref.sha256 },
    { cause },
  );
}

export function corruptArtifact(ref: ArtifactRef, found: string): PipelineError {
  return new PipelineError(
    'ARTIFACT_CORRUPT',
    `${ref.kind} artifact ${ref.uri} needs ${ref.bytes} bytes of digest ${ref.sha256.slice(0, 12)}…, found ${found}`,
    { kind: ref.kind, sha256: ref.sha256 },
  );
}
