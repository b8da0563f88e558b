import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyHysteresis, type HysteresisInput, NO_SEGMENT } from '../../../pipelines/stages/hysteresis.ts';

const one = (change: {
  before: number;
  now: number;
  margin: number;
  tentative?: number;
  exists?: boolean;
}) => {
  const { before, now, margin, tentative = NO_SEGMENT, exists = true } = change;
  const { labels, tentativeLabels, held } = applyHysteresis({
    segments: 3,
    previousLabels: [before],
    tentativeLabels: [tentative],
    newModel: { labels: [now], margins: [margin], noiseBands: [0.1, 0.2, 0.3] },
    isCurrent: [exists, true, true],
  });
  return [labels[0], tentativeLabels[0], held];
};

describe('applyHysteresis', () => {
  test.each([
    ['nothing new: stays', { before: 0, now: 0, margin: 0 }, [0, -1, 0]],
    ['clearly in the new one: goes', { before: 0, now: 1, margin: 0.21 }, [1, -1, 0]],
    ['inside the noise band: is held, and remembered', { before: 0, now: 1, margin: 0.2 }, [0, 1, 1]],
    ['seen there twice: goes', { before: 0, now: 1, margin: 0.01, tentative: 1 }, [1, -1, 0]],
    [
      'seen elsewhere the last time: waits anew',
      { before: 0, now: 1, margin: 0.01, tentative: 2 },
      [0, 1, 1],
    ],
    ['back where it was: waits for nothing', { before: 0, now: 0, margin: 0.01, tentative: 1 }, [0, -1, 0]],
    ['a new customer: goes', { before: NO_SEGMENT, now: 1, margin: 0 }, [1, -1, 0]],
    ['the old segment is no more: goes', { before: 0, now: 1, margin: 0, exists: false }, [1, -1, 0]],
  ])('%s', (_, change, expected) => {
    expect(one(change)).toEqual(expected);
  });

  test('refuses lengths that differ', () => {
    const input: HysteresisInput = {
      segments: 1,
      previousLabels: [0],
      tentativeLabels: [0, 0],
      newModel: { labels: [0], margins: [1], noiseBands: [0] },
      isCurrent: [true],
    };
    expect(() => applyHysteresis(input)).toThrow('needs 1 tentative labels and 1 segments, found 2 and 1');
    expect(() => applyHysteresis({ ...input, tentativeLabels: null, previousLabels: [] })).toThrow(
      RangeError,
    );
  });
});

describe('laws', () => {
  const SEGMENTS = 3;
  const label = fc.integer({ min: -1, max: SEGMENTS - 1 });
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const anyInput = fc
    .tuple(
      fc.array(fc.record({ before: label, tentative: label, now: fc.nat(SEGMENTS - 1), margin: share })),
      fc.array(share, { minLength: SEGMENTS, maxLength: SEGMENTS }),
    )
    .map(
      ([all, noiseBands]): HysteresisInput => ({
        segments: SEGMENTS,
        previousLabels: all.map(({ before }) => before),
        tentativeLabels: all.map(({ tentative }) => tentative),
        newModel: { labels: all.map(({ now }) => now), margins: all.map(({ margin }) => margin), noiseBands },
        isCurrent: [true, false, true],
      }),
    );

  test('everyone is where they were or where the model sees them, and waits only when held', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { labels, tentativeLabels, held } = applyHysteresis(input);
        labels.forEach((kept, row) => {
          const now = input.newModel.labels[row]!;
          expect([now, input.previousLabels[row]]).toContain(kept);
          expect(tentativeLabels[row]).toBe(kept === now ? NO_SEGMENT : now);
          expect(kept).not.toBe(kept === now ? NO_SEGMENT : 1);
        });
        expect(held).toBe(tentativeLabels.filter((waiting) => waiting >= 0).length);
      }),
    );
  });

  test('two runs that say the same leave nobody held', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const first = applyHysteresis(input);
        const second = applyHysteresis({
          ...input,
          previousLabels: first.labels,
          tentativeLabels: first.tentativeLabels,
        });
        expect([...second.labels]).toEqual(Array.from(input.newModel.labels));
        expect(second.held).toBe(0);
      }),
    );
  });

  test('a customer who goes to and fro across a border stays', () => {
    let state = { labels: [0] as ArrayLike<number>, tentativeLabels: [NO_SEGMENT] as ArrayLike<number> };
    for (const now of [1, 0, 1, 0, 1, 0]) {
      state = applyHysteresis({
        segments: 2,
        previousLabels: state.labels,
        tentativeLabels: state.tentativeLabels,
        newModel: { labels: [now], margins: [0.05], noiseBands: [0.1, 0.1] },
        isCurrent: [true, true],
      });
      expect(Array.from(state.labels)).toEqual([0]);
    }
  });
});
