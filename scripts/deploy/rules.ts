import { PipelineError } from '../../pipelines/contracts/errors.ts';

// What may be promoted, and where a rollback goes: pure.

/** As Temporal names them. `draining`: runs go on that end on it; `inactive`: never promoted. */
export type Status = 'current' | 'ramping' | 'draining' | 'drained' | 'inactive';

export interface Version {
  buildId: string;
  status: Status;
  /** ISO times; null: not yet. */
  firstSeenAt: string;
  firstCurrentAt: string | null;
  /** When it last became what it is. */
  since: string;
  /** When it last stopped being current; null while it is, or never was. */
  endedAt: string | null;
  /** Open runs that end on this version. */
  pinnedRuns: number;
  /** Workers that have asked for work of late. */
  workers: string[];
  /** Task queues on which none of these has ever asked for work, as the server knows; it learns of them within seconds. */
  notYetAsked: string[];
}

export interface Deployment {
  name: string;
  /** Null: workers without a version take what is new. */
  current: string | null;
  ramping: { buildId: string; percent: number } | null;
  /** Newest first. */
  versions: Version[];
  /** What began before there was a version: open workflows, and workers that have none. */
  unversioned: { open: number; workers: string[] };
}

const DEPLOY = 'npm run strata -- deploy';

/** @throws PipelineError DEPLOY_REFUSED */
export function requirePromotable(deployment: Deployment, buildId: string): Version {
  const { name, versions } = deployment;
  const version = versions.find((one) => one.buildId === buildId);
  if (version === undefined) {
    const known = versions.map((one) => one.buildId).join(', ');
    throw refusal(
      deployment,
      versions.length === 0
        ? `no worker of deployment ${name} has asked for work yet: start one with STRATA_DEPLOYMENT=${name}, and promote it then`
        : `no worker of version ${buildId} has ever asked for work; there are ${known}: start one, or name one of these`,
    );
  }
  if (version.workers.length === 0)
    throw refusal(
      deployment,
      `no worker of version ${buildId} asks for work: new runs would stand still; start one (STRATA_DEPLOYMENT=${name}, and STRATA_BUILD_ID=${buildId} or that commit), and do it again`,
    );
  if (version.notYetAsked.length > 0)
    throw refusal(
      deployment,
      `no worker of version ${buildId} has asked for work on ${version.notYetAsked.join(', ')} yet: runs would stand still; one that has just been started does within seconds, so do it again, or add --wait 60`,
    );
  return version;
}

/**
 * The version before: of those that were promoted first before the current one was, the one that was current last. So
 * a rollback never goes forward, and a second one goes further back.
 *
 * @throws PipelineError DEPLOY_REFUSED
 */
export function versionBefore(deployment: Deployment): Version {
  const { current, versions } = deployment;
  const now = versions.find(({ buildId }) => buildId === current);
  if (now === undefined)
    throw refusal(
      deployment,
      `nothing is promoted, so there is no version to go back to; ${DEPLOY} status shows what there is`,
    );
  const before = versions
    .filter(({ endedAt, firstCurrentAt }) => endedAt !== null && firstCurrentAt !== null)
    .filter(({ firstCurrentAt }) => firstCurrentAt! < now.firstCurrentAt!)
    .sort((a, b) => (a.endedAt! < b.endedAt! ? 1 : -1))[0];
  if (before === undefined)
    throw refusal(
      deployment,
      `no version was current before ${now.buildId}, or Temporal has forgotten it; name one: ${DEPLOY} promote BUILD`,
    );
  return before;
}

/** Why new work, or work that goes on, stands still; in words. */
export function standstills({ name, current, versions }: Deployment): string[] {
  const found: string[] = [];
  if (current === null && versions.length > 0)
    found.push(
      `no version is current: workers of ${name} get no work until one is promoted: ${DEPLOY} promote`,
    );
  for (const { buildId, status, workers, pinnedRuns } of versions) {
    if (workers.length > 0) continue;
    if (status === 'current')
      found.push(
        `no worker of ${buildId}, which is current, asks for work: runs stand still until one is started`,
      );
    else if (pinnedRuns > 0)
      found.push(
        `${runs(pinnedRuns)} on ${buildId}, and no worker of it asks for work: start one of that version`,
      );
  }
  return found;
}

export function runs(count: number): string {
  return count === 1 ? '1 run ends' : `${count} runs end`;
}

function refusal({ name }: Deployment, message: string): PipelineError {
  return new PipelineError('DEPLOY_REFUSED', message, { deployment: name });
}
