import { createRandom } from '../../../numeric/random/random.ts';
import { PipelineError } from '../../../pipelines/contracts/errors.ts';
import { createAssigner } from '../../../pipelines/stages/assign.ts';
import type { Columns } from '../../../pipelines/stages/features.ts';
import { createModel, type Model } from '../../../pipelines/stages/model.ts';
import { applyTransforms, fitTransforms } from '../../../pipelines/stages/transform.ts';

const about = { unit: 'x', why: 'y' };

/** Every kind of transform; one feature derived, one derived from a derived one. */
export const definition = {
  pipeline: 'shop',
  version: 3,
  features: {
    aggregate: [
      { name: 'orders', sql: 'count(*)', ...about },
      { name: 'spendCents', sql: 'sum(amount) * 100', ...about },
      { name: 'recencyDays', sql: 'min(days)', ...about },
      { name: 'balance', sql: 'sum(balance)', ...about },
      { name: 'unused', sql: 'max(x)', ...about },
    ],
    derive: [
      { name: 'spend', expression: 'd.spendCents / 100', ...about },
      { name: 'averageOrder', expression: 'd.spend / d.orders', ...about },
      { name: 'idle', expression: 'd.unused * 2', ...about },
    ],
    cluster: [
      { feature: 'orders', transforms: ['log1p' as const, 'standard' as const] },
      { feature: 'recencyDays', transforms: ['winsorise' as const, 'robust' as const] },
      { feature: 'balance', transforms: ['yeo-johnson' as const, 'standard' as const] },
      { feature: 'averageOrder', transforms: ['winsorise' as const, 'log1p' as const, 'standard' as const] },
    ],
  },
};

/** Aggregates of made-up customers: counts, cents, days, and a balance of either sign. */
export function makeCustomers(rows: number, seed = 1): Columns {
  const random = createRandom(seed);
  const draw = (value: () => number) => Float64Array.from({ length: rows }, value);
  return {
    orders: draw(() => 1 + Math.floor(Math.exp(1.2 * random.normal()))),
    spendCents: draw(() => Math.round(100 * Math.exp(5 + 1.3 * random.normal()))),
    recencyDays: draw(() => random.int(365)),
    balance: draw(() => 50 * random.normal() ** 3),
  };
}

/** A model of these customers whose centres are some of them; no fit is needed to test what a model does. */
export function makeModel(
  columns: Columns,
  { k = 5, ...more }: { k?: number } & Partial<Parameters<typeof createModel>[0]> = {},
): Model {
  const spend = columns.spendCents!.map((cents) => cents / 100);
  const averageOrder = spend.map((value, row) => value / columns.orders![row]!);
  const all = { ...columns, spend, averageOrder };
  const transforms = fitTransforms(all, definition.features.cluster);
  const matrix = applyTransforms(all, transforms);
  const step = Math.floor(matrix.rows / k);
  const centers = Float64Array.from({ length: k * matrix.columns }, (_, at) => {
    const [cluster, column] = [Math.floor(at / matrix.columns), at % matrix.columns];
    return matrix.data[column * matrix.rows + cluster * step]!;
  });
  const sizes = new Array(k).fill(step);
  return createModel({ definition, seed: 1, transforms, centers, sizes, columns: all, ...more });
}

/** The figures of one customer of a batch. */
export function customerAt(columns: Columns, row: number): Record<string, number> {
  return Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[row]!]));
}

/** The model with a null rule for two aggregates and for a derived feature. */
export function withNullRules(model: Model): Model {
  const rules: Record<string, number> = { orders: 2, recencyDays: 200, averageOrder: 33.5 };
  const ruled = <F extends { name: string }>(feature: F) =>
    feature.name in rules ? { ...feature, whenMissing: rules[feature.name] } : feature;
  const { aggregate, derive } = model.features;
  return { ...model, features: { aggregate: aggregate.map(ruled), derive: derive.map(ruled) } };
}

/** Figures that databases and floating point make trouble of. */
const EXTREMES = [
  ...[0, -0, 5e-324, 1e-300, 1e-160, 1e-30, -1e-30, 1e-23, -1e-9, -0.5, -1, -3, 0.1, 1e9, -1e15, 1e16, 1e38],
  ...[1e200, -1e300, Number.MAX_VALUE, Number.NaN, Infinity, -Infinity],
];

/**
 * Clustered features of made-up customers: mostly ordinary ones, then each extreme in each feature, then
 * customers who equal another or stand in the middle between two, and some who equal a centre.
 */
export function makeExtremes(model: Model, rows: number): Columns {
  const { spendCents, ...ordinary } = makeCustomers(rows, 7);
  const columns: Columns = {
    orders: ordinary.orders!,
    recencyDays: ordinary.recencyDays!,
    balance: ordinary.balance!,
    averageOrder: spendCents!.map((cents, row) => cents / 100 / ordinary.orders![row]!),
  };
  const names = Object.keys(columns);
  let row = 0;
  for (const name of names) for (const value of EXTREMES) columns[name]![row++] = value;
  for (const [a, b] of [
    [rows - 1, rows - 1],
    [rows - 1, rows - 2],
    [0, rows - 1],
  ] as const) {
    for (const values of Object.values(columns)) values[row] = (values[a]! + values[b]!) / 2;
    row++;
  }
  for (const center of model.centers) {
    for (const [j, { feature }] of model.transforms.entries()) columns[feature]![row] = center[j]!;
    row++;
  }
  return columns;
}

/** The model with each feature taken as it comes: nothing tames the extremes. */
export function untransformed(model: Model): Model {
  return { ...model, transforms: model.transforms.map(({ feature }) => ({ feature, steps: [] })) };
}

/** Rows as the SQL of a model has to give them, ids counted from 0; all NULL where nobody can be assigned. */
export function expectedRows(model: Model, columns: Columns): unknown[][] {
  const assign = createAssigner(model);
  return Array.from({ length: Object.values(columns)[0]!.length }, (_, row) => {
    const customer = customerAt(columns, row);
    if (!Object.values(customer).every(Number.isFinite)) return [row, ...NOTHING];
    try {
      const { cluster, distance, margin, confidence, isNovel } = assign(customer);
      return [row, cluster, distance, margin, confidence, isNovel];
    } catch (error) {
      if (error instanceof PipelineError) return [row, ...NOTHING];
      throw error;
    }
  });
}

/** Customers of whom figures with and without a null rule are missing, infinite or 0. */
export function makeGaps(rows: number): Columns {
  const columns = makeCustomers(rows, 8);
  for (const [i, name] of ['orders', 'recencyDays', 'balance'].entries())
    for (let row = i; row < rows; row += 7 + i)
      columns[name]![row] = [Number.NaN, Infinity, 0][(row >> 3) % 3]!;
  return columns;
}

/** What SQL has to give for `withNullRules`: only a figure without a rule leaves a customer unassigned. */
export function expectedOfGaps(ruled: Model, columns: Columns): unknown[][] {
  const assign = createAssigner(ruled);
  return Array.from(columns.balance!, (balance, row) => {
    if (!Number.isFinite(balance)) return [row, ...NOTHING];
    const { cluster, distance, margin, confidence, isNovel } = assign(customerAt(columns, row));
    return [row, cluster, distance, margin, confidence, isNovel];
  });
}

/** Results of a customer who cannot be assigned. */
export const NOTHING = [null, null, null, null, null];
