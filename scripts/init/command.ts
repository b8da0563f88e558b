import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { LOCALES, type LocaleName } from '../../pipelines/contracts/naming-settings.ts';
import type { Answers } from '../../pipelines/init/draft.ts';
import { rowsWords } from '../../pipelines/init/facts.ts';
import { ROLES } from '../../pipelines/init/role-words.ts';
import { type Config, readConfig } from '../config.ts';
import { createLog, type Log } from '../log.ts';
import { FILE_KINDS, isoDate, SEGMENT_COUNTS, segmentCount } from '../option-values.ts';
import { checkFolder, writeJson } from '../output-file.ts';
import type { Talk } from './converse.ts';
import type { tellTables } from './customers-table.ts';
import type { Drafted } from './draft.ts';
import { type DraftedTables, draftReport, nextSteps } from './draft-report.ts';
import type { Looking } from './inspect.ts';
import {
  currencyCode,
  type Given,
  nameOf,
  ownerName,
  pipelineName,
  ROLE_WORDS,
  rolesOf,
  timeZone,
  titleOf,
} from './options.ts';
import type { WrittenDefinition } from './write.ts';

interface Options {
  paths: string[];
  given: Given;
  name?: string;
  owner: string | null;
  locale: LocaleName;
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
      `${FILE_KINDS}: transactions in files of the same columns, and perhaps one of customers`,
    )
    .addHelpText('after', EXAMPLE);
  for (const role of ROLES)
    command.option(`--${role} <column>`, `column that says ${ROLE_WORDS[role]}, or none`);
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
    )
    .option('--name <name>', "name of the pipeline (default: the file's)", pipelineName)
    .option(
      '--owner <name>',
      'who answers for the features and the contract (default: nobody is named)',
      ownerName,
    )
    .addOption(new Option('--locale <language>', 'of names and descriptions').choices(LOCALES).default('en'))
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
      `this many segments, ${SEGMENT_COUNTS}, in place of the number chosen from the data`,
      segmentCount,
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
      times: (given.timeFormat as string[] | undefined) ?? [],
      isYes: given.yes === true,
      ...(timezone !== undefined && { timezone }),
      ...(currency !== undefined && { currency }),
    },
    returns: given.returns as Options['returns'],
    owner: text('owner') ?? null,
    locale: given.locale as LocaleName,
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
  const { written, ...given } = await draftAndWrite(config, options, { log, signal });
  const { name } = given;
  console.log(`\n${draftReport(given, written)}\n`);
  if (!options.isRun) {
    console.log(nextSteps(name, written, { hasRun: false }));
    return 0;
  }
  const { runDrafted } = await import('./run.ts');
  const { asOf } = given;
  const input = {
    pipeline: name,
    ...(asOf !== null && { asOf }),
    ...(options.k !== undefined && { k: options.k }),
  };
  const { code, summary, report } = await runDrafted(config, input, { log, signal });
  if (summary) await writeJson('--json', options.json, summary, `the run itself stands: ${summary.runId}`);
  console.log(`\n${report}\n\n${nextSteps(name, written, { hasRun: true })}`);
  return code;
}

async function draftAndWrite(
  config: Config,
  options: Options,
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<
  Omit<Drafted, 'texts'> & {
    name: string;
    currency: string;
    tables: DraftedTables;
    written: WrittenDefinition;
  }
> {
  // Here, since no one who asks for --help or mistypes an option should wait for DuckDB.
  const { lookAt, withLooking } = await import('./look.ts');
  const { draftCustomers, tellTables } = await import('./customers-table.ts');
  const { decide, lacksNeeded } = await import('./decide.ts');
  const { writtenOtherwise } = await import('./written-otherwise.ts');
  const { draft } = await import('./draft.ts');
  const { guessTable } = await import('./guess-table.ts');
  const { nameFor, writeDefinition } = await import('./write.ts');
  const { definitionFolders } = await import('../definition-folders.ts');
  const { paths, given, returns, owner, locale, asOf } = options;
  return withLooking({ paths, threads: config.threads, signal }, async (looking) => {
    const step = log.step(`Looking at ${paths.length === 1 ? 'the file' : `${paths.length} files`}`);
    const tables = await lookAt(looking, paths).catch((error: unknown) => {
      step.fail();
      throw error;
    });
    const told = await tellTables(looking, tables, given.roles).catch((error: unknown) => {
      step.fail();
      throw error;
    });
    const { transactions, customers } = told;
    const second = customers && draftCustomers(customers.table, customers.key);
    const of = customers ? ` of transactions, ${rowsWords(customers.table.facts)} of customers` : '';
    step.done(`${rowsWords(transactions.facts)}${of}`);
    if (transactions.paths.length > 1 && lacksNeeded(transactions.facts, given)) {
      const fault = await writtenOtherwise(looking, transactions);
      if (fault) throw fault;
    }
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
          guessTable(transactions.facts, decisions.guesses, { width: process.stdout.columns || 110 }),
        );
      const { texts, ...found } = await draft(looking, transactions, decisions, {
        name,
        title: titleOf(name),
        owner,
        locale,
        returns,
        asOf,
        customers: second,
      });
      const written = await writeDefinition(config.definitions, name, texts);
      return {
        ...{ ...found, name, currency: decisions.currency, written },
        tables: await tablesOf(looking, told, { second, joins: decisions.roles.customer! }),
      };
    } finally {
      talk?.close();
    }
  });
}

async function tablesOf(
  looking: Looking,
  { transactions, customers }: Awaited<ReturnType<typeof tellTables>>,
  { second, joins }: { second: Answers['customers']; joins: string },
): Promise<DraftedTables> {
  if (customers === null || second === null) return { transactions, customers: null };
  const { shareFound } = await import('./customer-key.ts');
  const { names, facts } = customers.table;
  const attributes = second.attributes.map(({ column }) => column);
  const key = second.customerId;
  const found = await shareFound(
    looking,
    { table: transactions, column: joins },
    { table: customers.table, column: key },
  );
  return {
    transactions,
    customers: { name: names[0]!, rows: facts.rows, key, joins, found, attributes },
  };
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

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
