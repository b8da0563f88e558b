import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { ActivityContext } from '../activities/context.ts';
import { checkReason, checkSegmentName } from '../pipelines/contracts/segment-name.ts';
import { readConfig } from './config.ts';
import type { Asked, Changed } from './names-change.ts';
import { checkFolder, writeJson } from './output-file.ts';
import { personOf } from './person.ts';
import { withStores } from './stores.ts';

interface Given {
  pipeline?: string;
  because?: string;
  by?: string;
  seen?: number;
  json?: string;
}

/** `strata names`: what segments are called, and what people decide about it. Needs PostgreSQL alone. */
export function namesCommand(signal: AbortSignal): Command {
  return new Command('names')
    .description('shows and sets the names of segments')
    .addCommand(listCommand(signal))
    .addCommand(setCommand(signal))
    .addCommand(acceptCommand(signal))
    .addCommand(revertCommand(signal))
    .addCommand(historyCommand(signal));
}

const SEGMENT = ['<segment>', 'its id, or its present name'] as const;
const PIPELINE = ['--pipeline <name>', 'where several pipelines have a segment of that name'] as const;
const JSON_FILE = ['--json <file>', 'write what is shown to this file, as JSON'] as const;

function listCommand(signal: AbortSignal): Command {
  return new Command('list')
    .description('lists published segments: name, since when and by whom, and which names no longer hold')
    .argument('[pipeline]', 'only of this one')
    .option(...JSON_FILE)
    .allowExcessArguments(false)
    .action(async (pipeline: string | undefined, given: Given) => {
      const { listSegments } = await import('./names-list.ts');
      const { listReport } = await import('./names-report.ts');
      await show(given, signal, (stores) => listSegments(stores, pipeline), listReport);
    });
}

function setCommand(signal: AbortSignal): Command {
  return deciding(new Command('set'))
    .description('gives a segment a name of your own: readers see it at once, and every run keeps it')
    .argument(...SEGMENT)
    .argument('<name>', 'the new one')
    .requiredOption('--because <text>', 'why, for who reads it later')
    .addHelpText(
      'after',
      '\nExample:\n  npm run strata -- names set "Active high-value regulars" "Our best" --because "the spring campaign"',
    )
    .action(async (segment: string, name: string, given: Given) => {
      // Before anything is started for it.
      checkSegmentName(name);
      const { setName } = await import('./names-change.ts');
      await change(given, signal, (stores, asked) => setName(stores, { ...asked, segment, name }));
    });
}

function acceptCommand(signal: AbortSignal): Command {
  return deciding(new Command('accept'))
    .description('takes the name that the last run proposes for a segment whose name no longer holds')
    .argument(...SEGMENT)
    .option('--because <text>', 'why, for who reads it later')
    .action(async (segment: string, given: Given) => {
      const { acceptName } = await import('./names-change.ts');
      await change(given, signal, (stores, asked) => acceptName(stores, { ...asked, segment }));
    });
}

function revertCommand(signal: AbortSignal): Command {
  return deciding(new Command('revert'))
    .description('goes back to an earlier name: a version of the history, or the last automatic one')
    .argument(...SEGMENT)
    .argument('[version]', 'as history lists it (default: the last automatic one)', version)
    .option('--because <text>', 'why, for who reads it later')
    .action(async (segment: string, to: number | undefined, given: Given) => {
      const { revertName } = await import('./names-change.ts');
      await change(given, signal, (stores, asked) =>
        revertName(stores, { ...asked, segment, ...(to !== undefined && { version: to }) }),
      );
    });
}

function historyCommand(signal: AbortSignal): Command {
  return new Command('history')
    .description('lists all names that a segment had: from when to when, by whom and why')
    .argument('<segment>', 'its id, or its present name; its id where it has retired')
    .option(...PIPELINE)
    .option(...JSON_FILE)
    .allowExcessArguments(false)
    .action(async (segment: string, given: Given) => {
      const { historyOfNames } = await import('./names-change.ts');
      const { historyReport } = await import('./names-report.ts');
      const { pipeline } = given;
      const asked = { segment, ...(pipeline !== undefined && { pipeline }) };
      await show(given, signal, (stores) => historyOfNames(stores, asked), historyReport);
    });
}

/** What all commands have that change a name. */
function deciding(command: Command): Command {
  return command
    .option('--by <name>', 'who decides it (default: the user of the system)')
    .option('--seen <version>', 'version that you looked at: refused when it was renamed since', version)
    .option(...PIPELINE)
    .option(...JSON_FILE)
    .allowExcessArguments(false);
}

async function change(
  given: Given,
  signal: AbortSignal,
  work: (stores: ActivityContext, asked: Omit<Asked, 'segment'>) => Promise<Changed>,
): Promise<void> {
  const { pipeline, because, by, seen } = given;
  const asked = {
    by: personOf('--by', by),
    ...(because !== undefined && { because: checkReason(because) }),
    ...(pipeline !== undefined && { pipeline }),
    ...(seen !== undefined && { seen }),
  };
  const { changeReport } = await import('./names-report.ts');
  await show(given, signal, (stores) => work(stores, asked), changeReport);
}

async function show<T>(
  { json }: Given,
  signal: AbortSignal,
  work: (stores: ActivityContext) => Promise<T>,
  report: (result: T) => string,
): Promise<void> {
  const config = readConfig();
  const file = json === undefined ? undefined : resolve(config.invokedFrom, json);
  await checkFolder('--json', file);
  await withStores(config, signal, async (stores) => {
    const result = await work(stores);
    console.log(report(result));
    await writeJson('--json', file, result);
  });
}

function version(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('needs a version, a whole number from 1.');
  return Number(text);
}
