/**
 * The data have no clustering of the kind asked for: too few rows differ, or some cluster is too small at
 * every k. A finding about the data, unlike the RangeError of an option that is out of range.
 */
export class NoClusteringError extends Error {
  override readonly name = 'NoClusteringError';
}
