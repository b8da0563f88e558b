import { regularisedBeta } from './beta.ts';

/**
 * Chance of a Student t variable as far from 0 as this, either way.
 *
 * @param degrees above 0
 * @returns in [0, 1]
 * @throws RangeError when degrees is not above 0, or t is NaN
 *
 * Same values as 2 * scipy.stats.t.sf(abs(t), degrees).
 */
export function twoSidedStudent(t: number, degrees: number): number {
  if (!(degrees > 0)) throw new RangeError(`Student's t needs degrees of freedom above 0, found ${degrees}`);
  if (Number.isNaN(t)) throw new RangeError(`Student's t needs a number, found NaN`);
  if (!Number.isFinite(t)) return 0;
  return regularisedBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
}
