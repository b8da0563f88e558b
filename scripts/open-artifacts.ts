import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { ArtifactStore } from '../store/artifacts/artifact-store.ts';
import type { Config } from './config.ts';

export type ArtifactsConfig = Pick<Config, 'artifacts' | 's3' | 'home'>;

/**
 * The store that STRATA_ARTIFACTS names. The client of S3 is loaded where there is a bucket, and only then.
 *
 * @param copiesFolder of local copies of what lies in a bucket, which goes with its owner; default: one in the scratch
 *   folder, which the next process sweeps away
 */
export async function openArtifacts(
  { artifacts, s3, home }: ArtifactsConfig,
  copiesFolder?: string,
): Promise<ArtifactStore> {
  if (s3 === null) {
    const { createDiskArtifacts } = await import('../store/artifacts/disk-artifacts.ts');
    return createDiskArtifacts({ root: artifacts });
  }
  const { createS3Artifacts } = await import('../store/artifacts/s3-artifacts.ts');
  const { scratchName } = await import('./scratch.ts');
  return createS3Artifacts(s3, { copiesFolder: copiesFolder ?? join(home, 'scratch', scratchName()) });
}

/** Where a person finds an artifact, a path or an `s3://` address; null where it is not, or nobody can tell. */
export async function findArtifact(config: ArtifactsConfig, ref: ArtifactRef): Promise<string | null> {
  if (config.s3 === null) {
    const file = placeOf(config, ref);
    return existsSync(file) ? file : null;
  }
  return (await openArtifacts(config)).find(ref).catch(() => null);
}

/** Where it lies if it is there. */
export function placeOf({ artifacts, s3 }: Pick<Config, 'artifacts' | 's3'>, { uri }: ArtifactRef): string {
  return s3 === null ? join(artifacts, uri) : `${artifacts}/${uri}`;
}
