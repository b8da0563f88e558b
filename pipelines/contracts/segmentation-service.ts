import * as nexus from 'nexus-rpc';
import type { RunSummary, StartInput } from './run.ts';

/** The model's own cannot be asked for. */
export type AssignInput = Omit<StartInput, 'seed' | 'k' | 'beforePublished'>;

/**
 * What callers of a run may count on, out of the run summary. What else comes with it is Strata's own and may change:
 * the workflow's result travels to the caller as it is.
 */
export type CalledRun = Omit<RunSummary, 'stages' | 'manifest'>;

export interface DescribeInput {
  /** Default: `shop`, as it is for runs. */
  pipeline?: string;
}

/** What readers see of a pipeline; null: nothing was published yet. */
export interface DescribedPipeline {
  pipeline: string;
  published: {
    runId: string;
    asOf: string | null;
    /** ISO with time. */
    publishedAt: string;
    customers: number;
    segments: DescribedSegment[];
  } | null;
}

export interface DescribedSegment {
  /** Stays the same from run to run, whatever the name becomes. */
  segmentId: string;
  /** In force now, also when a person gave it after the run. */
  name: string;
  description: string;
  customers: number;
  /** Share of the run's customers, in [0, 1]. */
  share: number;
}

/**
 * What workflows of other namespaces call. `run` and `assign` end when the run has ended and go on while it is held
 * for review; `describe` answers at once.
 */
export const segmentation = nexus.service('segmentation', {
  run: nexus.operation<StartInput, CalledRun>(),
  assign: nexus.operation<AssignInput, CalledRun>(),
  describe: nexus.operation<DescribeInput, DescribedPipeline>(),
});
