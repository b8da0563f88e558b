import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import colors from 'picocolors';
import { percent, thousands } from '../../pipelines/init/role-evidence.ts';
import { ROLES } from '../../pipelines/init/role-words.ts';
import { type Config, readConfig } from '../config.ts';
import { createLog, type Log } from '../log.ts';
import { isoDate } from '../option-values.ts';
import { checkFolder, writeJson } from '../output-file.ts';
import type { Talk } from './converse.ts';
import type { Drafted } from './draft.ts';
import { currencyCode, type Given, nameOf, pipelineName, rolesOf, timeZone, titleOf } from './options.ts';
import type { WrittenDefinition } from './write.ts';

interface Options {
  paths: string[];
  given: Given;
  name?: string;
  returns: 'refuse' | 'keep';
  isRun: boolean;
  isForced: boolean;
  asOf?: string;
  k?: number;
  json?: string;
}

/** `strata init FILE…`: from a sample file to a pipeline that has run. */
export function initCommand(signal: AbortSignal, endWith: (code: number) => void): Command {
  const command = new Command('init')
    .description(
      'drafts a pipeline from a file: guesses which column is what and says why, asks, writes, runs',
    )
    .argument(
      '<file...>',
      'CSV (also .gz) or Parquet: transactions in files of the same columns, and perhaps one of customers',
    )
    .addHelpText('after', EXAMPLE);
  for (const role of ROLES)
    command.option(`--${role} <column>`, `the column that is the ${role.replace('-', ' ')}, or none`);
  return command
    .option(
      '--timezone <zone>',
      "zone of the shop's clock, such as Europe/London; asked for, never assumed",
      timeZone,
    )
    .option('--currency <code>', 'ISO 4217 code of the money, such as GBP', currencyCode)
    .option(
      '--time-format <format>',
      'how times are written, such as "%d.%m.%Y %H:%M"; may be repeated',
      collect,
      [],
    )
    .option('--name <name>', "name of the pipeline (default: the file's)", pipelineName)
    .addOption(
      new Option('--returns <what>', 'lines that take goods back')
        .choices(['refuse', 'keep'])
        .default('refuse'),
    )
    .option('--yes', 'take the guesses without asking', false)
    .option('--no-run', 'only write the definition')
    .option('--force', 'write over a definition that was drafted before', false)
    .option('--as-of <date>', 'ISO date: only rows ordered before its midnight count', isoDate)
    .option(
      '--k <number>',
      'this many segments, 2 to 64, in place of the number chosen from the data',
      segments,
    )
    .option('--json <file>', 'write the run summary to this file')
    .action(async (files: string[], given: Record<string, unknown>) => {
      const config = readConfig();
      endWith(await init(config, readOptions(files, given, config), signal));
    });
}

const EXAMPLE = `
Examples:
  npm run strata -- init orders.csv
  npm run strata -- init orders.parquet --timezone Europe/London --currency GBP
  npm run strata -- init sales-*.csv customers.csv --timezone Europe/Berlin --currency EUR --customer Kundennr
`;

function readOptions(files: string[], given: Record<string, unknown>, { invokedFrom }: Config): Options {
  const text = (name: string) => given[name] as string | undefined;
  const { timezone, currency } = given as Pick<Given, 'timezone' | 'currency'>;
  return {
    paths: [...new Set(files.map((file) => resolve(invokedFrom, file)))],
    given: {
      roles: rolesOf(given),
      times: given.timeFormat as string[],
      isYes: given.yes === true,
      ...(timezone !== undefined && { timezone }),
      ...(currency !== undefined && { currency }),
    },
    returns: given.returns as Options['returns'],
    isRun: given.run !== false,
    isForced: given.force === true,
    ...(text('name') !== undefined && { name: text('name')! }),
    ...(text('asOf') !== undefined && { asOf: text('asOf')! }),
    ...(given.k !== undefined && { k: given.k as number }),
    ...(text('json') !== undefined && { json: resolve(invokedFrom, text('json')!) }),
  };
}

async function init(config: Config, options: Options, signal: AbortSignal): Promise<number> {
  await checkFolder('--json', options.json);
  const log = createLog({ level: config.logLevel });
  const { name, drafted, written } = await draftAndWrite(config, options, { log, signal });
  console.log(`\n${draftReport(name, drafted, written)}\n`);
  if (!options.isRun) return 0;
  const { runDrafted } = await import('./run.ts');
  const { asOf } = drafted;
  const input = {
    pipeline: name,
    ...(asOf !== null && { asOf }),
    ...(options.k !== undefined && { k: options.k }),
  };
  const { code, summary, report } = await runDrafted(config, input, { log, signal });
  if (summary) await writeJson('--json', options.json, summary, `the run itself stands: ${summary.runId}`);
  console.log(`\n${report}\n\n${nextSteps(name, written)}`);
  return code;
}

