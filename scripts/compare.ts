import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { CompareInput, ComparisonSummary } from '../pipelines/contracts/compare.ts';
import { parseCompareInput } from '../pipelines/contracts/compare.ts';
import { compareReport } from './compare-report.ts';
import { type Config, readConfig } from './config.ts';
import { createLog } from './log.ts';
import { openArtifacts, placeOf } from './open-artifacts.ts';
import { FILE_KINDS, isoDate, wholeNumber } from './option-values.ts';
import { checkFolder, writeOutput } from './output-file.ts';

interface Options {
  input: CompareInput;
  json: string | undefined;
  html: string | undefined;
}

interface Given {
  pipeline?: string;
  extract?: string;
  asOf?: string;
  ks?: { min: number; max: number };
  candidates?: string[];
  bootstraps?: number;
  nullDraws?: number;
  sampleRows?: number;
  trialRows?: number;
  budget?: number;
  seed?: number;
  json?: string;
  html?: string;
}

/** `strata compare`: starts what `npm start` starts, compares, writes the report, stops what it started. */
export function compareCommand(signal: AbortSignal, onExit: (code: number) => void): Command {
  return new Command('compare')
    .description('tries every clustering algorithm on the same customers and says which one to use, if any')
    .option('--pipeline <name>', 'pipeline definition (default: shop)')
    .option('--extract <file>', `file to read in place of the definition's source: ${FILE_KINDS}`)
    .option('--as-of <date>', 'ISO date: only rows ordered before its midnight count', isoDate)
    .option('--json <file>', 'write the whole report to this file, as JSON')
    .option('--html <file>', 'write the report to this file, as a page to read')
    .option('--ks <range>', "numbers of segments to try, such as 3..8 (default: the definition's)", rangeOf)
    .option('--candidates <names>', 'algorithms to try, with commas (default: all)', (text) =>
      text.split(',').map((name) => name.trim()),
    )
    .option('--bootstraps <count>', 'resamples for stability (default: 20)', wholeNumber)
    .option(
      '--null-draws <count>',
      'data sets without groups to hold scores against (default: 20)',
      wholeNumber,
    )
    .option('--sample-rows <count>', 'customers that are scored (default: 5000)', wholeNumber)
    .option('--trial-rows <count>', 'customers of each resample and data set (default: 2000)', wholeNumber)
    .option('--budget <seconds>', 'seconds that each algorithm may take (default: 300)', wholeNumber)
    .option('--seed <number>', "in place of the definition's seed", wholeNumber)
    .addHelpText(
      'after',
      '\nIt publishes nothing and changes no run. Example:\n' +
        '  npm run strata -- compare --pipeline online-retail --extract online_retail.parquet --html report.html',
    )
    .allowExcessArguments(false)
    .action(async (given: Given) => {
      const config = readConfig();
      onExit(await compare(config, optionsOf(given, config), signal));
    });
}

function optionsOf(given: Given, { invokedFrom }: Config): Options {
  const { json, html, extract, budget, ...rest } = given;
  const input: CompareInput = {
    ...rest,
    ...(extract !== undefined && { extract: resolve(invokedFrom, extract) }),
    ...(budget !== undefined && { budgetSeconds: budget }),
  };
  parseCompareInput(input);
  const file = (path: string | undefined) => (path === undefined ? undefined : resolve(invokedFrom, path));
  return { input, json: file(json), html: file(html) };
}

async function compare(config: Config, { input, json, html }: Options, signal: AbortSignal): Promise<number> {
  // Half of the start is Temporal and DuckDB: no one who asks for --help or mistypes an option waits for them.
  const { awaitHistory, checkInput } = await import('./main-job.ts');
  const { refuseUnknownCandidates } = await import('../pipelines/stages/compare-candidates.ts');
  const { pipeline, extract, candidates } = input;
  refuseUnknownCandidates(candidates);
  await checkInput(
    { ...(pipeline !== undefined && { pipeline }), ...(extract !== undefined && { extract }) },
    config,
  );
  for (const [option, file] of Object.entries({ '--json': json, '--html': html }))
    await checkFolder(option, file);
  const { openStrata } = await import('./open-strata.ts');
  const { followComparison } = await import('./follow-comparison.ts');
  const log = createLog({ level: config.logLevel });
  const strata = await openStrata({ config, log, signal });
  const broken = new AbortController();
  strata.ended.catch((fault: unknown) => broken.abort(fault));
  try {
    const ended = AbortSignal.any([signal, broken.signal]);
    const summary = await followComparison(strata, input, ended);
    await awaitHistory(strata.client, summary.workflow.runId, { log });
    await writeReport(config, summary, { json, html });
    const page = summary.page && (html ?? placeOf(config, summary.page));
    console.log(
      `\n${compareReport(summary, { ...(page && { report: page }), run: strata.addressAfter(summary.workflow) })}`,
    );
    return summary.outcome === 'compared' ? 0 : 1;
  } finally {
    await strata.close();
  }
}

async function writeReport(
  config: Config,
  { report, page }: ComparisonSummary,
  { json, html }: Pick<Options, 'json' | 'html'>,
): Promise<void> {
  const artifacts = await openArtifacts(config);
  const copy = async (option: string, file: string | undefined, ref: ArtifactRef | null) => {
    if (file === undefined || ref === null) return;
    const kept = `the report itself is at ${placeOf(config, ref)}`;
    await writeOutput(option, file, await artifacts.read(ref), kept);
  };
  await copy('--json', json, report);
  await copy('--html', html, page);
}

function rangeOf(text: string): { min: number; max: number } {
  const [, min, max] = /^(\d{1,2})(?:\.\.(\d{1,2}))?$/.exec(text) ?? [];
  if (min === undefined || Number(max ?? min) < Number(min)) {
    throw new InvalidArgumentError('needs a number such as 4, or a range such as 3..8.');
  }
  return { min: Number(min), max: Number(max ?? min) };
}
