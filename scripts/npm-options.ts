import type { Command } from 'commander';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { keptByNpm } from './config.ts';

// npm takes options that stand before `--` for its own: it hands none of them on, and of `--pipeline crm` the name
// alone, as if it were a file.

/** What npm has options of the same name for; whoever set those may have meant npm. */
const ALSO_OF_NPM = ['json', 'yes', 'force'];

/**
 * @param typed what a person types in front of options: `npm start --`
 * @throws PipelineError INPUT_INVALID naming the options that npm kept
 */
export function refuseKeptByNpm(command: Command, typed: string): void {
  const kept = keptByNpm(optionsOf(command)).filter((name) => !ALSO_OF_NPM.includes(name));
  if (kept.length === 0) return;
  const options = kept.map((name) => `--${name}`).join(' and ');
  throw new PipelineError(
    'INPUT_INVALID',
    `npm keeps options for itself that stand before --, here ${options}: type ${typed} ${example(command, kept)} …`,
  );
}

/** The same where npm leaves no trace: a name without its option is one argument too many. */
export function tellOfNpm(command: Command, typed: string): void {
  command.configureOutput({
    outputError: (text, write) =>
      write(
        /too many arguments/.test(text)
          ? `${text}npm keeps options for itself that stand before --: type ${typed} …\n`
          : text,
      ),
  });
  for (const one of command.commands) tellOfNpm(one, `${typed} ${one.name()}`);
}

function optionsOf(command: Command): string[] {
  const own = command.options.flatMap(({ long }) => (long ? [long.replace(/^--/, '')] : []));
  return [...new Set([...own, ...command.commands.flatMap(optionsOf)])];
}

/** The options as they are typed, with what stands behind them. */
function example(command: Command, names: readonly string[]): string {
  const all = [command, ...command.commands, ...command.commands.flatMap(({ commands }) => commands)];
  const options = all.flatMap((one) => one.options);
  return names
    .map((name) => options.find(({ long }) => long === `--${name}`)?.flags ?? `--${name}`)
    .join(' ');
}
