import { describe, expect, test } from 'vitest';
import type { Channel } from '../../../pipelines/contracts/channels.ts';
import type { Run, SegmentSummary } from '../../../pipelines/contracts/run.ts';
import {
  decidePublication,
  isAside,
  publicationMessages,
  publishedMessage,
  refusalOf,
} from '../../../pipelines/stages/publish.ts';

const dates = { asOf: '2026-06-30', publishedAsOf: '2026-06-30', kind: 'refit' as const };

describe('decidePublication', () => {
  test.each([
    ['never', 'first', 'publish'],
    ['never', 'stable', 'publish'],
    ['never', 'drifted', 'publish'],
    ['never', 'unstable', 'publish'],
    ['when-unstable', 'first', 'publish'],
    ['when-unstable', 'stable', 'publish'],
    ['when-unstable', 'drifted', 'publish'],
    ['when-unstable', 'unstable', 'hold'],
    ['always', 'first', 'hold'],
    ['always', 'stable', 'hold'],
    ['always', 'drifted', 'hold'],
    ['always', 'unstable', 'hold'],
  ] as const)('policy %s, verdict %s: %s', (policy, verdict, decision) => {
    const found = decidePublication({
      policy,
      stability: { verdict, reasons: ['as measured'] },
      ...dates,
    });
    expect(found.decision).toBe(decision);
    expect(found.reasons).toContain('as measured');
  });

  test('a hold and a publication against the verdict say why', () => {
    const stability = { verdict: 'unstable' as const, reasons: [] };
    expect(decidePublication({ policy: 'when-unstable', stability, ...dates }).reasons).toEqual([
      'the segmentation is not the one that was published before',
    ]);
    expect(decidePublication({ policy: 'never', stability, ...dates }).reasons.at(-1)).toMatch(
      /policy is never$/,
    );
    expect(decidePublication({ policy: 'always', stability, ...dates }).reasons[0]).toMatch(/review policy/);
  });

  describe('a run as of an earlier date than what readers see', () => {
    const older = {
      stability: { verdict: 'stable' as const, reasons: ['as measured'] },
      asOf: '2026-05-31',
      publishedAsOf: '2026-06-30',
      kind: 'refit' as const,
    };

    test.each([
      ['when-unstable', 'hold'],
      ['always', 'hold'],
      ['never', 'publish'],
    ] as const)('policy %s: %s, and both dates are told', (policy, decision) => {
      const found = decidePublication({ policy, ...older });
      expect(found.decision).toBe(decision);
      expect(found.reasons.join()).toMatch(/as of 2026-05-31 and readers see 2026-06-30/);
    });

    test.each([
      ['the same date', '2026-06-30', '2026-06-30'],
      ['a later date', '2026-07-01', '2026-06-30'],
      ['the first publication', '2026-05-31', null],
    ])('%s is not one', (_, asOf, publishedAsOf) => {
      const question = { ...older, policy: 'when-unstable' as const, asOf, publishedAsOf };
      expect(decidePublication(question)).toEqual({ decision: 'publish', reasons: ['as measured'] });
    });
  });
});

