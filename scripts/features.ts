import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Dictionary } from '../pipelines/stages/dictionary.ts';
import { ClosingStack } from './closing-stack.ts';
import { type Config, readConfig } from './config.ts';
import { createLog } from './log.ts';
import { checkFolder, writeError } from './output-file.ts';

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
      await save('--json', files.json, `${JSON.stringify(dictionary, null, 2)}\n`);
      if (files.html !== undefined) {
        const { renderDictionaryPage } = await import('../pipelines/stages/dictionary-page.ts');
        await save('--html', files.html, renderDictionaryPage(dictionary));
      }
      const { featuresReport } = await import('./features-report.ts');
      console.log(featuresReport(dictionary, { JSON: files.json, HTML: files.html }));
    });
}

function pathOf(config: Config, file: string | undefined): string | undefined {
  return file === undefined ? undefined : resolve(config.invokedFrom, file);
}

async function save(option: string, file: string | undefined, text: string): Promise<void> {
  if (file === undefined) return;
  try {
    await writeFile(file, text);
  } catch (cause) {
    throw writeError(`${option} ${file}`, cause, 'name another file');
  }
}

async function readDictionary(config: Config, pipeline: string, signal: AbortSignal): Promise<Dictionary> {
  // Here, since no one who asks for --help or mistypes an option should wait for them.
  const { startServices } = await import('./services/index.ts');
  const { joinParts } = await import('./parts.ts');
  const { loadDefinition } = await import('../store/definitions.ts');
  const { readLabels, readValues } = await import('../activities/columns.ts');
  const { featureDictionary } = await import('../pipelines/stages/dictionary.ts');
  const stack = new ClosingStack();
  try {
    const log = createLog({ level: config.logLevel });
    const services = await startServices({ home: config.home, log, only: ['postgres'], signal });
    stack.defer(() => services.stop());
    const parts = await joinParts({ config, databaseUrl: services.databaseUrl, log });
    stack.defer(() => parts.close());
    const { artifacts, definitionFolders, repositories } = parts.context;
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
  } finally {
    await stack.close();
  }
}
