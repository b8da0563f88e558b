import type { Stage } from './run.ts';

/**
 * The activities that are a stage: which of two, the kind of the run says, and whether it is done in parts. What frames the
 * stages is none.
 */
export const ACTIVITIES_OF_STAGE: Readonly<Record<Stage, readonly string[]>> = {
  extract: ['extractCustomers'],
  validate: ['validateExtract'],
  profile: ['profileExtract'],
  features: ['planParts', 'aggregatePart', 'buildFeatures'],
  cluster: ['fitClusters'],
  assign: ['assignPart', 'assignSegments'],
  match: ['matchIdentities', 'keepIdentities'],
  name: ['nameSegments'],
  persist: ['planMemberships', 'loadMemberships', 'persistRun'],
  stability: ['measureStability'],
  publish: ['publishRun'],
  notify: ['deliverOutbox'],
};

const STAGES_OF = new Map(
  Object.entries(ACTIVITIES_OF_STAGE).flatMap(([stage, activities]) =>
    activities.map((activity) => [activity, stage as Stage]),
  ),
);

/** Null of an activity that is no stage. */
export function stageOfActivity(activity: string): Stage | null {
  return STAGES_OF.get(activity) ?? null;
}

const PARTS = new Set(['planParts', 'aggregatePart', 'assignPart', 'planMemberships', 'loadMemberships']);

/** Whether an activity does a part of its stage, which another one ends. */
export function isPartOfStage(activity: string): boolean {
  return PARTS.has(activity);
}
