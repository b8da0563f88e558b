import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { STAGES, type Stage } from '../../../pipelines/contracts/run.ts';
import { estimate } from '../../../scripts/show/estimate.ts';

const NEVER = { ms: {}, runs: 0 };
const usualMs = Object.fromEntries(STAGES.map((stage) => [stage, 1_000])) as Record<Stage, number>;
const USUAL = { ms: usualMs, runs: 3 };
const going = (changes: object) => ({
  stage: 'cluster' as const,
  elapsedMs: 400,
  done: 0,
  of: 0,
  ...changes,
});
/** The four stages before `cluster`. */
const before = (ms: number) => Object.fromEntries(STAGES.slice(0, 4).map((stage) => [stage, ms]));

describe('how long still', () => {
  test('of a first run without a heartbeat nobody can tell', () => {
    expect(estimate({ stages: STAGES, doneMs: before(1_000), going: going({}), usual: NEVER })).toEqual({
      ...{ stageLeftMs: null, leftMs: null, usualMs: null, basis: null },
    });
  });

  test('of a first run with one, the stage is told by its own pace, and the whole run is not', () => {
    const own = { stages: STAGES, doneMs: before(1_000), going: going({ done: 40, of: 100 }), usual: NEVER };
    expect(estimate(own)).toEqual({ stageLeftMs: 600, leftMs: null, usualMs: null, basis: 'pace' });
  });

  test('past runs tell the rest of the stage and all stages to come', () => {
    // 600 ms of cluster, and six stages of a second each.
    expect(estimate({ stages: STAGES, doneMs: before(1_000), going: going({}), usual: USUAL })).toEqual({
      ...{ stageLeftMs: 600, leftMs: 6_600, usualMs: 1_000, basis: 'past' },
    });
  });

  test('a run of twice the size takes twice as long for the rest', () => {
    expect(estimate({ stages: STAGES, doneMs: before(2_000), going: going({}), usual: USUAL })).toMatchObject(
      {
        ...{ stageLeftMs: 1_600, leftMs: 13_600, usualMs: 2_000 },
      },
    );
  });

  test('a stage that takes longer than usual is not promised to end now', () => {
    expect(
      estimate({ stages: STAGES, doneMs: before(1_000), going: going({ elapsedMs: 1_500 }), usual: USUAL }),
    ).toMatchObject({ stageLeftMs: null, leftMs: null, usualMs: 1_000 });
  });

  test('between two stages the rest is what is to come', () => {
    expect(estimate({ stages: STAGES, doneMs: before(1_000), going: null, usual: USUAL })).toMatchObject({
      ...{ stageLeftMs: null, leftMs: 7_000, basis: 'past' },
    });
  });

  test('the further a stage is, the less is left, whatever the past says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 99 }), fc.integer({ min: 1, max: 60_000 }), (done, elapsedMs) => {
        const at = (far: number) =>
          estimate({
            stages: STAGES,
            doneMs: {},
            going: going({ elapsedMs, done: far, of: 100 }),
            usual: USUAL,
          }).stageLeftMs!;
        expect(at(done + 1)).toBeLessThan(at(done));
        expect(at(100)).toBe(0);
      }),
    );
  });
});
