import type { Confidence } from '../cluster/choice/choice.ts';

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
