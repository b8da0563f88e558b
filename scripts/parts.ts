import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { Knex } from 'knex';
import type { ActivityContext } from '../activities/context.ts';
import { migrations } from '../migrations/index.ts';
import { connect } from '../store/postgres/connect.ts';
import { migrate } from '../store/postgres/migrate.ts';
import { createRepositories } from '../store/postgres/repositories.ts';
import { codeVersion } from './code-version.ts';
import type { Config } from './config.ts';
import { definitionFolders } from './definition-folders.ts';
import { lineageOf } from './lineage-settings.ts';
import type { Log } from './log.ts';
import { openArtifacts } from './open-artifacts.ts';
import { openScratch } from './scratch.ts';

const MEGABYTE = 2 ** 20;
/** DuckDB spills to disk beyond this; the rest of the machine is for PostgreSQL and the kernels. */
const DUCKDB_MEMORY_MB = { least: 512, most: 700, shareOfMachine: 0.25 };

export interface Parts {
  context: ActivityContext;
  knex: Knex;
  close(): Promise<void>;
}

/** The stores, joined for the activities; the schema is brought up to date first. */
export async function joinParts(options: { config: Config; databaseUrl: string; log: Log }): Promise<Parts> {
  const { config, databaseUrl, log } = options;
  const knex = connect(databaseUrl);
  const step = log.step('Database schema');
  const applied = await migrate(knex, migrations, { allowsNewer: config.deployment !== undefined });
  if (applied.length > 0) step.done(`${applied.length} migrations`);
  else step.skip();
  const scratch = await openScratch(join(config.home, 'scratch'));
  const { least, most, shareOfMachine } = DUCKDB_MEMORY_MB;
  const copiesFolder = join(scratch.folder, 'copies');
  const { secret } = config.tools;
  const context: ActivityContext = {
    artifacts: await openArtifacts(config, copiesFolder),
    repositories: createRepositories(knex),
    definitionFolders: definitionFolders(config),
    artifactsFolder: config.s3 === null ? config.artifacts : copiesFolder,
    scratchFolder: scratch.folder,
    threads: config.threads,
    memoryLimitMb: Math.round(Math.min(most, Math.max(least, (totalmem() / MEGABYTE) * shareOfMachine))),
    codeVersion: await codeVersion(),
    secret,
    lineage: lineageOf(config.lineage, { databaseUrl, secret }),
    log: { info: (message, about) => log.info(message, about) },
  };
  const close = async () => {
    await scratch.remove();
    await knex.destroy();
  };
  return { context, knex, close };
}
