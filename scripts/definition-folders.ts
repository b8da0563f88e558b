import { join } from 'node:path';
import { type Config, PROJECT_FOLDER } from './config.ts';

/** Folder of the pipeline definitions that come with the checkout. */
const DEFINITIONS_FOLDER = join(PROJECT_FOLDER, 'pipelines/definitions');

/** One's own definitions, where they have a folder of their own, before those of the checkout. */
export function definitionFolders({ definitions }: Pick<Config, 'definitions'>): string[] {
  return [...new Set([definitions, DEFINITIONS_FOLDER])];
}
