import type { ArtifactRef } from './artifacts.ts';
import type { Run } from './run.ts';
import type { Clustering, Extract, Features, Match, Naming, Timed } from './stages.ts';

// A stage in parts: one activity says where the parts begin, one for each part does the work on any worker, and the
// stage's own activity joins what they left behind. Parts are ranges of customers in the order of all artifacts, the byte
// order of their ids: joining them is putting them one after the other.

// What every part is told lies in the plan, an artifact: history holds its reference alone, so that many parts fit into it.

/** What history keeps of every part is part of its budget of 200 KB. */
export const MOST_PARTS = 32;
/** PostgreSQL locks every table of memberships that a view reads, of all runs: few tables for each. */
export const MOST_MEMBERSHIP_PARTS = 4;
/** Unless the definition says otherwise: a fleet has other runs, too. */
export const PARTS_AT_ONCE = 8;

/** Of a run what its parts are told in so many words. */
export type PartedRun = Pick<Run, 'runId' | 'pipeline' | 'kind'>;

export interface PartPlan extends Timed {
  plan: ArtifactRef;
  /** As many as there are: fewer than were asked for where customers are few. */
  parts: number;
}

/** Features of the customers of one part, before anything is fitted. */
export interface FeaturePart extends Timed {
  /** Ids, numbers and words of the part's customers, and which features had no value for some of them. */
  part: ArtifactRef;
}

/** What the published model says of the customers of one part. */
export interface LabelPart extends Timed {
  labels: ArtifactRef;
}

/** The activities of stages that are done in parts, beside the stages' own; parts count from 0. */
export interface PartStages {
  planParts(input: { run: Run; extract: Extract; parts: number }): Promise<PartPlan>;
  aggregatePart(input: { run: PartedRun; plan: ArtifactRef; part: number }): Promise<FeaturePart>;
  /** In an assign run. */
  assignPart(input: {
    run: PartedRun;
    plan: ArtifactRef;
    part: number;
    features: ArtifactRef;
  }): Promise<LabelPart>;
  planMemberships(input: {
    run: Run;
    features: Pick<Features, 'customers' | 'values'>;
    clustering: Clustering;
    match: Match;
    naming: Naming;
    parts: number;
  }): Promise<PartPlan>;
  loadMemberships(input: {
    run: PartedRun;
    plan: ArtifactRef;
    /** ISO time of the plan: of two the later one counts. */
    since: string;
    part: number;
  }): Promise<Timed & { rows: number }>;
}
