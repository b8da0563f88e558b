// First centres by greedy k-means++ (Arthur & Vassilvitskii 2007) of ml-kmeans, on a few rows.

/** @typedef {Extract<import('./tasks.ts').Start, { seed: number }>} SeededStart */

/**
 * @param {import('./tasks.ts').FitTask} task
 * @param {SeededStart} start
 * @returns {Promise<Float64Array>} row-major, k centres
 */
export async function seedCenters({ x, k }, { rows, seed, otherwise }) {
  // Loaded late: threads that only assign never need it.
  const { kmeans } = await import('ml-kmeans');
  const points = Array.from(rows, (row) =>
    Array.from({ length: x.columns }, (_, j) => x.data[j * x.rows + row]),
  );
  if (points.length <= k || !hasDistinct(points, k)) return otherwise;
  try {
    // One step makes centres of its picks; the kernel is a hundred times faster at the others.
    const { centroids } = kmeans(points, k, { seed, initialization: 'kmeans++', maxIterations: 1 });
    return Float64Array.from(centroids.flat());
  } catch (error) {
    // ml-random draws beyond its table once in about 1e8 draws, when rounding leaves the shares' sum below 1.
    if (error instanceof RangeError || error instanceof TypeError) return otherwise;
    throw error;
  }
}

/**
 * @param {number[][]} points
 * @param {number} count
 */
function hasDistinct(points, count) {
  const seen = new Set();
  for (const point of points) {
    seen.add(point.join());
    if (seen.size >= count) return true;
  }
  return false;
}
