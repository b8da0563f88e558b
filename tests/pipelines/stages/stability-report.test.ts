import { describe, expect, test } from 'vitest';
import { parseStabilityReport } from '../../../pipelines/stages/stability-report.ts';

const tally = { customers: 1, spendCents: 100 };
const metric = { metric: 'adjusted-rand', subject: '', value: 1, threshold: 0.3, verdict: 'within' };
const psi = { psi: 0.01, criticalValue: 0.02, isSignificant: false, magnitude: 'none', bins: [] };

/** As reports were before there were borders, a matrix, second opinions and centres. */
const early = {
  ...{ verdict: 'stable', reasons: ['all is well'], adjustedRand: 1, movedShare: 0 },
  metrics: [metric],
  movements: {
    movements: [{ from: 'seg_a', to: null, cause: 'behaviour', ...tally }],
    ...{ stayed: tally, new: tally, lost: tally, behaviour: tally, model: null },
  },
  drift: [{ subject: 'orders', psi }],
};

describe('parseStabilityReport', () => {
  test('reads a report of before, with nothing where later ones have more', () => {
    const { movements, drift, centroids, ...rest } = parseStabilityReport(early);
    expect(rest).toEqual({
      ...{ verdict: 'stable', reasons: ['all is well'], adjustedRand: 1, movedShare: 0 },
      metrics: [metric],
    });
    expect(movements).toEqual({
      ...early.movements,
      behaviour: { ...tally, border: null },
      ...{ moved: null, noiseBands: null, migration: null },
    });
    const none = { wasserstein: null, kolmogorovSmirnov: null, jensenShannon: null };
    expect(drift).toEqual([{ subject: 'orders', psi, ...none }]);
    expect(centroids).toBeNull();
  });

  test('reads a first run’s', () => {
    const first = { ...early, verdict: 'first', metrics: [], movements: null, drift: [] };
    expect(parseStabilityReport(first)).toEqual({ ...first, centroids: null });
  });

  test('refuses what is none, with the place', () => {
    expect(() => parseStabilityReport({ ...early, metrics: [{ ...metric, value: 'high' }] })).toThrow(
      expect.objectContaining({
        code: 'ARTIFACT_CORRUPT',
        message: expect.stringMatching(/^stability report: metrics\.0\.value: /) as string,
      }),
    );
  });
});
