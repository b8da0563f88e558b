import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { LOOPBACK } from '../../scripts/services/ports.ts';
import { readState, type ServiceName } from '../../scripts/services/state.ts';
import { findProcesses, isAlive, sendSignal } from '../../scripts/set-up/processes.mjs';
import type { WorkerProcess } from '../../scripts/worker-process.ts';
import { FAULT_KINDS, type Fault, type FaultKind } from './chaos-faults.ts';
import { type Line, openLine } from './cut-line.ts';
import { canMount, type Disk, mountDisk } from './disk.ts';
import { openStrataHome, type StrataHome } from './strata-home.ts';

const DISK_MB = 256;
const RESTART_MS = 250;
const POLLS_WITHIN_MS = 120_000;
const CUSTOMERS = 4_000;

/** Rules that always have something to say: alerts and messages could be there twice. */
const ALERTS = {
  rules: [
    { name: 'waits', kind: 'verdict', severity: 'critical', verdicts: ['drifted', 'unstable'] },
    { name: 'agreement', kind: 'stability', below: 1 },
    { name: 'events', kind: 'segment-events' },
  ],
};

/** A Strata whose parts can be broken, and which an operator's init would start again. */
export interface ChaosHome {
  readonly strata: StrataHome;
  readonly artifacts: string;
  readonly kinds: readonly FaultKind[];
  /** When it happened, as epoch milliseconds; null: there was nothing there to break. What ends by itself goes on. */
  cause(fault: Pick<Fault, 'kind' | 'forMs'>): Promise<number | null>;
  /** All that ends by itself has ended, and a worker polls. */
  settled(): Promise<void>;
  /** How often a worker ended that nobody had killed. */
  ownEnds(): number;
  /** @returns processes that are still there */
  close(): Promise<string[]>;
}

/** @param options.threads of the kernels; default: all cores */
export async function openChaosHome(options: { threads?: number } = {}): Promise<ChaosHome> {
  const strata = await openStrataHome({
    fewTrials: true,
    change: (shop) => ({ ...shop, source: { ...shop.source, customers: CUSTOMERS }, alerts: ALERTS }),
  });
  const disk = canMount() ? await mountDisk(DISK_MB) : null;
  const artifacts = join(disk?.folder ?? strata.home, 'artifacts');
  const { services } = strata;
  const database = new URL(services.databaseUrl);
  const lines = [
    await openLine(Number(database.port)),
    await openLine(Number(services.temporal.address.split(':')[1])),
  ] as const;
  const through = throughLines(services, lines);
  const worker = keepWorker(() =>
    strata.startWorker({ ...options, through, env: { STRATA_ARTIFACTS: artifacts } }),
  );
  const passing = new Set<Promise<unknown>>();
  const letPass = (work: Promise<unknown>) => {
    const passed: Promise<unknown> = work.catch(() => undefined).finally(() => passing.delete(passed));
    passing.add(passed);
  };
  const breaks: Record<FaultKind, (forMs: number) => Promise<boolean>> = {
    worker: (forMs) => worker.kill(forMs),
    postgres: async () => killServer(strata.home, 'postgres'),
    temporal: async () => killServer(strata.home, 'temporal'),
    sessions: () => endSessions(services.databaseUrl),
    async lines(forMs) {
      for (const line of lines) letPass(line.cut(forMs));
      return true;
    },
    async disk(forMs) {
      letPass(fillFor(disk!, forMs));
      return true;
    },
  };
  return {
    strata,
    artifacts,
    kinds: FAULT_KINDS.filter((kind) => kind !== 'disk' || disk !== null),
    async cause({ kind, forMs }) {
      const at = Date.now();
      return (await breaks[kind](forMs)) ? at : null;
    },
    async settled() {
      await Promise.all(passing);
      await worker.polling();
    },
    ownEnds: worker.ownEnds,
    async close() {
      await worker.end();
      await Promise.all(passing);
      await strata.close();
      for (const line of lines) await line.close();
      await disk?.remove();
      return findProcesses(strata.home).map(({ command }) => command);
    },
  };
}

function throughLines(
  services: StrataHome['services'],
  [toPostgres, toTemporal]: readonly [Line, Line],
): StrataHome['services'] {
  const databaseUrl = new URL(services.databaseUrl);
  databaseUrl.port = String(toPostgres.port);
  const address = `${LOOPBACK}:${toTemporal.port}`;
  return { ...services, databaseUrl: databaseUrl.href, temporal: { ...services.temporal, address } };
}

/** Starts a worker again whenever it is gone, whatever ended it; one that cannot start yet is tried again. */
function keepWorker(start: () => Promise<WorkerProcess>) {
  let isOver = false;
  let awayMs = 0;
  let ownEnds = 0;
  let current: WorkerProcess | null = null;
  let fault: unknown = null;
  const keep = async () => {
    while (!isOver) {
      current = await start().catch((error: unknown) => {
        fault = error;
        return null;
      });
      if (isOver) await current?.stop();
      else if (current) {
        const { child } = current;
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      }
      const isKilled = current?.child.signalCode === 'SIGKILL';
      if (!isKilled && !isOver) ownEnds += 1;
      current = null;
      await sleep(RESTART_MS + awayMs);
      awayMs = 0;
    }
  };
  const keeping = keep();
  const polling = async () => {
    const deadline = performance.now() + POLLS_WITHIN_MS;
    while (!current) {
      if (performance.now() > deadline) throw new Error('no worker starts any more', { cause: fault });
      await sleep(20);
    }
  };
  return {
    polling,
    ownEnds: () => ownEnds,
    async kill(forMs: number) {
      if (!current) return false;
      awayMs = forMs;
      await current.kill();
      return true;
    },
    async end() {
      isOver = true;
      await current?.stop();
      await keeping;
    },
  };
}

function killServer(home: string, name: ServiceName): boolean {
  const record = readState(home).services[name];
  if (!record || !isAlive(record)) return false;
  sendSignal(record.pid, 'SIGKILL');
  return true;
}

async function endSessions(databaseUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
    );
    return rows.length > 0;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function fillFor(disk: Disk, forMs: number): Promise<void> {
  try {
    // Others write at the same time: what they took is full as well.
    await disk.fill(0).catch(() => {});
    await sleep(forMs);
  } finally {
    await disk.free();
  }
}
