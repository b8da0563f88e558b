import { describe, expect, test } from 'vitest';
import { simulateStream } from '../../../../benchmarks/bases/alert-streams.ts';
import { createRandom } from '../../../../numeric/random/random.ts';
import { DEFAULT_ALERTS } from '../../../../pipelines/contracts/alert-settings.ts';
import { backtestAlerts } from '../../../../pipelines/stages/alerts/backtest.ts';
import { findAlerts } from '../../../../pipelines/stages/alerts/find.ts';

// A small and steady part of `npm run bench -- alerts`.

const about = { settings: DEFAULT_ALERTS, currency: 'EUR' };

describe('simulated shops', () => {
  test.each([1, 30])(
    'without a change stay inside the budget, runs %d days apart',
    (daysBetweenRuns) => {
      const results = Array.from({ length: 5 }, (_, stream) => {
        const random = createRandom(7).fork(daysBetweenRuns).fork(stream);
        const { measurements } = simulateStream(random, { runs: 12, customers: 2_000, daysBetweenRuns });
        return backtestAlerts(measurements, about);
      });
      const told = results.reduce((sum, result) => sum + result.told.length, 0);
      const months = results.reduce((sum, result) => sum + result.months, 0);
      expect(months).toBeGreaterThan(1.5);
      expect(told / months).toBeLessThanOrEqual(DEFAULT_ALERTS.falseAlarmsPerMonth);
    },
    120_000,
  );

  test.each(['moved', 'lost'] as const)(
    'in which a tenth of a segment is %s are told of in that run',
    (kind) => {
      const found = Array.from({ length: 5 }, (_, stream) => {
        const { measurements, planted } = simulateStream(createRandom(11).fork(kind).fork(stream), {
          ...{ runs: 8, customers: 8_000, daysBetweenRuns: 30, plant: { run: 8, kind, share: 0.1 } },
        });
        const findings = findAlerts(measurements.at(-1)!, { ...about, past: measurements.slice(0, -1) });
        return findings.some(({ subject }) => subject.split(':').at(-1) === planted!.segmentId);
      });
      expect(found).toEqual(found.map(() => true));
    },
    120_000,
  );
});
