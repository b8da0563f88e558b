import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { promotedReport, statusReport } from '../../../scripts/deploy/report.ts';
import { day, deployment, version } from './deployment.ts';

const NOW = { here: '4f2a1c9e0b12', nowMs: Date.parse(day(12)) };

const running = deployment({
  current: '4f2a1c9e0b12',
  versions: [
    version('4f2a1c9e0b12', { status: 'current', since: day(10), pinnedRuns: 2, workers: ['1@a', '1@b'] }),
    version('9c1d22ab04ff', { status: 'draining', since: day(10), pinnedRuns: 1 }),
    version('77aa01b2c3d4', { status: 'drained', since: day(3) }),
  ],
  unversioned: { open: 1, workers: [] },
});

test('status draws each version, what may be stopped and what must not', () => {
  expect(stripVTControlCharacters(statusReport(running, NOW)).split('\n')).toEqual([
    'deployment strata',
    '',
    'version       is        for  runs  workers',
    '4f2a1c9e0b12  current   2d      2        2',
    '9c1d22ab04ff  draining  2d      1        1',
    '77aa01b2c3d4  drained   9d      0        1',
    '',
    '· 1 run ends on 9c1d22ab04ff: leave its workers until it is drained',
    '· 77aa01b2c3d4 is drained: its workers may be stopped',
    '· 1 workflow began without a version; the current one goes on with them',
  ]);
});

test('status says that work stands still, and which version the code here is where that is not there', () => {
  const first = statusReport(deployment({ versions: [version('a')] }), NOW);
  expect(first).toContain('no version is current');
  expect(first).toContain('the code here is 4f2a1c9e0b12');
  expect(statusReport(deployment(), NOW)).toContain('no worker of it has asked for work yet');
});

test('a promotion says what ends elsewhere and how to go back; one to what is current already says just that', () => {
  const to = version('bb00');
  const promoted = promotedReport(running, to, { isRollback: false });
  expect(promoted).toContain('promoted bb00: what starts from now on runs on it');
  expect(promoted).toContain('2 runs end on 4f2a1c9e0b12: leave its workers');
  expect(promoted).toContain('deploy rollback');
  expect(promotedReport(running, to, { isRollback: true })).toContain('back to bb00');
  expect(promotedReport(running, running.versions[0]!, { isRollback: false })).toBe(
    '4f2a1c9e0b12 is the current version already',
  );
});
