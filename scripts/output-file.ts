import { access, constants, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { innermostMessage } from './error-text.ts';

// The files that options such as `--json` name. A path that was not given is passed on as undefined.

/** Minutes of work should not end in a file that cannot be written. @throws PipelineError CONFIG_INVALID */
export async function checkFolder(option: string, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  try {
    await access(dirname(file), constants.W_OK);
  } catch (cause) {
    throw new PipelineError(
      'CONFIG_INVALID',
      `${option} needs a folder that can be written to, found ${dirname(file)}: ${innermostMessage(cause)}`,
      {},
      { cause },
    );
  }
  const there = await stat(file).catch(() => null);
  if (there?.isDirectory())
    throw new PipelineError('CONFIG_INVALID', `${option} needs a file, found the folder ${file}`);
}

/**
 * @param wayOut where the content is to be had all the same, or what to do
 * @throws PipelineError CONFIG_INVALID
 */
export async function writeOutput(
  option: string,
  file: string | undefined,
  content: string | Uint8Array,
  wayOut = 'name another file',
): Promise<void> {
  if (file === undefined) return;
  try {
    await writeFile(file, content);
  } catch (cause) {
    const message = `${option} ${file} cannot be written: ${innermostMessage(cause)}; ${wayOut}`;
    throw new PipelineError('CONFIG_INVALID', message, {}, { cause });
  }
}

/** As `writeOutput`, of a value. */
export async function writeJson(
  option: string,
  file: string | undefined,
  value: unknown,
  wayOut?: string,
): Promise<void> {
  await writeOutput(option, file, `${JSON.stringify(value, null, 2)}\n`, wayOut);
}
