import { resolve } from 'node:path';
import { Command } from 'commander';
import { type Config, readConfig } from './config.ts';
import { checkFolder, writeJson, writeOutput } from './output-file.ts';
import { withStores } from './stores.ts';

interface Given {
  pipeline?: string;
  json?: string;
  html?: string;
}

/** `strata diff`: what changed between two published runs, and why. Needs PostgreSQL and the artifacts alone. */
export function diffCommand(signal: AbortSignal): Command {
  return new Command('diff')
    .description('tells what changed between two published runs: segments, who moved and why, figures, names')
    .argument(
      '[run]',
      'id of a published run, its as-of date, or latest (default: the one before the latest)',
    )
    .argument('[other]', 'the run to compare it with, in any order (default: latest)')
    .option('--pipeline <name>', 'pipeline that dates are of (default: the only one that has published)')
    .option('--json <file>', 'write the comparison to this file, as JSON')
    .option('--html <file>', 'write it as a page to read')
    .allowExcessArguments(false)
    .action(async (run: string | undefined, other: string | undefined, given: Given) => {
      await diff(readConfig(), { runs: [run, other], ...given }, signal);
    });
}

async function diff(
  config: Config,
  given: Given & { runs: (string | undefined)[] },
  signal: AbortSignal,
): Promise<void> {
  const files = filesOf(config, given);
  for (const [option, file] of Object.entries(files)) await checkFolder(`--${option}`, file);
  const { LATEST, pipelineOf, pipelineOfRun, publicationOf, wholeId } = await import('./published-line.ts');
  const { readDiff } = await import('./evolution-read.ts');
  const { diffText } = await import('./diff-report.ts');
  const { PipelineError } = await import('../pipelines/contracts/errors.ts');
  await withStores(config, signal, async (context) => {
    const { repositories } = context;
    const typed = given.runs.filter((run) => run !== undefined);
    const asked = await Promise.all(typed.map((run) => wholeId(repositories, run)));
    const owners = await Promise.all(asked.map((run) => pipelineOfRun(repositories, run)));
    const named = [...new Set([given.pipeline, ...owners].filter((name) => typeof name === 'string'))];
    if (named.length > 1)
      throw new PipelineError(
        'INPUT_INVALID',
        `a comparison is of one pipeline, found ${named.join(' and ')}`,
      );
    const all = await repositories.evolution.publications(await pipelineOf(repositories, named[0]));
    const seen = all.filter(({ isAside }) => !isAside);
    // One that was kept aside is meant by its id or date alone.
    const isSeen = (run: string) =>
      run === LATEST || seen.some(({ runId, asOf }) => run === runId || run === asOf);
    const line = asked.every(isSeen) ? seen : all;
    if (asked.length === 0 && line.length < 2)
      throw new PipelineError(
        'INPUT_INVALID',
        `a comparison needs two published runs, ${line[0]!.pipeline} has one: run it again as of a later date`,
      );
    const pair = [
      asked[0] === undefined ? line.at(-2)! : publicationOf(line, asked[0]),
      publicationOf(line, asked[1] ?? LATEST),
    ];
    const [before, after] = pair.sort(
      (left, right) => left.asOf.localeCompare(right.asOf) || left.publicationId - right.publicationId,
    ) as [(typeof line)[number], (typeof line)[number]];
    if (before === after)
      throw new PipelineError(
        'INPUT_INVALID',
        `a run is the same as itself: ${before.runId}; name another one`,
      );
    const report = await readDiff(context, { line, before, after });
    const { renderDiffPage } = await import('../pipelines/stages/evolution/diff-page.ts');
    console.log(diffText(report));
    await writeJson('--json', files.json, report);
    if (files.html !== undefined) await writeOutput('--html', files.html, renderDiffPage(report));
  });
}

/** The files that were named, as the person who typed them means them. */
export function filesOf({ invokedFrom }: Config, given: Pick<Given, 'json' | 'html'>) {
  const file = (name: string | undefined) => (name === undefined ? undefined : resolve(invokedFrom, name));
  return { json: file(given.json), html: file(given.html) };
}
