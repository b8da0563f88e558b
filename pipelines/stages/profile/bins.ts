import type { Bin } from './report.ts';

// Lower edges of the bins: the same for every extract and every column, so that two reports can be compared.
// Roughly equal steps on a log scale (ISO 3, R10); pieces are counted one by one at first.

const PREFERRED_NUMBERS = [1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8];
const PIECES = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 75];
const SMALLEST_DECADE = -3;
const LARGEST_DECADE = 12;

/** No value lies below the first edge; those above the last share its bin. */
export const FIRST_EDGE = -Number.MAX_VALUE;

const EDGES = { whole: edgesOf(true), other: edgesOf(false) };

/** Ascending; the same below 0 as above. */
export function binEdges(isWhole: boolean): readonly number[] {
  return isWhole ? EDGES.whole : EDGES.other;
}

function edgesOf(isWhole: boolean): number[] {
  const decades = isWhole
    ? range(0, LARGEST_DECADE).filter((decade) => decade % 2 === 0)
    : range(SMALLEST_DECADE, LARGEST_DECADE);
  const steps = isWhole ? PIECES : PREFERRED_NUMBERS;
  const positive = decades.flatMap((decade) => steps.map((step) => Number(`${step}e${decade}`)));
  return [FIRST_EDGE, ...positive.map((edge) => -edge).reverse(), 0, ...positive];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/**
 * @param values ascending
 * @param counts rows of each value
 * @returns the bins that have rows, ascending
 */
export function binsOf(
  values: ArrayLike<number>,
  counts: ArrayLike<number>,
  edges: readonly number[],
): Bin[] {
  const bins: Bin[] = [];
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    while (at + 1 < edges.length && edges[at + 1]! <= values[i]!) at++;
    const last = bins.at(-1);
    if (last?.from === edges[at]) last!.rows += counts[i]!;
    else bins.push({ from: edges[at]!, rows: counts[i]! });
  }
  return bins;
}

/**
 * Equal steps of a round width between two values; what lies beyond is in the first and the last of them.
 *
 * @param span.steps at most so many
 */
export function stepsOf(
  values: ArrayLike<number>,
  counts: ArrayLike<number> | null,
  span: { from: number; to: number; steps: number },
): { from: number; width: number; rows: number[] } {
  const width = roundWidth((span.to - span.from) / span.steps);
  const first = Math.floor(span.from / width);
  const rows = new Array<number>(Math.max(1, Math.floor(span.to / width) - first + 1)).fill(0);
  for (let i = 0; i < values.length; i++) {
    const step = Math.floor(values[i]! / width) - first;
    rows[Math.min(Math.max(step, 0), rows.length - 1)]! += counts === null ? 1 : counts[i]!;
  }
  return { from: Number((first * width).toPrecision(12)), width, rows };
}

/** The first of 1, 2 and 5 times a power of ten that is at least as wide. */
function roundWidth(least: number): number {
  if (!(least > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  const width = [1, 2, 5, 10].find((step) => step * power >= least * (1 - 1e-9))! * power;
  return Number(width.toPrecision(3));
}
