import { describe, expect, test } from 'vitest';
import {
  type Deployment,
  requirePromotable,
  standstills,
  versionBefore,
} from '../../../scripts/deploy/rules.ts';
import { day, deployment, version } from './deployment.ts';

/** What Temporal would know after these were promoted, one a day. */
function after(...promoted: string[]): Deployment {
  const current = promoted.at(-1)!;
  const versions = [...new Set(promoted)].map((buildId) => {
    const firstCurrentAt = day(1 + promoted.indexOf(buildId));
    const isCurrent = buildId === current;
    return version(buildId, {
      status: isCurrent ? 'current' : 'draining',
      firstCurrentAt,
      endedAt: isCurrent ? null : day(2 + promoted.lastIndexOf(buildId)),
    });
  });
  return deployment({ current, versions });
}

describe('a rollback', () => {
  test.each([
    [['a', 'b'], 'b', 'a'],
    [['a', 'b', 'c'], 'c', 'b'],
    // A second one goes further back, not forward to what was just left.
    [['a', 'b', 'c', 'b'], 'b', 'a'],
    // From what came after a rollback it goes to where that had gone.
    [['a', 'b', 'a', 'c'], 'c', 'a'],
    [['a', 'b', 'c', 'b', 'd'], 'd', 'b'],
  ])('after %j goes from %s to %s', (promoted, current, before) => {
    expect(after(...promoted).current).toBe(current);
    expect(versionBefore(after(...promoted)).buildId).toBe(before);
  });

  test.each([[['a']], [['a', 'b', 'a']]])(
    'after %j is refused: there is nothing before the current version',
    (promoted) => {
      expect(() => versionBefore(after(...promoted))).toThrow(
        /no version was current before a.*promote BUILD/,
      );
    },
  );

  test('is refused where nothing was promoted, and never goes to what was never current', () => {
    expect(() => versionBefore(deployment({ versions: [version('a')] }))).toThrow('nothing is promoted');
    const { versions, ...rest } = after('a');
    expect(() => versionBefore({ ...rest, versions: [...versions, version('b')] })).toThrow('no version was');
  });
});

describe('a promotion is refused', () => {
  const known = deployment({
    versions: [
      version('a'),
      version('b', { workers: [] }),
      version('c', { notYetAsked: ['strata-compute'] }),
    ],
  });

  test('of a version that no worker has, with those that there are', () => {
    expect(() => requirePromotable(known, 'z')).toThrow(
      /version z has ever asked for work; there are a, b, c/,
    );
    expect(() => requirePromotable(deployment(), 'z')).toThrow(/start one with STRATA_DEPLOYMENT=strata/);
  });

  test('of one whose workers are gone, or have not asked on every queue', () => {
    expect(() => requirePromotable(known, 'b')).toThrow(/no worker of version b asks.*STRATA_BUILD_ID=b/);
    expect(() => requirePromotable(known, 'c')).toThrow(/work on strata-compute yet.*--wait 60/);
    expect(requirePromotable(known, 'a').buildId).toBe('a');
  });
});

test('work stands still when nothing is current, when the current version has no worker, or one with runs has none', () => {
  expect(standstills(after('a', 'b'))).toEqual([]);
  expect(standstills(deployment())).toEqual([]);
  expect(standstills(deployment({ versions: [version('a')] }))).toEqual([
    expect.stringContaining('no version is current'),
  ]);
  const { versions, ...rest } = after('a', 'b');
  const gone = versions.map((one) => ({ ...one, workers: [], pinnedRuns: 2 }));
  expect(standstills({ ...rest, versions: gone })).toEqual([
    expect.stringContaining('2 runs end on a, and no worker of it asks for work'),
    expect.stringContaining('no worker of b, which is current'),
  ]);
});
