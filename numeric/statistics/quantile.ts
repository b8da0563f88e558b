// Quantiles by linear interpolation between order statistics (R's type 7, numpy's default).
//
// Order statistics are selected, not sorted: a histogram over 16 bits of the ordered bit pattern tells the
// bucket of each rank, and only that bucket is looked at further. A million values take tens of milliseconds,
// whatever the number of quantiles; sorting them takes several times as long.

// Fewer values than this are sorted outright.
const SMALL = 4096;
const BUCKETS = 1 << 16;

/**
 * @param values shape (n,), any unit; NaN = missing, not counted; at least one value
 * @param p in [0, 1]
 * @returns the p-quantile, in the unit of the values: at place p * (n - 1) from 0, between two values on a straight line
 * @throws RangeError when there is no value or p is outside [0, 1]
 *
 * O(n). Same values as numpy.nanquantile.
 */
export function quantile(values: ArrayLike<number>, p: number): number {
  return quantiles(values, [p])[0]!;
}

/** Several quantiles in one go, in the order of `shares`; see quantile. */
export function quantiles(values: ArrayLike<number>, shares: readonly number[]): Float64Array {
  const present = withoutMissing(values);
  if (present.length === 0) throw new RangeError(`a quantile needs at least 1 value, found 0`);
  const positions = shares.map((p) => {
    if (!(p >= 0 && p <= 1)) throw new RangeError(`a quantile needs a share from 0 to 1, found ${p}`);
    return p * (present.length - 1);
  });
  const ranks = new Set(positions.flatMap((position) => [Math.floor(position), Math.ceil(position)]));
  const found = orderStatistics(present, Array.from(ranks));
  return Float64Array.from(positions, (position) => {
    const low = found.get(Math.floor(position))!;
    const high = found.get(Math.ceil(position))!;
    return low === high ? low : low + (high - low) * (position - Math.floor(position));
  });
}

/**
 * The values that would stand at these places if all were sorted ascending.
 *
 * @param values without NaN
 * @param ranks from 0 to values.length - 1
 */
export function orderStatistics(values: Float64Array, ranks: readonly number[]): Map<number, number> {
  const found = new Map<number, number>();
  select(values, { ranks, skipped: 0, digit: 0 }, found);
  return found;
}

/** `skipped` values are known to be smaller than all these; `digit` 16-bit digits are known to be equal. */
function select(
  values: Float64Array,
  { ranks, skipped, digit }: { ranks: readonly number[]; skipped: number; digit: number },
  found: Map<number, number>,
): void {
  if (values.length <= SMALL || digit === 4) {
    const sorted = values.slice().sort();
    for (const rank of ranks) found.set(rank, sorted[rank - skipped]!);
    return;
  }
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const histogram = new Uint32Array(BUCKETS);
  for (let i = 0; i < values.length; i++) histogram[digitAt(words, i, digit)]! += 1;

  const wanted: { ranks: number[]; skipped: number; members: Float64Array; filled: number }[] = [];
  const placeOf = new Int32Array(BUCKETS).fill(-1);
  let smaller = skipped;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const size = histogram[bucket]!;
    if (size === 0) continue;
    const inside = ranks.filter((rank) => rank >= smaller && rank < smaller + size);
    if (inside.length > 0) {
      placeOf[bucket] = wanted.length;
      wanted.push({ ranks: inside, skipped: smaller, members: new Float64Array(size), filled: 0 });
    }
    smaller += size;
  }
  for (let i = 0; i < values.length; i++) {
    const place = placeOf[digitAt(words, i, digit)]!;
    if (place < 0) continue;
    const part = wanted[place]!;
    part.members[part.filled++] = values[i]!;
  }
  for (const part of wanted) select(part.members, { ...part, digit: digit + 1 }, found);
}

function withoutMissing(values: ArrayLike<number>): Float64Array {
  const present = new Float64Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isNaN(value)) present[count++] = value;
  }
  return present.subarray(0, count);
}

/** 16 bits of a double's pattern, turned so that patterns order as the numbers do; digit 0 is the highest. */
function digitAt(words: Uint32Array, i: number, digit: number): number {
  const high = words[2 * i + 1]!;
  // All machines that Node runs on keep the low word first.
  const word = digit < 2 ? high : words[2 * i]!;
  const turned = high >>> 31 ? ~word : digit < 2 ? word ^ 0x80000000 : word;
  return digit & 1 ? turned & 0xffff : turned >>> 16;
}
