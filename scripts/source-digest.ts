import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** Packages make bytes, too: DuckDB writes the Parquet, AssemblyScript compiles the kernels. */
export const LOCK_FILE = 'package-lock.json';

/** What makes bytes. */
const CODE = /\.(ts|mjs)$/;

/** Of all code in the folders and of the files, by their paths within the project. */
export async function digestOfSources(
  project: string,
  { folders, files, code = CODE }: { folders: string[]; files: string[]; code?: RegExp },
): Promise<string> {
  const sources = [...files];
  for (const folder of folders) {
    const entries = await readdir(join(project, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && code.test(entry.name)) sources.push(relative(project, path));
    }
  }
  const hash = createHash('sha256');
  for (const path of sources.sort()) hash.update(`${path}\0`).update(await readFile(join(project, path)));
  return hash.digest('hex');
}
