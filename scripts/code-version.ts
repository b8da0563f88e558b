import { PROJECT_FOLDER } from './config.ts';
import { digestOfSources, LOCK_FILE } from './source-digest.ts';

/** What makes an artifact's bytes; a change in any of these files is another code version. */
const BYTES_FOLDERS = ['numeric', 'pipelines', 'activities', 'store/warehouse', 'store/artifacts'];

/** Digest of all that makes an artifact's bytes, the same on every machine and without git. */
export function codeVersion(project = PROJECT_FOLDER): Promise<string> {
  return digestOfSources(project, { folders: BYTES_FOLDERS, files: [LOCK_FILE] });
}
