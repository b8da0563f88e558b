import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { ClosingStack } from './closing-stack.ts';
import { type Config, readConfig } from './config.ts';
import { createLog } from './log.ts';
import { checkFolder, writeError } from './output-file.ts';

interface Given {
  pipeline: string;
  sql?: 'duckdb' | 'postgres';
  table: string;
  customerId: string;
  computed?: boolean;
  out?: string;
}

/** `strata model`: the published model as JSON, or as a SELECT that gives the same segments in the warehouse. */
export function modelCommand(signal: AbortSignal): Command {
  return new Command('model')
    .description(
      'writes the published model of a pipeline: as JSON, or as SQL that assigns customers in the warehouse',
    )
    .requiredOption('--pipeline <name>', 'pipeline whose published model is wanted')
    .addOption(new Option('--sql <dialect>', 'SQL in place of JSON').choices(['duckdb', 'postgres']))
    .option('--table <name>', 'table with a row per customer, such as analytics.customers', 'customers')
    .option('--customer-id <column>', 'its column with the customer id', 'customer_id')
    .option('--computed', 'the table has the aggregates; what is derived of them is computed in SQL')
    .option('--out <file>', 'write to this file (default: standard output, where npm adds lines of its own)')
    .allowExcessArguments(false)
    .action(async (given: Given) => {
      const config = readConfig();
      const file = given.out === undefined ? undefined : resolve(config.invokedFrom, given.out);
      await checkFolder('--out', file);
      const text = await exported(config, given, signal);
      if (file === undefined) process.stdout.write(text);
      else await save(file, text);
    });
}

async function save(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    throw writeError(`--out ${file}`, cause, 'name another file');
  }
}

async function exported(config: Config, given: Given, signal: AbortSignal): Promise<string> {
  // Here, since no one who asks for --help or mistypes an option should wait for them.
  const { startServices } = await import('./services/index.ts');
  const { joinParts } = await import('./parts.ts');
  const { loadDefinition } = await import('../store/definitions.ts');
  const { decodeJson, encodeJson } = await import('../store/artifacts/json.ts');
  const { parseModel } = await import('../pipelines/stages/model.ts');
  const { modelToSql } = await import('../pipelines/stages/model-sql.ts');
  const stack = new ClosingStack();
  try {
    const log = createLog({ level: config.logLevel });
    const services = await startServices({ home: config.home, log, only: ['postgres'], signal });
    stack.defer(() => services.stop());
    const parts = await joinParts({ config, databaseUrl: services.databaseUrl, log });
    stack.defer(() => parts.close());
    const { artifacts, definitionFolders, repositories } = parts.context;
    const published = await repositories.publications.current(given.pipeline);
    if (published === null) {
      // A name mistyped is the likelier mistake: it is answered with those that there are.
      await loadDefinition(definitionFolders, given.pipeline);
      throw new PipelineError(
        'INPUT_INVALID',
        `pipeline ${given.pipeline} has published nothing yet: run it first (npm start -- --pipeline ${given.pipeline})`,
      );
    }
    const model = parseModel(decodeJson(await artifacts.read(published.artifacts.model)));
    if (given.sql === undefined) return `${encodeJson(model)}\n`;
    const byCluster = published.segments.toSorted((a, b) => a.cluster - b.cluster);
    return modelToSql(model, {
      dialect: given.sql,
      source: given.table.split('.'),
      customerId: given.customerId,
      segments: byCluster.map(({ segmentId }) => segmentId),
      derived: given.computed ? 'computed' : 'columns',
    });
  } finally {
    await stack.close();
  }
}
