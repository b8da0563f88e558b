import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Manifest } from '../../../pipelines/stages/manifest.ts';
import {
  compareManifests,
  differingColumn,
  differingPaths,
  type Suspicion,
  whyDifferent,
} from '../../../pipelines/stages/reproduction.ts';

const MANIFEST: Manifest = {
  manifest: 1,
  pipeline: 'shop',
  kind: 'refit',
  asOf: '2026-06-01',
  seed: 1,
  codeVersion: 'c0de',
  definition: 'd0',
  counts: {
    rowsRead: 10,
    rowsAccepted: 8,
    rowsQuarantined: 2,
    quarantinedBy: [{ rule: 'quantity', rows: 2 }],
    customers: 4,
  },
  stages: [
    { stage: 'extract', digests: { artifact: 'e0' } },
    { stage: 'features', digests: { customers: 'f0', matrix: 'f1' } },
    { stage: 'cluster', digests: { candidates: 'c0', labels: 'c1', model: 'c2' } },
    { stage: 'publish', digests: {} },
  ],
  verdicts: { outcome: 'published', stability: 'first', clustering: 'reproducible', k: 3 },
  segments: [{ segmentId: 'seg_a', name: 'Loyal', customers: 4 }],
};

const withDigest = (stage: string, product: string, digest: string): Manifest => ({
  ...MANIFEST,
  stages: MANIFEST.stages.map((one) =>
    one.stage === stage ? { ...one, digests: { ...one.digests, [product]: digest } } : one,
  ),
});

describe('two manifests', () => {
  test('of the same digests have no difference, whatever code made them', () => {
    expect(compareManifests(MANIFEST, structuredClone(MANIFEST))).toEqual([]);
    expect(compareManifests(MANIFEST, { ...MANIFEST, codeVersion: 'other' })).toEqual([]);
  });

  test('of another seed name the seed, before and now', () => {
    expect(compareManifests({ ...MANIFEST, seed: 2 }, MANIFEST)).toEqual([
      {
        ...{ stage: 'run', product: 'seed', before: '2', now: '1', where: [] },
        why: "the manifest says otherwise than the run's own history",
      },
    ]);
  });

  test('of another product name its stage; one that is not made any more, too', () => {
    expect(compareManifests(MANIFEST, withDigest('cluster', 'labels', 'c9'))).toMatchObject([
      { stage: 'cluster', product: 'labels', before: 'c1', now: 'c9' },
    ]);
    const withoutCluster = {
      ...MANIFEST,
      stages: MANIFEST.stages.map((one) => (one.stage === 'cluster' ? { ...one, digests: {} } : one)),
    };
    expect(compareManifests(MANIFEST, withoutCluster).map(({ product, now }) => [product, now])).toEqual([
      ['candidates', null],
      ['labels', null],
      ['model', null],
    ]);
  });

  test('a product that only the later code makes is no difference', () => {
    expect(compareManifests(MANIFEST, withDigest('features', 'report', 'f2'))).toEqual([]);
  });

  test('of other figures name them by path', () => {
    const changed = structuredClone(MANIFEST);
    changed.counts.quarantinedBy[0]!.rows = 3;
    changed.verdicts.k = 4;
    changed.segments[0]!.name = 'Lost';
    expect(
      compareManifests(MANIFEST, changed).map(({ product, before, now }) => [product, before, now]),
    ).toEqual([
      ['counts.quarantinedBy[0].rows', '2', '3'],
      ['verdicts.k', '3', '4'],
      ['segments[0].name', 'Loyal', 'Lost'],
    ]);
  });

  test('any single change is found, and found both ways', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          ...MANIFEST.stages.flatMap(({ stage, digests }) => Object.keys(digests).map((p) => [stage, p])),
        ),
        fc.string(),
        ([stage, product], found) => {
          const changed = withDigest(stage!, product!, `x${found}`);
          const [there, back] = [compareManifests(MANIFEST, changed), compareManifests(changed, MANIFEST)];
          expect(there).toHaveLength(1);
          expect(back).toMatchObject([{ stage, product, before: there[0]!.now, now: there[0]!.before }]);
        },
      ),
    );
  });
});

describe('why a stage came to something else', () => {
  const asked = (change: Partial<Suspicion>): string =>
    whyDifferent({
      ...{ stage: 'match', differing: [], hasSameInputs: true, runtime: 'Node v22.0.0 on linux x64' },
      code: { before: 'aaaaaaaaaaaaaaaa', now: 'aaaaaaaaaaaaaaaa' },
      ...change,
    });

  test('a stage whose inputs differ follows from the first one that made them', () => {
    expect(asked({ differing: ['validate', 'cluster', 'features'], hasSameInputs: false })).toBe(
      'follows from features',
    );
    expect(asked({ stage: 'profile', differing: ['validate'] })).not.toContain('follows');
  });

  test('else it is the code, where that is another', () => {
    const code = { before: 'aaaaaaaaaaaaaaaa', now: 'bbbbbbbbbbbbbbbb' };
    expect(asked({ code })).toBe(
      'the same inputs, another code version: aaaaaaaaaaaa then, bbbbbbbbbbbb now',
    );
    expect(asked({ code, hasSameInputs: false })).toContain('it was told something else than then');
  });

  test('else the machine, where the run was told the same; else what it was told', () => {
    expect(asked({})).toContain('Node v22.0.0 on linux x64');
    expect(asked({ hasSameInputs: false })).toContain('a name in force, is not as it was');
  });
});

describe('where two files differ', () => {
  test('columns by how many values and how far', () => {
    const [before, now] = [Float64Array.of(1, 2, Number.NaN), Float64Array.of(1, 2.5, Number.NaN)];
    expect(differingColumn('spend', before, now)).toBe('column spend: 1 of 3 values, by up to 0.5');
    expect(differingColumn('spend', before, before.slice())).toBeNull();
    expect(differingColumn('spend', before, now.slice(1))).toBe('column spend: 3 values then, 2 now');
    expect(differingColumn('spend', undefined, now)).toBe('column spend is in one of them alone');
  });

  test('JSON by paths, never by values, and not by keys that may be words of the data', () => {
    const before = { columns: [{ name: 'spend', mean: 1 }], words: { 'Ann & sons': 1 }, asOf: 'x' };
    const now = { columns: [{ name: 'spend', mean: 2 }], words: { 'Ann & sons': 2 }, asOf: 'x' };
    expect(differingPaths(before, now)).toEqual(['columns[0].mean', 'words.…']);
    expect(differingPaths([1], { a: 1 })).toEqual(['all of it']);
    expect(differingPaths(before, structuredClone(before))).toEqual([]);
  });

  test('of many paths the first are told and the rest counted', () => {
    const list = (value: number) => Array.from({ length: 20 }, () => value);
    expect(differingPaths(list(1), list(2))).toEqual([
      ...['[0]', '[1]', '[2]', '[3]', '[4]', '[5]', 'and 14 more'],
    ]);
  });
});
