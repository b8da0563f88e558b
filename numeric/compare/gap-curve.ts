export interface GapPoint {
  readonly k: number;
  /** ln W_k of the data. */
  readonly logInertia: number;
  /** Mean of ln W_k over the reference data. */
  readonly expectedLogInertia: number;
  /** Expected less found: how much more clustered than the reference, at this k. */
  readonly gap: number;
  /** s_k: the deviation over the reference data, times sqrt(1 + 1 / B); 0 for a single one. */
  readonly error: number;
}

/**
 * Gap(k) = E*[ln W_k] - ln W_k.
 *
 * @param logInertias of the data, for kMin, kMin + 1, …
 * @param references the same for each of B reference data sets, B >= 1
 * @throws RangeError when there is no reference, their lengths differ, or a value is not finite
 *
 * O(B * ks). Source: Tibshirani, Walther & Hastie (2001). The deviation divides by B - 1, as clusGap of R's cluster does
 * (the paper divides by B).
 */
export function gapCurve(
  logInertias: ArrayLike<number>,
  references: readonly ArrayLike<number>[],
  kMin = 1,
): GapPoint[] {
  const count = references.length;
  if (count === 0) throw new RangeError('a gap needs at least 1 reference, found 0');
  for (const logs of [logInertias, ...references]) {
    if (logs.length !== logInertias.length || !Array.from(logs).every(Number.isFinite)) {
      throw new RangeError(
        `a gap needs ${logInertias.length} finite logarithms of each data set, found ${Array.from(logs)}`,
      );
    }
  }
  return Array.from(logInertias, (logInertia, at) => {
    const own = references.map((logs) => logs[at]!);
    const expected = own.reduce((sum, log) => sum + log, 0) / count;
    const squares = own.reduce((sum, log) => sum + (log - expected) ** 2, 0);
    return {
      k: kMin + at,
      logInertia,
      expectedLogInertia: expected,
      gap: expected - logInertia,
      error: count > 1 ? Math.sqrt((squares / (count - 1)) * (1 + 1 / count)) : 0,
    };
  });
}

/**
 * The smallest k with gap(k) >= gap(k + 1) - s(k + 1): a further cluster gains no more than chance does.
 *
 * @returns null when no k of the curve but perhaps its last satisfies it, whose successor nobody knows; there
 *   clusGap's "Tibs2001SEmax" answers the last
 */
export function gapChoice(curve: readonly GapPoint[]): number | null {
  const found = curve.findIndex(({ gap }, at) => {
    const next = curve[at + 1];
    return next !== undefined && gap >= next.gap - next.error;
  });
  return found < 0 ? null : curve[found]!.k;
}
