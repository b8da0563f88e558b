import type { Fit } from '../kernels/tasks.ts';

/** The same fit with its largest cluster first, equal ones by their coordinates: which start won does not show. */
export function inCanonicalOrder(fit: Fit, columns: number): Fit {
  const { centers, sizes, labels } = fit;
  const order = Array.from(sizes.keys()).sort((a, b) => {
    if (sizes[a] !== sizes[b]) return sizes[b]! - sizes[a]!;
    for (let j = 0; j < columns; j++) {
      const difference = centers[a * columns + j]! - centers[b * columns + j]!;
      if (difference !== 0) return difference;
    }
    return 0;
  });
  const ordered = new Float64Array(centers.length);
  const place = new Uint8Array(order.length);
  order.forEach((from, to) => {
    ordered.set(centers.subarray(from * columns, (from + 1) * columns), to * columns);
    place[from] = to;
  });
  return {
    ...fit,
    centers: ordered,
    sizes: Uint32Array.from(order, (from) => sizes[from]!),
    labels: labels.map((label) => place[label]!),
  };
}
