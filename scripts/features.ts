import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Dictionary } from '../pipelines/stages/dictionary.ts';
import { type Config, readConfig } from './config.ts';
import { checkFolder, writeJson, writeOutput } from './output-file.ts';
import { withStores } from './stores.ts';

interface Given {
  pipeline: string;
  json?: string;
  html?: string;
  catalogue?: boolean;
}

/** `strata features`: what the features of a pipeline are, what they rest on and what they tell apart. */
export function featuresCommand(signal: AbortSignal): Command {
  return new Command('features')
    .description('the feature dictionary of a pipeline, with figures of its last published run')
    .option('--pipeline <name>', 'pipeline whose features are wanted', 'shop')
    .option('--json <file>', 'write the dictionary as JSON')
    .option('--html <file>', 'write it as one HTML page')
    .option('--catalogue', 'print the features that a definition can take, as Markdown, and nothing else')
    .allowExcessArguments(false)
    .action(async (given: Given) => {
      if (given.catalogue) {
        const { catalogueMarkdown } = await import('../pipelines/stages/dictionary-catalogue.ts');
        console.log(catalogueMarkdown());
        return;
      }
      const config = readConfig();
      const files = { json: pathOf(config, given.json), html: pathOf(config, given.html) };
      await checkFolder('--json', files.json);
      await checkFolder('--html', files.html);
      const dictionary = await readDictionary(config, given.pipeline, signal);
      await writeJson('--json', files.json, dictionary);
      if (files.html !== undefined) {
        const { renderDictionaryPage } = await import('../pipelines/stages/dictionary-page.ts');
        await writeOutput('--html', files.html, renderDictionaryPage(dictionary));
      }
      const { featuresReport } = await import('./features-report.ts');
      console.log(featuresReport(dictionary, { JSON: files.json, HTML: files.html }));
    });
}

function pathOf(config: Config, file: string | undefined): string | undefined {
  return file === undefined ? undefined : resolve(config.invokedFrom, file);
}

async function readDictionary(config: Config, pipeline: string, signal: AbortSignal): Promise<Dictionary> {
  // Here, since no one who asks for --help or mistypes an option should wait for them.
  const { loadDefinition } = await import('../store/definitions.ts');
  const { readLabels, readValues } = await import('../activities/columns.ts');
  const { featureDictionary } = await import('../pipelines/stages/dictionary.ts');
  return withStores(config, signal, async ({ artifacts, definitionFolders, repositories }) => {
    const { definition } = await loadDefinition(definitionFolders, pipeline);
    const current = await repositories.publications.current(pipeline);
    if (current === null) return await featureDictionary(definition, null);
    return await featureDictionary(definition, {
      runId: current.runId,
      asOf: current.asOf,
      segments: current.segments.toSorted((a, b) => a.cluster - b.cluster),
      values: await readValues(artifacts, current.artifacts.values),
      labels: (await readLabels(artifacts, current.artifacts.labels)).labels,
    });
  });
}
