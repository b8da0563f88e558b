import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';

/** Files in a folder from which commands are typed, definitions of their own for each test, and what was said. */
export interface InFolder {
  folder: string;
  definitions: string;
  said: string[];
}

export function inFolder(files: () => Readonly<Record<string, string | Uint8Array>>): InFolder {
  const here: InFolder = { folder: '', definitions: '', said: [] };
  beforeAll(async () => {
    here.folder = await mkdtemp(join(tmpdir(), 'strata-init-'));
    // PostgreSQL does not run as root: its own user has to get in.
    await chmod(here.folder, 0o755);
    await Promise.all(
      Object.entries(files()).map(([name, content]) => writeFile(join(here.folder, name), content)),
    );
  });
  afterAll(() => rm(here.folder, { recursive: true, force: true }));
  beforeEach(async () => {
    here.definitions = await mkdtemp(join(here.folder, 'definitions-'));
    vi.stubEnv('STRATA_DEFINITIONS', here.definitions);
    vi.stubEnv('STRATA_LOG_LEVEL', 'error');
    vi.stubEnv('INIT_CWD', here.folder);
    here.said = [];
    vi.spyOn(console, 'log').mockImplementation((text: unknown) => {
      // CI systems count as terminals with colours.
      here.said.push(stripVTControlCharacters(String(text)));
    });
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });
  return here;
}
