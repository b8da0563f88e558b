import type { Random } from '../../numeric/random/random.ts';
import { countsBetween } from '../../numeric/statistics/psi.ts';
import { quantiles } from '../../numeric/statistics/quantile.ts';
import type { RunMeasurement } from '../../pipelines/contracts/alerts.ts';
import { traceMovements } from '../../pipelines/stages/movements.ts';
import { judgeStability } from '../../pipelines/stages/stability.ts';
import { poisson, weighted } from './draws.ts';

// A shop over many runs: customers come, buy, wander and go, and every run has weather that all of them share. The
// segments are given and stay as they are: what a refit adds to the noise is no part of this.

export interface StreamPlan {
  runs: number;
  /** Customers of the first run; they stay about as many. */
  customers: number;
  daysBetweenRuns: number;
  /** Run in which something happens; absent: nothing ever does. */
  plant?: Plant;
}

export interface Plant {
  run: number;
  kind: 'moved' | 'lost';
  /** Of the segment's customers, in (0, 1). */
  share: number;
}

export interface Stream {
  measurements: RunMeasurement[];
  /** Segment of the plant, and how many customers it had; null without one. */
  planted: { segmentId: string; customers: number } | null;
}

const FEATURES = ['recencyDays', 'orders', 'spend'];
/** Centres on the scale of the clustering, about as far apart as those of a real shop. */
const CENTERS = [
  [0, 0, 0],
  [1.5, -0.7, -0.5],
  [-0.9, 1.4, 1.2],
  [-1.1, -0.6, 1.5],
  [0.4, 1.3, -1.1],
];
const WEIGHTS = [0.38, 0.27, 0.17, 0.11, 0.07];
/** How far a customer lies from the centre for good, and how far they stray from run to run. */
const [SPREAD, STRAY, MEMORY] = [0.45, 0.2, 0.9];
/** Shares of a month in which customers go for good, and change their ways. */
const MONTHLY_LOST = [0.03, 0.09, 0.02, 0.03, 0.04];
const MONTHLY_CHANGED = 0.05;
/** Standard deviation of the logarithm of what a run's weather does to all of these. */
const WEATHER = 0.15;
const MONTH_DAYS = 30;

interface Customer {
  id: number;
  home: Float64Array;
  stray: Float64Array;
  group: number;
}

interface Snapshot {
  ids: Int32Array;
  labels: Uint8Array;
  values: Record<string, Float64Array>;
  spendCents: Float64Array;
}

export function simulateStream(random: Random, plan: StreamPlan): Stream {
  const month = plan.daysBetweenRuns / MONTH_DAYS;
  let nextId = 0;
  const join = (group: number): Customer => ({
    ...{ id: nextId++, group },
    home: around(random, CENTERS[group]!, SPREAD),
    stray: around(random, [0, 0, 0], STRAY),
  });
  let customers = WEIGHTS.flatMap((weight, group) =>
    Array.from({ length: Math.round(weight * plan.customers) }, () => join(group)),
  );
  let last = observe(customers);
  const measurements: RunMeasurement[] = [];
  let planted: Stream['planted'] = null;
  for (let run = 1; run <= plan.runs; run++) {
    customers = liveOn(customers, { random, month, join, size: plan.customers });
    if (plan.plant?.run === run) {
      const happened = happen(customers, last, { random, plant: plan.plant });
      ({ customers, planted } = happened);
    }
    const now = observe(customers);
    measurements.push(measure(last, now, { run, days: plan.daysBetweenRuns }));
    last = now;
  }
  return { measurements, planted };
}

function around(random: Random, center: readonly number[], deviation: number): Float64Array {
  return Float64Array.from(center, (at) => at + deviation * random.normal());
}

function liveOn(
  customers: Customer[],
  life: { random: Random; month: number; join: (group: number) => Customer; size: number },
): Customer[] {
  const { random, month, join, size } = life;
  const weather = () => Math.exp(WEATHER * random.normal() - WEATHER ** 2 / 2);
  const lost = MONTHLY_LOST.map((share) => share * month * weather());
  const changed = MONTHLY_CHANGED * month * weather();
  const memory = MEMORY ** month;
  const fresh = STRAY * Math.sqrt(1 - memory ** 2);
  const stayed = customers.filter(({ group }) => random.float() >= lost[group]!);
  for (const customer of stayed) {
    for (let j = 0; j < FEATURES.length; j++) {
      customer.stray[j] = memory * customer.stray[j]! + fresh * random.normal();
    }
    if (random.float() >= changed) continue;
    // By the weights, so that as many change into a group as change out of it.
    customer.group = weighted(random, WEIGHTS);
    customer.home = around(random, CENTERS[customer.group]!, SPREAD);
  }
  const joining = weather();
  const arrived = WEIGHTS.flatMap((weight, group) =>
    Array.from({ length: poisson(random, weight * size * MONTHLY_LOST[group]! * month * joining) }, () =>
      join(group),
    ),
  );
  return [...stayed, ...arrived];
}

