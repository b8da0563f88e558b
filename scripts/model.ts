import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import { type Config, readConfig } from './config.ts';
import { checkFolder, writeOutput } from './output-file.ts';
import { withStores } from './stores.ts';

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
      else await writeOutput('--out', file, text);
    });
}

async function exported(config: Config, given: Given, signal: AbortSignal): Promise<string> {
  // Here, since no one who asks for --help or mistypes an option should wait for them.
  const { loadDefinition } = await import('../store/definitions.ts');
  const { decodeJson, encodeJson } = await import('../store/artifacts/json.ts');
  const { parseModel } = await import('../pipelines/stages/model.ts');
  const { modelToSql } = await import('../pipelines/stages/model-sql.ts');
  return withStores(config, signal, async ({ artifacts, definitionFolders, repositories }) => {
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
  });
}
