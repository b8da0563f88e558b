import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../log.ts';
import { withLock } from '../set-up/lock.mjs';
import { isAlive, sendSignal, thisProcess } from '../set-up/processes.mjs';
import {
  type LocalServer,
  type Owner,
  readState,
  type ServiceName,
  type ServiceRecord,
  type ServicesState,
  writeState,
} from './state.ts';
import { type Supervision, supervise } from './supervisor.ts';

export type LocalServers = Readonly<Partial<Record<ServiceName, LocalServer>>>;

interface Membership {
  readonly services: ServicesState['services'];
  /** Ends this process's use; what nobody else uses is stopped, in order. */
  readonly leave: () => Promise<void>;
}

interface JoinOptions {
  readonly home: string;
  readonly servers: LocalServers;
  readonly log: Log;
}

/**
 * Processes with one STRATA_HOME share its services. services.json says who uses what; every change of it
 * happens under one lock. The first to come starts them, the last to go stops them, and each of them
 * restarts what dies in between, so it does not matter which of them is ended with kill -9.
 */
export async function joinServices({ home, servers, log }: JoinOptions): Promise<Membership> {
  mkdirSync(home, { recursive: true });
  const names = Object.keys(servers) as ServiceName[];
  const me: Owner = { ...thisProcess(), token: randomUUID(), services: names };
  const underLock = <T>(work: () => Promise<T>) =>
    withLock(join(home, 'services.lock'), work, {
      onWait: ({ pid }) =>
        log.info(`Another process (${pid}) starts or stops the services of ${home}; waiting for it`),
    });

  const services = await underLock(() => enter({ home, servers, log }, me));
  const endAtExit = () => signalUnused(home, me);
  process.once('exit', endAtExit);

  const supervisions = names.map((name): Supervision => {
    const server = serverOf(servers, name);
    const recover = (dead: ServiceRecord) => underLock(() => bringBack({ home, name, server, dead }));
    return supervise({ name: server.name, record: recordOf(services, name), recover, log });
  });

  const leave = async () => {
    await Promise.all(supervisions.map((supervision) => supervision.end()));
    await underLock(() => exit({ home, servers, log, services }, me));
    process.off('exit', endAtExit);
  };
  return { services, leave };
}

/** All services or none: when one cannot be had, those started beside it are stopped again. */
async function enter({ home, servers, log }: JoinOptions, me: Owner): Promise<ServicesState['services']> {
  const state = readState(home);
  const services: Partial<Record<ServiceName, ServiceRecord>> = { ...state.services };
  const bringUp = async (name: ServiceName) => {
    const server = serverOf(servers, name);
    const step = log.step(server.name);
    try {
      const adopted = await server.adopt(state.services[name]);
      const record = adopted ?? (await server.start());
      services[name] = record;
      const ui = record.uiPort === undefined ? '' : `, its UI on ${record.uiPort}`;
      step.done(`${adopted === undefined ? 'started' : 'was running'} on port ${record.port}${ui}`);
    } catch (error) {
      delete services[name];
      step.fail();
      throw error;
    }
  };
  const outcomes = await Promise.allSettled(me.services.map(bringUp));
  writeState(home, { owners: [...state.owners, me], services });
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed === undefined) return services;
  await exit({ home, servers, log, services }, me);
  throw failed.reason;
}

type ExitOptions = JoinOptions & Pick<ServicesState, 'services'>;

/** `known`: what was entered; it counts when somebody has removed the home and services.json with it. */
async function exit({ home, servers, log, services: known }: ExitOptions, me: Owner): Promise<void> {
  const state = readState(home);
  const owners = state.owners.filter(({ token }) => token !== me.token);
  const services: Partial<Record<ServiceName, ServiceRecord>> = { ...state.services };
  const endService = async (name: ServiceName) => {
    const server = serverOf(servers, name);
    const record = services[name] ?? known[name];
    if (record === undefined) return;
    if (owners.some((owner) => owner.services.includes(name))) {
      log.info(`${server.name} is left running: another process uses it`);
      return;
    }
    if (await server.stop(record)) delete services[name];
    else log.warn(`${server.name} (process ${record.pid}) could not be ended`);
  };
  await Promise.all(me.services.map(endService));
  writeState(home, { owners, services });
}

async function bringBack(options: {
  home: string;
  name: ServiceName;
  server: LocalServer;
  dead: ServiceRecord;
}): Promise<ServiceRecord> {
  const { home, name, server, dead } = options;
  const state = readState(home);
  const current = state.services[name];
  if (current !== undefined && current.pid !== dead.pid && isAlive(current)) return current;
  const record = (await server.adopt(current)) ?? (await server.start(dead));
  writeState(home, { ...state, services: { ...state.services, [name]: record } });
  return record;
}

/** The last net, when a process ends without `leave`: nothing can be awaited there, so signals must do. */
function signalUnused(home: string, me: Owner): void {
  const { owners, services } = readState(home);
  for (const name of me.services) {
    const isUsed = owners.some(({ token, services: used }) => token !== me.token && used.includes(name));
    const record = services[name];
    // SIGINT ends both kinds in order; PostgreSQL would wait for its clients at SIGTERM.
    if (!isUsed && record !== undefined && isAlive(record)) sendSignal(record.pid, 'SIGINT');
  }
}

function serverOf(servers: LocalServers, name: ServiceName): LocalServer {
  const server = servers[name];
  if (server === undefined) throw new RangeError(`no server is known under the name ${name}`);
  return server;
}

function recordOf(services: ServicesState['services'], name: ServiceName): ServiceRecord {
  const record = services[name];
  if (record === undefined) throw new RangeError(`the service ${name} was not started`);
  return record;
}
