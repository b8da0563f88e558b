import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Definition, parseDefinition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';

export interface LoadedDefinition {
  definition: Definition;
  /** The text of both files, to be frozen with the run. */
  files: { pipeline: string; contract: string };
}

const FILES = { pipeline: 'pipeline.yaml', contract: 'contract.yaml' } as const;

/** Names of the folders of `root` that hold a pipeline.yaml, in order. */
export async function listDefinitions(root: string): Promise<string[]> {
  const folders = (await readdir(root, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const names = await Promise.all(
    folders.map(async ({ name }) =>
      (await readIfThere(join(root, name, FILES.pipeline))) === null ? [] : [name],
    ),
  );
  return names.flat().sort();
}

/**
 * Both files of a definition, read and checked. Only a name that a listing of `root` has is ever made part
 * of a path, so a name with path characters is just an unknown one.
 *
 * @throws PipelineError PIPELINE_UNKNOWN with the names there are, DEFINITION_INVALID
 */
export async function loadDefinition(root: string, name: string): Promise<LoadedDefinition> {
  const known = await listDefinitions(root);
  if (!known.includes(name)) {
    throw new PipelineError(
      'PIPELINE_UNKNOWN',
      `pipeline ${JSON.stringify(name.slice(0, 60))} is not defined; there are ${known.join(', ') || 'none'}`,
    );
  }
  const [pipeline, contract] = await Promise.all(
    Object.values(FILES).map((file) => readIfThere(join(root, name, file))),
  );
  if (pipeline == null || contract == null) {
    throw new PipelineError(
      'DEFINITION_INVALID',
      `definition ${name}: needs a ${FILES.contract}, found none`,
    );
  }
  const files = { pipeline, contract };
  return { definition: parseDefinition(name, files), files };
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
