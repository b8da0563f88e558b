import { createRandom } from '../numeric/random/random.ts';
import { drawFaults, FAULT_KINDS, type FaultKind } from '../tests/helpers/chaos-faults.ts';
import type { ChaosHomeOptions } from '../tests/helpers/chaos-home.ts';
import { differences, withoutCut } from '../tests/helpers/chaos-ledger.ts';
import { disturbedRound, type Round, undisturbedRound } from '../tests/helpers/chaos-round.ts';
import type { Disturbed, Undisturbed } from '../tests/helpers/chaos-run.ts';
import { canMount } from '../tests/helpers/disk.ts';
import { findVersitygw } from '../tests/helpers/versitygw.ts';

/** In turn. */
const WAYS = [
  { inParts: false, inBucket: false },
  { inParts: true, inBucket: true },
  { inParts: false, inBucket: true },
  { inParts: true, inBucket: false },
] as const;
type Way = (typeof WAYS)[number];

export interface ChaosRound extends Round {
  /** From 1. */
  home: number;
  way: string;
}

export interface Disturbance {
  /** Undisturbed runs; those in parts are compared with those as a whole, all others with their like. */
  usual: { asOf: string; ms: number; inParts: boolean }[];
  /** What differs between undisturbed runs as a whole and in parts. */
  wrong: string[];
  rounds: ChaosRound[];
  /** What could be caused in any home on this machine. */
  kinds: FaultKind[];
}

export interface Told {
  home: string;
  run: Pick<Disturbed, 'asOf' | 'ms' | 'hits' | 'wrong'>;
  hits: number;
  /** Milliseconds since the first fault could happen. */
  ms: number;
}

export interface DisturbOptions {
  kills: number;
  seed: number;
  dates: readonly string[];
  /** Homes at the same time: most of a disturbed run is waiting for a time-out. */
  atOnce: number;
  isAsked(): boolean;
  tell: { usual(run: Undisturbed, way: string): void; run(told: Told): void; wrong(line: string): void };
}

/** Faults until there are `kills` of them, in homes that are made, used for a run of each date and left. */
export async function disturbHomes(options: DisturbOptions): Promise<Disturbance> {
  const { atOnce, tell } = options;
  const gateway = await findVersitygw();
  const usual = await undisturbedOf(options);
  const wrong = usual.whole.flatMap((run, i) => partsDiffer(run, usual.parts[i]!));
  for (const line of wrong) tell.wrong(line);
  const rounds: ChaosRound[] = [];
  const budget = openBudget(options);
  let homes = 0;
  const lane = async (number: number) => {
    try {
      while (budget.left() > 0) {
        homes += 1;
        rounds.push(await nextHome(options, { usual, gateway, budget, home: homes, lane: number }));
      }
    } catch (fault) {
      budget.close(fault);
    }
  };
  // What one has promised, and was not hit, is left for the others, who may be gone by then.
  do await Promise.all(Array.from({ length: atOnce }, (_, i) => lane(i)));
  while (budget.left() > 0);
  budget.throwIfClosed();
  const told = (runs: readonly Undisturbed[], inParts: boolean) =>
    runs.map(({ asOf, ms }) => ({ asOf, ms, inParts }));
  return {
    usual: [...told(usual.whole, false), ...told(usual.parts, true)],
    ...{ wrong, rounds },
    kinds: FAULT_KINDS.filter(
      (kind) => (kind !== 's3' || gateway !== null) && (kind !== 'disk' || canMount()),
    ),
  };
}

async function nextHome(
  { seed, tell }: DisturbOptions,
  task: {
    usual: { whole: Undisturbed[]; parts: Undisturbed[] };
    gateway: string | null;
    budget: ReturnType<typeof openBudget>;
    home: number;
    lane: number;
  },
): Promise<ChaosRound> {
  const { usual, gateway, budget, home, lane } = task;
  const way = WAYS[(home - 1) % WAYS.length]!;
  const random = createRandom(seed).fork(home);
  let promised = 0;
  const round = await disturbedRound({
    usual: way.inParts ? usual.parts : usual.whole,
    home: { ...homeOf(way, gateway), lane },
    faultsOf(run, { kinds }) {
      const left = budget.left();
      if (left <= 0) return null;
      const faults = drawFaults(random, run.steps, kinds).slice(0, left);
      promised = faults.length;
      budget.promise(promised);
      return faults;
    },
    onRun(run) {
      tell.run({ home: `home ${home}`, run, ...budget.keep(promised, run.hits.length) });
    },
  });
  for (const line of round.wrong) tell.wrong(`home ${home}: ${line}`);
  return { ...round, home, way: wayName(way, gateway) };
}

/** Faults that are still to be caused, by all homes together. */
function openBudget({ kills, isAsked }: DisturbOptions) {
  const since = performance.now();
  let hits = 0;
  let promised = 0;
  let closed: { fault: unknown } | null = null;
  return {
    left: () => (isAsked() || closed ? 0 : kills - hits - promised),
    /** A home that cannot be made: the others end after their runs, and leave no servers and disks behind. */
    close(fault: unknown) {
      closed ??= { fault };
    },
    throwIfClosed() {
      if (closed) throw closed.fault;
    },
    promise(faults: number) {
      promised += faults;
    },
    keep(faults: number, caused: number): { hits: number; ms: number } {
      promised -= faults;
      hits += caused;
      return { hits, ms: performance.now() - since };
    },
  };
}

/** All in folders: those in buckets are compared with them. */
async function undisturbedOf({ dates, tell }: DisturbOptions) {
  const of = (inParts: boolean, lane: number) =>
    undisturbedRound({
      dates,
      home: { inParts, lane },
      onRun: (run) => tell.usual(run, inParts ? 'in parts' : 'as a whole'),
    });
  const [whole, parts] = await Promise.all([of(false, 0), of(true, 1)]);
  return { whole, parts };
}

function partsDiffer(whole: Undisturbed, parts: Undisturbed): string[] {
  const about = `run of ${whole.asOf} in parts, nothing befell it: `;
  const digests = Object.entries(whole.digests).flatMap(([what, wanted]) =>
    parts.digests[what] === wanted ? [] : [`${what} needs ${wanted}, found ${parts.digests[what]}`],
  );
  const rows = differences(withoutCut(parts.ledger), withoutCut(whole.ledger));
  return [...digests, ...rows].map((line) => about + line);
}

function homeOf({ inParts, inBucket }: Way, gateway: string | null): ChaosHomeOptions {
  return { inParts, gateway: inBucket ? gateway : null };
}

function wayName({ inParts, inBucket }: Way, gateway: string | null): string {
  const place = inBucket && gateway !== null ? 'bucket' : 'folder';
  return `${inParts ? 'two workers, in parts' : 'one worker, as a whole'}, ${place}`;
}
