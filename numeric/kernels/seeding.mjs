// First centres by greedy k-means++ on all rows of a fit, in the kernel.

import { throwIfAborted } from './control.mjs';
import { seedingBlock } from './layout.mjs';

/**
 * Candidates per centre, as scikit-learn has it.
 *
 * @param {number} k
 */
export function trialsOf(k) {
  return 2 + Math.floor(Math.log(k));
}

/**
 * Random numbers that a start needs: one for the first centre, one per candidate for the others.
 *
 * @param {number} k
 */
export function drawsOf(k) {
  return 1 + (k - 1) * trialsOf(k);
}

/**
 * Puts k different rows as centres in place. The same rows as scikit-learn's kmeans_plusplus chooses when it
 * draws the same numbers, but for rounding.
 *
 * @param {Float64Array} draws in [0, 1), drawsOf(k) of them
 * @param {Pick<import('./lloyd.mjs').Crew, 'layout' | 'kernels' | 'control'>} crew the tiles are filled
 * @returns {boolean} false when rows have fewer than k different values
 */
export function seedCenters(draws, { layout, kernels, control }) {
  const { block: fit, k } = layout;
  const seeding = seedingBlock(layout);
  const trials = trialsOf(k);
  kernels.beginSeeding(fit, seeding);
  kernels.drawCandidate(fit, seeding, 0, draws[0]);
  kernels.setClosest(fit, seeding, Infinity);
  kernels.tryCandidates(fit, seeding, 1);
  let potential = kernels.keepCandidate(fit, seeding, 1, 0);
  let next = 1;
  for (let c = 1; c < k; c++) {
    throwIfAborted(control);
    if (!(potential > 0)) return false;
    for (let trial = 0; trial < trials; trial++) {
      kernels.drawCandidate(fit, seeding, trial, draws[next++]);
    }
    kernels.tryCandidates(fit, seeding, trials);
    potential = kernels.keepCandidate(fit, seeding, trials, c);
  }
  return true;
}
