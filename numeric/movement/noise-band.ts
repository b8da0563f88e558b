import type { Confidence } from '../cluster/choice/choice.ts';
import { confidenceByMargin } from '../cluster/choice/confidence.ts';

/** Fewer members tell too little of their border; such a segment takes the band of all rows together. */
const FEWEST_MEMBERS = 100;

/**
 * The margin below which a row's cluster is a matter of chance: refits on resamples put rows of such margins
 * with their cluster again less often than `level`.
 *
 * @param confidence shares of refits by margin, see confidenceByMargin
 * @param level in (0, 1); default .9
 * @returns in [0, 1]: 0 = all rows are sure, 1 = none are; between the table's points on a straight line
 * @throws RangeError when the level is out of range
 */
export function noiseBand({ margins, shares }: Confidence, level = 0.9): number {
  if (!(level > 0 && level < 1)) throw new RangeError(`a noise band needs a level in (0, 1), found ${level}`);
  const sure = shares.findIndex((share) => share >= level);
  if (sure < 0) return 1;
  if (sure === 0) return 0;
  const [from, to] = [margins[sure - 1]!, margins[sure]!];
  const [low, high] = [shares[sure - 1]!, shares[sure]!];
  return from + ((to - from) * (level - low)) / (high - low);
}

/**
 * The noise band of each cluster.
 *
 * @param rows of the scored rows, shape (n,): label, margin in [0, 1], the resamples that each was in (`drawn`) and
 *   those that put it into the same cluster (`agreed`)
 * @returns shape (k,), in [0, 1]; clusters with fewer than 100 rows get the band of all
 * @throws RangeError when a label is not below k, no row was drawn, or the level is out of range
 *
 * O(n log n).
 */
export function noiseBands(
  rows: {
    readonly labels: ArrayLike<number>;
    readonly margins: ArrayLike<number>;
    readonly agreed: ArrayLike<number>;
    readonly drawn: ArrayLike<number>;
  },
  { k, level = 0.9 }: { k: number; level?: number },
): Float64Array {
  const members = Array.from({ length: k }, (): number[] => []);
  const all: number[] = [];
  for (let i = 0; i < rows.labels.length; i++) {
    const label = rows.labels[i]!;
    if (!(label < k))
      throw new RangeError(`noise bands of ${k} clusters need labels below it, found ${label}`);
    if (!(rows.drawn[i]! > 0)) continue;
    members[label]!.push(i);
    all.push(i);
  }
  if (all.length === 0) throw new RangeError('noise bands need a row that was drawn, found none');
  const bandOf = (at: readonly number[]) => {
    const take = (values: ArrayLike<number>) => at.map((i) => values[i]!);
    const times = { agreed: take(rows.agreed), drawn: take(rows.drawn) };
    return noiseBand(confidenceByMargin(take(rows.margins), times), level);
  };
  const ofAll = bandOf(all);
  return Float64Array.from(members, (own) => (own.length < FEWEST_MEMBERS ? ofAll : bandOf(own)));
}
