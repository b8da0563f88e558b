import type { ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import { PipelineError } from '../pipelines/contracts/errors.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import { compareProfiles, type ProfileChanges } from '../pipelines/stages/profile/compare-profiles.ts';
import type { ProfileReport } from '../pipelines/stages/profile/report.ts';
import { decodeJson } from '../store/artifacts/json.ts';
import type { ActivityContext } from './context.ts';
import { baseOf } from './publication-base.ts';

/** The run that was published last, and its profile where that is still kept. */
export interface PreviousProfile {
  since: ProfileChanges['since'];
  report: ArtifactRef | null;
}

const GONE = 'its profile is not among the artifacts any more';

/** Null when nothing of the pipeline is published, or this very run is. */
export async function previousProfile(
  { artifacts, repositories }: Pick<ActivityContext, 'artifacts' | 'repositories'>,
  run: Run,
): Promise<PreviousProfile | null> {
  const base = await baseOf({ repositories }, run);
  if (base === null || base.runId === run.runId) return null;
  // Assign runs do not describe their extracts: the run that fitted their model did.
  const described = await repositories.runs.get(base.fittedIn);
  const { summary } = described;
  const digest = summary?.stages.find(({ stage }) => stage === 'profile')?.digests.report;
  const reports = digest === undefined ? [] : await artifacts.list('report');
  return {
    since: { runId: described.runId, asOf: described.asOf },
    report: reports.find(({ sha256 }) => sha256 === digest) ?? null,
  };
}

/** A profile that is gone or cannot be read any more is no reason for a run to fail: it is said. */
export async function changesSince(
  { artifacts }: Pick<ActivityContext, 'artifacts'>,
  previous: PreviousProfile,
  current: ProfileReport,
): Promise<ProfileChanges> {
  const { since, report } = previous;
  const gone = { since, missing: GONE, findings: [] };
  if (report === null) return gone;
  try {
    return compareProfiles(decodeJson(await artifacts.read(report)), current, since);
  } catch (error) {
    const isGone =
      error instanceof PipelineError && ['ARTIFACT_MISSING', 'ARTIFACT_CORRUPT'].includes(error.code);
    if (isGone) return gone;
    throw error;
  }
}
