import type { Config } from '../config.ts';
import { isAlive } from '../set-up/processes.mjs';
import { createPostgresServer } from './postgres-server.ts';
import { readState, type ServiceName, type ServiceRecord } from './state.ts';

// What is there already, for those that only look: nothing is started, nothing is ended.

/** A server that a Strata of this home has started; `gone`: it is written down, and its process has ended. */
export function ownServer(
  { home }: Pick<Config, 'home'>,
  name: ServiceName,
): { record: ServiceRecord; isAlive: boolean } | null {
  const record = readState(home).services[name];
  return record === undefined ? null : { record, isAlive: isAlive(record) };
}

/** Holds the password: for connections, never for a log. @throws Error when the home has none */
export function urlOfOwnPostgres(config: Config, record: Pick<ServiceRecord, 'port'>): string {
  const server = createPostgresServer({
    home: config.home,
    preferredPort: config.ports.postgres,
    installation: () => Promise.reject(new Error('one that only looks starts no server')),
    env: config.tools.childEnvironment,
  });
  return server.urlOf(record);
}
