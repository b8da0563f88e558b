import colors from 'picocolors';
import { age } from '../show/moments.ts';
import { counted, table } from '../terminal.ts';
import { type Deployment, runs, standstills, type Version } from './rules.ts';

/** How a deployment stands, drawn. */
export function statusReport(
  deployment: Deployment,
  { here, nowMs }: { here: string; nowMs: number },
): string {
  const { name, versions, ramping, unversioned } = deployment;
  const ramp = ramping ? `, ${ramping.percent} % of what starts goes to ${ramping.buildId}` : '';
  const lines = [`deployment ${name}${ramp}`, ''];
  if (versions.length > 0)
    lines.push(
      table(
        TITLES,
        versions.map((version) => row(version, nowMs)),
        [3, 4],
      ),
    );
  else
    lines.push(
      `no worker of it has asked for work yet: start one with STRATA_DEPLOYMENT=${name}, then npm run strata -- deploy promote`,
    );
  const hints = [
    ...standstills(deployment).map((text) => `${colors.red('✗')} ${text}`),
    ...versions.flatMap(leaving).map((text) => `${colors.dim('·')} ${text}`),
    ...without(unversioned, versions.length > 0).map((text) => `${colors.dim('·')} ${text}`),
    ...(versions.some(({ buildId }) => buildId === here)
      ? []
      : [`${colors.dim('·')} the code here is ${here}`]),
  ];
  return [...lines, '', ...hints].join('\n').trimEnd();
}

const TITLES = ['version', 'is', 'for', 'runs', 'workers'];

function row({ buildId, status, since, pinnedRuns, workers }: Version, nowMs: number): string[] {
  const sinceMs = nowMs - Date.parse(since);
  return [buildId, status, age(sinceMs), String(pinnedRuns), String(workers.length)];
}

function leaving({ buildId, status, pinnedRuns, workers }: Version): string[] {
  if (workers.length === 0) return [];
  if (status === 'drained') return [`${buildId} is drained: its workers may be stopped`];
  if (status !== 'draining') return [];
  return [
    pinnedRuns > 0
      ? `${runs(pinnedRuns)} on ${buildId}: leave its workers until it is drained`
      : `no run is left on ${buildId}: Temporal says drained some minutes later, then its workers may be stopped`,
  ];
}

function without({ open, workers }: Deployment['unversioned'], isVersioned: boolean): string[] {
  if (!isVersioned) return [];
  return [
    ...(open > 0
      ? [`${counted(open, 'workflow')} began without a version; the current one goes on with them`]
      : []),
    ...(workers.length > 0
      ? [
          `${counted(workers.length, 'worker')} without a version asks for work, in vain while a version is current`,
        ]
      : []),
  ];
}

/** What was done, and what to do next. */
export function promotedReport(
  before: Deployment,
  to: Version,
  { isRollback }: { isRollback: boolean },
): string {
  const old = before.versions.find(({ buildId }) => buildId === before.current);
  if (before.current === to.buildId) return `${to.buildId} is the current version already`;
  const lines = [
    `${colors.green('✓')} ${isRollback ? 'back to' : 'promoted'} ${to.buildId}: what starts from now on runs on it`,
  ];
  if (old && old.pinnedRuns > 0)
    lines.push(
      `${runs(old.pinnedRuns)} on ${old.buildId}: leave its workers until deploy status says drained`,
    );
  else if (old)
    lines.push(`no run was open on ${old.buildId}: leave its workers until deploy status says drained`);
  if (!old && before.unversioned.open > 0)
    lines.push(`${counted(before.unversioned.open, 'workflow')} without a version goes on with this one`);
  if (old && !isRollback) lines.push('to go back: npm run strata -- deploy rollback');
  return lines.join('\n');
}
