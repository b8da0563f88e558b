import { execFile } from 'node:child_process';
import { constants, existsSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Command } from 'commander';
import colors from 'picocolors';
import type { Contract } from '../pipelines/contracts/contract.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Source } from '../pipelines/contracts/source.ts';
import type { Change, ContractDiff, Effect } from '../pipelines/stages/contract-diff.ts';
import { type Config, readConfig } from './config.ts';
import { errorText } from './error-text.ts';
import { checkFolder, writeJson } from './output-file.ts';
import { dot } from './terminal.ts';

const BREAKING = 2;
const UNSOUND = 2;
const UNANSWERED = 1;

/** `strata contract`: what a changed contract breaks, and whether contracts are in the standard's form. */
export function contractCommand(onExit: (code: number) => void): Command {
  return new Command('contract')
    .description('what a changed contract would break; whether contracts are sound')
    .addCommand(diffCommand(onExit))
    .addCommand(lintCommand(onExit));
}

function diffCommand(onExit: (code: number) => void): Command {
  return new Command('diff')
    .description('what changed from contract A to contract B, and which features and pipelines that breaks')
    .argument('<a>', 'a pipeline, or a contract.yaml')
    .argument('<b>', 'a pipeline, or a contract.yaml')
    .option(
      '--pipeline <names...>',
      'pipelines that may break (default: those whose contract has the id of A or B)',
    )
    .option('--json <file>', 'write the differences to this file')
    .addHelpText(
      'after',
      '\nEnds with 0 when nothing breaks, 2 when something does, 1 when one cannot be read. Example:\n  npm run strata -- contract diff online-retail new-contract.yaml',
    )
    .action(async (a: string, b: string, given: { pipeline?: string[]; json?: string }) => {
      onExit(await diff(readConfig(), { a, b, ...given }));
    });
}

async function diff(
  config: Config,
  given: { a: string; b: string; pipeline?: string[]; json?: string },
): Promise<number> {
  const { diffContracts } = await import('../pipelines/stages/contract-diff.ts');
  const json = given.json === undefined ? undefined : resolve(config.invokedFrom, given.json);
  await checkFolder('--json', json);
  const source = await sourceOf(given, config);
  const [before, after] = [
    await contractOf(given.a, config, source),
    await contractOf(given.b, config, source),
  ];
  const found = diffContracts(before, after, await definitionsUnder([before, after], given));
  console.log(diffText(found, given));
  await writeJson('--json', json, found, 'the differences stand above');
  return found.isBreaking ? BREAKING : 0;
}

function isFile(given: string, { invokedFrom }: Config): boolean {
  return /\.ya?ml$/i.test(given) || existsSync(resolve(invokedFrom, given));
}

/**
 * Whose source a file is held against: that of the pipeline it is compared with. What a pipeline adds to the text of
 * its contract, the rules of customers among it, has to be on both sides.
 */
async function sourceOf(
  { a, b, pipeline = [] }: { a: string; b: string; pipeline?: string[] },
  config: Config,
): Promise<Source | undefined> {
  const name = [a, b].find((given) => !isFile(given, config)) ?? pipeline[0];
  return name === undefined ? undefined : (await definitionNamed(name)).source;
}

/** A file where there is one of that name, else a pipeline. */
async function contractOf(given: string, config: Config, source?: Source): Promise<Contract> {
  const { readContractFile } = await import('./contract-definition.ts');
  const { parseContract } = await import('../pipelines/contracts/parse-contract.ts');
  if (isFile(given, config)) {
    const { text, name } = await readContractFile(resolve(config.invokedFrom, given));
    return parseContract(text, { file: name, source, mayDisagree: true });
  }
  return (await definitionNamed(given)).contract;
}

async function definitionNamed(name: string): Promise<Definition> {
  const { loadDefinition } = await import('../store/definitions.ts');
  return (await loadDefinition(await folders(), name)).definition;
}

async function folders(): Promise<string[]> {
  const { definitionFolders } = await import('./definition-folders.ts');
  return definitionFolders(readConfig());
}

async function definitionsUnder(
  contracts: readonly Contract[],
  { a, b, pipeline }: { a: string; b: string; pipeline?: string[] },
): Promise<Definition[]> {
  if (pipeline !== undefined) return Promise.all(pipeline.map(definitionNamed));
  const { listDefinitions } = await import('../store/definitions.ts');
  const ids = contracts.map(({ id }) => id);
  const definitions: Definition[] = [];
  for (const name of await listDefinitions(await folders())) {
    // A definition that has faults of its own must not keep another one's differences from being told.
    const definition = await definitionNamed(name).catch(() => undefined);
    if (definition && (name === a || name === b || ids.includes(definition.contract.id)))
      definitions.push(definition);
  }
  return definitions;
}

const MARKS: Readonly<Record<Effect, string>> = {
  breaks: colors.red('✗ breaks  '),
  stricter: colors.red('✗ stricter'),
  changed: colors.red('✗ changed '),
  looser: colors.yellow('! looser  '),
  same: colors.green('✓ no break'),
};
const ORDER: readonly Effect[] = ['breaks', 'stricter', 'changed', 'looser', 'same'];

