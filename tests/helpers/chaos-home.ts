import pg from 'pg';
import type { Scale } from '../../pipelines/contracts/scale-settings.ts';
import { LOOPBACK } from '../../scripts/services/ports.ts';
import { readState, type ServiceName } from '../../scripts/services/state.ts';
import { findProcesses, isAlive, sendSignal } from '../../scripts/set-up/processes.mjs';
import { type BreakableArtifacts, openBucket, openFolder } from './chaos-artifacts.ts';
import { FAULT_KINDS, type Fault, type FaultKind } from './chaos-faults.ts';
import { type KeptWorkers, keepWorkers } from './chaos-workers.ts';
import { type Line, openLine } from './cut-line.ts';
import { openStrataHome, type StrataHome } from './strata-home.ts';

const CUSTOMERS = 4_000;
const SCALE: Scale = { parts: 4, atOnce: 2 };
/** A server that is down must find its port free when it comes back. */
const FIRST_PORTS = { temporal: 20_233, postgres: 24_233, s3: 26_033 } as const;
const LANE_PORTS = 50;

/** Rules that always have something to say: alerts and messages could be there twice. */
const ALERTS = {
  rules: [
    { name: 'waits', kind: 'verdict', severity: 'critical', verdicts: ['drifted', 'unstable'] },
    { name: 'agreement', kind: 'stability', below: 1 },
    { name: 'events', kind: 'segment-events' },
  ],
};

export interface ChaosHomeOptions {
  /** Of the kernels; default: all cores. */
  threads?: number;
  /** Two workers do the stages in parts; default: one worker does each as a whole. */
  inParts?: boolean;
  /** Of `findVersitygw`: artifacts lie in a bucket; default: in a folder. */
  gateway?: string | null;
  /** From 0: homes that are open at the same time need ports of their own. Default: those of the environment. */
  lane?: number;
}

/** A Strata whose parts can be broken, and which an operator's init would start again. */
export interface ChaosHome {
  readonly strata: StrataHome;
  /** The folder of the artifacts, also of those that lie in a bucket. */
  readonly artifacts: string;
  readonly workers: number;
  readonly kinds: readonly FaultKind[];
  /** When it happened, as epoch milliseconds; null: there was nothing there to break. What ends by itself goes on. */
  cause(fault: Pick<Fault, 'kind' | 'forMs' | 'which'>): Promise<number | null>;
  /** All that ends by itself has ended, and the workers poll. */
  settled(): Promise<void>;
  /** How often a worker ended that nobody had killed. */
  ownEnds(): number;
  /** @returns processes that are still there */
  close(): Promise<string[]>;
}

export async function openChaosHome(options: ChaosHomeOptions = {}): Promise<ChaosHome> {
  const { threads, inParts = false, gateway = null, lane } = options;
  const ports = lane === undefined ? undefined : portsOf(lane);
  const strata = await openStrataHome({
    fewTrials: true,
    change: (shop) => ({
      ...shop,
      source: { ...shop.source, customers: CUSTOMERS },
      alerts: ALERTS,
      ...(inParts && { scale: SCALE }),
    }),
    ...(ports && { ports }),
  });
  const { services } = strata;
  const artifacts = gateway === null ? await openFolder(strata.home) : await openBucket(gateway, ports?.s3);
  const lines = [
    await openLine(Number(new URL(services.databaseUrl).port)),
    await openLine(Number(services.temporal.address.split(':')[1])),
  ] as const;
  const through = throughLines(services, lines);
  const count = inParts ? 2 : 1;
  const workers = keepWorkers(count, () =>
    strata.startWorker({ ...(threads && { threads }), through, env: artifacts.env }),
  );
  const passing = keepPassing();
  const breaks = breaksOf({ strata, artifacts, lines: [...lines, ...artifacts.lines], workers, passing });
  return {
    strata,
    artifacts: artifacts.folder,
    workers: count,
    kinds: kindsOf(artifacts),
    async cause({ kind, ...how }) {
      const at = Date.now();
      return (await breaks[kind](how)) ? at : null;
    },
    async settled() {
      await passing.over();
      await workers.polling();
    },
    ownEnds: workers.ownEnds,
    async close() {
      await workers.end();
      await passing.over();
      await strata.close();
      for (const line of lines) await line.close();
      await artifacts.close();
      return findProcesses(strata.home).map(({ command }) => command);
    },
  };
}

interface Breakable {
  strata: StrataHome;
  artifacts: BreakableArtifacts;
  lines: readonly Line[];
  workers: KeptWorkers;
  passing: ReturnType<typeof keepPassing>;
}

function breaksOf({ strata, artifacts, lines, workers, passing }: Breakable) {
  const breaks: Record<FaultKind, (fault: Pick<Fault, 'forMs' | 'which'>) => Promise<boolean>> = {
    worker: ({ which, forMs }) => workers.kill(which, forMs),
    postgres: async () => killServer(strata.home, 'postgres'),
    temporal: async () => killServer(strata.home, 'temporal'),
    sessions: () => endSessions(strata.services.databaseUrl),
    async lines({ forMs }) {
      for (const line of lines) passing.add(line.cut(forMs));
      return true;
    },
    s3: async ({ forMs }) => passing.add(artifacts.breaks.s3?.(forMs)),
    disk: async ({ forMs }) => passing.add(artifacts.breaks.disk?.(forMs)),
  };
  return breaks;
}

/** What ends by itself, until it has. */
function keepPassing() {
  const passing = new Set<Promise<unknown>>();
  return {
    /** @returns whether there is anything */
    add(work: Promise<unknown> | null | undefined): boolean {
      if (!work) return false;
      const passed: Promise<unknown> = work.catch(() => undefined).finally(() => passing.delete(passed));
      passing.add(passed);
      return true;
    },
    async over() {
      await Promise.all(passing);
    },
  };
}

function portsOf(lane: number) {
  const from = (first: number) => first + lane * LANE_PORTS;
  const { temporal, postgres, s3 } = FIRST_PORTS;
  return { temporal: from(temporal), postgres: from(postgres), s3: from(s3) };
}

function kindsOf({ breaks }: BreakableArtifacts): FaultKind[] {
  return FAULT_KINDS.filter((kind) => (kind === 'disk' || kind === 's3' ? breaks[kind] !== undefined : true));
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
