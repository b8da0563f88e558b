import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { readConfig } from '../config.ts';
import { wholeNumber } from '../option-values.ts';
import { checkFolder, writeJson } from '../output-file.ts';

const SHOWN = 20;
const MOST = 1_000;

interface Given {
  pipeline?: string;
  limit: number;
  json?: string;
}

/** `strata runs`: what goes on and what came of the last runs. Starts PostgreSQL at most. */
export function runsCommand(signal: AbortSignal): Command {
  return new Command('runs')
    .description('lists the runs: those that go on with what they are at, then the last ones')
    .option('--pipeline <name>', 'only of this pipeline')
    .option('--limit <number>', 'so many that have ended', limitOf, SHOWN)
    .option('--json <file>', 'write what is shown to this file, as JSON')
    .addHelpText(
      'after',
      '\nThe first column is the beginning of the id: every command that asks for a run takes it.',
    )
    .allowExcessArguments(false)
    .action(async ({ pipeline, limit, json }: Given) => {
      const config = readConfig();
      const file = json && resolve(config.invokedFrom, json);
      await checkFolder('--json', file);
      const { listRuns } = await import('./list-runs.ts');
      await writeJson(
        '--json',
        file,
        await listRuns(config, { ...(pipeline && { pipeline }), limit }, signal),
      );
    });
}

function limitOf(text: string): number {
  const limit = wholeNumber(text);
  if (limit < 1 || limit > MOST) throw new InvalidArgumentError(`needs a number from 1 to ${MOST}.`);
  return limit;
}
