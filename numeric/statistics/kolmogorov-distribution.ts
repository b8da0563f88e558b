import { stirlingRest } from './stirling.ts';

// Which of the three ways is precise where: Simard & L'Ecuyer (2011), Computing the two-sided
// Kolmogorov-Smirnov distribution. Up to FEW values the matrix is cheap enough for all that the tail's sum
// does not cover.
const FEW = 140;
const MANY = 100_000;
const TAIL_OF_FEW = 4;
const TAIL_OF_MANY = 2.2;
const MOST_FOR_MATRIX = 1.4;
const SCALE = 2 ** 128;

/**
 * Share of samples of n values whose empirical distribution function is somewhere x or more from the one they
 * are drawn from.
 *
 * @param x in [0, 1]
 * @param n integer, at least 1
 * @returns in [0, 1], to about 1e-10 relative; to 5 digits between the ways for n above 140
 * @throws RangeError when x or n is out of range
 *
 * O(n) at most. Sources: Miller (1956) for the tail, Durbin (1968) in the form of Marsaglia, Tsang & Wang (2003),
 * Pelz & Good (1976) for many values. Same values as scipy.stats.kstwo.sf.
 */
export function kolmogorovTail(x: number, n: number): number {
  if (!(x >= 0 && x <= 1)) throw new RangeError(`Kolmogorov's tail needs a distance in [0, 1], found ${x}`);
  if (!(Number.isInteger(n) && n >= 1))
    throw new RangeError(`Kolmogorov's tail needs at least 1 value, found ${n}`);
  if (x === 1) return 0;
  if (n * x <= 0.5) return 1;
  const size = n * x * x;
  let tail: number;
  if (x >= 0.5 || size > (n <= FEW ? TAIL_OF_FEW : TAIL_OF_MANY)) tail = 2 * smirnovTail(x, n);
  else if (n <= FEW || (n <= MANY && n * x ** 1.5 <= MOST_FOR_MATRIX)) tail = 1 - durbin(x, n);
  else tail = 1 - pelzGood(x, n);
  return Math.min(1, Math.max(0, tail));
}

/** The same for one side alone: a sum of binomial probabilities, all of one sign. */
function smirnovTail(x: number, n: number): number {
  const last = Math.floor(n * (1 - x));
  let sum = (1 - x) ** n;
  for (let j = 1; j <= last; j++) {
    const share = x + j / n;
    if (j < n && share < 1) sum += (x / share) * binomialShare(j, n, share);
  }
  return sum;
}

/** Probability of j among n, each with the given share, 0 < j < n (Loader 2000: no digits lost for large n). */
function binomialShare(j: number, n: number, share: number): number {
  const rest = stirlingRest(n) - stirlingRest(j) - stirlingRest(n - j);
  const over = n * share - j;
  const exponent = rest + j * Math.log1p(over / j) + (n - j) * Math.log1p(-over / (n - j));
  return Math.exp(exponent) * Math.sqrt(n / (2 * Math.PI * j * (n - j)));
}

/** The middle element of the n-th power of a matrix, times n! / n^n; for few or close values. */
function durbin(x: number, n: number): number {
  const k = Math.ceil(n * x);
  const size = 2 * k - 1;
  let base = durbinMatrix(k - n * x, size);
  let baseScale = 0;
  let power = Float64Array.from({ length: size * size }, (_, at) => (at % (size + 1) === 0 ? 1 : 0));
  let scale = 0;
  const middle = (k - 1) * size + k - 1;
  for (let left = n; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) {
      power = product(power, base, size);
      scale += baseScale;
    }
    base = product(base, base, size);
    baseScale *= 2;
    if (base[middle]! > SCALE) {
      base = base.map((value) => value / SCALE);
      baseScale++;
    }
    if (power[middle]! > SCALE) {
      power = power.map((value) => value / SCALE);
      scale++;
    }
  }
  let share = power[middle]!;
  for (let i = 1; i <= n; i++) {
    share *= i / n;
    if (share < 1 / SCALE) {
      share *= SCALE;
      scale--;
    }
  }
  return share * SCALE ** scale;
}

function durbinMatrix(h: number, size: number): Float64Array<ArrayBuffer> {
  const matrix = new Float64Array(size * size);
  const inverseFactorial = new Float64Array(size + 1).fill(1);
  for (let i = 1; i <= size; i++) inverseFactorial[i] = inverseFactorial[i - 1]! / i;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= Math.min(i + 1, size - 1); j++) matrix[i * size + j] = inverseFactorial[i - j + 1]!;
  }
  for (let i = 0; i < size; i++) {
    const lack = h ** (i + 1) * inverseFactorial[i + 1]!;
    matrix[i * size]! -= lack;
    matrix[(size - 1) * size + size - 1 - i]! -= lack;
  }
  if (h > 0.5) matrix[(size - 1) * size]! += (2 * h - 1) ** size * inverseFactorial[size]!;
  return matrix;
}

function product(a: Float64Array, b: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const result = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let l = 0; l < size; l++) {
      const factor = a[i * size + l]!;
      if (factor === 0) continue;
      for (let j = 0; j < size; j++) result[i * size + j]! += factor * b[l * size + j]!;
    }
  }
  return result;
}

/** Kolmogorov's limit and three corrections in powers of 1 / sqrt(n), as sums that converge for small z. */
function pelzGood(x: number, n: number): number {
  const z = x * Math.sqrt(n);
  const w = z * z;
  const p = Math.PI ** 2;
  const sums = [0, 0, 0, 0];
  const most = Math.ceil((16 * z) / Math.PI);
  for (let i = most; i >= 1; i--) {
    const m = (2 * i - 1) ** 2;
    const weight = Math.exp((-p * m) / (8 * w));
    const pm = p * m;
    sums[0]! += weight;
    sums[1]! += weight * (pm / 4 - w);
    sums[2]! +=
      weight * (6 * w ** 3 + 2 * w ** 2 + ((2 * w ** 2 - 5 * w) * pm) / 4 + ((1 - 2 * w) * pm ** 2) / 16);
    sums[3]! +=
      weight *
      (-30 * w ** 3 -
        90 * w ** 4 +
        ((135 * w ** 2 - 96 * w ** 3) * pm) / 4 +
        ((212 * w ** 2 - 60 * w) * pm ** 2) / 16 +
        ((5 - 30 * w) * pm ** 3) / 64);
  }
  let second = 0;
  let third = 0;
  for (let i = most; i >= 1; i--) {
    const pi2 = p * i * i;
    const weight = Math.exp(-pi2 / (2 * w));
    second += pi2 * weight;
    third += (3 * w - pi2) * pi2 * weight;
  }
  const terms = [
    sums[0]! / z,
    sums[1]! / (6 * w ** 2),
    sums[2]! / (72 * z ** 7) - second / (36 * z ** 3),
    sums[3]! / (6480 * z ** 10) + third / (216 * z ** 6),
  ];
  return Math.sqrt(2 * Math.PI) * terms.reduceRight((sum, term) => sum / Math.sqrt(n) + term, 0);
}
