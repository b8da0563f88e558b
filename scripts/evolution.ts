import { Command } from 'commander';
import { type Config, readConfig } from './config.ts';
import { filesOf } from './diff.ts';
import { isoDate } from './option-values.ts';
import { checkFolder, writeJson, writeOutput } from './output-file.ts';
import { withStores } from './stores.ts';

interface Given {
  from?: string;
  to?: string;
  json?: string;
  html?: string;
}

/** `strata evolution`: all publications of a pipeline in their order. Needs PostgreSQL and the artifacts alone. */
export function evolutionCommand(signal: AbortSignal): Command {
  return new Command('evolution')
    .description(
      'tells how segments came about over all publications: sizes, moves and why, births, splits, names',
    )
    .argument('[pipeline]', 'whose publications (default: the only one that has published)')
    .option('--from <date>', 'leave out publications as of earlier dates', isoDate)
    .option('--to <date>', 'leave out publications as of later dates', isoDate)
    .option('--json <file>', 'write all of it to this file, as JSON')
    .option('--html <file>', 'write it as a page to read, with pictures')
    .allowExcessArguments(false)
    .action(async (pipeline: string | undefined, given: Given) => {
      await evolution(readConfig(), { pipeline, ...given }, signal);
    });
}

async function evolution(
  config: Config,
  { pipeline, from, to, ...given }: Given & { pipeline: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const files = filesOf(config, given);
  for (const [option, file] of Object.entries(files)) await checkFolder(`--${option}`, file);
  const { pipelineOf, publicationsBetween } = await import('./published-line.ts');
  const { readEvolution } = await import('./evolution-read.ts');
  const { evolutionText } = await import('./evolution-report.ts');
  const { renderEvolutionPage } = await import('../pipelines/stages/evolution/evolution-page.ts');
  await withStores(config, signal, async (context) => {
    const { repositories } = context;
    const all = await repositories.evolution.publications(await pipelineOf(repositories, pipeline));
    const line = all.filter(({ isAside }) => !isAside);
    const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
    const report = await readEvolution(context, publicationsBetween(line, range));
    console.log(evolutionText(report));
    await writeJson('--json', files.json, report);
    if (files.html !== undefined) await writeOutput('--html', files.html, renderEvolutionPage(report));
  });
}
