import type { ArtifactRef } from './artifacts.ts';
import type { Run } from './run.ts';
import type { Clustering, Extract, Features, Match, Naming, Timed } from './stages.ts';

// A stage in parts: one activity says where the parts begin, one for each part does the work on any worker, and the
// stage's own activity joins what they left behind. Parts are ranges of customers in the order of all artifacts, the byte
// order of their ids: joining them is putting them one after the other.

/** Where parts begin, as an artifact of its own: history holds its reference alone. */
export interface PartPlan extends Timed {
  plan: ArtifactRef;
  /** As many as there are: fewer than were asked for where customers are few. */
  parts: number;
}

/** What features need of an extract. */
export type PartedExtract = Pick<Extract, 'artifact' | 'asOf' | 'customers'>;

/** Features of the customers of one part, before anything is fitted. */
export interface FeaturePart extends Timed {
  /** Ids, numbers and words of the part's customers. */
  part: ArtifactRef;
  /** Features that had no finite value for some of them. */
  replaced: { feature: string; customers: number; by: number }[];
}

/** What the published model says of the customers of one part. */
export interface LabelPart extends Timed {
  labels: ArtifactRef;
}

/** Memberships of every part, ready to be loaded. */
export interface MembershipPlan extends Timed {
  /** In order; customers of part i are those from its `first` on, up to the `first` of the next one. */
  parts: MembershipPart[];
  /** Segment of each label. */
  segmentIds: string[];
}

export interface MembershipPart {
  rows: ArtifactRef;
}

/** The activities of stages that are done in parts, beside the stages' own. */
export interface PartStages {
  planParts(input: { run: Run; extract: PartedExtract; parts: number }): Promise<PartPlan>;
  aggregatePart(input: {
    run: Run;
    extract: PartedExtract;
    plan: ArtifactRef;
    /** From 0. */
    part: number;
  }): Promise<FeaturePart>;
  /** In an assign run. */
  assignPart(input: { run: Run; part: ArtifactRef; number: number }): Promise<LabelPart>;
  planMemberships(input: {
    run: Run;
    features: Pick<Features, 'customers' | 'values'>;
    clustering: Clustering;
    match: Match;
    naming: Naming;
    parts: number;
  }): Promise<MembershipPlan>;
  loadMemberships(input: {
    run: Run;
    plan: Pick<MembershipPlan, 'segmentIds'>;
    part: MembershipPart;
    number: number;
    of: number;
  }): Promise<Timed & { rows: number }>;
}
