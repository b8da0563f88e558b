import type { KernelPool } from '../numeric/kernels/pool.ts';
import type { Random } from '../numeric/random/random.ts';
import type { RunMeasurement } from '../pipelines/contracts/alerts.ts';
import type { Month } from './bases/changing-shop.ts';
import { hadHappened, steadyShop } from './bases/steady-shop.ts';
import { runStages, type SimulatedRun } from './identity-run.ts';
import { columnsOf } from './simulated-definition.ts';

// A shop to which nothing happens, month by month through a run's stages, each month fitted anew; and one of its
// months once more, with something planted in it. Every run is published, also one that would wait for a person.

export const SHIFTS = ['moved', 'lost'] as const;
export type ShiftKind = (typeof SHIFTS)[number];

export interface RefitPlan {
  pool: KernelPool;
  /** Runs that are compared with one before. */
  runs: number;
  customers: number;
  daysBetweenRuns: number;
  /** Deviations between a group and its nearest neighbour. */
  apart: number;
  /** As many segments as the evidence says, not as many as there are groups. */
  choose: boolean;
  bootstraps: number;
  /** The run that something is planted in, and the share of a segment that it happens to. */
  plant: { run: number; share: number };
}

export interface RefitStream {
  /** Of a stream in which nothing happens. */
  quiet: RunMeasurement[];
  planted: PlantedRun[];
  /** Months without segments: nothing was published. */
  refused: number;
}

export interface PlantedRun {
  kind: ShiftKind;
  /** Of the stream so far, and last of the run that it was planted in. */
  measurements: RunMeasurement[];
  segmentId: string;
  /** Of the segment, before. */
  customers: number;
}

export async function refitStream(random: Random, plan: RefitPlan): Promise<RefitStream> {
  const { runs, customers: size, apart, plant } = plan;
  const stream: RefitStream = { quiet: [], planted: [], refused: 0 };
  let last: Published | null = null;
  for (const month of steadyShop(random.fork('shop'), { months: runs + 1, size, apart })) {
    if (last && month.month === plant.run)
      for (const kind of SHIFTS) {
        const planted = await plantedRun(random.fork(kind), { plan, kind, month, last });
        if (planted)
          stream.planted.push({ ...planted, measurements: [...stream.quiet, ...planted.measurements] });
      }
    const run = await refit(month, last, { random, plan });
    if (!run) stream.refused++;
    else {
      if (last) stream.quiet.push(measurementOf(month.month, { run, last, plan }));
      last = { run, month };
    }
  }
  return stream;
}

interface Published {
  run: SimulatedRun;
  month: Month;
}

function refit(
  month: Month,
  last: Published | null,
  { random, plan: { pool, choose, bootstraps } }: { random: Random; plan: RefitPlan },
): Promise<SimulatedRun | null> {
  const columns = columnsOf(month.figures(random.fork('figures').fork(month.month)));
  const ids = month.customers.map(({ id }) => id);
  return runStages({ ids, columns, k: choose ? null : month.places.size }, last?.run ?? null, {
    ...{ pool, bootstraps, seed: month.month },
  });
}

/** A share of one segment's customers goes over to the ways of another segment's, or goes. */
async function plantedRun(
  random: Random,
  { plan, kind, month, last }: { plan: RefitPlan; kind: ShiftKind; month: Month; last: Published },
): Promise<PlantedRun | null> {
  const { segmentIds, labels } = last.run;
  const segment = random.int(segmentIds.length);
  const other = (segment + 1 + random.int(segmentIds.length - 1)) % segmentIds.length;
  const members = last.month.customers.filter((_, row) => labels[row] === segment);
  const there = new Set(month.customers.map(({ id }) => id));
  const present = members.map(({ id }) => id).filter((id) => there.has(id));
  const hit = new Set(random.shuffle(present).slice(0, Math.round(plan.plant.share * members.length)));
  const to = kind === 'lost' ? 'away' : groupOf(last, other);
  const run = await refit(hadHappened(month, { random, hit, to }), last, { random, plan });
  return (
    run && {
      ...{ kind, segmentId: segmentIds[segment]!, customers: members.length },
      measurements: [measurementOf(month.month, { run, last, plan })],
    }
  );
}

/** That most customers of a segment are of. */
function groupOf({ run, month }: Published, segment: number): number {
  const counts = new Map<number, number>();
  month.customers.forEach(({ group }, row) => {
    if (run.labels[row] === segment) counts.set(group, (counts.get(group) ?? 0) + 1);
  });
  return [...counts].reduce((most, count) => (count[1] > most[1] ? count : most))[0];
}

/** What the database keeps of a run, as the rules get it. */
function measurementOf(
  month: number,
  { run, last, plan }: { run: SimulatedRun; last: Published; plan: Pick<RefitPlan, 'daysBetweenRuns'> },
): RunMeasurement {
  const { verdict, metrics, movements } = run.stability;
  return {
    runId: `run_${month}`,
    asOf: dateOf(month * plan.daysBetweenRuns),
    previousAsOf: dateOf(last.month.month * plan.daysBetweenRuns),
    verdict,
    segments: segmentsOf(run),
    previousSegments: segmentsOf(last.run),
    movements: movements!.movements,
    metrics,
  };
}

function segmentsOf({ segments }: SimulatedRun): RunMeasurement['segments'] {
  return segments
    .map(({ segmentId, name, customers, spendShare, event, nameStatus, typical }) => ({
      ...{ segmentId, name, customers, spendShare, event, typical },
      isQuestionable: nameStatus === 'questionable',
    }))
    .toSorted((a, b) => (a.segmentId < b.segmentId ? -1 : 1));
}

function dateOf(day: number): string {
  return new Date(Date.UTC(2024, 0, 1) + day * 86_400_000).toISOString().slice(0, 10);
}
