import { basename, resolve } from 'node:path';
import { Command } from 'commander';
import colors from 'picocolors';
import type { Definition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { type Config, readConfig } from './config.ts';
import { FILE_KINDS, isoDate } from './option-values.ts';
import { checkFolder, writeJson } from './output-file.ts';

interface Given {
  pipeline?: string;
  contract?: string;
  asOf?: string;
  json?: string;
  schemaOnly?: boolean;
  table?: string | true;
  postgres?: string;
}

const REFUSED = 2;

/** `strata check`: whether an extract, or the columns of a table, fit a contract; nothing else is started. */
export function checkCommand(signal: AbortSignal, onExit: (code: number) => void): Command {
  return new Command('check')
    .description('tells whether an extract fits a contract, without running anything else')
    .argument('[files...]', `${FILE_KINDS} (default: the pipeline's source)`)
    .option('--pipeline <name>', 'whose contract and columns are meant (default: shop)')
    .option(
      '--contract <file>',
      "a contract.yaml in place of the pipeline's; alone, its physicalNames are the columns",
    )
    .option('--as-of <date>', 'ISO date: only rows ordered before its midnight count', isoDate)
    .option('--schema-only', 'names and types of columns alone: no row is read')
    .option('--table [name]', 'the columns of a PostgreSQL table, such as shop.orders, in place of a file')
    .option('--postgres <variable>', 'environment variable that holds the address of PostgreSQL')
    .option('--json <file>', 'write what was found to this file')
    .addHelpText(
      'after',
      '\nEnds with 0 when it fits (with warnings or without), 2 when it does not, 1 when it cannot be read. Example:\n' +
        '  npm run strata -- check online_retail.parquet --pipeline online-retail',
    )
    .action(async (files: string[], given: Given) => {
      const config = readConfig();
      onExit(
        await check(config, { files: files.map((file) => resolve(config.invokedFrom, file)), given }, signal),
      );
    });
}

async function check(
  config: Config,
  { files, given }: { files: string[]; given: Given },
  signal: AbortSignal,
): Promise<number> {
  // Here, since no one who asks for --help or mistypes an option should wait for them.
  const { definitionFor } = await import('./contract-definition.ts');
  const { definitionFolders } = await import('./definition-folders.ts');
  const json = given.json === undefined ? undefined : resolve(config.invokedFrom, given.json);
  await checkFolder('--json', json);
  const { invokedFrom } = config;
  const definition = await definitionFor({ ...given, invokedFrom }, definitionFolders(config));
  // Before the work, which may end in an error that is none with the right pipeline.
  if (given.pipeline === undefined && given.contract === undefined)
    console.log(
      colors.dim(
        `held against pipeline ${definition.pipeline}, the default: for another one add --pipeline NAME`,
      ),
    );
  const isOfColumns = given.schemaOnly || given.table !== undefined;
  const found = isOfColumns
    ? await checkColumns(config, { definition, files, given })
    : await checkRows(config, { definition, files, given }, signal);
  console.log(found.text);
  await writeJson('--json', json, found.json, 'what was found stands above');
  return found.isGood ? 0 : REFUSED;
}

interface Found {
  text: string;
  json: object;
  isGood: boolean;
}

interface Asked {
  definition: Definition;
  files: string[];
  given: Given;
}

async function checkRows(
  config: Config,
  { definition, files, given }: Asked,
  signal: AbortSignal,
): Promise<Found> {
  const { checkExtract } = await import('./check-extract.ts');
  const { checkText } = await import('./check-report.ts');
  const [only, ...others] = files;
  if (only === undefined && definition.source.kind === 'file' && definition.source.path === undefined) {
    throw new PipelineError(
      'INPUT_INVALID',
      `check needs a file, pipeline ${definition.pipeline} names none: npm run strata -- check FILE --pipeline ${definition.pipeline}`,
    );
  }
  const { columns, ...source } = definition.source;
  // Several files are one source; a single one takes the place of whatever the pipeline reads.
  const asked =
    others.length === 0
      ? definition
      : { ...definition, source: { ...source, columns, kind: 'file', path: files } as Definition['source'] };
  const file = others.length === 0 ? (only ?? null) : null;
  const checked = await checkExtract(config, { definition: asked, file, asOf: given.asOf ?? null }, signal);
  const name = files.length === 0 ? definition.pipeline : files.map((path) => basename(path)).join(', ');
  const { asOf, rowsAfterAsOf } = checked.extract;
  return {
    text: checkText(checked, name),
    json: { asOf, rowsAfterAsOf, ...checked.report },
    isGood: checked.report.verdict !== 'fail',
  };
}

async function checkColumns(config: Config, { definition, files, given }: Asked): Promise<Found> {
  const { columnsOfFile, columnsOfTable } = await import('./check-columns.ts');
  const { columnsText } = await import('./check-report.ts');
  const { fitColumns } = await import('../pipelines/stages/column-fit.ts');
  const [file, ...others] = files;
  if (others.length > 0 || (file === undefined) === (given.table === undefined)) {
    throw new PipelineError(
      'INPUT_INVALID',
      'columns are checked of one file (--schema-only) or one table (--table)',
    );
  }
  const table = given.table === true ? undefined : given.table;
  const columns =
    file === undefined
      ? await columnsOfTable(config, { variable: given.postgres, table }, definition.source)
      : await columnsOfFile(file, definition.source.format);
  const fit = fitColumns(definition.source, columns);
  const name = file === undefined ? (table ?? 'the query of the pipeline') : basename(file);
  return {
    text: columnsText(fit, name),
    json: fit,
    isGood: fit.columns.every(({ state }) => state === 'fits'),
  };
}
