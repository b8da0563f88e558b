import { createMatrix, type Matrix } from '../../numeric/matrix.ts';
import type { Random } from '../../numeric/random/random.ts';
import { beta, exponential, gamma, standardise } from './draws.ts';

/** Standard normal distribution function (Abramowitz & Stegun 26.2.17), to 1e-7. */
function normalShare(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    0.3989422804 *
    Math.exp((-z * z) / 2) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z > 0 ? 1 - tail : tail;
}

const below1 = (z: number) => normalShare(z) * (1 - 1e-9);

/** What customer columns look like after their transforms: each a rising function of a normal deviate, with one hump. */
const MARGINS: readonly ((random: Random) => (z: number) => number)[] = [
  () => (z) => z,
  // ln(1 + spend), log-normal
  (random) => {
    const sigma = 0.5 + random.float();
    return (z) => Math.log1p(Math.exp(3 + sigma * z));
  },
  // ln(1 + whole days), exponential
  (random) => {
    const mean = 20 + 200 * random.float();
    return (z) => Math.log1p(1 + Math.floor(-Math.log(1 - below1(z)) * mean));
  },
  // ln(1 + orders), geometric from 1
  (random) => {
    const q = 0.3 + 0.4 * random.float();
    return (z) => Math.log1p(1 + Math.floor(Math.log(1 - below1(z)) / Math.log(1 - q)));
  },
  // a share
  (random) => {
    const power = 0.5 + 2 * random.float();
    return (z) => normalShare(z) ** power;
  },
];

/** Columns of such margins (three to six unless told), independent or all loading on one hidden factor with -.8 to .8. */
export function copulaBase(
  random: Random,
  options: { rows: number; columns?: number; isCorrelated: boolean },
): Matrix {
  const { rows, columns = 3 + random.int(4), isCorrelated } = options;
  const X = createMatrix(rows, columns);
  const margins = Array.from({ length: columns }, () => MARGINS[random.int(MARGINS.length)]!(random));
  const loads = Array.from({ length: columns }, () => (isCorrelated ? 1.6 * random.float() - 0.8 : 0));
  for (let i = 0; i < rows; i++) {
    const factor = random.normal();
    for (let j = 0; j < columns; j++) {
      const own = Math.sqrt(1 - loads[j]! ** 2) * random.normal();
      X.data[j * rows + i] = margins[j]!(loads[j]! * factor + own);
    }
  }
  return standardise(X);
}

/**
 * Recency, orders, spend and sometimes tenure of customers who buy at a rate of their own and drop out after any
 * purchase with a chance of their own (BG/NBD: Fader, Hardie & Lee 2005), one year: one kind of customer, all degrees.
 */
export function purchaseBase(random: Random, { rows }: { rows: number }): Matrix {
  const [r, alpha] = [0.5 + random.float(), 4 + 8 * random.float()];
  const [a, b] = [0.5 + random.float(), 2 + 4 * random.float()];
  const hasTenure = random.int(2) === 1;
  const X = createMatrix(rows, hasTenure ? 4 : 3);
  for (let i = 0; i < rows; i++) {
    const weeks = 1 + 51 * random.float();
    const rate = gamma(random, r) / alpha;
    const { orders, last } = purchases(random, { weeks, rate, dropOut: beta(random, a, b) });
    const basket = Math.exp(3.4 + 0.7 * random.normal());
    let spend = 0;
    for (let order = 0; order < orders; order++) spend += (basket * gamma(random, 4)) / 4;
    const values = [Math.max(1, Math.floor((weeks - last) * 7)), orders, spend, Math.floor(weeks * 7)];
    for (let j = 0; j < X.columns; j++) X.data[j * rows + i] = Math.log1p(values[j]!);
  }
  return standardise(X);
}

const MOST_ORDERS = 400;

function purchases(
  random: Random,
  { weeks, rate, dropOut }: { weeks: number; rate: number; dropOut: number },
): { orders: number; last: number } {
  let orders = 1;
  let last = 0;
  while (orders < MOST_ORDERS && random.float() >= dropOut) {
    const next = last + exponential(random) / rate;
    if (next > weeks) break;
    orders += 1;
    last = next;
  }
  return { orders, last };
}

/**
 * Shapes that the null model does not have: heavy tails together, a bend, a heap at zero, evenly filled space; and counts
 * that say the same twice, or nearly.
 */
export function shapedBase(random: Random, { rows }: { rows: number }): Matrix {
  const shape = SHAPES[random.int(SHAPES.length)]!;
  const made = Array.from({ length: rows }, () => shape(random));
  const X = createMatrix(rows, made[0]!.length);
  made.forEach((row, i) => {
    for (let j = 0; j < row.length; j++) X.data[j * rows + i] = row[j]!;
  });
  return standardise(X);
}

const SHAPES: readonly ((random: Random) => number[])[] = [
  (random) => {
    const tail = Math.sqrt(2.5 / gamma(random, 2.5));
    const first = random.normal();
    return [first * tail, random.normal() * tail, 0.7 * (first + random.normal()) * tail];
  },
  (random) => {
    const first = random.normal();
    return [first, first * first + 0.5 * random.normal(), random.normal()];
  },
  (random) => {
    const first = random.normal();
    return [first, random.float() < 0.5 ? 0 : random.float(), 0.5 * first + random.normal()];
  },
  (random) => [Math.exp(random.normal()), Math.exp(random.normal()), Math.exp(1.5 * random.normal())],
  (random) => [random.float(), random.float(), random.float()],
  (random) => {
    const rating = 1 + random.int(5);
    return [rating, rating, random.normal()];
  },
  (random) => {
    const orders = 1 + Math.floor(exponential(random) * 2);
    const months = random.float() < 0.9 ? orders : 1 + random.int(orders);
    return [Math.log1p(orders), Math.log1p(months), Math.log1p(90 * exponential(random))];
  },
];
