import type { Stability } from './bootstrap.ts';
import type { ChooseKSettings, Gate, KCandidate, KScores } from './choose-k.ts';
import { NoClusteringError } from './no-clustering-error.ts';

type Measured = Omit<KCandidate, 'score' | 'rank'>;

// Differences within a band are the chance of the resamples (dissolved, doubtful, pattern, stable, highly
// stable).
const STABILITY_BANDS = [0.5, 0.6, 0.75, 0.85];

// How far below its mean over the resamples a stability is taken to be. With 20 resamples the mean of an unstable
// cluster has a standard error of .06: without the allowance one k out of several passes the gate by luck.
const STANDARD_ERRORS = 2;

/** Larger is better in all of them. */
const CRITERIA: readonly ((candidate: Measured) => number)[] = [
  (candidate) => candidate.silhouette,
  (candidate) => candidate.calinskiHarabasz,
  (candidate) => -candidate.daviesBouldin,
  (candidate) => STABILITY_BANDS.filter((bound) => candidate.minJaccard >= bound).length,
  (candidate) => candidate.inertiaGap,
];
export const CRITERIA_COUNT = CRITERIA.length;

/**
 * Gates, then the share of pairwise comparisons won over the criteria. Comparisons are with every candidate
 * that is large enough, stable or not: a candidate at the edge of the stability gate must not change the
 * order of the others. Those that pass both gates compete; when there is none, those that are large enough.
 *
 * @returns in ascending order of k
 * @throws NoClusteringError when no candidate is large enough
 */
export function rankCandidates(
  scores: readonly KScores[],
  stabilities: ReadonlyMap<number, Stability>,
  { minShare, minJaccard }: Pick<ChooseKSettings, 'minShare' | 'minJaccard'>,
): KCandidate[] {
  const measured = scores.map((score): Measured => {
    const { means, errors } = stabilities.get(score.k)!;
    const least = Math.min(...means.map((mean, c) => Math.max(0, mean - STANDARD_ERRORS * errors[c]!)));
    return {
      ...score,
      jaccards: Array.from(means),
      jaccardErrors: Array.from(errors),
      minJaccard: Math.min(...means),
      gates: { size: gate(minShare, score.minShare), stability: gate(minJaccard, least) },
    };
  });
  const large = measured.filter(({ gates }) => gates.size.passed);
  if (large.length === 0) {
    const best = Math.max(...scores.map((score) => score.minShare));
    throw new NoClusteringError(
      `every cluster needs ${percent(minShare)} of the rows, found at most ${percent(best)} in the smallest one ` +
        `for k from ${scores[0]?.k} to ${scores.at(-1)?.k}`,
    );
  }
  const stable = large.filter(({ gates }) => gates.stability.passed);
  const competing = stable.length > 0 ? stable : large;
  const standing = scoresOf(large);
  const order = competing.toSorted((a, b) => standing.get(b.k)! - standing.get(a.k)! || a.k - b.k);
  return measured.map((candidate) => {
    const place = order.indexOf(candidate);
    return { ...candidate, score: standing.get(candidate.k) ?? null, rank: place < 0 ? null : place + 1 };
  });
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function gate(needed: number, found: number): Gate {
  return { passed: found >= needed, needed, found };
}

function scoresOf(candidates: readonly Measured[]): Map<number, number> {
  const rivals = candidates.length - 1;
  return new Map(
    candidates.map((candidate) => {
      if (rivals === 0) return [candidate.k, 1];
      let beaten = 0;
      for (const criterion of CRITERIA) {
        for (const other of candidates) {
          if (other === candidate) continue;
          const difference = criterion(candidate) - criterion(other);
          beaten += difference > 0 ? 1 : difference === 0 ? 0.5 : 0;
        }
      }
      return [candidate.k, beaten / (CRITERIA.length * rivals)];
    }),
  );
}
