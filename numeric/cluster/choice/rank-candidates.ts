import type { Stability } from './bootstrap.ts';
import type { Calibration } from './calibrate.ts';
import type { Calibrated, ChoiceVerdict, ChooseKSettings, Gate, KCandidate, KScores } from './choice.ts';

type Measured = Omit<KCandidate, 'score' | 'rank'>;

// Differences within a band are the chance of the resamples (pattern, stable, highly stable: Hennig 2007).
const STABILITY_BANDS = [0.75, 0.85];

// How far below its mean over the resamples a stability is taken to be. With 20 resamples the mean of an unstable
// cluster has a standard error of .06: without the allowance one k out of several passes the gate by luck.
const STANDARD_ERRORS = 2;

/** Below it a cluster is not to be trusted at all, from it on it is a pattern (Hennig 2007; manual of R's fpc). */
export const LEAST_PATTERN = 0.6;

// Two equal normal groups 2.8 standard deviations apart. On 200 simulated bases without groups the deepest valley at
// any k is .82, on 200 with groups 4 apart the shallowest of the right clusters is .35 (npm run bench -- honesty).
export const DEEP_VALLEY = 0.75;
export const SIGNIFICANCE = 0.05;

interface Advantage {
  /** Larger is better. */
  readonly value: number;
  /** Its standard error. */
  readonly error: number;
}

/** The first three are what is found beyond what the null model has too. */
const CRITERIA: readonly ((candidate: Measured, nullDraws: number) => Advantage)[] = [
  ({ null: { silhouette } }, draws) => beyondNull(silhouette, draws, 1),
  ({ null: { logInertia } }, draws) => beyondNull(logInertia, draws, -1),
  ({ null: { daviesBouldin } }, draws) => beyondNull(daviesBouldin, draws, -1),
  // Without an outcome everybody is equal in it.
  ({ outcomeSeparation, labels }) => ({
    value: outcomeSeparation ?? 0,
    error: outcomeError(outcomeSeparation ?? 0, labels.length),
  }),
];

/** Standard error of a share of explained variance, by the delta method (as of R squared: Olkin & Finn 1995). */
function outcomeError(share: number, rows: number): number {
  const explained = Math.max(0, share);
  return (2 * Math.sqrt(explained) * (1 - explained)) / Math.sqrt(rows);
}

function beyondNull({ found, nullMean, nullDeviation }: Calibrated, draws: number, sign: 1 | -1): Advantage {
  return { value: sign * (found - nullMean), error: nullDeviation / Math.sqrt(draws) };
}

/** What there is of evidence, by k. */
export interface Evidence {
  readonly scores: readonly Omit<KScores, 'valley'>[];
  readonly stabilities: ReadonlyMap<number, Stability>;
  readonly calibration: Calibration;
  readonly outcomeSeparations: ReadonlyMap<number, number> | null;
}

/**
 * Gates, then the order of those that pass: natural ones by the number of clusters, as each has a valley around it
 * and fewer would join groups that are apart; the others by their band of stability, then by the share of pairwise
 * comparisons won over the criteria. Differences within the chance of the null draws are ties, and ties go to the
 * smaller k. Comparisons are with every candidate that is large enough, stable or not: one at the edge of the
 * stability gate must not change the order of the others.
 *
 * @returns in ascending order of k; ranked are those that have the best verdict below which nothing is told apart:
 *   natural and reproducible ones together, or where there are none the constructed ones
 */
export function rankCandidates(
  { scores, stabilities, calibration, outcomeSeparations }: Evidence,
  settings: Pick<ChooseKSettings, 'minShare' | 'minJaccard' | 'nullDraws'>,
): KCandidate[] {
  const measured = scores.map((score): Measured => {
    const stability = stabilityOf(stabilities.get(score.k)!);
    const gates = {
      size: gate(settings.minShare, score.minShare),
      stability: gate(settings.minJaccard, stability.least),
    };
    const valley = calibration.valleys.get(score.k)!;
    const comparison = calibration.comparisons.get(score.k)!;
    const { minJaccard } = stability;
    const isApart = valley <= DEEP_VALLEY && comparison.valleyShare <= SIGNIFICANCE;
    return {
      ...score,
      valley,
      ...{ jaccards: stability.means, jaccardErrors: stability.errors, recovered: stability.recovered },
      ...{ minJaccard, gates },
      null: comparison,
      outcomeSeparation: outcomeSeparations?.get(score.k) ?? null,
      verdict: verdictOf({ gates, minJaccard, isApart }),
    };
  });
  const standing = scoresOf(
    measured.filter(({ gates }) => gates.size.passed),
    settings.nullDraws,
  );
  const order = competing(measured).toSorted(
    (a, b) =>
      Number(b.verdict === 'natural') - Number(a.verdict === 'natural') ||
      (a.verdict === 'natural' ? b.k - a.k : 0) ||
      bandOf(b) - bandOf(a) ||
      standing.get(b.k)! - standing.get(a.k)! ||
      a.k - b.k,
  );
  return measured.map((candidate) => {
    const place = order.indexOf(candidate);
    return { ...candidate, score: standing.get(candidate.k) ?? null, rank: place < 0 ? null : place + 1 };
  });
}

function bandOf({ minJaccard }: Measured): number {
  return STABILITY_BANDS.filter((bound) => minJaccard >= bound).length;
}

function stabilityOf({ means, errors, recovered }: Stability) {
  const least = Math.min(...means.map((mean, c) => Math.max(0, mean - STANDARD_ERRORS * errors[c]!)));
  return {
    ...{ means: Array.from(means), errors: Array.from(errors), recovered: Array.from(recovered) },
    ...{ minJaccard: Math.min(...means), least },
  };
}

function verdictOf({
  gates: { size, stability },
  minJaccard,
  isApart,
}: Pick<Measured, 'gates' | 'minJaccard'> & { isApart: boolean }): ChoiceVerdict {
  if (!size.passed) return 'none';
  if (stability.passed) return isApart ? 'natural' : 'reproducible';
  return minJaccard >= LEAST_PATTERN ? 'constructed' : 'none';
}

function competing(candidates: readonly Measured[]): Measured[] {
  const stable = candidates.filter(({ verdict }) => verdict === 'natural' || verdict === 'reproducible');
  return stable.length > 0 ? stable : candidates.filter(({ verdict }) => verdict === 'constructed');
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function gate(needed: number, found: number): Gate {
  return { passed: found >= needed, needed, found };
}

function scoresOf(candidates: readonly Measured[], nullDraws: number): Map<number, number> {
  const rivals = candidates.length - 1;
  return new Map(
    candidates.map((candidate) => {
      if (rivals === 0) return [candidate.k, 1];
      let beaten = 0;
      for (const criterion of CRITERIA) {
        for (const other of candidates) {
          if (other === candidate) continue;
          const [own, theirs] = [criterion(candidate, nullDraws), criterion(other, nullDraws)];
          const difference = own.value - theirs.value;
          const isTie = Math.abs(difference) <= STANDARD_ERRORS * Math.hypot(own.error, theirs.error);
          beaten += isTie ? 0.5 : difference > 0 ? 1 : 0;
        }
      }
      return [candidate.k, beaten / (CRITERIA.length * rivals)];
    }),
  );
}
