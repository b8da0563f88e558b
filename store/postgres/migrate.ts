import type { Knex } from 'knex';
import { PipelineError } from '../../pipelines/contracts/errors.ts';
import { translateDatabaseError } from './database-errors.ts';

/** Same as the entries of `migrations/index.ts`, which only scripts may import. */
export interface Migration {
  name: string;
  up(knex: Knex): Promise<void>;
  down(knex: Knex): Promise<void>;
}

/**
 * Brings the schema of the connection to the newest migration, making it where it is not there.
 *
 * All in one transaction behind an advisory lock: two processes at once are safe, a killed one leaves
 * nothing, and knex's own lock, which a killed process would leave set, is rolled back with it.
 *
 * @param options.allowsNewer a schema that newer code has gone on with is as good: workers of a version before have to
 * start on it, too
 * @returns names of the migrations that were run, empty when there was nothing to do
 * @throws PipelineError MIGRATION_FAILED naming the migration; POSTGRES_UNREACHABLE
 */
export function migrate(
  knex: Knex,
  migrations: readonly Migration[],
  { allowsNewer = false }: { allowsNewer?: boolean } = {},
): Promise<string[]> {
  return locked(knex, async (transaction, source) => {
    await transaction.raw('create schema if not exists ??', [schemaOf(knex)]);
    const [, done] = (await transaction.migrate.latest({
      migrationSource: source(migrations),
      disableMigrationsListValidation: allowsNewer,
    })) as [number, string[]];
    return done;
  });
}

/**
 * Takes every migration back, newest first; all data goes with it.
 *
 * @returns names of the migrations that were taken back
 * @throws PipelineError MIGRATION_FAILED; POSTGRES_UNREACHABLE
 */
export function rollBack(knex: Knex, migrations: readonly Migration[]): Promise<string[]> {
  return locked(knex, async (transaction, source) => {
    const [, undone] = (await transaction.migrate.rollback(
      { migrationSource: source(migrations) },
      true,
    )) as [number, string[]];
    return undone;
  });
}

type SourceOf = (migrations: readonly Migration[]) => Knex.MigrationSource<Migration>;

async function locked<T>(
  knex: Knex,
  work: (transaction: Knex.Transaction, source: SourceOf) => Promise<T>,
): Promise<T> {
  let running: string | null = null;
  const source: SourceOf = (migrations) => ({
    getMigrations: async () => [...migrations],
    getMigrationName: (migration) => migration.name,
    getMigration: async (migration) => ({
      up: (tx) => {
        running = migration.name;
        return migration.up(tx);
      },
      down: (tx) => {
        running = migration.name;
        return migration.down(tx);
      },
    }),
  });
  try {
    return await knex.transaction(async (transaction) => {
      await transaction.raw('select pg_advisory_xact_lock(hashtextextended(?, 0))', [
        `strata migrations of ${schemaOf(knex)}`,
      ]);
      return work(transaction, source);
    });
  } catch (error) {
    const known = translateDatabaseError(error);
    if (known instanceof PipelineError) throw known;
    const reason = error instanceof Error ? error.message : String(error);
    throw new PipelineError(
      'MIGRATION_FAILED',
      `migration ${running ?? '(none begun)'} of schema ${schemaOf(knex)} failed and nothing was changed: ${reason}`,
      { migration: running },
      { cause: error },
    );
  }
}

function schemaOf(knex: Knex): string {
  const [schema] = knex.client.config.searchPath as string[];
  return schema!;
}
