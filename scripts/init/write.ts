import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDefinition } from '../../pipelines/contracts/definition.ts';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { DRAFTED } from '../../pipelines/init/pipeline-text.ts';
import { listDefinitions } from '../../store/definitions.ts';
import { innermostMessage } from '../error-text.ts';

export interface WrittenDefinition {
  pipeline: string;
  contract: string;
}

/**
 * The name of the definition: as given, or as the file is called, with a number where that is taken.
 *
 * @param folders one's own first; only a definition that was drafted is ever written over, and only by force
 * @throws PipelineError CONFIG_INVALID when it is there already
 */
export async function nameFor(
  folders: readonly string[],
  { given, fromFile, isForced }: { given: string | undefined; fromFile: string; isForced: boolean },
): Promise<string> {
  const [own] = folders;
  const mayTake = async (name: string) => {
    const text = await readIfThere(join(own!, name, 'pipeline.yaml'));
    return { isThere: text !== null, isDrafted: text?.startsWith(DRAFTED) ?? false };
  };
  if (given === undefined) {
    const names = await listDefinitions(folders);
    for (let copy = 1; ; copy++) {
      const name = copy === 1 ? fromFile : `${fromFile}-${copy}`;
      const { isThere, isDrafted } = await mayTake(name);
      if (!names.includes(name) || (isThere && isDrafted && isForced)) return name;
      if (isThere && isDrafted) throw isTaken(join(own!, name), 'write it anew with --force');
    }
  }
  const { isThere, isDrafted } = await mayTake(given);
  if (!isThere || (isDrafted && isForced)) return given;
  throw isTaken(
    join(own!, given),
    isDrafted ? 'write it anew with --force' : 'a person wrote it, so that it stays',
  );
}

function isTaken(folder: string, wayOut: string): PipelineError {
  return new PipelineError(
    'CONFIG_INVALID',
    `definition ${folder} is there already: ${wayOut}, or name another with --name`,
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
