import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NamingSettings } from '../../../pipelines/contracts/definition.ts';
import { nameSegments, type PreviousName } from '../../../pipelines/stages/name.ts';
import { createResample } from '../../../pipelines/stages/name-bootstrap.ts';
import { nameCandidates, tellsApart } from '../../../pipelines/stages/name-candidates.ts';
import { checkCondition } from '../../../pipelines/stages/name-evidence.ts';
import { profileSegments } from '../../../pipelines/stages/segment-profile.ts';

const naming: NamingSettings = {
  stage: {
    feature: 'recencyDays',
    bands: [
      { word: 'Active', below: 45 },
      { word: 'Cooling', atLeast: 45, below: 120 },
      { word: 'Lapsed', atLeast: 120 },
    ],
  },
  value: {
    feature: 'spend',
    bands: [
      { word: 'low-value', below: 500 },
      { word: 'mid-value', atLeast: 500, below: 2000 },
      { word: 'high-value', atLeast: 2000 },
    ],
  },
  traits: [
    { feature: 'orders', high: 'frequent buyers', low: 'occasional buyers' },
    { feature: 'weekendShare', high: 'weekend buyers', low: 'weekday buyers' },
  ],
};

interface Figures {
  recencyDays: number;
  spend: number;
  orders: number;
  weekendShare: number;
}

/** Three customers around each of the given figures. */
function figuresOf(segments: readonly Figures[]) {
  const labels = Uint8Array.from({ length: segments.length * 3 }, (_, row) => Math.floor(row / 3));
  const column = (feature: keyof Figures) =>
    Float64Array.from(labels, (label, row) => segments[label]![feature] * (0.9 + 0.1 * (row % 3)));
  const features = ['recencyDays', 'spend', 'orders', 'weekendShare'] as const;
  const columns = Object.fromEntries(features.map((feature) => [feature, column(feature)]));
  const profiles = profileSegments({ columns, labels, k: segments.length, spend: 'spend' });
  return { profiles, resample: createResample({ columns, labels, profiles }) };
}

const identities = (k: number) =>
  Array.from({ length: k }, (_, cluster) => ({ cluster, segmentId: `seg_${cluster}` }));

function name(
  segments: readonly Figures[],
  previousNames: Record<string, PreviousName> = {},
  settings = naming,
) {
  return nameSegments({
    naming: settings,
    ...figuresOf(segments),
    segments: identities(segments.length),
    previousNames,
  });
}

const shop: Figures[] = [
  { recencyDays: 10, spend: 5000, orders: 20, weekendShare: 0.3 },
  { recencyDays: 12, spend: 300, orders: 2, weekendShare: 0.9 },
  { recencyDays: 80, spend: 900, orders: 4, weekendShare: 0.3 },
  { recencyDays: 300, spend: 200, orders: 1, weekendShare: 0.1 },
];

const figures = fc.record({
  recencyDays: fc.integer({ min: 1, max: 400 }),
  spend: fc.integer({ min: 10, max: 9000 }),
  orders: fc.integer({ min: 1, max: 40 }),
  weekendShare: fc.double({ min: 0.01, max: 1, noNaN: true }),
});
const distinct = (min: number, max: number) =>
  fc.uniqueArray(figures, { minLength: min, maxLength: max, selector: ({ spend }) => spend });