describe('what the definition says of a run before what readers see', () => {
  const older = { asOf: '2026-05-31', publishedAsOf: '2026-06-30', kind: 'refit' as const };

  test.each([
    ['hold', false, false],
    ['refuse', true, false],
    ['aside', false, true],
    [undefined, false, false],
  ] as const)('%s', (beforePublished, isRefused, isKeptAside) => {
    expect(refusalOf({ ...older, beforePublished }) !== undefined).toBe(isRefused);
    expect(isAside({ ...older, beforePublished })).toBe(isKeptAside);
  });

  test.each([
    ['the same date', '2026-06-30', '2026-06-30'],
    ['a later date', '2026-07-01', '2026-06-30'],
    ['the first publication', '2026-05-31', null],
    ['a date that is not known yet', null, '2026-06-30'],
  ])('does not concern %s', (_, asOf, publishedAsOf) => {
    expect(refusalOf({ ...older, asOf, publishedAsOf, beforePublished: 'refuse' })).toBeUndefined();
    expect(isAside({ ...older, asOf, publishedAsOf, beforePublished: 'aside' })).toBe(false);
  });

  test('a refusal tells both dates and the way out', () => {
    expect(refusalOf({ ...older, beforePublished: 'refuse' })?.join()).toMatch(
      /as of 2026-05-31 and readers see 2026-06-30.*choose a later date/,
    );
  });

  test('one that is kept aside asks nobody for its date, and somebody for anything else', () => {
    const aside = { ...older, beforePublished: 'aside' as const, policy: 'when-unstable' as const };
    const kept = decidePublication({ ...aside, stability: { verdict: 'stable', reasons: ['as measured'] } });
    expect(kept.decision).toBe('publish');
    expect(kept.reasons).toEqual([
      'kept aside: the run is part of the history as of 2026-05-31, readers go on seeing 2026-06-30',
      'as measured',
    ]);
    const doubted = decidePublication({ ...aside, stability: { verdict: 'unstable', reasons: [] } });
    expect(doubted.decision).toBe('hold');
  });

  test.each(['never', 'when-unstable', 'always'] as const)(
    'one that assigns is never kept aside, and where others are it is held, policy %s',
    (policy) => {
      const assign = { ...older, kind: 'assign' as const, beforePublished: 'aside' as const };
      const stability = { verdict: 'stable' as const, reasons: [] };
      expect(isAside(assign)).toBe(false);
      const found = decidePublication({ ...assign, policy, stability });
      expect(found.decision).toBe('hold');
      expect(found.reasons.join()).toMatch(/as of 2026-05-31 and readers see 2026-06-30/);
      expect(decidePublication({ ...assign, policy: 'never', stability, asOf: '2026-07-01' }).decision).toBe(
        'publish',
      );
    },
  );
});

test('the message of a publication tells figures of segments and nothing of where they came from', () => {
  const segment: SegmentSummary = {
    segmentId: 'seg_1',
    name: 'Active',
    description: 'long',
    customers: 30,
    share: 0.3,
    spendShare: null,
    typical: [],
    nameStatus: 'holds',
    event: 'born',
  };
  const run = { runId: 'run_1', pipeline: 'shop', asOf: '2026-06-30', extract: '/data/x.csv' } as Run;
  expect(
    publishedMessage({ run, segments: [segment, { ...segment, segmentId: 'seg_2' }], retired: ['seg_0'] }),
  ).toEqual({
    event: 'run.published',
    runId: 'run_1',
    pipeline: 'shop',
    asOf: '2026-06-30',
    customers: 60,
    segments: ['seg_1', 'seg_2'].map((segmentId) => ({
      ...{ segmentId, name: 'Active', customers: 30, share: 0.3, spendShare: null, event: 'born' },
    })),
    retired: ['seg_0'],
  });
});

describe('the messages of a publication', () => {
  const message = { event: 'run.published' as const, runId: 'run_1', pipeline: 'shop', asOf: null };
  const published = { ...message, customers: 0, segments: [], retired: [] };
  const notify: Channel[] = [
    { kind: 'log' },
    { kind: 'slack', urlFrom: 'CHAT', tells: ['alerts'] },
    { kind: 'slack', urlFrom: 'CHAT' },
  ];
  const sent = (quietUntil: string | null) =>
    publicationMessages(published, { notify, quietUntil }).map(({ channel, notBefore }) => [
      channel,
      notBefore,
    ]);

  test('go to the channels that take publications, at once', () => {
    expect(sent(null)).toEqual([
      ['0:log', null],
      ['2:slack', null],
    ]);
  });

  test('wait for the end of the quiet hours, but for the line in the log', () => {
    expect(sent('2026-07-01T08:00:00.000Z')).toEqual([
      ['0:log', null],
      ['2:slack', '2026-07-01T08:00:00.000Z'],
    ]);
  });
});
