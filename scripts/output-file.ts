import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { innermostMessage } from './error-text.ts';

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
}

/** @param wayOut where the content is to be had all the same, or what to do */
export function writeError(what: string, cause: unknown, wayOut: string): PipelineError {
  const message = `${what} cannot be written: ${innermostMessage(cause)}; ${wayOut}`;
  return new PipelineError('CONFIG_INVALID', message, {}, { cause });
}
