/**
 * Every metric of Strata's own. Names as Prometheus wants them: base units, `_total` for what only grows. Labels
 * have few values each: definitions, kinds, stages, queues, codes; never a run, a customer or a path.
 */
export const METRICS = {
  strata_stage_seconds: {
    kind: 'histogram',
    labels: ['pipeline', 'kind', 'stage'],
    help: 'Time that the work of a stage took, as the run log has it',
  },
  strata_stage_rows_total: {
    kind: 'counter',
    labels: ['pipeline', 'kind', 'stage'],
    help: 'Rows that went through a stage: of the source up to features, customers from then on',
  },
  strata_stage_artifact_bytes_total: {
    kind: 'counter',
    labels: ['pipeline', 'kind', 'stage'],
    help: 'Bytes of the artifacts that a stage left behind',
  },
  strata_runs_total: {
    kind: 'counter',
    labels: ['pipeline', 'kind', 'outcome'],
    help: 'Runs that this worker closed, by how they ended',
  },
  strata_activity_failures_total: {
    kind: 'counter',
    labels: ['activity', 'queue', 'code'],
    help: 'Attempts at an activity that failed, by error code; UNKNOWN: an error without one',
  },
  strata_queue_wait_seconds: {
    kind: 'histogram',
    labels: ['queue'],
    help: 'Time that an activity waited in its task queue before a worker began it',
  },
  strata_open_runs: {
    kind: 'gauge',
    labels: ['pipeline', 'state'],
    help: 'Runs that have not ended: running, or held for a person',
  },
  strata_published_timestamp_seconds: {
    kind: 'gauge',
    labels: ['pipeline'],
    help: 'When what readers see was published',
  },
  strata_published_as_of_timestamp_seconds: {
    kind: 'gauge',
    labels: ['pipeline'],
    help: 'Midnight UTC of the date that what readers see is as of',
  },
  strata_published_customers: {
    kind: 'gauge',
    labels: ['pipeline'],
    help: 'Customers of the published run',
  },
  strata_published_segments: {
    kind: 'gauge',
    labels: ['pipeline'],
    help: 'Segments of the published run: its k',
  },
  strata_published_silhouette: {
    kind: 'gauge',
    labels: ['pipeline'],
    help: 'Mean silhouette of the published run, -1 to 1',
  },
  strata_published_min_jaccard: {
    kind: 'gauge',
    labels: ['pipeline'],
    help: 'Bootstrap stability of its least stable segment, 0 to 1',
  },
  strata_published_adjusted_rand: {
    kind: 'gauge',
    labels: ['pipeline'],
    help: 'Agreement with the publication before on common customers, 1: the same; absent for the first',
  },
  strata_published_moved_ratio: {
    kind: 'gauge',
    labels: ['pipeline'],
    help: 'Share of common customers that changed their segment; absent for the first',
  },
  strata_published_quarantined_ratio: {
    kind: 'gauge',
    labels: ['pipeline'],
    help: 'Share of the rows read that the contract refused',
  },
  strata_worker_ready: {
    kind: 'gauge',
    labels: ['check'],
    help: 'Whether a check of /readyz passes: 1 or 0',
  },
  strata_build_info: {
    kind: 'gauge',
    labels: ['code', 'node'],
    help: 'Always 1; which code the worker runs',
  },
} as const satisfies Record<string, MetricDefinition>;

export interface MetricDefinition {
  kind: 'counter' | 'gauge' | 'histogram';
  labels: readonly string[];
  help: string;
}

export type MetricName = keyof typeof METRICS;

/** From what a person does not notice to what a night is planned around. */
export const STAGE_BUCKETS_SECONDS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];
export const WAIT_BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];
