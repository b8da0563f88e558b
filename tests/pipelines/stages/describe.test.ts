import { describe, expect, test } from 'vitest';
import { describeSegment, summariseSegments, typicalFigures } from '../../../pipelines/stages/describe.ts';
import { nameSegments } from '../../../pipelines/stages/name.ts';
import { createResample } from '../../../pipelines/stages/name-bootstrap.ts';
import { profileSegments } from '../../../pipelines/stages/segment-profile.ts';

const naming = {
  stage: {
    feature: 'recencyDays',
    bands: [
      { word: 'Active', below: 60 },
      { word: 'Lapsed', atLeast: 60 },
    ],
  },
  value: {
    feature: 'spendCents',
    bands: [
      { word: 'low-value', below: 100_000 },
      { word: 'high-value', atLeast: 100_000 },
    ],
  },
  traits: [],
  spend: 'spendCents',
};

const columns = {
  recencyDays: Float64Array.of(5, 10, 15, 200, 210, 220),
  spendCents: Float64Array.of(200_000, 250_000, 300_000, 9_000, 10_000, 11_000),
  spend: Float64Array.of(2000, 2500, 3000, 90, 100, 110),
  isMember: Float64Array.of(0, 0, 1, 0, 0, 0),
};
const labels = Uint8Array.of(0, 0, 0, 1, 1, 1);
const profiles = profileSegments({ columns, labels, k: 2, spend: 'spendCents' });
const format = {
  units: new Map([
    ['recencyDays', 'days'],
    ['spendCents', 'cents'],
    ['spend', 'GBP'],
    ['isMember', 'share'],
  ]),
  currency: 'GBP',
};
const telling = { profiles, naming, format };

describe('texts about segments', () => {
  test('what is typical comes strongest first, in its unit, beside all customers', () => {
    const [first, second, third] = typicalFigures(profiles.segments[0]!, telling);
    expect(first).toBe('recency 10 days (all: 108 days)');
    expect(second).toBe('spend £2,500 (all: £1,055)');
    expect(third).toBeUndefined();
  });

  test('a figure whose medians are equal is told by its means', () => {
    const members = profileSegments({
      columns: { isMember: Float64Array.of(1, 1, 0, 0, 0, 0, 0, 0) },
      labels: Uint8Array.of(0, 0, 0, 0, 0, 1, 1, 1),
      k: 2,
    });
    expect(typicalFigures(members.segments[0]!, { ...telling, profiles: members })).toEqual([
      'is member 40 % on average (all: 25 %)',
    ]);
  });

  test('a description says who, why, what to do and what not', () => {
    expect(describeSegment(profiles.segments[0]!, telling)).toBe(
      '3 customers, 50 % of all, with 96 % of the spend. ' +
        'Typical: recency 10 days (all: 108 days); spend £2,500 (all: £1,055). ' +
        'To do: thank them, show new things first, ask them to recommend the shop. ' +
        'Not to do: discount what they buy anyway.',
    );
    expect(describeSegment(profiles.segments[1]!, telling)).toContain('To do: send one inexpensive reminder');
  });

  test('without a spend feature there is no word of money', () => {
    const { segments, ...rest } = profileSegments({ columns, labels: Uint8Array.of(0, 0, 0, 1, 1, 1), k: 2 });
    expect(describeSegment(segments[0]!, { ...telling, profiles: { segments, ...rest } })).toMatch(
      /^3 customers, 50 % of all\. Typical/,
    );
  });

  test('a summary joins name, identity and figures of each segment', () => {
    const segments = [
      { cluster: 0, segmentId: 'seg_a' },
      { cluster: 1, segmentId: 'seg_b' },
    ];
    const resample = createResample({ columns, labels, profiles });
    const names = nameSegments({ naming, profiles, resample, segments, previousNames: {} });
    const identities = segments.map((segment) => ({
      ...segment,
      event: segment.cluster === 0 ? ('survived' as const) : ('born' as const),
      parents: [],
      overlap: null,
    }));
    const [first, second] = summariseSegments(names, { ...telling, identities });
    expect(first).toMatchObject({
      segmentId: 'seg_a',
      name: 'Active high-value',
      event: 'survived',
      customers: 3,
      share: 0.5,
    });
    expect(first!.spendShare).toBeCloseTo(0.9615, 4);
    expect(second).toMatchObject({
      segmentId: 'seg_b',
      name: 'Lapsed low-value',
      event: 'born',
      nameStatus: 'holds',
    });
  });
});