function diffText(
  { changes, isBreaking, pipelines }: ContractDiff,
  { a, b }: { a: string; b: string },
): string {
  if (changes.length === 0) return colors.green(`✓ ${a} and ${b} ask the same`);
  const inOrder = ORDER.flatMap((effect) => changes.filter((change) => change.effect === effect));
  const lines = inOrder.map((change) => `  ${MARKS[change.effect]}  ${placed(change)}`);
  const touched = pipelines.flatMap(({ pipeline, features }) =>
    features.length === 0
      ? [`  ${colors.bold(pipeline)}: no feature rests on what changes`]
      : [
          `  ${colors.bold(pipeline)}`,
          ...features.map(
            ({ feature, columns, uses }) =>
              `    ${feature} rests on ${columns.join(', ')}${uses.length === 0 ? '' : `; used for ${uses.join(', ')}`}`,
          ),
        ],
  );
  const verdict = isBreaking ? colors.red('✗ breaking') : colors.green('✓ not breaking');
  const whose = touched.length === 0 ? ['', '  no pipeline here is under these contracts'] : ['', ...touched];
  return [`${verdict}  ${colors.bold(a)} -> ${colors.bold(b)}`, ...lines, ...whose].join('\n');
}

function placed({ table, text }: Change): string {
  return table === 'customers' ? `customers: ${text}` : text;
}

function lintCommand(onExit: (code: number) => void): Command {
  return new Command('lint')
    .description(
      "whether contracts are sound, by Strata and, where it is installed, by the standard's own tool",
    )
    .argument('[what...]', 'pipelines, or files (default: every pipeline)')
    .option('--datacontract <command>', "the standard's command-line tool (default: datacontract on PATH)")
    .addHelpText('after', '\nEnds with 0 when all are sound, 2 when one is not, 1 when one cannot be read.')
    .action(async (what: string[], given: { datacontract?: string }) => {
      onExit(await lint(readConfig(), what, given.datacontract));
    });
}

async function lint(config: Config, what: string[], command: string | undefined): Promise<number> {
  const { listDefinitions } = await import('../store/definitions.ts');
  const roots = await folders();
  const named = what.length > 0 ? what : await listDefinitions(roots);
  const tool = command ?? (await onPath('datacontract', config.tools.pathFolders));
  const by = tool === undefined ? 'by Strata' : 'by Strata and datacontract';
  const found: Linted[] = [];
  for (const name of named) {
    const linted = await lintOne({ name, path: pathOf(name, config, roots) }, config, tool);
    found.push(linted);
    console.log(
      linted.faults.length === 0
        ? `${colors.green('✓')} ${name} is sound ${by}`
        : `${colors.red('✗')} ${name}`,
    );
    for (const fault of linted.faults) console.log(`  ${dot} ${fault}`);
  }
  if (tool === undefined) {
    console.log(
      colors.dim(
        "the standard's own tool was not asked: pip install datacontract-cli, or name it with --datacontract",
      ),
    );
  }
  if (found.some(({ isJudged }) => !isJudged)) return UNANSWERED;
  return found.some(({ faults }) => faults.length > 0) ? UNSOUND : 0;
}

interface Linted {
  faults: string[];
  /** False for what could not be read. */
  isJudged: boolean;
}

async function lintOne(
  { name, path }: { name: string; path: string },
  config: Config,
  tool: string | undefined,
): Promise<Linted> {
  try {
    await contractOf(name, config);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    // The others are asked all the same: who mends a contract wants to hear of all that is wrong.
    if (error.code !== 'DEFINITION_INVALID') return { faults: [errorText(error)], isJudged: false };
    const theirs = tool === undefined ? [] : await theirFaults(tool, path);
    return { faults: [...error.message.split('; '), ...theirs], isJudged: true };
  }
  return { faults: tool === undefined ? [] : await theirFaults(tool, path), isJudged: true };
}

function pathOf(name: string, { invokedFrom }: Config, roots: readonly string[]): string {
  if (/\.ya?ml$/i.test(name)) return resolve(invokedFrom, name);
  const places = roots.map((folder) => join(folder, name, 'contract.yaml'));
  return places.find(existsSync) ?? places[0]!;
}

async function theirFaults(tool: string, path: string): Promise<string[]> {
  try {
    await promisify(execFile)(tool, ['lint', '--all-errors', path], { timeout: 120_000 });
    return [];
  } catch (error) {
    const { code, stdout, message } = error as { code?: number | string; stdout?: string; message: string };
    if (code === 'ENOENT')
      throw new PipelineError('CONFIG_INVALID', `--datacontract needs a command, ${tool} is not there`);
    return [
      `datacontract: ${(stdout || message)
        .replace(/[│╭╮╰╯─┬┴├┤┼\n]+/g, ' ')
        .replace(/\s+/g, ' ')
        .trim()}`,
    ];
  }
}

async function onPath(command: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, command);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}
