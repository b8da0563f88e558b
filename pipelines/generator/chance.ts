import type { Random } from '../../numeric/random/random.ts';

/** Draws an index with the given weights. */
export type Draw = (random: Random) => number;

/** @param weights not negative, at least one above 0 */
export function weighted(weights: readonly number[]): Draw {
  let total = 0;
  const cumulative = weights.map((weight) => {
    total += weight;
    return total;
  });
  return (random) => {
    const drawn = random.float() * total;
    let index = 0;
    while (index < cumulative.length - 1 && drawn >= cumulative[index]!) index++;
    return index;
  };
}

/** Beyond this the chance is below 1e-15 for every mean in use here (at most 30). */
const MOST_EVENTS = 100;

/** Poisson count by inversion (Devroye 1986, III.10). O(mean); `mean` from 0 to 30. */
export function poisson(random: Random, mean: number): number {
  let chance = Math.exp(-mean);
  let left = random.float() - chance;
  let events = 0;
  while (left >= 0 && events < MOST_EVENTS) {
    events++;
    chance *= mean / events;
    left -= chance;
  }
  return events;
}

/** Log-normal with median 1. */
export function logNormal(random: Random, sigma: number): number {
  return Math.exp(sigma * random.normal());
}
