// Seeded random numbers: the only source of chance in numeric/.
//
// Generator: xoshiro128** 1.1 (Blackman & Vigna 2021, Scrambled linear pseudorandom number generators),
// 128 bits of state, period 2^128 - 1, in 32-bit integers, so that every machine draws the same. Its state
// comes from splitmix-like mixing of a 128-bit hash of the seed. Not for secrets.

export interface Random {
  /** Integer in [0, 2^32). */
  uint32(): number;
  /** Multiple of 2^-53 in [0, 1). */
  float(): number;
  /** Integer in [0, below), without bias; `below` from 1 to 2^32. */
  int(below: number): number;
  /** Standard normal, by the polar method (Marsaglia & Bray 1964). */
  normal(): number;
  /** Puts the items in random order, in place (Fisher-Yates), and returns them. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T;
  /** `size` different integers of [0, population), ascending (Floyd 1987). O(size log size). */
  sample(population: number, size: number): Int32Array;
  /**
   * An independent generator for a part of the work. It depends on the seed and the label alone, not on how
   * many numbers have been drawn, so that parts can run in any order.
   */
  fork(label: string | number): Random;
}

/** @param seed any finite number or text; equal seeds give equal numbers */
export function createRandom(seed: number | string): Random {
  if (typeof seed === 'number' && !Number.isFinite(seed))
    throw new RangeError(`a random seed needs to be finite, found ${seed}`);
  const path = `${typeof seed}:${seed}`;
  return randomFrom(xoshiro128(hash128(path)), path);
}

/**
 * xoshiro128** from a state of four 32-bit words, not all zero.
 *
 * @returns a function that gives the next integer in [0, 2^32)
 */
export function xoshiro128(state: ArrayLike<number>): () => number {
  let [a, b, c, d] = Int32Array.from(state) as unknown as [number, number, number, number];
  return () => {
    const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return scrambled;
  };
}

function randomFrom(uint32: () => number, path: string): Random {
  const float = () => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53;
  const int = (below: number) => {
    if (!Number.isInteger(below) || below < 1 || below > 2 ** 32)
      throw new RangeError(`a random integer needs a bound from 1 to 2^32, found ${below}`);
    // Draws beyond the largest multiple of the bound would favour small results.
    const limit = 2 ** 32 - (2 ** 32 % below);
    let drawn = uint32();
    while (drawn >= limit) drawn = uint32();
    return drawn % below;
  };
  return {
    uint32,
    float,
    int,
    normal: () => polarNormal(float),
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const j = int(i + 1);
        const kept = items[i];
        items[i] = items[j];
        items[j] = kept;
      }
      return items;
    },
    sample: (population, size) => sampleBelow(population, size, int),
    fork: (label) => {
      const child = `${path}/${typeof label}:${label}`;
      return randomFrom(xoshiro128(hash128(child)), child);
    },
  };
}

// The second normal of each pair is thrown away: keeping it would make forks of the same state differ.
function polarNormal(float: () => number): number {
  for (;;) {
    const u = 2 * float() - 1;
    const v = 2 * float() - 1;
    const square = u * u + v * v;
    if (square > 0 && square < 1) return u * Math.sqrt((-2 * Math.log(square)) / square);
  }
}

function sampleBelow(population: number, size: number, int: (below: number) => number): Int32Array {
  if (!(size >= 0 && size <= population))
    throw new RangeError(`a sample of ${size} needs at least as many to draw from, found ${population}`);
  const drawn = new Set<number>();
  for (let last = population - size; last < population; last++) {
    const candidate = int(last + 1);
    drawn.add(drawn.has(candidate) ? last : candidate);
  }
  return Int32Array.from(drawn).sort();
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** MurmurHash3's finaliser over FNV-1a, four times with different starts. */
function hash128(text: string): Int32Array {
  return Int32Array.from([0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 0xc2b2ae35], (start) => {
    let hash = start;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  });
}
