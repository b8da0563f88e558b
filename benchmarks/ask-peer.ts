import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { PROJECT_FOLDER } from '../scripts/config.ts';

export interface Peer {
  /** The interpreter. */
  python: string;
  /** File in peers/. */
  script: string;
  /** What to call it where it is left out. */
  name: string;
}

/** By name. A `Matrix` goes as its `data`: one column after the other, float32. */
type Arrays = Record<string, NodeJS.ArrayBufferView>;

/**
 * Runs a script of peers/ with the description on its standard input. Each array is written to a file as its raw
 * bytes, and the description holds the file's path under the array's name.
 *
 * @returns what it prints as JSON; null, with a word why, where there is no Python or a package is missing
 */
export async function askPeer<Figures>(peer: Peer, arrays: Arrays, about: object): Promise<Figures | null> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-bench-'));
  try {
    const paths: Record<string, string> = {};
    for (const [name, values] of Object.entries(arrays)) {
      paths[name] = join(folder, name);
      await writeFile(paths[name], values);
    }
    const { printed, fault } = await runScript(peer, JSON.stringify({ ...paths, ...about }));
    if (fault === null) return JSON.parse(printed) as Figures;
    console.log(`${peer.name} is left out, ${peer.python} did not run it: ${fault}`);
    return null;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runScript(
  { python, script }: Peer,
  input: string,
): Promise<{ printed: string; fault: string | null }> {
  const peer = spawn(python, [join(PROJECT_FOLDER, 'benchmarks', 'peers', script)]);
  const ended = new Promise<string | null>((resolve) => {
    peer.on('error', (error) => resolve(error.message));
    peer.on('close', (code, signal) => resolve(code === 0 ? null : `it ended with ${code ?? signal}`));
  });
  peer.stdin.on('error', () => {});
  peer.stdin.end(input);
  const [printed, complaint, fault] = await Promise.all([text(peer.stdout), text(peer.stderr), ended]);
  return { printed, fault: fault && (complaint.trim().split('\n').at(-1) || fault) };
}
