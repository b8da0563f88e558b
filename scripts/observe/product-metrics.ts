import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { TASK_QUEUES } from '../../pipelines/contracts/policies.ts';
import { ASSIGN_STAGES, OUTCOMES, type RunKind, STAGES, type Stage } from '../../pipelines/contracts/run.ts';
import type { OpenRuns, PublishedFigures } from '../../store/postgres/run-figures.ts';
import { type ActivityEnded, hasRows } from './activity-ended.ts';
import { METRICS, type MetricName, STAGE_BUCKETS_SECONDS, WAIT_BUCKETS_SECONDS } from './catalogue.ts';
import type { ReadinessReport } from './readiness.ts';

/** Of all pipelines, as PostgreSQL has them. */
export interface RunFigures {
  published: readonly PublishedFigures[];
  open: readonly OpenRuns[];
}

export interface ProductMetrics {
  count(ended: ActivityEnded): void;
  /** Null, while PostgreSQL is away: the figures are absent then, never old. */
  showFigures(figures: RunFigures | null): void;
  showReadiness(report: ReadinessReport): void;
  showBuild(code: string): void;
  /** Runs and stages of each are counted from nothing on: what has no zero before it cannot be seen to grow. */
  expect(pipelines: readonly string[]): void;
}

const CODE_DIGITS = 16;
const STAGES_OF_KIND: readonly (readonly [RunKind, readonly Stage[]])[] = [
  ['refit', STAGES],
  ['assign', ASSIGN_STAGES],
];
/** A held run has not ended. */
const ENDS = OUTCOMES.filter((outcome) => outcome !== 'held');

/** Strata's own metrics, in a registry. */
export function createProductMetrics(registry: Registry): ProductMetrics {
  const { counter, gauge, histogram } = instruments(registry);
  const stageSeconds = histogram('strata_stage_seconds', STAGE_BUCKETS_SECONDS);
  const stageRows = counter('strata_stage_rows_total');
  const stageBytes = counter('strata_stage_artifact_bytes_total');
  const runs = counter('strata_runs_total');
  const failures = counter('strata_activity_failures_total');
  const waits = histogram('strata_queue_wait_seconds', WAIT_BUCKETS_SECONDS);
  const openRuns = gauge('strata_open_runs');
  const published = publishedGauges(gauge);
  const ready = gauge('strata_worker_ready');
  const build = gauge('strata_build_info');
  const expected = new Set<string>();

  /** Once: what is zeroed again would be lost. */
  function expectFrom(pipeline: string): void {
    if (expected.has(pipeline)) return;
    expected.add(pipeline);
    for (const [kind, stages] of STAGES_OF_KIND) {
      for (const outcome of ENDS) runs.inc({ pipeline, kind, outcome }, 0);
      for (const stage of stages) {
        const of = { pipeline, kind, stage };
        stageSeconds.zero(of);
        stageBytes.inc(of, 0);
        if (hasRows(stage)) stageRows.inc(of, 0);
      }
    }
  }

  return {
    count({ activity, queue, waitSeconds, run, stage, work, outcome, failure }) {
      if (QUEUES.has(queue)) waits.observe({ queue }, waitSeconds);
      if (failure && failure.code !== 'CANCELLED')
        failures.inc({ activity, queue: QUEUES.has(queue) ? queue : 'other', code: failure.code });
      if (run === null) return;
      const { pipeline, kind } = run;
      expectFrom(pipeline);
      if (outcome) runs.inc({ pipeline, kind, outcome });
      if (stage === null || work === null) return;
      const of = { pipeline, kind, stage };
      stageSeconds.observe(of, work.seconds);
      stageBytes.inc(of, work.artifactBytes);
      if (work.rows !== null) stageRows.inc(of, work.rows);
    },

    showFigures(figures) {
      openRuns.reset();
      for (const { gauge: of } of published) of.reset();
      for (const { pipeline, state, runs: count } of figures?.open ?? [])
        openRuns.set({ pipeline, state }, count);
      for (const row of figures?.published ?? []) {
        for (const { gauge: of, read } of published) {
          const value = read(row);
          if (value !== null) of.set({ pipeline: row.pipeline }, value);
        }
      }
    },

    showReadiness({ isReady, state, checks }) {
      ready.reset();
      // One that leaves is no fault, however long its last stage takes.
      if (state === 'draining') return;
      ready.set({ check: 'all' }, isReady ? 1 : 0);
      for (const [check, found] of Object.entries(checks)) ready.set({ check }, found === 'ok' ? 1 : 0);
    },

    showBuild(code) {
      build.set({ code: code.slice(0, CODE_DIGITS), node: process.versions.node }, 1);
    },

    expect(pipelines) {
      for (const pipeline of pipelines) expectFrom(pipeline);
    },
  };
}

const QUEUES: ReadonlySet<string> = new Set(Object.values(TASK_QUEUES));

const secondsOf = (moment: string) => Date.parse(moment) / 1_000;

const PUBLISHED = {
  strata_published_timestamp_seconds: ({ publishedAt }) => secondsOf(publishedAt),
  strata_published_as_of_timestamp_seconds: ({ asOf }) => (asOf === null ? null : secondsOf(asOf)),
  strata_published_customers: ({ customers }) => customers,
  strata_published_segments: ({ segments }) => segments,
  strata_published_silhouette: ({ silhouette }) => silhouette,
  strata_published_min_jaccard: ({ minJaccard }) => minJaccard,
  strata_published_adjusted_rand: ({ adjustedRand }) => adjustedRand,
  strata_published_moved_ratio: ({ movedShare }) => movedShare,
  strata_published_quarantined_ratio: ({ quarantinedShare }) => quarantinedShare,
} as const satisfies Partial<Record<MetricName, (row: PublishedFigures) => number | null>>;

function publishedGauges(gauge: ReturnType<typeof instruments>['gauge']) {
  return Object.entries(PUBLISHED).map(([name, read]) => ({
    gauge: gauge(name as keyof typeof PUBLISHED),
    read,
  }));
}

function instruments(registry: Registry) {
  const of = (name: MetricName) => ({
    name,
    help: METRICS[name].help,
    labelNames: [...METRICS[name].labels] as string[],
    registers: [registry],
  });
  return {
    counter: (name: MetricName) => new Counter(of(name)),
    gauge: (name: MetricName) => new Gauge(of(name)),
    histogram: (name: MetricName, buckets: number[]) => new Histogram({ ...of(name), buckets }),
  };
}