describe('nameSegments', () => {
  test('names are stage, value and the trait that sets the segment apart', () => {
    expect(name(shop).map((segment) => segment.name)).toEqual([
      'Active high-value frequent buyers',
      'Active low-value weekend buyers',
      'Cooling mid-value',
      'Lapsed low-value weekday buyers',
    ]);
  });

  test('every word of a name stands in its evidence, with a figure that satisfies its bounds', () => {
    fc.assert(
      fc.property(distinct(2, 10), (segments) => {
        const { profiles } = figuresOf(segments);
        for (const segment of name(segments)) {
          expect(segment.name.toLowerCase()).toBe(
            segment.evidence.map(({ word }) => word.toLowerCase()).join(' '),
          );
          expect(segment.name.split(' ').length).toBeLessThanOrEqual(4);
          for (const { findings } of segment.evidence) {
            expect(findings.length).toBeGreaterThan(0);
            for (const { value, atLeast, atMost, below } of findings) {
              expect(value).not.toBeNull();
              expect(value!).toBeGreaterThanOrEqual(atLeast ?? Number.NEGATIVE_INFINITY);
              expect(value!).toBeLessThanOrEqual(atMost ?? Number.POSITIVE_INFINITY);
              expect(value!).toBeLessThan(below ?? Number.POSITIVE_INFINITY);
            }
          }
          expect(checkCondition(segment.condition, profiles.segments[segment.cluster]!)).toBe(true);
          expect(segment).toMatchObject({ status: 'holds', author: 'auto', proposal: null });
        }
      }),
    );
  });

  test('no two names are the same, also for many segments and few words', () => {
    const few: NamingSettings = { ...naming, traits: [], value: { feature: 'spend', bands: [] } };
    fc.assert(
      fc.property(distinct(2, 24), fc.constantFrom(naming, few), (segments, settings) => {
        const names = name(segments, {}, settings).map((segment) => segment.name.toLowerCase());
        expect(new Set(names).size).toBe(names.length);
      }),
    );
  });

  test('the order of the customers changes no name', () => {
    const n = 60;
    const base = Array.from({ length: n }, (_, i) => i);
    fc.assert(
      fc.property(fc.shuffledSubarray(base, { minLength: n, maxLength: n }), (order) => {
        const named = (rows: number[]) => {
          const columns = {
            recencyDays: Float64Array.from(rows, (i) => 1 + ((i * 37) % 300)),
            spend: Float64Array.from(rows, (i) => 20 + ((i * 971) % 4000)),
            orders: Float64Array.from(rows, (i) => 1 + ((i * 7) % 13)),
            weekendShare: Float64Array.from(rows, (i) => ((i * 11) % 17) / 17),
          };
          const labels = Uint8Array.from(rows, (i) => i % 5);
          const profiles = profileSegments({ columns, labels, k: 5 });
          const resample = createResample({ columns, labels, profiles });
          const names = nameSegments({
            ...{ naming, profiles, resample },
            ...{ segments: identities(5), previousNames: {} },
          });
          return names.map((segment) => segment.name);
        };
        expect(named(order)).toEqual(named(base));
      }),
    );
  });

  test('segments that the words cannot tell apart are compared by a figure, with the middle as bound', () => {
    const twins: Figures[] = [
      { recencyDays: 10, spend: 800, orders: 5, weekendShare: 0.5 },
      { recencyDays: 11, spend: 1500, orders: 6, weekendShare: 0.5 },
    ];
    const [left, right] = name(twins, {}, { ...naming, traits: [{ feature: 'orders' }] });
    expect([left!.name, right!.name]).toEqual([
      'Active mid-value lower-orders',
      'Active mid-value higher-orders',
    ]);
    // Three customers at 90, 100 and 110 %: means 5 and 6, the middle 5.5.
    expect(left!.evidence.at(-1)!.findings[0]).toMatchObject({ feature: 'orders', statistic: 'mean' });
    expect(left!.evidence.at(-1)!.findings[0]!.below).toBeCloseTo(5.5, 9);
    expect(right!.evidence.at(-1)!.findings[0]!.atLeast).toBeCloseTo(5.5, 9);
  });

  test('a word that other customers of the segment would not have earned is not used', () => {
    // Of nine customers one shops at weekends alone: the mean is high because of that one.
    const labels = Uint8Array.from({ length: 18 }, (_, row) => Math.floor(row / 9));
    const of = (values: (row: number) => number) => Float64Array.from(labels, (_, row) => values(row));
    const columns = (weekendShare: Float64Array) => ({
      recencyDays: of((row) => (row < 9 ? 10 : 300)),
      spend: of((row) => (row < 9 ? 5000 : 100)),
      orders: of(() => 3),
      weekendShare,
    });
    const named = (weekendShare: Float64Array) => {
      const made = columns(weekendShare);
      const profiles = profileSegments({ columns: made, labels, k: 2 });
      const resample = createResample({ columns: made, labels, profiles });
      return nameSegments({ naming, profiles, resample, segments: identities(2), previousNames: {} })[0]!
        .name;
    };
    expect(named(of((row) => (row < 9 ? 0.5 : 0.1)))).toBe('Active high-value weekend buyers');
    expect(named(of((row) => (row === 0 ? 9 : 0.5)))).toBe('Active high-value');
  });

  test('each name says something that is not true of the two segments it is nearest to, or they do of it', () => {
    fc.assert(
      fc.property(distinct(3, 8), (segments) => {
        const { profiles, resample } = figuresOf(segments);
        const names = name(segments);
        const candidates = nameCandidates(profiles, { naming, resample });
        for (const { cluster, condition, status } of names) {
          if (status === 'questionable') continue;
          for (const other of candidates[cluster]!.nearest) {
            const theirs = names[other.cluster]!;
            const isTold =
              tellsApart(condition, other) || tellsApart(theirs.condition, profiles.segments[cluster]!);
            expect(isTold || theirs.status === 'questionable').toBe(true);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test('of two words it takes the one on the feature that separates it most from its neighbour', () => {
    const [segment] = name([
      { recencyDays: 10, spend: 5000, orders: 12, weekendShare: 0.9 },
      { recencyDays: 12, spend: 5200, orders: 11, weekendShare: 0.1 },
      { recencyDays: 300, spend: 100, orders: 1, weekendShare: 0.1 },
    ]);
    expect(segment!.name).toBe('Active high-value weekend buyers');
  });

  test('the numbers of the clusters change no name', () => {
    const keyed = fc.record({ segment: figures, key: fc.integer() });
    fc.assert(
      fc.property(
        fc.uniqueArray(keyed, { minLength: 2, maxLength: 8, selector: ({ key }) => key }),
        (keyedSegments) => {
          const named = (order: typeof keyedSegments) => {
            const names = nameSegments({
              naming,
              ...figuresOf(order.map(({ segment }) => segment)),
              segments: order.map(({ key }, cluster) => ({ cluster, segmentId: `seg_${key}` })),
              previousNames: {},
            });
            return Object.fromEntries(names.map((segment) => [segment.segmentId, segment.name]));
          };
          expect(named(keyedSegments.toSorted((a, b) => a.key - b.key))).toEqual(named(keyedSegments));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('segments with equal figures are not given words they do not earn', () => {
    const [left, right] = name([shop[0]!, shop[0]!]);
    expect([left!.status, right!.status]).toContain('questionable');
    expect(left!.name).not.toBe(right!.name);
  });
});

describe('names in force', () => {
  const inForce = () =>
    Object.fromEntries(
      name(shop).map(({ segmentId, name, author, condition }) => [segmentId, { name, author, condition }]),
    );

  test('stay while their condition holds', () => {
    const moved = shop.map((segment) => ({ ...segment, spend: segment.spend * 1.01 }));
    const names = name(moved, inForce());
    expect(names.map((segment) => segment.name)).toEqual(name(shop).map((segment) => segment.name));
    expect(names.map(({ status }) => status)).toEqual(['holds', 'holds', 'holds', 'holds']);
  });

  test('stay when it fails too, shown as questionable with a proposal', () => {
    const cooled = [{ ...shop[0]!, recencyDays: 60 }, ...shop.slice(1)];
    const [segment] = name(cooled, inForce());
    expect(segment).toMatchObject({
      name: 'Active high-value frequent buyers',
      status: 'questionable',
      proposal: { name: 'Cooling high-value frequent buyers' },
      reason: 'keeps its name, though its figures no longer back "Active"',
    });
    expect(segment!.evidence[0]!.findings[0]!.value).toBeCloseTo(60, 9);
  });

  test('a new segment yields to a name that is kept', () => {
    const kept = { seg_3: { ...inForce().seg_0!, author: 'manual' as const, condition: { words: [] } } };
    const names = name(shop, kept);
    expect(names[3]).toMatchObject({
      name: 'Active high-value frequent buyers',
      author: 'manual',
      status: 'holds',
    });
    expect(names[0]!.name).not.toBe('Active high-value frequent buyers');
    expect(new Set(names.map((segment) => segment.name)).size).toBe(4);
  });

  test('a proposal takes no name that another segment has', () => {
    // The first now looks like the second, which keeps its own name.
    const alike = [{ ...shop[1]!, spend: 310 }, ...shop.slice(1)];
    const [first, second] = name(alike, inForce());
    expect(first!.status).toBe('questionable');
    expect(first!.proposal!.name).not.toBe(second!.name);
  });

  test('a name that the figures earn under new bounds holds, and is checked by those', () => {
    const wider: NamingSettings = {
      ...naming,
      stage: {
        feature: 'recencyDays',
        bands: [{ word: 'Active', below: 70 }, ...naming.stage.bands.slice(2)],
      },
    };
    const cooled = [{ ...shop[0]!, recencyDays: 60 }, ...shop.slice(1)];
    const [segment] = name(cooled, inForce(), wider);
    expect(segment).toMatchObject({
      name: 'Active high-value frequent buyers',
      status: 'holds',
      proposal: null,
    });
    expect(segment!.condition.words[0]!.bounds[0]!.below).toBe(70);
  });

  test('a version of bands that gives the same word is told, and is what the name rests on from then on', () => {
    const raised = { ...naming, value: { ...naming.value, version: 2 } };
    const [segment] = name(shop, inForce(), raised);
    expect(segment).toMatchObject({
      status: 'holds',
      bandChanges: [{ role: 'value', given: 1, present: 2 }],
      reason: 'keeps its name, which its figures earn under value bands version 2 (given by version 1)',
    });
    expect(segment!.condition.words[1]).toMatchObject({ word: 'high-value', version: 2 });
    const { name: kept, author, condition } = segment!;
    const [again] = name(shop, { ...inForce(), seg_0: { name: kept, author, condition } }, raised);
    expect(again).toMatchObject({ bandChanges: [], reason: 'keeps its name', condition });
  });

  test('a version of bands that gives another word makes the name questionable, though its old bounds hold', () => {
    const raised: NamingSettings = {
      ...naming,
      value: {
        ...naming.value,
        version: 2,
        bands: [
          { word: 'mid-value', below: 9_000 },
          { word: 'high-value', atLeast: 9_000 },
        ],
      },
    };
    const [segment] = name(shop, inForce(), raised);
    expect(segment).toMatchObject({
      name: 'Active high-value frequent buyers',
      status: 'questionable',
      proposal: { name: 'Active mid-value frequent buyers' },
      reason:
        'keeps its name, though its figures no longer back "high-value" under value bands version 2 (given by version 1)',
    });
    expect(segment!.condition).toEqual(inForce().seg_0!.condition);
  });

  test('bands that changed without a new version are told, and a word that is no more is not backed', () => {
    const renamed: NamingSettings = {
      ...naming,
      stage: { ...naming.stage, bands: [{ word: 'Busy', below: 45 }, ...naming.stage.bands.slice(1)] },
    };
    const [segment] = name(shop, inForce(), renamed);
    expect(segment).toMatchObject({
      status: 'questionable',
      proposal: { name: 'Busy high-value frequent buyers' },
    });
    expect(segment!.reason).toContain('which were changed within version 1');
  });

  test('a figure at the edge of a band does not flip the status: doubted a tenth beyond, restored within', () => {
    const after = (recencyDays: number, status: 'holds' | 'questionable') => {
      const names = inForce();
      const [segment] = name([{ ...shop[0]!, recencyDays }, ...shop.slice(1)], {
        ...names,
        seg_0: { ...names.seg_0!, status },
      });
      return segment!.status;
    };
    expect([44, 46, 49, 50].map((days) => after(days, 'holds'))).toEqual([
      'holds',
      'holds',
      'holds',
      'questionable',
    ]);
    expect([50, 46, 44].map((days) => after(days, 'questionable'))).toEqual([
      'questionable',
      'questionable',
      'holds',
    ]);
  });

  test('a name that had to hold an id stays questionable until figures tell the segment apart', () => {
    const twins = [shop[0]!, shop[0]!];
    const names = Object.fromEntries(name(twins).map((segment) => [segment.segmentId, segment]));
    const again = name(twins, names);
    expect(again.map(({ status, proposal }) => [status, proposal])).toEqual(
      Object.values(names).map(({ status }) => [status, null]),
    );
    const apart = name([shop[0]!, shop[3]!], names).find(({ segmentId }) =>
      names[segmentId]!.name.includes('('),
    )!;
    expect(apart.status).toBe('questionable');
    expect(apart.proposal!.name).not.toContain('(');
  });

  test('a name a person gave makes no claim and is never questioned', () => {
    const manual = { seg_0: { name: 'Our friends', author: 'manual' as const, condition: { words: [] } } };
    const [segment] = name(shop.toReversed(), manual);
    expect(segment).toMatchObject({ name: 'Our friends', author: 'manual', status: 'holds', evidence: [] });
  });

  test('names never change by themselves, whatever the figures do', () => {
    fc.assert(
      fc.property(fc.array(figures, { minLength: 4, maxLength: 4 }), (moved) => {
        const names = inForce();
        const after = name(moved, names);
        expect(after.map((segment) => segment.name)).toEqual(Object.values(names).map((kept) => kept.name));
        for (const { status, proposal } of after) expect(proposal !== null).toBe(status === 'questionable');
      }),
    );
  });
});
