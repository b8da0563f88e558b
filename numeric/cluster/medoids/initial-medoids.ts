import { nextTurn } from '../../kernels/turn.ts';
import type { Random } from '../../random/random.ts';
import type { DistanceMatrix } from './distances.ts';

/** 'build': greedy over all rows. 'lab': greedy over a few rows drawn for each medoid. 'random': drawn. */
export type MedoidInit = 'build' | 'lab' | 'random';

/**
 * Rows for FasterPAM to begin from.
 *
 * @param k 1 to n
 * @returns k different rows, by index
 *
 * Costs: 'build' O(n^2 * k), 'lab' O(n * k), 'random' O(k). With FasterPAM the start matters little for the loss and
 * 'build' costs more than the swaps it saves. Sources: Kaufman & Rousseeuw (1990), Finding groups in data, for BUILD;
 * Schubert & Rousseeuw (2021) for LAB, linear approximative BUILD.
 */
export async function initialMedoids(
  distances: DistanceMatrix,
  k: number,
  { init, random, signal }: { init: MedoidInit; random: Random; signal?: AbortSignal | undefined },
): Promise<Int32Array> {
  const { n } = distances;
  if (!Number.isInteger(k) || k < 1 || k > n)
    throw new RangeError(`medoids need 1 to ${n} clusters, found ${k}`);
  if (init === 'random') return random.sample(n, k);
  const all = Int32Array.from({ length: n }, (_, i) => i);
  const nearest = new Float64Array(n).fill(Infinity);
  const medoids = new Int32Array(k);
  const isMedoid = new Uint8Array(n);
  for (let c = 0; c < k; c++) {
    const looked = init === 'build' ? all : drawFree(isMedoid, random);
    const medoid = await mostGaining(distances, looked, { nearest, isMedoid, signal });
    medoids[c] = medoid;
    isMedoid[medoid] = 1;
    for (let i = 0; i < n; i++) nearest[i] = Math.min(nearest[i]!, distances.data[medoid * n + i]!);
  }
  return medoids;
}

/** 10 + sqrt(n) of the rows that are no medoids, or as many as there are. */
function drawFree(isMedoid: Uint8Array, random: Random): Int32Array {
  const free = Int32Array.from(isMedoid.keys()).filter((row) => isMedoid[row] === 0);
  const size = Math.min(free.length, 10 + Math.ceil(Math.sqrt(isMedoid.length)));
  return random.sample(free.length, size).map((at) => free[at]!);
}

/** Of some rows the one that, as a further medoid, brings these rows the least distance to their nearest. */
async function mostGaining(
  { n, data }: DistanceMatrix,
  rows: Int32Array,
  options: { nearest: Float64Array; isMedoid: Uint8Array; signal: AbortSignal | undefined },
): Promise<number> {
  const { nearest, isMedoid, signal } = options;
  let best = -1;
  let least = Infinity;
  for (const [at, row] of rows.entries()) {
    if (isMedoid[row] === 1) continue;
    let total = 0;
    for (const i of rows) total += Math.min(nearest[i]!, data[row * n + i]!);
    if (total < least || best < 0) {
      best = row;
      least = total;
    }
    if ((at & 0x1ff) !== 0x1ff) continue;
    await nextTurn();
    signal?.throwIfAborted();
  }
  return best;
}
