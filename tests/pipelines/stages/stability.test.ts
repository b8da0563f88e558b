import { describe, expect, test } from 'vitest';
import { countsBetween } from '../../../numeric/statistics/psi.ts';
import { toCustomerIds } from '../../../pipelines/contracts/customers.ts';
import { joinCustomers } from '../../../pipelines/stages/match.ts';
import { traceMovements } from '../../../pipelines/stages/movements.ts';
import { judgeStability, type StabilityInput } from '../../../pipelines/stages/stability.ts';

const settings = { minimumAdjustedRand: 0.3, maximumMovedShare: 0.5, majorPsi: 0.25 };
const n = 1000;
const segmentIds = ['seg_a', 'seg_b'];
const names = (from = 0) => toCustomerIds(Array.from({ length: n }, (_, i) => `c${10_000 + from + i}`));
const halves = Uint8Array.from({ length: n }, (_, row) => (row < 600 ? 0 : 1));
const spend = Float64Array.from({ length: n }, (_, row) => row);
const edges = [99, 199, 299, 399, 499, 599, 699, 799, 899];
const references = [
  { feature: 'spend', edges, counts: [...countsBetween(spend, edges)], mean: 499.5, deviation: 288.7 },
];

function compare(found: {
  labels?: Uint8Array;
  relabelled?: Uint8Array | null;
  spend?: Float64Array;
  from?: number;
}): StabilityInput {
  const labels = found.labels ?? halves;
  const relabelled = found.relabelled === undefined ? labels : found.relabelled;
  const join = joinCustomers(names(), names(found.from));
  const movements = traceMovements({
    join,
    previousIds: segmentIds,
    currentIds: segmentIds,
    previousLabels: halves,
    labels,
    relabelled,
    spendCents: null,
    previousSpendCents: null,
  });
  return {
    settings,
    columns: { spend: found.spend ?? spend },
    labels,
    segmentIds,
    previous: { join, labels: halves, segmentIds, references, relabelled, movements },
  };
}

const metricOf = (report: ReturnType<typeof judgeStability>, metric: string, subject = '') =>
  report.metrics.find((row) => row.metric === metric && row.subject === subject);
const shifted = (by: number) => halves.map((_, row) => halves[(row + by) % n]!);

