import { describe, expect, test } from 'vitest';
import { matrixFromColumns } from '../../../numeric/matrix.ts';
import { countsBetween } from '../../../numeric/statistics/psi.ts';
import { toCustomerIds } from '../../../pipelines/contracts/customers.ts';
import { joinCustomers } from '../../../pipelines/stages/match.ts';
import { traceMovements } from '../../../pipelines/stages/movements.ts';
import {
  judgeStability,
  judgeStabilityInTurns,
  type StabilityInput,
} from '../../../pipelines/stages/stability.ts';
import type { FrozenScale } from '../../../pipelines/stages/stability-drift.ts';

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
  frozen?: FrozenScale;
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
    borders: { last: null, new: null },
    spendCents: null,
    previousSpendCents: null,
  });
  return {
    settings,
    columns: { spend: found.spend ?? spend },
    labels,
    segmentIds,
    nameStatuses: ['holds', 'questionable'],
    previous: {
      ...{ join, labels: halves, segmentIds, references, relabelled, movements },
      values: { spend },
      frozen: found.frozen ?? null,
    },
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
      borders: { last: null, new: null },
    });
    const report = judgeStability({
      ...{ settings, columns: {}, labels: current, segmentIds: three, nameStatuses: ['holds'] },
      previous: {
        ...{ join, labels: previous, segmentIds: three, references: [], relabelled: null, movements },
        ...{ values: null, frozen: null },
      },
    });
    // scikit-learn 1.9.1, adjusted_rand_score([0,0,0,0,1,1,1,1,2,2], [0,0,0,1,1,1,1,2,2,2])
    expect(report.adjustedRand).toBeCloseTo(0.39114391143911437, 12);
    // The same, adjusted_mutual_info_score
    expect(metricOf(report, 'adjusted-mutual-information')!.value).toBeCloseTo(0.44783659769663353, 12);
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

  test('customers held back are nobody’s doing', () => {
    // The model has not changed and says so; those whom it saw go are held where they were.
    const input = compare({ labels: halves, relabelled: shifted(300) });
    const held = { ...input, previous: { ...input.previous!, modelLabels: shifted(300) } };
    expect(metricOf(judgeStability(input), 'adjusted-rand-of-models')!.value).toBeLessThan(0.3);
    expect(metricOf(judgeStability(held), 'adjusted-rand-of-models')!.value).toBe(1);
    const join = joinCustomers(names(), names());
    const traced = (modelLabels?: Uint8Array) =>
      traceMovements({
        ...{ join, previousIds: segmentIds, currentIds: segmentIds, previousLabels: halves, labels: halves },
        ...{ relabelled: shifted(300), modelLabels, borders: { last: null, new: null } },
        ...{ spendCents: null, previousSpendCents: null },
      });
    expect(traced().model!.customers).toBe(600);
    expect(traced(shifted(300)).model!.customers).toBe(0);
  });

  test('no common customer at all is unstable, with figures that cannot be computed left out', () => {
    const report = judgeStability(compare({ from: 5000 }));
    expect(report).toMatchObject({ verdict: 'unstable', adjustedRand: null, movedShare: null });
    expect(metricOf(report, 'adjusted-rand')).toMatchObject({ value: null, verdict: 'told' });
    // What needs no common customer is told all the same.
    expect(report.reasons).toEqual([
      'no customer is in both runs, so nobody can be said to have moved',
      'on the same figures both models agree at 1.00 (adjusted Rand index, at least 0.3)',
    ]);
    const blind = judgeStability(compare({ from: 5000, relabelled: null }));
    expect(blind.reasons[1]).toBe(
      'the last model cannot read the new figures, so no segment can be recognised',
    );
    const shifts = judgeStability(compare({ from: 5000, spend: spend.map((x) => x + 900) })).reasons;
    expect(shifts).toContainEqual(expect.stringContaining('spend shifted'));
  });

  test('sizes are told per segment, as growth of their share', () => {
    const report = judgeStability(compare({ labels: halves.map((label, row) => (row < 660 ? 0 : label)) }));
    expect(metricOf(report, 'size-change', 'seg_a')!.value).toBeCloseTo(0.1, 12);
    expect(metricOf(report, 'size-change', 'seg_b')!.value).toBeCloseTo(-0.15, 12);
  });

  test('second opinions on figures and mix are told, and decide nothing', () => {
    const report = judgeStability(compare({ spend: spend.map((x) => x + 60), relabelled: halves }));
    expect(report.verdict).toBe('stable');
    // scipy 1.17.1 on range(1000) and the same + 60: wasserstein_distance / std, ks_2samp
    expect(metricOf(report, 'wasserstein', 'spend')).toMatchObject({
      value: expect.closeTo(0.20784620083139177, 12) as number,
      threshold: null,
      verdict: 'told',
    });
    expect(metricOf(report, 'kolmogorov-smirnov', 'spend')).toMatchObject({
      value: expect.closeTo(0.06, 12) as number,
      verdict: 'told',
    });
    const [ofSpend, ofMix] = report.drift;
    expect(ofSpend!.kolmogorovSmirnov!.pValue).toBeCloseTo(0.05243463489026201, 12);
    expect(ofSpend!.wasserstein!.distance).toBeCloseTo(60, 9);
    expect(metricOf(report, 'jensen-shannon-mix')).toMatchObject({ value: 0, verdict: 'told' });
    expect(ofMix).toMatchObject({ subject: '', wasserstein: null, kolmogorovSmirnov: null });
  });

  test('a mix that shifted is that far apart by Jensen and Shannon', () => {
    const relabelled = halves.map((_, row) => (row < 200 ? 0 : 1));
    const report = judgeStability(compare({ labels: relabelled }));
    // scipy 1.17.1, jensenshannon([600, 400], [200, 800], base=2) ** 2
    expect(metricOf(report, 'jensen-shannon-mix')!.value).toBeCloseTo(0.12451124978365306, 12);
  });

  test('centres are told by the last model’s scale, in radii of their segment, when they go on', () => {
    // Two columns; the first segment's customers have all gone 3 to the right and 4 up, the second's stayed.
    const gone = (by: number) => Float32Array.from(halves, (label) => (label === 0 ? by : 10));
    const frozen: FrozenScale = {
      model: {
        centers: [
          [0, 0],
          [10, 10],
        ],
        transforms: [
          { feature: 'spend', steps: [] },
          { feature: 'orders', steps: [] },
        ],
      },
      matrix: matrixFromColumns([gone(3), gone(4)]),
      distance: Float32Array.from(halves, (label) => (label === 0 ? 2 : 0)),
    };
    const report = judgeStability(compare({ frozen }));
    expect(report.centroids).toEqual([
      {
        segmentId: 'seg_a',
        distance: 5,
        delta: 2.5,
        differences: [
          { feature: 'spend', difference: 3 },
          { feature: 'orders', difference: 4 },
        ],
      },
      {
        segmentId: 'seg_b',
        distance: 0,
        delta: null,
        differences: [
          { feature: 'spend', difference: 0 },
          { feature: 'orders', difference: 0 },
        ],
      },
    ]);
    expect(metricOf(report, 'centroid-drift', 'seg_a')).toMatchObject({
      value: 2.5,
      threshold: null,
      verdict: 'told',
    });
    expect(metricOf(report, 'centroid-drift', 'seg_b')!.value).toBeNull();
    const renamed = judgeStability({ ...compare({ frozen }), segmentIds: ['seg_c', 'seg_b'] });
    expect(renamed.centroids!.map(({ segmentId }) => segmentId)).toEqual(['seg_b']);
  });

  test('names that no longer hold, and how customers spread, are told', () => {
    const report = judgeStability(compare({ labels: shifted(300), relabelled: halves }));
    expect(metricOf(report, 'questionable-name-share')).toMatchObject({ value: 0.5, verdict: 'told' });
    expect(metricOf(report, 'moved-at-border-share')).toMatchObject({ value: 0, verdict: 'told' });
    expect(metricOf(report, 'mobility')!.verdict).toBe('told');
    // 300 of 600 customers of one segment stayed: a coin's entropy over three ways out.
    expect(metricOf(report, 'migration-entropy', 'seg_a')!.value).toBeCloseTo(Math.log(2) / Math.log(3), 12);
  });

  test('with turns of the event loop it comes to the same, and ends where a turn throws', async () => {
    const input = compare({ labels: shifted(100) });
    expect(await judgeStabilityInTurns(input)).toEqual(judgeStability(input));
    const stopped = judgeStabilityInTurns(input, () => {
      throw new Error('stopped');
    });
    await expect(stopped).rejects.toThrow('stopped');
  });

  test('no metric comes twice for one subject, and the report is JSON as it is', () => {
    const report = judgeStability(compare({ labels: shifted(100) }));
    const keys = report.metrics.map(({ metric, subject }) => `${metric} ${subject}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});
