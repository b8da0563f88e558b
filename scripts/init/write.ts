import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDefinition } from '../../pipelines/contracts/definition.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { DRAFTED } from '../../pipelines/init/pipeline-text.ts';
import { innermostMessage } from '../error-text.ts';

export interface WrittenDefinition {
  pipeline: string;
  contract: string;
}

/**
 * The name of the definition: as given, or as the file is called, with a number where that is taken.
 *
 * @param folders one's own first; only a definition that was drafted there is ever written over, and only by force
 * @throws PipelineError CONFIG_INVALID when it is there already, in whichever folder
 */
export async function nameFor(
  folders: readonly string[],
  { given, fromFile, isForced }: { given: string | undefined; fromFile: string; isForced: boolean },
): Promise<string> {
  for (let copy = 1; ; copy++) {
    const name = given ?? (copy === 1 ? fromFile : `${fromFile}-${copy}`);
    const there = await definitionAt(folders, name);
    if (there === null || (there.state === 'drafted' && isForced)) return name;
    // Of the same file it is most likely the draft of before; of what others wrote it stays clear.
    if (given !== undefined || there.state === 'drafted') throw isTaken(there);
  }
}

interface TakenName {
  folder: string;
  /** Drafted before or written by a person, in one's own folder, or in another one. */
  state: 'drafted' | 'written' | 'elsewhere';
}

/** What has the name; null: nothing. */
async function definitionAt(folders: readonly string[], name: string): Promise<TakenName | null> {
  for (const [i, root] of folders.entries()) {
    const folder = join(root, name);
    const text = await readIfThere(join(folder, 'pipeline.yaml'));
    if (text === null) continue;
    if (i > 0) return { folder, state: 'elsewhere' };
    return { folder, state: text.startsWith(DRAFTED) ? 'drafted' : 'written' };
  }
  return null;
}

const WAYS_OUT: Readonly<Record<TakenName['state'], string>> = {
  drafted: 'write it anew with --force, or',
  written: 'a person wrote it, so that it stays:',
  elsewhere: 'another one of its name would stand before it, so',
};

function isTaken({ folder, state }: TakenName): PipelineError {
  return new PipelineError(
    'CONFIG_INVALID',
    `definition ${folder} is there already: ${WAYS_OUT[state]} give this one another name with --name`,
  );
}

/**
 * Both files, after they were checked as a run checks them.
 *
 * @returns their paths
 * @throws PipelineError CONFIG_INVALID when the folder cannot be written
 */
export async function writeDefinition(
  root: string,
  name: string,
  texts: { pipeline: string; contract: string },
): Promise<WrittenDefinition> {
  parseDefinition(name, texts);
  const folder = join(root, name);
  const paths = { pipeline: join(folder, 'pipeline.yaml'), contract: join(folder, 'contract.yaml') };
  try {
    await mkdir(folder, { recursive: true });
    // Without a pipeline.yaml a folder is no definition: half a definition is never found.
    await writeFile(paths.contract, texts.contract);
    await writeFile(paths.pipeline, texts.pipeline);
  } catch (cause) {
    throw new PipelineError(
      'CONFIG_INVALID',
      `definition ${folder} cannot be written: ${innermostMessage(cause)}; name a folder of your own with STRATA_DEFINITIONS`,
      {},
      { cause },
    );
  }
  return paths;
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
