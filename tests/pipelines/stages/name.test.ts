import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NamingSettings } from '../../../pipelines/contracts/definition.ts';
import { rankNameWords } from '../../../pipelines/contracts/name-words.ts';
import { checkSegmentName } from '../../../pipelines/contracts/segment-name.ts';
import { nameSegments } from '../../../pipelines/stages/name.ts';
import { createResample, STABLE_SHARE } from '../../../pipelines/stages/name-bootstrap.ts';
import { nameCandidates, tellsApart } from '../../../pipelines/stages/name-candidates.ts';
import { checkCondition } from '../../../pipelines/stages/name-evidence.ts';
import { profileSegments } from '../../../pipelines/stages/segment-profile.ts';
import {
  columnsOf,
  distinct,
  type Figures,
  figures,
  figuresOf,
  identities,
  name,
  naming,
  shop,
} from './name-fixture.ts';

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
          // Twins among the figures: one of them is told by its id, and says so.
          const isById = segment.name.endsWith(`(${segment.segmentId})`);
          expect(segment).toMatchObject({
            status: isById ? 'questionable' : 'holds',
            author: 'auto',
            proposal: null,
          });
          if (isById) continue;
          expect(segment.name.toLowerCase()).toBe(
            segment.evidence.map(({ word }) => word.toLowerCase()).join(' '),
          );
          expect(segment.name.split(' ').length).toBeLessThanOrEqual(4);
          for (const { findings, stability } of segment.evidence) {
            expect(stability).toBeGreaterThanOrEqual(STABLE_SHARE);
            expect(findings.length).toBeGreaterThan(0);
            for (const { value, atLeast, atMost, below } of findings) {
              expect(value).not.toBeNull();
              expect(value!).toBeGreaterThanOrEqual(atLeast ?? Number.NEGATIVE_INFINITY);
              expect(value!).toBeLessThanOrEqual(atMost ?? Number.POSITIVE_INFINITY);
              expect(value!).toBeLessThan(below ?? Number.POSITIVE_INFINITY);
            }
          }
          expect(checkCondition(segment.condition, profiles.segments[segment.cluster]!, 'bounds')).toBe(true);
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

  test('whatever the features and the columns are called, no name has a word that a person may not give', () => {
    const called = { orders: 'womenShare', weekendShare: 'topCategoryShare', recencyDays: 'silence' };
    const settings = {
      ...naming,
      stage: { ...naming.stage, feature: called.recencyDays },
      // Harmless of goods, and not of buyers.
      value: { feature: 'spend', bands: [{ word: 'black', atLeast: 0 }] },
      traits: [{ feature: called.recencyDays, high: 'buyers', low: 'shoppers' }],
    };
    fc.assert(
      fc.property(distinct(2, 8), fc.constantFrom('en' as const, 'de' as const), (segments, locale) => {
        const { columns, labels } = columnsOf(segments, called);
        const profiles = profileSegments({ columns, labels, k: segments.length });
        const resample = createResample({ columns, labels, profiles });
        const named = nameSegments({
          naming: { ...settings, locale },
          ...{ profiles, resample, segments: identities(segments.length), previousNames: {} },
        });
        for (const segment of named) {
          expect(checkSegmentName(segment.name)).toBe(segment.name);
          expect(rankNameWords(segment.name)).toEqual([]);
        }
        expect(new Set(named.map((segment) => segment.name)).size).toBe(segments.length);
      }),
    );
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
