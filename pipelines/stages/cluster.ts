import type { KChoice } from '../../numeric/cluster/choose-k.ts';
import type { Clustering } from '../contracts/stages.ts';
import { formatShare } from './figures.ts';

/**
 * The numbers of clusters to fit on all customers, one after the other until one holds: the chosen one
 * first, then those that competed with it. A gate passed on a sample can fail on the whole.
 */
export function ksToTry({ candidates }: KChoice): number[] {
  return candidates
    .filter(({ rank }) => rank !== null)
    .sort((left, right) => left.rank! - right.rank!)
    .map(({ k }) => k);
}

/** Whether no cluster is smaller than its least share of all customers. */
export function isLargeEnough(sizes: ArrayLike<number>, smallestShare: number): boolean {
  return shareOfSmallest(sizes) >= smallestShare;
}

/**
 * What a fit on all customers is worth, in words and figures. The scores are those of the choice, on the
 * rows it says; sizes are those of the fit.
 *
 * @param sizes customers in each cluster of the fit, in the order of its labels
 */
export function describeClustering({
  choice,
  sizes,
  smallestShare,
}: {
  choice: KChoice;
  sizes: ArrayLike<number>;
  smallestShare: number;
}): Pick<Clustering, 'verdict' | 'reasons' | 'k' | 'quality' | 'sizes'> {
  const k = sizes.length;
  const candidate = choice.candidates.find((tried) => tried.k === k);
  if (!candidate) {
    const tried = choice.candidates.map((other) => other.k).join(', ');
    throw new RangeError(`a clustering needs a k that was scored (${tried}), found ${k}`);
  }
  const found = shareOfSmallest(sizes);
  const verdict = candidate.gates.stability.passed ? 'reproducible' : 'constructed';
  const reasons = [...choice.reasons];
  if (k !== choice.k) {
    reasons.unshift(
      `k = ${choice.k} was chosen on a sample and had a cluster below ${formatShare(smallestShare)} of all customers: k = ${k} is next`,
    );
  }
  if (found < smallestShare) {
    reasons.push(
      `the smallest cluster holds ${formatShare(found)} of all customers (needed ${formatShare(smallestShare)})`,
    );
  }
  return {
    verdict,
    reasons,
    k,
    sizes: Array.from(sizes),
    quality: {
      silhouette: candidate.silhouette,
      calinskiHarabasz: candidate.calinskiHarabasz,
      daviesBouldin: candidate.daviesBouldin,
      minJaccard: candidate.minJaccard,
      bootstraps: choice.bootstraps,
      smallestShare: found,
      verdict,
      stableK: [...choice.stableRange],
      scoredOn: { ...choice.scoredOn },
      adjustedRand: null,
      movedShare: null,
    },
  };
}

function shareOfSmallest(sizes: ArrayLike<number>): number {
  const counts = Array.from(sizes);
  return Math.min(...counts) / counts.reduce((sum, size) => sum + size, 0);
}
