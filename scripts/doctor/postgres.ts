import { join } from 'node:path';
import { migrations } from '../../migrations/index.ts';
import { ping } from '../../store/postgres/connect.ts';
import type { Config } from '../config.ts';
import { askPostgres } from '../services/postgres-client.ts';
import { findPackage } from '../services/postgres-installation.ts';
import { ownServer, urlOfOwnPostgres } from '../services/running.ts';
import { counted } from '../terminal.ts';
import type { Finding, Probe } from './finding.ts';

type Found = Omit<Finding, 'area'>;

const CONNECT_WITHIN_MS = 4_000;
const START = 'npm start starts it, npm run worker where STRATA_DATABASE_URL is set';
const MEGABYTE = 2 ** 20;
/** Of the connections; a worker takes up to ten. */
const NEARLY_ALL = 0.9;

export function postgresProbe(config: Config): Probe {
  const given = config.databaseUrl;
  const wayOut = given
    ? ['start it there, or set STRATA_DATABASE_URL to another, or unset it to have one started']
    : ['npm start brings it back', `its log: ${join(config.home, 'logs/postgres.log')}`];
  return {
    area: 'PostgreSQL',
    wayOut,
    async look() {
      if (given !== undefined) return answering(given, 'at STRATA_DATABASE_URL');
      const own = ownServer(config, 'postgres');
      if (own === null) return [await notRunning()];
      if (!own.isAlive)
        return [
          { state: 'warning', says: `the server of this home (process ${own.record.pid}) has ended`, wayOut },
        ];
      return answering(urlOfOwnPostgres(config, own.record), `on port ${own.record.port}`);
    },
  };
}

async function notRunning(): Promise<Found> {
  // Throws with its way out where the package for this machine is missing.
  const { version } = findPackage();
  return {
    state: 'warning',
    says: `none is running; the embedded one (${version}) is installed`,
    wayOut: [START],
  };
}

async function answering(url: string, where: string): Promise<Found[]> {
  const version = await ping(url, CONNECT_WITHIN_MS);
  const [row] = await askPostgres(
    url,
    `select pg_database_size(current_database())::float8 as bytes, pg_is_in_recovery() as is_standby,
       current_setting('max_connections')::int as most, (select count(*)::int from pg_stat_activity) as used,
       to_regclass('strata.knex_migrations') is not null as is_migrated`,
  );
  const { bytes, is_standby, most, used, is_migrated } = row as unknown as ServerRow;
  const names = is_migrated ? await askPostgres(url, 'select name from strata.knex_migrations') : [];
  const says = `PostgreSQL ${version} answers ${where}, the database takes ${Math.round(bytes / MEGABYTE)} MB`;
  return [
    is_standby
      ? {
          state: 'broken',
          says: `${says}; it is a standby and takes no writes`,
          wayOut: ['name the primary in STRATA_DATABASE_URL'],
        }
      : { state: 'ok', says },
    ...(used > most * NEARLY_ALL
      ? [
          {
            state: 'warning' as const,
            says: `${used} of its ${most} connections are taken`,
            wayOut: ['raise max_connections, or end what holds them'],
          },
        ]
      : []),
    schema(names.map(({ name }) => String(name))),
  ];
}

interface ServerRow {
  bytes: number;
  is_standby: boolean;
  most: number;
  used: number;
  is_migrated: boolean;
}

/** @param done names of the migrations that the database has had */
export function schema(done: readonly string[]): Found {
  const known = migrations.map(({ name }) => name);
  const newer = done.filter((name) => !known.includes(name));
  if (newer.length > 0) {
    return {
      state: 'broken',
      says: `the schema is newer than this code: ${newer.join(', ')}`,
      wayOut: ['run the version of Strata that made it'],
    };
  }
  const pending = known.filter((name) => !done.includes(name));
  if (pending.length === 0)
    return { state: 'ok', says: `schema up to date: ${counted(done.length, 'migration')}` };
  const says =
    done.length === 0
      ? 'no schema yet'
      : `${counted(pending.length, 'migration')} pending: ${pending.join(', ')}`;
  return { state: 'warning', says, wayOut: ['the next start brings it up to date'] };
}
