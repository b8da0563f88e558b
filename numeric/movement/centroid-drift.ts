/** Segments of the reference run, all in its own frozen scaler. */
export interface ReferenceCenters {
  /** Row-major, shape (k, columns). */
  readonly centers: ArrayLike<number>;
  /** Root mean square distance of each segment's members to its centre, shape (k,); see rmsRadii. */
  readonly radii: ArrayLike<number>;
}

export interface CentroidDrift {
  /** How far each centre went, in units of the scaler, shape (k,); NaN = the segment is no more. */
  readonly distance: Float64Array;
  /** The same in radii of the segment, shape (k,); NaN also where the radius is 0, as of one customer. */
  readonly delta: Float64Array;
  /** New less old centre per feature, row-major, shape (k, columns), in standard deviations; NaN as distance. */
  readonly differences: Float64Array;
}

/**
 * How far the centres of segments have gone since a reference.
 *
 * @param current centres of the current segments in the scaler of the reference, row-major, shape (m, columns)
 * @param options.continuedBy number of the current segment that each of the reference goes on as, -1 = none
 * @param options.deviations of each column over the reference in its scaler, shape (columns,), above 0; default
 *   all 1, as a scaler that standardises leaves them
 * @throws RangeError when the shapes do not fit, or a deviation is not above 0
 *
 * O(k * columns). A centre that is measured twice is never in the same place. The new centre
 * has to be the mean of the new members in the old scaler, not the new model's centre in its own.
 */
export function centroidDrift(
  reference: ReferenceCenters,
  current: ArrayLike<number>,
  { continuedBy, deviations }: { continuedBy: ArrayLike<number>; deviations?: ArrayLike<number> },
): CentroidDrift {
  const { centers, radii } = reference;
  const { k, columns } = shapeOf(reference);
  const segments = current.length / columns;
  if (
    !Number.isInteger(segments) ||
    continuedBy.length !== k ||
    (deviations && deviations.length !== columns)
  )
    throw new RangeError(
      `drift of ${k} centres needs as many heirs and rows of ${columns} values, found ${continuedBy.length} heirs and ${current.length} values`,
    );
  const distance = new Float64Array(k).fill(Number.NaN);
  const delta = new Float64Array(k).fill(Number.NaN);
  const differences = new Float64Array(k * columns).fill(Number.NaN);
  for (let i = 0; i < k; i++) {
    const heir = continuedBy[i]!;
    if (!(Number.isInteger(heir) && heir >= -1 && heir < segments))
      throw new RangeError(`an heir needs to be a number from -1 to ${segments - 1}, found ${heir}`);
    if (heir < 0) continue;
    for (let j = 0; j < columns; j++) {
      const deviation = deviations?.[j] ?? 1;
      if (!(deviation > 0)) throw new RangeError(`column ${j} needs a deviation above 0, found ${deviation}`);
      differences[i * columns + j] = (current[heir * columns + j]! - centers[i * columns + j]!) / deviation;
    }
    distance[i] = distanceOf(centers, current, { i, j: heir, columns });
    if (radii[i]! > 0) delta[i] = distance[i]! / radii[i]!;
  }
  return { distance, delta, differences };
}

/**
 * Root mean square distance of the members of each cluster to its centre.
 *
 * @param members label below k and distance to the centre of each, shape (n,)
 * @returns shape (k,), >= 0; NaN for clusters without members
 * @throws RangeError when the lengths differ or a label is not below k
 *
 * O(n). The square root of a cluster's inertia per member.
 */
export function rmsRadii(
  { labels, distance }: { labels: ArrayLike<number>; distance: ArrayLike<number> },
  k: number,
): Float64Array {
  if (labels.length !== distance.length)
    throw new RangeError(`radii need a distance per label, found ${labels.length} and ${distance.length}`);
  const squares = new Float64Array(k);
  const sizes = new Float64Array(k);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!(label < k)) throw new RangeError(`radii of ${k} clusters need labels below it, found ${label}`);
    squares[label]! += distance[i]! ** 2;
    sizes[label]! += 1;
  }
  return squares.map((sum, c) => Math.sqrt(sum / sizes[c]!));
}

function shapeOf({ centers, radii }: ReferenceCenters): { k: number; columns: number } {
  const k = radii.length;
  const columns = centers.length / k;
  if (!(Number.isInteger(columns) && columns > 0))
    throw new RangeError(`${k} centres with a radius need equally many values, found ${centers.length}`);
  return { k, columns };
}

function distanceOf(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  { i, j, columns }: { i: number; j: number; columns: number },
): number {
  let square = 0;
  for (let c = 0; c < columns; c++) square += (a[i * columns + c]! - b[j * columns + c]!) ** 2;
  return Math.sqrt(square);
}
