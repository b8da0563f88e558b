import { nextTurn } from '../kernels/turn.ts';
import { columnOf, type Matrix } from '../matrix.ts';
import { createRandom } from '../random/random.ts';

/** Points drawn; the statistic is a sum over them. */
const MOST_POINTS = 200;
const POINTS_PER_TURN = 20;

/**
 * Whether points lie closer together than points strewn evenly over the same box.
 *
 * @param X shape (n, d), scaled so that its columns can be compared, n >= 3
 * @param options.seed of the rows and of the places that are drawn
 * @returns in [0, 1]: about 0.5 for evenly strewn points, towards 1 the more they crowd, below 0.5 for a grid
 * @throws RangeError when n is below 3
 *
 * O(m n d) for min(200, n / 10) drawn points. Source: Hopkins & Skellam (1954), with the powers of Cross &
 * Jain (1982). Anything that is not even crowds: one single hump, a skew, two columns that go together. A
 * high value does not say that there are groups, only a low one that there are none (Adolfsson, Ackerman &
 * Brownstein 2019, To cluster, or not to cluster); what judges groups is the null model of `cluster/choice`.
 */
export async function hopkins(X: Matrix, { seed }: { seed: number }): Promise<number> {
  const { rows: n, columns: d } = X;
  if (n < 3) throw new RangeError(`the Hopkins statistic needs at least 3 points, found ${n}`);
  const random = createRandom(seed).fork('hopkins');
  const m = Math.max(1, Math.min(MOST_POINTS, Math.floor(n / 10)));
  const chosen = random.sample(n, m);
  const sides = Array.from({ length: d }, (_, j) => rangeOf(columnOf(X, j)));
  const places = Array.from({ length: m }, () =>
    Float64Array.from(sides, ({ min, max }) => min + random.float() * (max - min)),
  );
  return hopkinsOf(X, { chosen, places });
}

/**
 * The same for given rows and given places: what {@link hopkins} draws.
 *
 * @param drawn.chosen rows of X
 * @param drawn.places as many points, shape (d,) each
 * @returns 0.5 when no distance is above 0
 */
export async function hopkinsOf(
  X: Matrix,
  { chosen, places }: { chosen: Int32Array; places: readonly Float64Array[] },
): Promise<number> {
  const { columns: d } = X;
  let toPlaces = 0;
  let toRows = 0;
  for (let point = 0; point < chosen.length; point++) {
    const own = chosen[point]!;
    const values = Float64Array.from({ length: d }, (_, j) => columnOf(X, j)[own]!);
    toPlaces += nearest(X, places[point]!, -1) ** d;
    toRows += nearest(X, values, own) ** d;
    if ((point + 1) % POINTS_PER_TURN === 0) await nextTurn();
  }
  return toPlaces + toRows === 0 ? 0.5 : toPlaces / (toPlaces + toRows);
}

/** Distance from a point to the nearest row but one. */
function nearest(X: Matrix, point: Float64Array, except: number): number {
  const { rows: n, columns: d, data } = X;
  let least = Infinity;
  for (let i = 0; i < n; i++) {
    if (i === except) continue;
    let square = 0;
    for (let j = 0; j < d && square < least; j++) square += (data[j * n + i]! - point[j]!) ** 2;
    if (square < least) least = square;
  }
  return Math.sqrt(least);
}

function rangeOf(column: Float32Array): { min: number; max: number } {
  let min = Infinity;
  let max = -Infinity;
  for (const value of column) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}
