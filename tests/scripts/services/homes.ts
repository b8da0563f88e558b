import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createLog } from '../../../scripts/log.ts';
import { readState, type ServiceName, type ServiceRecord } from '../../../scripts/services/state.ts';
import { endProcess, findProcesses } from '../../../scripts/set-up/processes.mjs';

/** A STRATA_HOME that PostgreSQL's user can enter: mkdtemp makes folders for their owner alone. */
export function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'strata-home-'));
  chmodSync(home, 0o755);
  return home;
}

/** Ends what a failed test left running, then removes the home and what was put elsewhere for it. */
export async function removeHome(home: string): Promise<void> {
  for (const left of servicesOf(home)) await endProcess(left, [{ signal: 'SIGKILL', waitMs: 5_000 }]);
  const location = join(home, 'postgres', 'location.json');
  if (existsSync(location))
    rmSync(dirname(JSON.parse(readFileSync(location, 'utf8')).data), { recursive: true });
  rmSync(home, { recursive: true, force: true });
}

/** The service processes of a home, whether anybody has written them down or not. */
export function servicesOf(home: string) {
  const location = join(home, 'postgres', 'location.json');
  const elsewhere = existsSync(location)
    ? findProcesses(JSON.parse(readFileSync(location, 'utf8')).data)
    : [];
  const isService = ({ command }: { command: string }) => /^\S*\/(temporal|postgres) /.test(command);
  return [...findProcesses(home), ...elsewhere].filter(isService);
}

export function recordOf(home: string, name: ServiceName): ServiceRecord {
  const record = readState(home).services[name];
  if (record === undefined) throw new Error(`${name} is not in services.json`);
  return record;
}

/** Keeps what a person would have read. */
export function createQuietLog() {
  const lines: string[] = [];
  const stream = { write: (text: string) => lines.push(text) } as unknown as NodeJS.WritableStream;
  return { log: createLog({ stream }), lines };
}
