import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { ArtifactStore } from '../../store/artifacts/artifact-store.ts';
import { createDiskArtifacts } from '../../store/artifacts/disk-artifacts.ts';
import { createS3Artifacts } from '../../store/artifacts/s3-artifacts.ts';
import { type S3Server, startS3Server } from './s3-server.ts';
import { findVersitygw } from './versitygw.ts';

/** Where artifacts may be kept, as the tests of both look at it. */
export interface ArtifactPlace {
  /** Another process's store, with a folder of its own for what is local. */
  open(): ArtifactStore;
  /** The file that holds it, for whoever damages it. */
  fileOf(name: string): string;
  /** What is there, local copies aside. */
  names(): Promise<string[]>;
  remove(): Promise<void>;
}

export const versitygw = await findVersitygw();

async function folderPlace(): Promise<ArtifactPlace> {
  const root = await mkdtemp(join(tmpdir(), 'strata-artifacts-'));
  return {
    open: () => createDiskArtifacts({ root }),
    fileOf: (name) => join(root, name),
    names: () => filesUnder(root),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** The server is shared by the places of a test file. */
export async function bucketPlace(
  server: S3Server,
  options: Partial<Parameters<typeof createS3Artifacts>[1]> = {},
): Promise<ArtifactPlace> {
  const copies = await mkdtemp(join(tmpdir(), 'strata-copies-'));
  const place = await server.place(`bucket-${randomUUID()}`, 'strata/artifacts');
  return {
    open: () =>
      createS3Artifacts(place, { copiesFolder: join(copies, randomUUID()), pageSize: 7, ...options }),
    fileOf: (name) => server.fileOf(place, name),
    names: () => filesUnder(server.fileOf(place)),
    remove: () => rm(copies, { recursive: true, force: true }),
  };
}

let server: Promise<S3Server> | null = null;

/** Both, by name; `close` ends what they share. */
export const PLACES: [
  string,
  {
    isThere: boolean;
    /** How often a race is run: enough to lose some, in seconds. */
    rounds: number;
    make: () => Promise<ArtifactPlace>;
  },
][] = [
  ['a folder', { isThere: true, rounds: 50, make: folderPlace }],
  [
    'a bucket',
    {
      isThere: versitygw !== null,
      rounds: 12,
      async make() {
        server ??= startS3Server(versitygw!);
        return bucketPlace(await server);
      },
    },
  ],
];

export async function closePlaces(): Promise<void> {
  await (await server)?.close();
  server = null;
}

async function filesUnder(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((name) => !name.startsWith('.sgwtmp'))
    .sort();
}
