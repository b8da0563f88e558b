import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Definition, parseFiles } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Scale } from '../pipelines/contracts/scale-settings.ts';
import type { Schedule } from '../pipelines/contracts/schedule-settings.ts';

export interface LoadedDefinition {
  definition: Definition;
  /** When its runs start by themselves; none: never. */
  schedules: Schedule[];
  /** In how many parts its heavy stages are done. */
  scale: Scale;
  /** Where it was found. */
  folder: string;
  /** A definition of the same name in a later folder, which this one stands before; null: there is none. */
  hides: string | null;
  /** The text of both files, to be frozen with the run. */
  files: { pipeline: string; contract: string };
}

const FILES = { pipeline: 'pipeline.yaml', contract: 'contract.yaml' } as const;

/** One folder of definitions, or several that are searched in order: one's own, then those that come with Strata. */
export type DefinitionFolders = string | readonly string[];

/** Names of the folders of `roots` that hold a pipeline.yaml, in order. A root that is not there has none. */
export async function listDefinitions(roots: DefinitionFolders): Promise<string[]> {
  const names = await Promise.all([roots].flat().map(namesIn));
  return [...new Set(names.flat())].sort();
}

async function namesIn(root: string): Promise<string[]> {
  const folders = (await entriesOf(root)).filter((entry) => entry.isDirectory());
  const names = await Promise.all(
    folders.map(async ({ name }) =>
      (await readIfThere(join(root, name, FILES.pipeline))) === null ? [] : [name],
    ),
  );
  return names.flat();
}

async function entriesOf(root: string) {
  try {
    return await readdir(root, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code !== 'ENOTDIR' && code !== 'EACCES') throw error;
    throw new PipelineError(
      'CONFIG_INVALID',
      `definitions need a folder that can be read, ${root} is none; see STRATA_DEFINITIONS`,
      {},
      { cause: error },
    );
  }
}

/**
 * Both files of a definition, read and checked, from the first of the folders that has it. Only a name that a
 * listing has is ever made part of a path, so a name with path characters is just an unknown one.
 *
 * @throws PipelineError PIPELINE_UNKNOWN with the names there are, DEFINITION_INVALID
 */
export async function loadDefinition(roots: DefinitionFolders, name: string): Promise<LoadedDefinition> {
  const folders = [];
  for (const root of [roots].flat()) if ((await namesIn(root)).includes(name)) folders.push(join(root, name));
  const [folder, hides = null] = folders;
  if (folder === undefined) {
    const known = await listDefinitions(roots);
    throw new PipelineError(
      'PIPELINE_UNKNOWN',
      `pipeline ${JSON.stringify(name.slice(0, 60))} is not defined; there are ${known.join(', ') || 'none'}`,
    );
  }
  const [pipeline, contract] = await Promise.all(
    Object.values(FILES).map((file) => readIfThere(join(folder, file))),
  );
  if (pipeline == null || contract == null) {
    throw new PipelineError(
      'DEFINITION_INVALID',
      `definition ${name}: needs a ${FILES.contract}, found none`,
    );
  }
  const files = { pipeline, contract };
  return { ...parseFiles(name, files), files, folder, hides };
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
