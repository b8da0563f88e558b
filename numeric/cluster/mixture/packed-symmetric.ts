// Small symmetric matrices as packed lower triangles: entry (i, j) with j <= i is at i * (i + 1) / 2 + j.

/** Entries of a packed lower triangle of that size. */
export function packedLength(size: number): number {
  return (size * (size + 1)) / 2;
}

/**
 * The lower triangle L, packed, with L Lᵀ = S; null when S is not positive definite in double precision.
 *
 * O(size^3).
 */
export function cholesky(S: Float64Array, size: number): Float64Array | null {
  const L = new Float64Array(S.length);
  for (let i = 0; i < size; i++) {
    const row = packedLength(i);
    for (let j = 0; j <= i; j++) {
      const other = packedLength(j);
      let rest = S[row + j]!;
      for (let m = 0; m < j; m++) rest -= L[row + m]! * L[other + m]!;
      if (j < i) {
        L[row + j] = rest / L[other + j]!;
      } else {
        if (!(rest > 0 && rest < Infinity)) return null;
        L[row + i] = Math.sqrt(rest);
      }
    }
  }
  return L;
}

/** The inverse of a packed lower triangle whose diagonal has no 0: again one. O(size^3). */
export function invertLower(L: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(L.length);
  for (let i = 0; i < size; i++) {
    const row = packedLength(i);
    const pivot = L[row + i]!;
    inverse[row + i] = 1 / pivot;
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let m = j; m < i; m++) sum += L[row + m]! * inverse[packedLength(m) + j]!;
      inverse[row + j] = -sum / pivot;
    }
  }
  return inverse;
}

/**
 * The nearest matrix, in the sense of a Gaussian's likelihood, whose eigenvalues are at least `least`: the
 * smaller ones are raised to it, the eigenvectors stay.
 */
export function raiseEigenvalues(S: Float64Array, size: number, least: number): Float64Array {
  const { values, vectors } = eigen(S, size);
  const raised = Float64Array.from(S);
  for (let c = 0; c < size; c++) {
    const lift = least - values[c]!;
    if (!(lift > 0)) continue;
    for (let i = 0; i < size; i++) {
      const scaled = lift * vectors[i * size + c]!;
      for (let j = 0; j <= i; j++) raised[packedLength(i) + j]! += scaled * vectors[j * size + c]!;
    }
  }
  return raised;
}

const MOST_SWEEPS = 50;

/**
 * Eigenvalues in no order, and eigenvectors as the columns of a row-major matrix, by Jacobi's rotations.
 *
 * O(size^3) per sweep, of which about ten are needed. Source: Golub & Van Loan (2013), Matrix Computations, 8.5.
 */
export function eigen(S: Float64Array, size: number): { values: Float64Array; vectors: Float64Array } {
  const A = new Float64Array(size * size);
  const vectors = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    vectors[i * size + i] = 1;
    for (let j = 0; j <= i; j++) {
      A[i * size + j] = S[packedLength(i) + j]!;
      A[j * size + i] = A[i * size + j]!;
    }
  }
  let isRotated = true;
  for (let sweep = 0; sweep < MOST_SWEEPS && isRotated; sweep++) {
    isRotated = false;
    for (let p = 0; p < size - 1; p++)
      for (let q = p + 1; q < size; q++) isRotated = rotate(A, vectors, { size, p, q }) || isRotated;
  }
  return { values: Float64Array.from({ length: size }, (_, i) => A[i * size + i]!), vectors };
}

/** Makes entry (p, q) 0; false when it already was as good as that. */
function rotate(
  A: Float64Array,
  vectors: Float64Array,
  { size, p, q }: { size: number; p: number; q: number },
): boolean {
  const off = A[p * size + q]!;
  const first = A[p * size + p]!;
  const last = A[q * size + q]!;
  if (Math.abs(off) <= 1e-16 * Math.sqrt(Math.abs(first * last))) return false;
  const theta = (last - first) / (2 * off);
  const tangent = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  const turn = (M: Float64Array, one: number, two: number) => {
    const a = M[one]!;
    const b = M[two]!;
    M[one] = cosine * a - sine * b;
    M[two] = sine * a + cosine * b;
  };
  for (let m = 0; m < size; m++) turn(A, m * size + p, m * size + q);
  for (let m = 0; m < size; m++) turn(A, p * size + m, q * size + m);
  for (let m = 0; m < size; m++) turn(vectors, m * size + p, m * size + q);
  A[p * size + q] = 0;
  A[q * size + p] = 0;
  return true;
}
