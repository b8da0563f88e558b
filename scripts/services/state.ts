import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../set-up/processes.mjs';

export type ServiceName = 'temporal' | 'postgres';

/** A running server of ours. */
export interface ServiceRecord {
  readonly pid: number;
  readonly startedAt: string;
  readonly port: number;
  /** Of Temporal's web pages; PostgreSQL has none. */
  readonly uiPort?: number;
  /** Where its web pages ask what encrypted payloads say; only when it was started with keys. */
  readonly codecPort?: number;
}

/** A kind of server Strata can run itself. */
export interface LocalServer {
  readonly name: string;
  /** Does all that takes long (finding, building, copying programs), before any lock is held. */
  readonly prepare: () => Promise<void>;
  /** The server that an earlier start left running, if it is ours and well; one that is ours and not well is ended. */
  readonly adopt: (record: ServiceRecord | undefined) => Promise<ServiceRecord | undefined>;
  /** Starts on free ports; or on the given ones, since after a restart clients wait there. */
  readonly start: (ports?: Pick<ServiceRecord, 'port' | 'uiPort' | 'codecPort'>) => Promise<ServiceRecord>;
  /** Ends it; false when it is still there after all signals. */
  readonly stop: (record: ServiceRecord) => Promise<boolean>;
}

/** A process that uses services; when its last user has gone a service is stopped. */
export interface Owner {
  readonly pid: number;
  readonly startedAt: string;
  /** One process may use the services more than once. */
  readonly token: string;
  readonly services: readonly ServiceName[];
}

/** What services.json holds. */
export interface ServicesState {
  readonly owners: readonly Owner[];
  readonly services: Readonly<Partial<Record<ServiceName, ServiceRecord>>>;
}

/** Owners that died (kill -9) are left out; a file that cannot be read counts as none. */
export function readState(home: string): ServicesState {
  try {
    const state: ServicesState = JSON.parse(readFileSync(join(home, 'services.json'), 'utf8'));
    return { ...state, owners: state.owners.filter(isAlive) };
  } catch {
    return { owners: [], services: {} };
  }
}

/** Renamed into place, so that a reader without the lock sees the old or the new state. Nothing left: no file. */
export function writeState(home: string, state: ServicesState): void {
  const file = join(home, 'services.json');
  if (state.owners.length === 0 && Object.keys(state.services).length === 0) {
    if (existsSync(file)) rmSync(file);
    return;
  }
  writeFileSync(`${file}.draft`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${file}.draft`, file);
}
