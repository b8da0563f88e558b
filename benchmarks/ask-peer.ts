import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { PROJECT_FOLDER } from '../scripts/config.ts';

/**
 * Runs a script of peers/ with the description on its standard input.
 *
 * @returns what it prints as JSON; null, with a word why, where there is no Python or a package is missing
 */
export async function askPeer<Figures>(
  python: string,
  script: string,
  about: object,
): Promise<Figures | null> {
  const peer = spawn(python, [join(PROJECT_FOLDER, 'benchmarks', 'peers', script)]);
  const ended = new Promise<string | null>((resolve) => {
    peer.on('error', (error) => resolve(error.message));
    peer.on('close', (code) => resolve(code === 0 ? null : `it ended with ${code}`));
  });
  peer.stdin.on('error', () => {});
  peer.stdin.end(JSON.stringify(about));
  const [printed, complaint, fault] = await Promise.all([text(peer.stdout), text(peer.stderr), ended]);
  if (fault === null) return JSON.parse(printed) as Figures;
  const why = complaint.trim().split('\n').at(-1) || fault;
  console.log(`${script} is left out, ${python} did not run it: ${why}`);
  return null;
}
