import { beforeAll, describe, expect, test } from 'vitest';
import { judgeShift } from '../../../../benchmarks/alerts-score.ts';
import { type RefitStream, refitStream, SHIFTS } from '../../../../benchmarks/refit-streams.ts';
import { FEATURES } from '../../../../benchmarks/simulated-definition.ts';
import { createKernelPool } from '../../../../numeric/kernels/pool.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { DEFAULT_ALERTS } from '../../../../pipelines/contracts/alert-settings.ts';
import { backtestAlerts } from '../../../../pipelines/stages/alerts/backtest.ts';

// A small and steady part of `npm run bench -- alerts --refits`.

let stream: RefitStream;

beforeAll(async () => {
  const pool = createKernelPool({ threads: 1 });
  try {
    stream = await refitStream(createRandom(3), {
      ...{ pool, runs: 6, customers: 1_500, daysBetweenRuns: 30, apart: 4, choose: false, bootstraps: 10 },
      plant: { run: 6, share: 0.3 },
    });
  } finally {
    await pool.close();
  }
}, 120_000);

describe('a shop whose runs are fitted month by month', () => {
  test('measures each run against the one before it', () => {
    expect(stream.refused).toBe(0);
    expect(stream.quiet).toHaveLength(6);
    stream.quiet.slice(1).forEach(({ previousAsOf, previousSegments }, i) => {
      expect(previousAsOf).toBe(stream.quiet[i]!.asOf);
      expect(previousSegments).toEqual(stream.quiet[i]!.segments);
    });
  });

  test('has as many customers in each segment as were there, came and did not go', () => {
    for (const { segments, previousSegments, movements } of stream.quiet) {
      const sumOf = (end: 'from' | 'to', segmentId: string) =>
        movements.reduce((sum, one) => sum + (one[end] === segmentId ? one.customers : 0), 0);
      for (const { segmentId, customers } of previousSegments!) {
        const now = segments.find((one) => one.segmentId === segmentId);
        const change = sumOf('to', segmentId) - sumOf('from', segmentId);
        expect(customers + change, segmentId).toBe(now?.customers ?? 0);
      }
      const shares = segments.map(({ spendShare }) => spendShare!);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    }
  });

  test('is seen by models that differ, and has every figure that rules read', () => {
    const causes = new Set(stream.quiet.flatMap(({ movements }) => movements.map(({ cause }) => cause)));
    expect(causes).toContain('model');
    for (const { metrics } of stream.quiet) {
      const known = metrics.filter(({ value }) => value !== null).map(({ metric }) => metric);
      expect(known).toEqual(expect.arrayContaining(['adjusted-rand', 'psi-mix-significance']));
      const drift = metrics.filter(({ metric }) => metric === 'psi-significance');
      expect(drift.map(({ subject }) => subject)).toEqual([...FEATURES]);
    }
  });

  test('tells nothing while nothing happens', () => {
    const { told } = backtestAlerts(stream.quiet, { settings: DEFAULT_ALERTS, currency: 'EUR' });
    expect(told).toEqual([]);
  });

  test.each(SHIFTS)('tells in the same run that three tenths of a segment were %s', (kind) => {
    const planted = stream.planted.find((one) => one.kind === kind)!;
    const shift = judgeShift(planted, planted.measurements, DEFAULT_ALERTS);
    expect(shift.isFound, `a segment of ${shift.customers}`).toBe(true);
  });
});
