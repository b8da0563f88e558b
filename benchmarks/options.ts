import { cpus } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';

/** What every benchmark with a peer in Python takes. */
export interface PeerOptions {
  rows: number;
  repeat: number;
  threads: number;
  python: string;
  json?: string;
}

export function benchCommand(name: string): Command {
  return new Command(`npm run bench -- ${name}`);
}

/** All of {@link PeerOptions} but `--rows`, which means something else to each benchmark. */
export function addPeerOptions(command: Command, defaults: { repeat: number }): Command {
  return command
    .option('--repeat <runs>', 'runs, of which the median is told', count, defaults.repeat)
    .option('--threads <threads>', 'kernel threads', count, cpus().length)
    .option('--python <command>', 'the interpreter that has scikit-learn', 'python3')
    .option('--json <file>', 'write the figures to this file');
}

export function countFrom(least: number): (given: string) => number {
  return (given) => {
    const value = Number(given);
    if (!Number.isInteger(value) || value < least)
      throw new InvalidArgumentError(`needs a whole number from ${least}.`);
    return value;
  };
}

export const count = countFrom(1);