async function draftAndWrite(
  config: Config,
  options: Options,
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<{ name: string; drafted: Drafted; written: WrittenDefinition }> {
  // Here, since no one who asks for --help or mistypes an option should wait for DuckDB.
  const { lookAt, withLooking } = await import('./look.ts');
  const { draftCustomers, tellTables } = await import('./customers-table.ts');
  const { decide } = await import('./decide.ts');
  const { draft } = await import('./draft.ts');
  const { guessTable } = await import('./guess-table.ts');
  const { nameFor, writeDefinition } = await import('./write.ts');
  const { definitionFolders } = await import('../strata-worker.ts');
  const { paths, given, returns, asOf } = options;
  return withLooking({ paths, threads: config.threads, signal }, async (looking) => {
    const step = log.step(`Looking at ${paths.length === 1 ? 'the file' : `${paths.length} files`}`);
    const tables = await lookAt(looking, paths).catch((error: unknown) => {
      step.fail();
      throw error;
    });
    const { transactions, customers } = tellTables(tables);
    step.done(`${thousands(transactions.facts.rows)} rows`);
    const name = await nameFor(definitionFolders(config), {
      given: options.name,
      fromFile: nameOf(transactions.names[0]!),
      isForced: options.isForced,
    });
    const talk = await talkOnTerminal(transactions.examples, signal);
    try {
      const decisions = await decide(transactions.facts, given, talk);
      if (talk === null || given.isYes)
        console.log(
          guessTable(transactions.facts, decisions.guesses, { width: process.stdout.columns ?? 110 }),
        );
      const drafted = await draft(looking, transactions, decisions, {
        name,
        title: titleOf(name),
        returns,
        asOf,
        customers: customers && draftCustomers(customers),
      });
      const written = await writeDefinition(config.definitions, name, drafted.texts);
      return { name, drafted, written };
    } finally {
      talk?.close();
    }
  });
}

async function talkOnTerminal(
  examples: Readonly<Record<string, readonly string[]>>,
  signal: AbortSignal,
): Promise<Talk | null> {
  const { stdin: input, stdout: output } = process;
  if (!input.isTTY || !output.isTTY) return null;
  const { converse } = await import('./converse.ts');
  return converse({ input, output, signal, onInterrupt: () => process.emit('SIGINT') }, examples);
}

function draftReport(name: string, { seen }: Drafted, written: WrittenDefinition): string {
  const { rows, rules, customers } = seen;
  const broken = rules.filter(({ brokenRows }) => brokenRows > 0);
  const width = Math.max(0, ...broken.map((rule) => rule.name.length));
  const refusedRows = broken
    .filter(({ severity }) => severity === 'reject')
    .reduce((sum, { brokenRows }) => sum + brokenRows, rows.unreadableLines);
  return [
    `${colors.green('✓')} pipeline ${colors.bold(name)} is drafted: ${thousands(rows.rows)} rows, ${thousands(customers.customers)} customers, ${percent(refusedRows / rows.rows)} of the rows refused`,
    ...(rows.unreadableLines > 0
      ? [
          `  unreadable-line  ${thousands(rows.unreadableLines)}  ${colors.dim('the line cannot be split into the columns of the header')}`,
        ]
      : []),
    ...broken.map(
      ({ name: rule, severity, brokenRows, reason }) =>
        `  ${rule.padEnd(width)}  ${thousands(brokenRows).padStart(11)}  ${colors.dim(severity === 'warn' ? `told only: ${reason}` : reason)}`,
    ),
    ...(rows.duplicates > 0
      ? [
          `  ${colors.dim(`${thousands(rows.duplicates)} rows are the same as another one in every column; they stay in`)}`,
        ]
      : []),
    ...(rows.future > 0
      ? [
          `  ${colors.yellow(`${thousands(rows.future)} rows lie in the future: this run is as of the day after the newest other row`)}`,
        ]
      : []),
    `  ${colors.dim(written.pipeline)}`,
    `  ${colors.dim(written.contract)}`,
  ].join('\n');
}

function nextSteps(name: string, { pipeline, contract }: WrittenDefinition): string {
  return [
    'What is next:',
    `  ${colors.dim('what is what, features, names')}  ${pipeline}`,
    `  ${colors.dim('what a row must satisfy      ')}  ${contract}`,
    `  ${colors.dim('run it again                  ')}  npm start -- --pipeline ${name}`,
  ].join('\n');
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function segments(text: string): number {
  const k = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (k < 2 || k > 64) throw new InvalidArgumentError('needs a whole number from 2 to 64.');
  return k;
}
