import type { CompareStages } from '../pipelines/contracts/compare.ts';
import type { DeliveryStages, HistoryStages, Stages } from '../pipelines/contracts/stages.ts';
import { withBoundary } from './boundary.ts';
import { createCandidateActivities } from './candidate.ts';
import { createClusterActivities } from './cluster.ts';
import { createCompareActivities } from './compare.ts';
import type { ActivityContext } from './context.ts';
import { createExtractActivities } from './extract.ts';
import { createFeatureActivities } from './features.ts';
import { createHistoryActivities } from './history.ts';
import { createMatchActivities } from './match.ts';
import { createNameActivities } from './name.ts';
import { createNotifyActivities } from './notify.ts';
import { createPersistActivities } from './persist.ts';
import { createProfileActivities } from './profile.ts';
import { createPublishActivities } from './publish.ts';
import { createRunActivities } from './run.ts';
import { createStabilityActivities } from './stability.ts';
import { createValidateActivities } from './validate.ts';

/** All activities of a worker: the stages of a run, what keeps its history, the bake-off of algorithms. */
export function createActivities(
  context: ActivityContext,
): Stages & HistoryStages & DeliveryStages & CompareStages {
  return withBoundary({
    ...createRunActivities(context),
    ...createExtractActivities(context),
    ...createValidateActivities(context),
    ...createProfileActivities(context),
    ...createFeatureActivities(context),
    ...createClusterActivities(context),
    ...createMatchActivities(context),
    ...createNameActivities(context),
    ...createPersistActivities(context),
    ...createStabilityActivities(context),
    ...createPublishActivities(context),
    ...createNotifyActivities(context),
    ...createHistoryActivities(context),
    ...createCompareActivities(context),
    ...createCandidateActivities(context),
  });
}
