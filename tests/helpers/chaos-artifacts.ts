import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOOPBACK } from '../../scripts/services/ports.ts';
import { type Line, openLine } from './cut-line.ts';
import { canMount, type Disk, mountDisk } from './disk.ts';
import { startS3Server } from './s3-server.ts';

const DISK_MB = 256;

/** Where the artifacts of a home lie, and how that breaks. */
export interface BreakableArtifacts {
  /** The files, of a bucket too. */
  readonly folder: string;
  /** What makes a worker use it. */
  readonly env: Record<string, string>;
  /** The way to it that can be cut, where there is one. */
  readonly lines: readonly Line[];
  /** What can be done to it here: it is over after so long. Null: there is nothing to break at this moment. */
  readonly breaks: Partial<Record<'disk' | 's3', (forMs: number) => Promise<void> | null>>;
  /** Nobody may use it any more. */
  close(): Promise<void>;
}

/** On a disk of its own where one may be mounted, else in the home. */
export async function openFolder(home: string): Promise<BreakableArtifacts> {
  const disk = canMount() ? await mountDisk(DISK_MB) : null;
  const folder = join(disk?.folder ?? home, 'artifacts');
  return {
    folder,
    env: { STRATA_ARTIFACTS: folder },
    lines: [],
    breaks: disk ? { disk: (forMs) => fillFor(disk, forMs) } : {},
    async close() {
      await disk?.remove();
    },
  };
}

/** @param program of `findVersitygw` */
export async function openBucket(program: string, firstPort?: number): Promise<BreakableArtifacts> {
  const server = await startS3Server(program, firstPort);
  const place = await server.place('chaos', 'strata');
  const line = await openLine(server.port);
  let isAway = false;
  const away = async (forMs: number) => {
    await server.kill();
    await sleep(forMs);
    await server.start();
    isAway = false;
  };
  return {
    folder: server.fileOf(place),
    env: { ...server.environment(place), AWS_ENDPOINT_URL: `http://${LOOPBACK}:${line.port}` },
    lines: [line],
    breaks: {
      s3(forMs) {
        if (isAway) return null;
        isAway = true;
        return away(forMs);
      },
    },
    async close() {
      await line.close();
      await server.close();
    },
  };
}

async function fillFor(disk: Disk, forMs: number): Promise<void> {
  try {
    // Others write at the same time: what they took is full as well.
    await disk.fill(0).catch(() => {});
    await sleep(forMs);
  } finally {
    await disk.free();
  }
}
