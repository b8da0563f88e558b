import { resolve } from 'node:path';
import { Command } from 'commander';
import { readConfig } from '../config.ts';
import { checkFolder, writeJson } from '../output-file.ts';

interface Given {
  pipeline?: string;
  follow?: boolean;
  json?: string;
}

/** `strata show`: all that is known of a run, and with `--follow` how it goes on. Starts PostgreSQL at most. */
export function showCommand(signal: AbortSignal, setExitCode: (code: number) => void): Command {
  return new Command('show')
    .description('shows a run: its stages, how far it is, what it waits for, what came of it')
    .argument('<run>', 'id of a run or its beginning, a workflow id, or latest')
    .option('--pipeline <name>', 'pipeline whose latest run is meant')
    .option('--follow', 'go on showing it until it has ended or is held')
    .option('--json <file>', 'write what is shown to this file, as JSON')
    .addHelpText(
      'after',
      '\nWith --follow it ends as the run does: 0 published or held, 2 rejected, 1 failed. Ctrl-C ends the following; the run goes on.' +
        '\n\nExample:\n  npm run strata -- show latest --pipeline online-retail --follow',
    )
    .allowExcessArguments(false)
    .action(async (run: string, { pipeline, follow = false, json }: Given) => {
      const config = readConfig();
      const file = json && resolve(config.invokedFrom, json);
      await checkFolder('--json', file);
      const { showRun } = await import('./show-run.ts');
      const { outcomeOf } = await import('./follow.ts');
      const { EXIT_CODES } = await import('../run-report.ts');
      const shown = await showRun(config, { run, ...(pipeline && { pipeline }), follow }, signal);
      await writeJson('--json', file, shown);
      if (follow) setExitCode(EXIT_CODES[outcomeOf(shown.run)]);
    });
}