function happen(
  customers: Customer[],
  last: Snapshot,
  { random, plant }: { random: Random; plant: Plant },
): { customers: Customer[]; planted: NonNullable<Stream['planted']> } {
  const segment = random.int(CENTERS.length);
  const target = (segment + 1 + random.int(CENTERS.length - 1)) % CENTERS.length;
  const members = new Set([...last.ids].filter((_, row) => last.labels[row] === segment));
  const present = customers.filter(({ id }) => members.has(id));
  const hit = new Set(random.shuffle([...present]).slice(0, Math.round(plant.share * members.size)));
  const planted = { segmentId: idOf(segment), customers: members.size };
  if (plant.kind === 'lost') return { customers: customers.filter((one) => !hit.has(one)), planted };
  for (const customer of hit) {
    customer.group = target;
    customer.home = around(random, CENTERS[target]!, SPREAD / 3);
  }
  return { customers, planted };
}

function observe(customers: readonly Customer[]): Snapshot {
  const columns = FEATURES.map((_, j) =>
    Float64Array.from(customers, ({ home, stray }) => home[j]! + stray[j]!),
  );
  return {
    ids: Int32Array.from(customers, ({ id }) => id),
    labels: Uint8Array.from(customers, (_, row) => nearest(columns, row)),
    values: Object.fromEntries(FEATURES.map((feature, j) => [feature, columns[j]!])),
    // Money is skewed: the largest hundredth of customers has a fifth of it.
    spendCents: columns[2]!.map((value) => Math.round(5_000 * Math.exp(1.1 * value))),
  };
}

function nearest(columns: readonly Float64Array[], row: number): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < CENTERS.length; i++) {
    let distance = 0;
    for (let j = 0; j < columns.length; j++) distance += (CENTERS[i]![j]! - columns[j]![row]!) ** 2;
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}

const idOf = (segment: number) => `seg_${segment}`;
const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const SETTINGS = { minimumAdjustedRand: 0.3, maximumMovedShare: 0.5, majorPsi: 0.25 };

/** As the stability stage measures it, with the last model and the new one the same. */
function measure(
  last: Snapshot,
  now: Snapshot,
  { run, days }: { run: number; days: number },
): RunMeasurement {
  const rowOf = new Map(Array.from(last.ids, (id, row) => [id, row]));
  const previousRow = Int32Array.from(now.ids, (id) => rowOf.get(id) ?? -1);
  const there = new Set(now.ids);
  const lost = Int32Array.from([...last.ids.keys()].filter((row) => !there.has(last.ids[row]!)));
  const join = { previousRow, lost, common: last.ids.length - lost.length };
  const segmentIds = CENTERS.map((_, i) => idOf(i));
  const movements = traceMovements({
    ...{ join, previousIds: segmentIds, currentIds: segmentIds },
    ...{ previousLabels: last.labels, labels: now.labels, relabelled: now.labels },
    borders: { last: null, new: null },
    ...{ spendCents: now.spendCents, previousSpendCents: last.spendCents },
  });
  const references = FEATURES.map((feature) => {
    const edges = [...new Set(quantiles(last.values[feature]!, DECILES))];
    const counts = [...countsBetween(last.values[feature]!, edges)];
    return { feature, edges, counts, mean: 0, deviation: 1 };
  });
  const report = judgeStability({
    ...{ settings: SETTINGS, columns: now.values, labels: now.labels, segmentIds },
    nameStatuses: segmentIds.map(() => 'holds'),
    previous: {
      ...{ join, labels: last.labels, segmentIds, references, values: null, frozen: null },
      ...{ relabelled: now.labels, movements },
    },
  });
  return {
    runId: `run_${run}`,
    ...{ asOf: dateOf(run * days), previousAsOf: dateOf((run - 1) * days), verdict: report.verdict },
    segments: segmentsOf(now),
    previousSegments: segmentsOf(last),
    movements: movements.movements,
    metrics: report.metrics,
  };
}

function segmentsOf({ labels, spendCents }: Snapshot): RunMeasurement['segments'] {
  const customers = new Float64Array(CENTERS.length);
  const cents = new Float64Array(CENTERS.length);
  for (let row = 0; row < labels.length; row++) {
    customers[labels[row]!]! += 1;
    cents[labels[row]!]! += spendCents[row]!;
  }
  const spend = cents.reduce((sum, own) => sum + own, 0);
  return CENTERS.map((_, segment) => ({
    ...{ segmentId: idOf(segment), name: `Group ${segment}`, customers: customers[segment]! },
    spendShare: cents[segment]! / spend,
    ...{ event: 'survived' as const, isQuestionable: false, typical: [] },
  }));
}

function dateOf(day: number): string {
  return new Date(Date.UTC(2024, 0, 1) + day * 86_400_000).toISOString().slice(0, 10);
}
