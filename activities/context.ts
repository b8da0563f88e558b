import type { Definition } from '../pipelines/contracts/definition.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Places } from '../pipelines/stages/openlineage/datasets.ts';
import { withReleases } from '../pipelines/stages/releases.ts';
import type { ArtifactStore } from '../store/artifacts/artifact-store.ts';
import { decodeJson } from '../store/artifacts/json.ts';
import type { Repositories } from '../store/postgres/repositories.ts';

/** What activities work with; joined in `scripts/`, faked nowhere. */
export interface ActivityContext {
  artifacts: ArtifactStore;
  repositories: Repositories;
  /** Folders of pipeline definitions; the first that has a name is the one that is meant. */
  definitionFolders: readonly string[];
  /** Where the artifact store keeps its files, or its copies of what lies in a bucket; DuckDB may read and write there. */
  artifactsFolder: string;
  /** Folder for DuckDB's and the generator's temporary files. */
  scratchFolder: string;
  /** Threads of DuckDB and of the kernel pool. */
  threads: number;
  /** DuckDB's limit; it spills to the scratch folder beyond it. */
  memoryLimitMb: number;
  /** Digest of the code that makes numbers: part of every stage's key and of the manifest. */
  codeVersion: string;
  /** The environment, for addresses that a definition names by variable. */
  secret(name: string): string | undefined;
  /** Where OpenLineage events go, and how data is named there; null or absent: nowhere. */
  lineage?: { url: string; apiKey: string | undefined; places: Places } | null;
  log: { info(message: string, about?: Record<string, unknown>): void };
}

/**
 * The run's definition as it was frozen when the run was opened, for all that read its extract: where rows were
 * released, the contract lets them in.
 */
export async function frozenDefinition(
  artifacts: ArtifactStore,
  run: Pick<Run, 'definition' | 'releases'>,
): Promise<Definition> {
  const definition = await sourceDefinition(artifacts, run);
  return run.releases ? { ...definition, contract: withReleases(definition.contract) } : definition;
}

/** The same, for what reads the source: its rows do not tell yet whether they were released. */
export async function sourceDefinition(
  artifacts: ArtifactStore,
  run: Pick<Run, 'definition'>,
): Promise<Definition> {
  return decodeJson(await artifacts.read(run.definition)) as Definition;
}
