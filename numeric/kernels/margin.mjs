// Shared by the threads and the one-row assignment, so that both give the same bytes.

/** Rows that are assigned at a time; the inertia is summed chunk by chunk. */
export const CHUNK_ROWS = 4096;

/**
 * How clearly a row belongs to its cluster: (d2 - d1) / d2 for its nearest and second nearest centre.
 *
 * @param {number} nearest squared distance
 * @param {number} second squared distance, infinite when there is one centre only
 * @returns {number} in [0, 1]: 0 on the border, 1 at the centre or when there is no other
 */
export function marginOf(nearest, second) {
  if (second === Infinity) return 1;
  if (second === 0) return 0;
  return 1 - Math.sqrt(nearest) / Math.sqrt(second);
}
