import { solveAssignment } from '../../numeric/compare/assignment.ts';
import type { Lineage } from './lineage.ts';
import type { Model } from './model.ts';

// The last resort: hardly any customer is common, and the last model cannot read the new figures since one of them
// is made another way. Both models still say where their clusters lie among their own customers, in deviations
// from the mean. That tells which one goes on, and nothing finer.

/** A centre goes on as one that is nearer than this part of the way to any other. */
const NEARER_THAN = 0.5;

type Placed = Pick<Model, 'centers' | 'transforms'>;

/** Whether two models measure the same features by name, each on a scale of deviations from its own customers' mean. */
export function isOnLikeScales(one: Placed, other: Placed): boolean {
  return (
    one.transforms.length === other.transforms.length &&
    one.transforms.every(({ feature, steps }, j) => {
      const like = other.transforms[j]!;
      return (
        feature === like.feature &&
        steps.length === like.steps.length &&
        steps.every(({ kind }, at) => kind === like.steps[at]!.kind) &&
        (steps.at(-1)?.kind === 'standard' || steps.at(-1)?.kind === 'robust')
      );
    })
  );
}

/**
 * Pairs clusters so that the distances between their centres sum to the least. A pair counts when it is less than
 * half as far apart as either of the two is from the nearest other centre of its own run, so that it cannot be
 * taken for another; the rest is born or retired.
 *
 * @param previous, current centres in deviations, shapes (m, d) and (k, d)
 */
export function traceByCenters(
  previous: readonly (readonly number[])[],
  current: readonly (readonly number[])[],
): Lineage {
  const [rows, columns] = [previous.length, current.length];
  const costs = previous.flatMap((from) => current.map((to) => distanceOf(from, to)));
  const columnOfRow = solveAssignment(costs, { rows, columns });
  const heirs = new Array<number | null>(columns).fill(null);
  columnOfRow.forEach((j, i) => {
    const reach = NEARER_THAN * Math.min(nearestOther(previous, i), nearestOther(current, j));
    if (j >= 0 && costs[i * columns + j]! < reach) heirs[j] = i;
  });
  return {
    clusters: heirs.map((heirOf, cluster) => ({
      cluster,
      event: heirOf === null ? 'born' : 'survived',
      heirOf,
      parents: heirOf === null ? [] : [heirOf],
      overlap: null,
    })),
    retired: Array.from(previous.keys())
      .filter((i) => !heirs.includes(i))
      .map((i) => ({ previous: i, into: [] })),
  };
}

function nearestOther(centers: readonly (readonly number[])[], of: number): number {
  return Math.min(
    ...centers.map((center, at) => (at === of ? Infinity : distanceOf(center, centers[of] ?? center))),
  );
}

function distanceOf(one: readonly number[], other: readonly number[]): number {
  return Math.hypot(...one.map((value, j) => value - other[j]!));
}
