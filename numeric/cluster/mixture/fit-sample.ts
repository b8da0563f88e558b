import { type Matrix, takeRows } from '../../matrix.ts';
import { createRandom } from '../../random/random.ts';
import { distinctRows } from '../../shared-matrix.ts';

/**
 * At most `sampleRows` rows to fit on, drawn by the seed; with the first `nClusters` different rows of X among them
 * when the draw has missed so many.
 *
 * @throws RangeError when X has fewer different rows than clusters
 */
export async function fitSample(
  X: Matrix,
  { nClusters, sampleRows, seed }: { nClusters: number; sampleRows: number; seed: number | string },
): Promise<Matrix> {
  const different = await distinctRows(X, nClusters);
  if (different.length < nClusters) {
    throw new RangeError(
      `${nClusters} clusters need at least ${nClusters} different rows, found ${different.length}`,
    );
  }
  if (X.rows <= sampleRows) return X;
  const drawn = createRandom(seed).fork('sample').sample(X.rows, sampleRows);
  const sample = takeRows(X, drawn);
  if ((await distinctRows(sample, nClusters)).length === nClusters) return sample;
  return takeRows(X, [...different, ...drawn.subarray(nClusters)]);
}
