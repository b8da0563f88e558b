import type { ArtifactKind, ArtifactRef } from '../../pipelines/contracts/artifacts.ts';

/** Whose artifact it is and what it counts; `ending` without a dot: `json`, `parquet`, `columns`. */
export interface AboutArtifact {
  runId: string;
  ending: string;
}

/**
 * Immutable files under the digest of their bytes, and the results of stages under the digest of their
 * inputs. All writes are repeatable and safe to be killed at any point: a file is there whole, or not at all.
 *
 * Writing throws PipelineError ARTIFACT_DISK_FULL or ARTIFACT_UNWRITABLE and leaves nothing behind. Where artifacts are
 * in a bucket, everything may throw ARTIFACTS_UNREACHABLE or ARTIFACTS_REFUSED.
 */
export interface ArtifactStore {
  /** Writes bytes once; the same bytes a second time change nothing. */
  write(kind: ArtifactKind, bytes: Uint8Array, about: AboutArtifact & { rows: number }): Promise<ArtifactRef>;

  /**
   * Lets `produce` write a file at the given path (DuckDB's COPY), then takes it in under its digest.
   * What `produce` throws comes through, but for a full disk, which is ARTIFACT_DISK_FULL whoever says it.
   */
  take(
    kind: ArtifactKind,
    about: AboutArtifact,
    produce: (path: string) => Promise<{ rows: number }>,
  ): Promise<ArtifactRef>;

  /** Whole content, size and digest checked. @throws PipelineError ARTIFACT_MISSING, ARTIFACT_CORRUPT */
  read(ref: ArtifactRef): Promise<Buffer>;

  /**
   * Local path, for readers that want a file. The size is checked each time, the digest once per process.
   *
   * @throws PipelineError ARTIFACT_MISSING, ARTIFACT_CORRUPT
   */
  path(ref: ArtifactRef): Promise<string>;

  /** Size and digest of the bytes as they are now, whatever was found before. @throws PipelineError ARTIFACT_MISSING, ARTIFACT_CORRUPT */
  verify(ref: ArtifactRef): Promise<void>;

  /** Result of a stage kept under the digest of its inputs, so that a retry finds it; null when there is none. */
  readStep(runId: string, stage: string, key: string): Promise<unknown | null>;

  writeStep(runId: string, stage: string, key: string, result: unknown): Promise<void>;

  /**
   * Forgets a run: its steps, and every artifact that no other run uses. Kinds named in `keep` stay.
   * Says what was removed; a second time there is nothing to remove.
   */
  release(runId: string, keep?: readonly ArtifactKind[]): Promise<{ removed: number; bytes: number }>;

  /** Every artifact of a kind, by walking its folder, ordered by digest; `rows` is 0, the file does not tell. */
  list(kind: ArtifactKind): Promise<ArtifactRef[]>;

  /** Where a person finds it, a path or an `s3://` address; null when it is not there. Its bytes are not looked at. */
  find(ref: ArtifactRef): Promise<string | null>;

  /**
   * Until the work ends, files that `path` names within it stay where they are; beyond it a local copy may make room
   * for another. What is named outside of any work stays as long as the process.
   *
   * @param signal ends uploads and downloads of the work with its reason
   */
  during<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}