describe('judgeStability', () => {
  test('a first run is the first', () => {
    const report = judgeStability({ ...compare({}), previous: null });
    expect(report).toMatchObject({
      verdict: 'first',
      adjustedRand: null,
      movedShare: null,
      metrics: [],
      movements: null,
    });
  });

  test('the same segments are stable', () => {
    const report = judgeStability(compare({}));
    expect(report).toMatchObject({ verdict: 'stable', adjustedRand: 1, movedShare: 0 });
    expect(metricOf(report, 'psi', 'spend')).toMatchObject({ value: 0, threshold: 0.25, verdict: 'within' });
    expect(report.reasons.join('; ')).toMatch(/agreement .* is 1\.00 .* on 1,000 common customers/);
  });

  test('agreement is that of scikit-learn, on common customers alone', () => {
    const previous = Uint8Array.of(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2);
    const current = Uint8Array.of(0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 0);
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
    const join = joinCustomers(toCustomerIds([...ids, 'lost']), toCustomerIds([...ids, 'new']));
    const three = ['seg_a', 'seg_b', 'seg_c'];
    const movements = traceMovements({
      ...{ join, previousIds: three, currentIds: three, previousLabels: previous, labels: current },
      ...{ relabelled: null, spendCents: null, previousSpendCents: null },
    });
    const report = judgeStability({
      ...{ settings, columns: {}, labels: current, segmentIds: three },
      previous: { join, labels: previous, segmentIds: three, references: [], relabelled: null, movements },
    });
    // scikit-learn 1.9.1, adjusted_rand_score([0,0,0,0,1,1,1,1,2,2], [0,0,0,1,1,1,1,2,2,2])
    expect(report.adjustedRand).toBeCloseTo(0.39114391143911437, 12);
    expect(report.movedShare).toBeCloseTo(0.2, 12);
    expect(metricOf(report, 'new-share')!.value).toBeCloseTo(1 / 11, 12);
  });

  test('a model that groups the same figures differently is unstable', () => {
    const report = judgeStability(compare({ labels: shifted(300), relabelled: halves }));
    expect(report.verdict).toBe('unstable');
    expect(report.reasons[0]).toMatch(/^on the same figures both models agree at -?0\.\d\d/);
    expect(metricOf(report, 'adjusted-rand-of-models')!.verdict).toBe('beyond');
  });

  test('customers whom the last model would have moved too have drifted', () => {
    const report = judgeStability(compare({ labels: shifted(300) }));
    expect(report.verdict).toBe('drifted');
    expect(metricOf(report, 'adjusted-rand')!.verdict).toBe('beyond');
    expect(metricOf(report, 'adjusted-rand-of-models')).toMatchObject({ value: 1, verdict: 'within' });
  });

  test('figures that shifted both in a major way and beyond chance are drift, though nobody moved', () => {
    const report = judgeStability(compare({ spend: spend.map((x) => x + 300) }));
    expect(report.verdict).toBe('drifted');
    expect(report.reasons[0]).toMatch(/^the customers' spend shifted: PSI 2\.49, by chance below 0\.034$/);
    // numpy 2.4.6 on 1..100 and the same + 30, deciles of the first, floor 1e-4: shares are those here.
    expect(metricOf(report, 'psi', 'spend')!.value).toBeCloseTo(2.486142565446914, 9);
    expect(metricOf(report, 'psi-significance', 'spend')!.verdict).toBe('beyond');
  });

  test('a mix that shifted by the last model’s own measure is drift', () => {
    const relabelled = halves.map((_, row) => (row < 200 ? 0 : 1));
    const report = judgeStability(compare({ labels: relabelled }));
    expect(report.verdict).toBe('drifted');
    // (0.2 - 0.6) ln(0.2 / 0.6) + (0.8 - 0.4) ln(0.8 / 0.4)
    expect(metricOf(report, 'psi-mix')!.value).toBeCloseTo(0.4 * Math.log(3) + 0.4 * Math.log(2), 12);
  });

  test('a segment that the new model split is no shift of the customers', () => {
    const input = compare({ relabelled: halves });
    const labels = halves.map((label, row) => (row < 250 ? 2 : label));
    const report = judgeStability({ ...input, labels, segmentIds: [...segmentIds, 'seg_c'] });
    expect(metricOf(report, 'psi-mix')).toMatchObject({ value: 0, verdict: 'within' });
    expect(metricOf(report, 'size-change', 'seg_c')).toMatchObject({ value: null, verdict: 'told' });
  });

  test('a shift that chance explains is none', () => {
    const report = judgeStability(compare({ spend: spend.map((x) => x + 5) }));
    expect(report.verdict).toBe('stable');
    expect(metricOf(report, 'psi-significance', 'spend')!.verdict).toBe('within');
  });

  test('a significant shift of small size is told and judged stable', () => {
    const report = judgeStability(compare({ spend: spend.map((x) => x + 60) }));
    expect(report.verdict).toBe('stable');
    expect(metricOf(report, 'psi-significance', 'spend')!.verdict).toBe('beyond');
    expect(metricOf(report, 'psi', 'spend')!.verdict).toBe('within');
  });

  test('without a model to compare with, disagreement counts as the model’s', () => {
    expect(judgeStability(compare({ labels: shifted(300), relabelled: null })).verdict).toBe('unstable');
    expect(judgeStability(compare({ relabelled: null })).verdict).toBe('stable');
  });

  test('no common customer at all is unstable, with figures that cannot be computed left out', () => {
    const report = judgeStability(compare({ from: 5000 }));
    expect(report).toMatchObject({ verdict: 'unstable', adjustedRand: null, movedShare: null });
    expect(metricOf(report, 'adjusted-rand')).toMatchObject({ value: null, verdict: 'told' });
  });

  test('sizes are told per segment, as growth of their share', () => {
    const report = judgeStability(compare({ labels: halves.map((label, row) => (row < 660 ? 0 : label)) }));
    expect(metricOf(report, 'size-change', 'seg_a')!.value).toBeCloseTo(0.1, 12);
    expect(metricOf(report, 'size-change', 'seg_b')!.value).toBeCloseTo(-0.15, 12);
  });

  test('no metric comes twice for one subject, and the report is JSON as it is', () => {
    const report = judgeStability(compare({ labels: shifted(100) }));
    const keys = report.metrics.map(({ metric, subject }) => `${metric} ${subject}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});
