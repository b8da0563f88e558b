import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assignNearest } from '../../../numeric/cluster/assign.ts';
import { fitKMeans } from '../../../numeric/cluster/k-means.ts';
import { createKernelPool, type KernelPool } from '../../../numeric/kernels/pool.ts';
import { createRandom } from '../../../numeric/random/random.ts';
import {
  ABSTAINED,
  assignCustomer,
  assignCustomers,
  type CustomerAssignments,
  confidenceAt,
  createAssigner,
} from '../../../pipelines/stages/assign.ts';
import { transformed } from '../../../pipelines/stages/assign-features.ts';
import { type Columns, deriveColumns } from '../../../pipelines/stages/features.ts';
import { centersOf, createModel } from '../../../pipelines/stages/model.ts';
import { applyTransforms, fitTransforms } from '../../../pipelines/stages/transform.ts';
import { buildKernels } from '../../../scripts/build-kernels.mjs';
import {
  customerAt,
  definition,
  makeCustomers,
  makeExtremes,
  makeModel,
  withNullRules,
} from './model-fixture.ts';

let pools: KernelPool[];
beforeAll(async () => {
  await buildKernels();
  pools = [1, 2, 4].map((threads) => createKernelPool({ threads }));
});
afterAll(() => Promise.all(pools.map((pool) => pool.close())));

const fitted = makeCustomers(2_000);
const table = { margins: [0, 0.2, 0.5], shares: [0.5, 0.8, 1] };
const full = makeModel(fitted, { confidence: table });
const model = { ...full, reaches: [1.2, 0.8, 1, 2, 1.5] };
const options = { abstainBelowMargin: 0.1, abstainBelowConfidence: 0.7 };

/** A customer of a batch, in the words of one alone. */
const inBatch = (found: CustomerAssignments, row: number) => ({
  cluster: found.clusters[row] === ABSTAINED ? null : found.clusters[row]!,
  distance: found.distance[row]!,
  margin: found.margin[row]!,
  confidence: found.confidence && found.confidence[row]!,
  isNovel: found.isNovel && found.isNovel[row] === 1,
});

