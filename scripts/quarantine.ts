import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { refuseCondition } from '../pipelines/stages/releases.ts';
import { type Config, readConfig } from './config.ts';
import { checkFolder } from './output-file.ts';
import { personOf } from './person.ts';
import { withStores } from './stores.ts';

const EXAMPLE_ROWS = 3;

interface GivenShow {
  pipeline?: string;
  rule?: string;
  limit: number;
  json?: string;
  csv?: string;
  parquet?: string;
}

interface GivenRelease {
  pipeline?: string;
  rule: string[];
  where?: string;
  note?: string;
  author?: string;
  dryRun?: boolean;
}

/** `strata quarantine`: what was refused and why, and what a person decides about it. Needs PostgreSQL alone. */
export function quarantineCommand(signal: AbortSignal): Command {
  return new Command('quarantine')
    .description('shows, exports and releases the rows that a run refused')
    .addCommand(showCommand(signal))
    .addCommand(releaseCommand(signal))
    .addCommand(releasesCommand(signal))
    .addCommand(revokeCommand(signal));
}

const RUN = ['<run>', 'id of a run or its beginning, or latest with --pipeline'] as const;
const PIPELINE = ['--pipeline <name>', 'pipeline whose latest run is meant'] as const;

function showCommand(signal: AbortSignal): Command {
  return new Command('show')
    .description('tells how many rows were refused by which rule, shows some, and writes them to a file')
    .argument(...RUN)
    .option(...PIPELINE)
    .option('--rule <name>', 'only rows that break this rule')
    .option('--limit <rows>', 'rows to show of each rule', whole, EXAMPLE_ROWS)
    .option('--json <file>', 'write what is shown to this file, as JSON')
    .addOption(new Option('--csv <file>', 'write all the rows to this file, as CSV').conflicts('parquet'))
    .option('--parquet <file>', 'write all the rows to this file, as Parquet')
    .addHelpText('after', "\nIt prints rows of the quarantine: customers' data.")
    .allowExcessArguments(false)
    .action(async (run: string, { pipeline, ...given }: GivenShow) => {
      const config = readConfig();
      const files = await filesOf(config, given);
      const { quarantineReport } = await import('./quarantine-report.ts');
      const { findQuarantine } = await import('./quarantine-run.ts');
      const { showQuarantine } = await import('./quarantine-show.ts');
      await withStores(config, signal, async (context) => {
        const found = await findQuarantine(context.repositories, { run, ...(pipeline && { pipeline }) });
        console.log(quarantineReport(await showQuarantine(context, found, { ...given, ...files })));
      });
    });
}

function releaseCommand(signal: AbortSignal): Command {
  return new Command('release')
    .description('finds refused rows good: they join the runs that are opened from then on, until revoked')
    .argument(...RUN)
    .option(...PIPELINE)
    .requiredOption('--rule <name>', 'rule that refused them; may be given several times', several)
    .option('--where <sql>', "condition over the quarantine's columns that they fulfil")
    .option('--note <text>', 'why they are good, for who reads it later')
    .option('--author <name>', 'who decides it (default: the user of the system)')
    .option('--dry-run', 'say what would be released, change nothing')
    .addHelpText(
      'after',
      '\nExample:\n  npm run strata -- quarantine release latest --pipeline shop --rule without-price ' +
        `--where "channel = 'store'" --note "free samples count as orders"`,
    )
    .allowExcessArguments(false)
    .action(async (run: string, { pipeline, rule, ...given }: GivenRelease) => {
      const config = readConfig();
      const options = {
        rules: [...new Set(rule)],
        where: conditionOf(given.where),
        note: textOf('--note', given.note),
        author: personOf('--author', given.author),
        dryRun: given.dryRun === true,
      };
      const { releaseReport } = await import('./quarantine-report.ts');
      const { findQuarantine } = await import('./quarantine-run.ts');
      const { releaseRows } = await import('./quarantine-release.ts');
      await withStores(config, signal, async (context) => {
        const found = await findQuarantine(context.repositories, { run, ...(pipeline && { pipeline }) });
        console.log(releaseReport(await releaseRows(context, found, options)));
      });
    });
}

function releasesCommand(signal: AbortSignal): Command {
  return new Command('releases')
    .description('lists what was released, newest first, and what was revoked')
    .option('--pipeline <name>', 'only of this pipeline')
    .allowExcessArguments(false)
    .action(async ({ pipeline }: { pipeline?: string }) => {
      const { releasesReport } = await import('./quarantine-report.ts');
      const { loadDefinition } = await import('../store/definitions.ts');
      await withStores(readConfig(), signal, async ({ repositories, definitionFolders }) => {
        const releases = await repositories.releases.list({ ...(pipeline && { pipeline }) });
        // A name mistyped is the likelier mistake: it is answered with those that there are.
        if (pipeline && releases.length === 0) await loadDefinition(definitionFolders, pipeline);
        console.log(releasesReport(releases));
      });
    });
}

function revokeCommand(signal: AbortSignal): Command {
  return new Command('revoke')
    .description('ends a release: runs opened from then on judge its rows by the contract again')
    .argument('<id>', 'of the release, as releases lists it', whole)
    .option('--author <name>', 'who decides it (default: the user of the system)')
    .allowExcessArguments(false)
    .action(async (releaseId: number, given: { author?: string }) => {
      const author = personOf('--author', given.author);
      const { revokeReport } = await import('./quarantine-report.ts');
      await withStores(readConfig(), signal, async ({ repositories }) => {
        console.log(revokeReport(await repositories.releases.revoke(releaseId, author)));
      });
    });
}

async function filesOf({ invokedFrom }: Config, { json, csv, parquet }: GivenShow) {
  const file = (path: string | undefined) => (path === undefined ? undefined : resolve(invokedFrom, path));
  const files = { json: file(json), csv: file(csv), parquet: file(parquet) };
  for (const [name, path] of Object.entries(files)) await checkFolder(`--${name}`, path);
  return files;
}

export function textOf(option: string, given: string | undefined): string | null {
  if (given === undefined) return null;
  const text = given.trim();
  if (text === '') throw new PipelineError('INPUT_INVALID', `${option} needs a text, found none`);
  return text;
}

function conditionOf(given: string | undefined): string | null {
  const where = textOf('--where', given);
  if (where !== null) refuseCondition(where);
  return where;
}

function several(name: string, before: string[] = []): string[] {
  return [...before, name];
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('needs a whole number.');
  return Number(text);
}
