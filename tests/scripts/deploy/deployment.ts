import type { Deployment, Version } from '../../../scripts/deploy/rules.ts';

/** The n-th of January. */
export const day = (n: number) => new Date(Date.UTC(2026, 0, n)).toISOString();

export function version(buildId: string, given: Partial<Version> = {}): Version {
  return {
    buildId,
    status: 'inactive',
    ...{ firstSeenAt: day(1), firstCurrentAt: null, since: day(1), endedAt: null },
    ...{ pinnedRuns: 0, workers: [`1@${buildId}`], notYetAsked: [] },
    ...given,
  };
}

export function deployment(given: Partial<Deployment> = {}): Deployment {
  return {
    ...{ name: 'strata', current: null, ramping: null, versions: [] },
    unversioned: { open: 0, workers: [] },
    ...given,
  };
}
