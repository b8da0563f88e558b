import type { BackfillStages } from '../pipelines/contracts/backfill.ts';
import type { CompareStages } from '../pipelines/contracts/compare.ts';
import type { InboxStages } from '../pipelines/contracts/inbox.ts';
import type { WatchStages } from '../pipelines/contracts/missed-runs.ts';
import type { PartStages } from '../pipelines/contracts/parts.ts';
import type { RenameStages } from '../pipelines/contracts/rename.ts';
import type { ReproduceStages } from '../pipelines/contracts/reproduce.ts';
import type { AssignStages, DeliveryStages, HistoryStages, Stages } from '../pipelines/contracts/stages.ts';
import { createAssignActivities } from './assign.ts';
import { createBackfillActivities } from './backfill.ts';
import { withBoundary } from './boundary.ts';
import { createCandidateActivities } from './candidate.ts';
import { createChampionActivities } from './champion.ts';
import { createClusterActivities } from './cluster.ts';
import { createCompareActivities } from './compare.ts';
import type { ActivityContext } from './context.ts';
import { createExtractActivities } from './extract.ts';
import { createFeatureActivities } from './features.ts';
import { holdingArtifacts } from './held-artifacts.ts';
import { createHistoryActivities } from './history.ts';
import { createInboxActivities } from './inbox.ts';
import { createMatchActivities } from './match.ts';
import { createMembershipActivities } from './membership-parts.ts';
import { createWatchActivities } from './missed-runs.ts';
import { createNameActivities } from './name.ts';
import { createNotifyActivities } from './notify.ts';
import { createPartActivities } from './parts.ts';
import { createPersistActivities } from './persist.ts';
import { createProfileActivities } from './profile.ts';
import { createPublishActivities } from './publish.ts';
import { createRenameActivities } from './rename.ts';
import { createReproduceActivities } from './reproduce.ts';
import { createRunActivities } from './run.ts';
import { createStabilityActivities } from './stability.ts';
import { createValidateActivities } from './validate.ts';

export type Activities = Stages &
  AssignStages &
  PartStages &
  HistoryStages &
  DeliveryStages &
  CompareStages &
  RenameStages &
  BackfillStages &
  InboxStages &
  WatchStages &
  ReproduceStages;

/** All activities of a worker: the stages of a run and their parts, what keeps its history, the bake-off, people's names for segments, backfills, inboxes, the watch over schedules, reproductions. */
export function createActivities(context: ActivityContext): Activities {
  const activities = {
    ...createRunActivities(context),
    ...createExtractActivities(context),
    ...createValidateActivities(context),
    ...createProfileActivities(context),
    ...createFeatureActivities(context),
    ...createPartActivities(context),
    ...createMembershipActivities(context),
    ...createClusterActivities(context),
    ...createMatchActivities(context),
    ...createNameActivities(context),
    ...createPersistActivities(context),
    ...createStabilityActivities(context),
    ...createPublishActivities(context),
    ...createNotifyActivities(context),
    ...createRenameActivities(context),
    ...createChampionActivities(context),
    ...createAssignActivities(context),
    ...createHistoryActivities(context),
    ...createCompareActivities(context),
    ...createCandidateActivities(context),
    ...createBackfillActivities(context),
    ...createInboxActivities(context),
    ...createWatchActivities(context),
    ...createReproduceActivities(context),
  };
  return withBoundary(holdingArtifacts(activities, context.artifacts));
}