describe('assigning customers', () => {
  test('a batch is what deriving, transforming and the kernel give, one after the other', async () => {
    const columns = makeCustomers(3_000, 2);
    const found = await assignCustomers(pools[1]!, model, columns);
    const derived = deriveColumns({ ...columns, unused: columns.orders! }, definition.features.derive);
    const matrix = applyTransforms(derived.columns, model.transforms);
    const expected = await assignNearest(pools[0]!, matrix, centersOf(model));
    expect(found.clusters).toEqual(Uint8Array.from(expected.labels));
    expect(found.distance).toEqual(expected.distance);
    expect(found.margin).toEqual(expected.margin);
    expect(new Set(found.clusters).size).toBe(5);
  });

  test('extreme figures are transformed to the bits of the fit', () => {
    const columns = makeExtremes(model, 2_000);
    for (const column of model.transforms) {
      const takes = column.feature === 'orders' ? (x: number) => x > -1 : () => true;
      const values = columns[column.feature]!.filter((x) => takes(x) && Number.isFinite(x));
      const expected = applyTransforms({ [column.feature]: values }, [column]).data;
      expect(Float32Array.from(values, (x) => transformed(x, column))).toEqual(Float32Array.from(expected));
    }
  });

  test('one customer gets the bits of the batch, with any figures', () => {
    const assign = createAssigner(model, options);
    const figure = fc.oneof(
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      fc.constantFrom(0, 1, 1e-12, 3.5, Number.NaN, Infinity),
    );
    const signed = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    const customer = fc.tuple(figure, figure, figure, signed);
    return fc.assert(
      fc.asyncProperty(fc.array(customer, { minLength: 1, maxLength: 40 }), async (drawn) => {
        // A batch without one finite value of a feature is refused, so one customer has them all.
        const rows = [...drawn, [2, 500, 30, 1] as const];
        const names = ['orders', 'spendCents', 'recencyDays', 'balance'];
        const columns: Columns = Object.fromEntries(
          names.map((name, j) => [name, Float64Array.from(rows, (row) => row[j]!)]),
        );
        const found = await assignCustomers(pools[1]!, model, columns, options);
        for (const row of rows.keys()) {
          expect(assign(customerAt(columns, row))).toEqual(inBatch(found, row));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('is the same bytes for 1, 2 and 4 threads', async () => {
    const columns = makeCustomers(9_000, 3);
    const [one, two, four] = await Promise.all(
      pools.map((pool) => assignCustomers(pool, model, columns, options)),
    );
    expect(two).toEqual(one);
    expect(four).toEqual(one);
  });

  test('derived figures are taken as they come, or made of the aggregates', () => {
    const assign = createAssigner(model);
    const aggregates = { orders: 4, spendCents: 10_000, recencyDays: 20, balance: 3 };
    const { orders, recencyDays, balance } = aggregates;
    const whole = assign(aggregates);
    expect(assign({ orders, recencyDays, balance, averageOrder: 25 })).toEqual(whole);
    expect(assign({ orders, recencyDays, balance, spend: 100 })).toEqual(whole);
    expect(assign({ ...aggregates, averageOrder: 2_500 })).not.toEqual(whole);
    expect(assignCustomer(model, aggregates)).toEqual(whole);
  });

  test('a call leaves nothing behind for the next', () => {
    const assign = createAssigner(model);
    const [first, second] = [0, 1].map((row) => customerAt(fitted, row));
    const alone = assign(first!);
    assign(second!);
    expect(() => assign({ orders: 1 })).toThrow('the model needs feature recencyDays, found orders');
    expect(assign(first!)).toEqual(alone);
  });

  test('near a border the cluster is left open, and only there', async () => {
    const columns = makeCustomers(3_000, 4);
    const all = await assignCustomers(pools[1]!, model, columns);
    expect(all.clusters).not.toContain(ABSTAINED);
    const some = await assignCustomers(pools[1]!, model, columns, { abstainBelowMargin: 0.1 });
    expect(some.margin).toEqual(all.margin);
    expect(some.clusters).toEqual(all.clusters.map((c, row) => (all.margin[row]! < 0.1 ? ABSTAINED : c)));
    const confident = await assignCustomers(pools[1]!, model, columns, { abstainBelowConfidence: 0.8 });
    // The table reaches 0.8 at a margin of 0.2.
    expect(confident.clusters).toEqual(
      all.clusters.map((c, row) => (all.margin[row]! < 0.2 ? ABSTAINED : c)),
    );
  });

  test('the model says itself when to abstain, so that everyone who uses it does the same', () => {
    const strict = { ...model, assignment: { ...model.assignment, abstainBelowMargin: 1 } };
    expect(createAssigner(strict)(customerAt(fitted, 1)).cluster).toBeNull();
    expect(createAssigner(model)(customerAt(fitted, 1)).cluster).not.toBeNull();
  });

  test('what a model has not learnt is not told', async () => {
    const old = { ...model, reaches: null, confidence: null };
    const found = await assignCustomers(pools[0]!, old, fitted, { abstainBelowConfidence: 0.9 });
    expect([found.confidence, found.isNovel]).toEqual([null, null]);
    expect(found.clusters).not.toContain(ABSTAINED);
    expect(createAssigner(old)(customerAt(fitted, 0))).toMatchObject({ confidence: null, isNovel: null });
  });

  test('figures that are missing count as 0, and are counted', async () => {
    const columns = { ...makeCustomers(10, 5), recencyDays: new Float64Array(10).fill(Number.NaN) };
    columns.recencyDays[3] = 40;
    const { replaced } = await assignCustomers(pools[0]!, model, columns);
    expect(replaced).toEqual([{ feature: 'recencyDays', customers: 9, by: 0 }]);
  });

  test('a null rule of the model says what a missing figure counts as, alike in a batch and alone', async () => {
    const ruled = withNullRules(model);
    const columns = { ...makeCustomers(30, 5) };
    for (const name of ['recencyDays', 'orders']) {
      columns[name] = columns[name]!.slice();
      columns[name]![3] = Number.NaN;
    }
    columns.orders![4] = 0;
    const found = await assignCustomers(pools[0]!, ruled, columns);
    expect(found.replaced).toEqual([
      { feature: 'orders', customers: 1, by: 2 },
      { feature: 'recencyDays', customers: 1, by: 200 },
      { feature: 'averageOrder', customers: 1, by: 33.5 },
    ]);
    const assign = createAssigner(ruled);
    for (const row of [2, 3, 4]) expect(assign(customerAt(columns, row))).toEqual(inBatch(found, row));
    const spelled = customerAt(columns, 3);
    expect(assign({ ...spelled, recencyDays: 200, orders: 2 })).toEqual(inBatch(found, 3));
    expect(assignCustomer(model, spelled)).not.toEqual(inBatch(found, 3));
  });

  test('a batch of one is one customer', async () => {
    const one = Object.fromEntries(
      Object.entries(fitted).map(([name, values]) => [name, values.slice(5, 6)]),
    );
    const found = await assignCustomers(pools[2]!, model, one);
    expect(inBatch(found, 0)).toEqual(assignCustomer(model, customerAt(fitted, 5)));
  });

  test('no customers are assigned to nothing', async () => {
    const none = Object.fromEntries(Object.keys(fitted).map((name) => [name, new Float64Array(0)]));
    const found = await assignCustomers(pools[0]!, model, none);
    expect([found.clusters.length, found.distance.length, found.isNovel!.length]).toEqual([0, 0, 0]);
  });

  test('what cannot be assigned is refused with its feature, one at a time and in a batch', async () => {
    const good = customerAt(fitted, 0);
    const columnsOf = (customer: Record<string, number>) =>
      Object.fromEntries(Object.entries(customer).map(([name, value]) => [name, Float64Array.of(value)]));
    const { spendCents: _, ...without } = good;
    for (const [customer, message] of [
      [{ ...good, orders: -3 }, /orders, transform log1p: log1p needs values above -1/],
      [without, /the model needs feature/],
    ] as const) {
      const refusal = expect.objectContaining({ code: 'FEATURE_INVALID' });
      expect(() => assignCustomer(model, customer)).toThrow(refusal);
      expect(() => assignCustomer(model, customer)).toThrow(message);
      const batch = () => assignCustomers(pools[0]!, model, columnsOf(customer));
      await expect(batch()).rejects.toThrow(refusal);
      await expect(batch()).rejects.toThrow(message);
    }
    const absurd = { ...model, transforms: model.transforms.map((t) => ({ ...t, steps: [] })) };
    expect(() => assignCustomer(absurd, { ...good, orders: 1e200 })).toThrow(
      expect.objectContaining({ code: 'FEATURE_INVALID' }),
    );
  });

  test('columns of different lengths are refused', async () => {
    const columns = { ...fitted, balance: new Float64Array(3) };
    await expect(assignCustomers(pools[0]!, model, columns)).rejects.toThrow(/needs \d+ values as/);
  });

  test('an expression that a definition could not have is refused when the assigner is made', () => {
    const derive = [{ name: 'averageOrder', expression: 'op.sum(d.orders)' }];
    expect(() => createAssigner({ ...model, features: { ...model.features, derive } })).toThrow(
      expect.objectContaining({ code: 'FEATURE_INVALID' }),
    );
  });

  test('an aborted batch ends with the reason of the signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(assignCustomers(pools[0]!, model, fitted, { signal })).rejects.toThrow('enough');
  });
});

describe('novelty', () => {
  /** Three kinds of customers, every figure lognormal around its kind's. */
  const shop = (rows: number, seed: number): Columns => {
    const random = createRandom(seed);
    const kinds = Uint8Array.from({ length: rows }, () => random.int(3));
    const figure = (places: number[]) =>
      Float64Array.from(kinds, (kind) => places[kind]! * Math.exp(0.35 * random.normal()));
    return { orders: figure([2, 12, 70]), spend: figure([3_000, 40, 6_000]) };
  };

  test('strangers are told from later customers of the same shop, though a giant was in the fit', async () => {
    const about = { unit: 'x', why: 'y' };
    const columns = shop(8_000, 1);
    columns.spend![17] = 1e12;
    const cluster = ['orders', 'spend'].map((feature) => ({
      feature,
      transforms: ['log1p' as const, 'standard' as const],
    }));
    const transforms = fitTransforms(columns, cluster);
    const matrix = applyTransforms(columns, transforms);
    const members = await fitKMeans(pools[1]!, matrix, { nClusters: 3, seed: 1 });
    const aggregate = ['orders', 'spend'].map((name) => ({ name, sql: name, ...about }));
    const learnt = createModel({
      definition: { pipeline: 'shop', version: 1, features: { aggregate, derive: [], cluster } },
      seed: 1,
      transforms,
      centers: members.centers,
      sizes: members.sizes,
      columns,
      members,
    });
    const assign = createAssigner(learnt);
    const giant = customerAt(columns, 17);
    // Far from all, in the middle between two kinds, and the giant itself.
    const strangers = [{ orders: 9_000, spend: 1 }, { orders: 4.9, spend: 350 }, giant];
    for (const stranger of strangers) expect(assign(stranger).isNovel).toBe(true);
    const later = await assignCustomers(pools[1]!, learnt, shop(50_000, 2));
    const share = later.isNovel!.reduce((count, flag) => count + flag, 0) / 50_000;
    expect(share).toBeGreaterThan(0.0003);
    expect(share).toBeLessThan(0.002);
  });
});

describe('confidence', () => {
  test('runs straight between the points of the table and is level outside', () => {
    const at = (margin: number) => confidenceAt({ margins: [0.1, 0.3], shares: [0.4, 0.8] }, margin);
    expect([0, 0.1, 0.2, 0.3, 1].map(at)).toEqual([0.4, 0.4, expect.closeTo(0.6, 12), 0.8, 0.8]);
  });

  test('never falls as the margin grows', () => {
    const margin = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(margin, margin, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        expect(confidenceAt(table, low)).toBeLessThanOrEqual(confidenceAt(table, high));
      }),
    );
  });
});
