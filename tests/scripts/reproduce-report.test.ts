import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { ReproductionSummary } from '../../pipelines/contracts/reproduce.ts';
import { plainWords, reproductionReport } from '../../scripts/reproduce-report.ts';

const SUMMARY: ReproductionSummary = {
  ...{ runId: 'run_0b62f7de', kind: 'refit', pipeline: 'shop', asOf: '2026-06-01', verdict: 'reproduced' },
  ...{ reasons: [], code: { before: 'a'.repeat(64), now: 'a'.repeat(64) } },
  stages: [
    { stage: 'validate', ms: 400, compared: 2, differing: 0 },
    { stage: 'cluster', ms: 12_000, compared: 3, differing: 0 },
  ],
  ...{ differences: [], notes: [], workflow: { id: 'reproduce/run_0b62f7de', runId: '0199' } },
};

const told = (change: Partial<ReproductionSummary> = {}) =>
  stripVTControlCharacters(reproductionReport({ ...SUMMARY, ...change }, { reproduction: 'here' }));

describe('what is told of a reproduction', () => {
  test('that all is the same, stage by stage, under which code', () => {
    expect(told().split('\n')).toEqual([
      '✓ reproduced, 5 digests the same  run_0b62f7de of shop as of 2026-06-01',
      '',
      'stage       digests  differ   took',
      '✓ validate        2          0.4 s',
      '✓ cluster         3           12 s',
      '',
      'code version  aaaaaaaaaaaa, the same as then',
      'reproduction  here',
    ]);
  });

  test('what differs, then and now, where and why', () => {
    const text = told({
      verdict: 'differs',
      code: { before: 'b'.repeat(64), now: 'a'.repeat(64) },
      stages: [{ stage: 'cluster', ms: 12_000, compared: 3, differing: 1 }],
      differences: [
        {
          ...{ stage: 'cluster', product: 'labels', before: 'c'.repeat(64), now: 'd'.repeat(64) },
          ...{ where: ['column labels: 3 of 100 values, by up to 1'], why: 'another code version' },
        },
        { stage: 'run', product: 'seed', before: '8', now: null, where: [], why: null },
      ],
      notes: ['page of profile is not kept any more'],
    });
    expect(text).toContain('✗ differs in 2 places');
    expect(text).toContain('✗ cluster        3       1  12 s');
    expect(text).toContain('cluster  labels   cccccccccccc…  dddddddddddd…');
    expect(text).toContain('run      seed     8              –');
    expect(text).toContain(
      '· cluster labels: column labels: 3 of 100 values, by up to 1; another code version',
    );
    expect(text).toContain('· page of profile is not kept any more');
    expect(text).toContain('code version  aaaaaaaaaaaa, then bbbbbbbbbbbb');
  });

  test('why it cannot be reproduced, without a table of nothing', () => {
    const text = told({ verdict: 'cannot', reasons: ['it ended as rejected'], stages: [], code: null });
    expect(text.split('\n')).toEqual([
      '✗ cannot be reproduced  run_0b62f7de of shop as of 2026-06-01',
      '  · it ended as rejected',
      '',
      'reproduction  here',
    ]);
  });

  test('a line of the board is told without its markup', () => {
    expect(plainWords('✓ **features** 4 digests, all the same', 'features')).toBe('4 digests, all the same');
  });
});
