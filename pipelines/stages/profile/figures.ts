import { quoteName } from '../../contracts/sql-quote.ts';
import { binEdges, binsOf, stepsOf } from './bins.ts';
import type { Questions } from './judged.ts';
import type { Column, Reader, Relation } from './relation.ts';
import { digits, type Extreme, type FigureProfile } from './report.ts';
import { SAMPLE } from './samples.ts';

// A figure is known by how many rows have each of its values: quantiles, moments, bins and outliers are made of
// these counts, in ascending order, so that they depend on no thread. A shop has few different prices: 10M rows
// leave some 12,000 values. Where nearly every row has a value of its own, the sample is counted instead.
// Refused: t-digests and sums of doubles, since two runs of them differ.

/** Percentages of the quantiles. */
export const QUANTILES = [1, 5, 25, 50, 75, 95, 99] as const;

/** Of all figures together so many values are counted at most, and of one of them. */
const MOST_VALUES = 3_000_000;
const MOST_VALUES_OF_ONE = 1_000_000;
const MOST_EXTREMES = 8;
const STEPS = 24;
/** Steps of equal width show nothing where all values together take so many times the room of the middle half. */
const MOST_SPREAD = 20;

/** Which figures are counted on all rows, their values being few enough; decided by what the sample holds. */
export async function chooseExact(
  reader: Reader,
  figures: readonly Column[],
  counts: { rows: number; sampled: number },
): Promise<Set<string>> {
  const exact = new Set<string>();
  let left = MOST_VALUES;
  for (const { name } of figures) {
    const column = quoteName(name);
    const [found] = await reader.rows(
      `SELECT count(*) AS several, count(*) FILTER (WHERE rows = 1) AS single
FROM (SELECT count(*) AS rows FROM ${SAMPLE} WHERE ${column} IS NOT NULL GROUP BY ${column})`,
    );
    const most = mostValues(Number(found!.several), Number(found!.single), counts);
    if (most > Math.min(left, MOST_VALUES_OF_ONE)) continue;
    left -= most;
    exact.add(name);
  }
  return exact;
}

/** Good and Turing: a row not drawn has a new value as often as the values drawn were drawn once. */
export function mostValues(
  values: number,
  single: number,
  { rows, sampled }: { rows: number; sampled: number },
): number {
  return sampled === 0 ? 0 : values + ((rows - sampled) * single) / sampled;
}

export async function measureFigure(
  reader: Reader,
  { from }: Relation,
  { column, isExact, questions }: { column: Column; isExact: boolean; questions: Questions },
): Promise<Omit<FigureProfile, 'missing' | 'missingAccepted'>> {
  const name = quoteName(column.name);
  const isFloating = column.type === 'DOUBLE' || column.type === 'FLOAT';
  const finite = isFloating ? `isfinite(${name})` : 'true';
  const [extent] = await reader.rows(
    isFloating
      ? `SELECT min(${name}) FILTER (WHERE ${finite}) AS least, max(${name}) FILTER (WHERE ${finite}) AS most,
  count(*) FILTER (WHERE NOT ${finite}) AS not_numbers FROM ${from}`
      : `SELECT CAST(min(${name}) AS DOUBLE) AS least, CAST(max(${name}) AS DOUBLE) AS most, 0 AS not_numbers FROM ${from}`,
  );
  // Adding 0 makes one value of 0 and -0. Grouped as it is stored, which is ten times as fast for a DECIMAL.
  const { value, rows } = await reader.numbers(
    `SELECT CAST(value AS DOUBLE) + 0 AS value, rows FROM (SELECT ${name} AS value, count(*) AS rows
  FROM ${isExact ? from : SAMPLE} WHERE ${name} IS NOT NULL AND ${finite} GROUP BY ${name}) ORDER BY 1`,
  );
  const figure = figureOf(value ?? new Float64Array(), rows ?? new Float64Array());
  if (figure.negative > 0) questions.ask(`negative ${column.name}`, `${name} < 0`);
  if (figure.zero > 0) questions.ask(`zero ${column.name}`, `${name} = 0`);
  if (figure.extremeRows > 0) {
    const { least, most } = extremeBounds(figure.fences!);
    questions.ask(`extreme ${column.name}`, `${name} > ${most} OR ${name} < ${least}`);
  }
  return {
    ...{ kind: 'figure', name: column.name, type: column.type, isSample: !isExact },
    least: numberOf(extent!.least),
    most: numberOf(extent!.most),
    notNumbers: Number(extent!.not_numbers),
    ...figure,
    ...{ negativeAccepted: null, zeroAccepted: null, extremesAccepted: null },
  };
}

type CountedFigure = Pick<
  FigureProfile,
  | 'counted'
  | 'distinct'
  | 'isWhole'
  | 'mean'
  | 'deviation'
  | 'negative'
  | 'zero'
  | 'quantiles'
  | 'bins'
  | 'steps'
  | 'fences'
  | 'extremes'
  | 'extremeRows'
  | 'extremeShare'
>;

/**
 * @param values ascending, each once
 * @param rows of each value
 */
function figureOf(values: Float64Array, rows: Float64Array): CountedFigure {
  const counted = sumOf(rows);
  const isWhole = values.every(Number.isInteger);
  const quantile = quantilesOf(values, rows, counted);
  const quantiles = counted === 0 ? [] : QUANTILES.map((percent) => ({ percent, value: quantile(percent) }));
  const total = (weight: (value: number) => number) =>
    values.reduce((sum, value, i) => sum + weight(value) * rows[i]!, 0);
  const mean = counted === 0 ? 0 : total((value) => value) / counted;
  const rowsWhere = (test: (value: number) => boolean) => total((value) => (test(value) ? 1 : 0));
  const fences = counted === 0 ? null : fencesOf(quantile, rowsWhere);
  return {
    counted,
    distinct: values.length,
    isWhole,
    mean: digits(mean),
    deviation: counted === 0 ? 0 : digits(Math.sqrt(total((value) => (value - mean) ** 2) / counted)),
    negative: rowsWhere((value) => value < 0),
    zero: rowsWhere((value) => value === 0),
    quantiles,
    bins: binsOf(values, rows, binEdges(isWhole)),
    steps: counted === 0 ? null : equalSteps(values, rows, quantile),
    fences,
    ...(fences === null || fences.upper === fences.lower ? NO_EXTREMES : extremesOf(values, rows, fences)),
  };
}

/** The least value that so many percent of the rows do not exceed (Hyndman & Fan's type 1): a value of the extract. */
function quantilesOf(values: Float64Array, rows: Float64Array, counted: number): (percent: number) => number {
  const reached = new Float64Array(rows.length);
  let sum = 0;
  for (let i = 0; i < rows.length; i++) {
    sum += rows[i]!;
    reached[i] = sum;
  }
  return (percent) => {
    let [low, high] = [0, reached.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (100 * reached[middle]! >= percent * counted) high = middle;
      else low = middle + 1;
    }
    return values[low]!;
  };
}

function fencesOf(
  quantile: (percent: number) => number,
  rowsWhere: (test: (value: number) => boolean) => number,
): FigureProfile['fences'] {
  const [lower, upper] = [quantile(25), quantile(75)];
  const range = upper - lower;
  return {
    lower: digits(lower - 1.5 * range),
    upper: digits(upper + 1.5 * range),
    below: rowsWhere((value) => value < lower - 1.5 * range),
    above: rowsWhere((value) => value > upper + 1.5 * range),
    farBelow: rowsWhere((value) => value < lower - 3 * range),
    farAbove: rowsWhere((value) => value > upper + 3 * range),
  };
}

/** Values so far out that the next ones would hardly be called outliers beside them. */
function extremesOf(
  values: Float64Array,
  rows: Float64Array,
  fences: NonNullable<FigureProfile['fences']>,
): Pick<FigureProfile, 'extremes' | 'extremeRows' | 'extremeShare'> {
  const { least, most } = extremeBounds(fences);
  const sizes = values.reduce((sum, value, i) => sum + Math.abs(value) * rows[i]!, 0);
  if (!(sizes > 0)) return NO_EXTREMES;
  const known = new Set(values);
  const found = Array.from(values, (value, i) => ({ value, rows: rows[i]! }))
    .filter(({ value }) => value > most || value < least)
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value) || b.value - a.value);
  const shareOf = (own: { value: number; rows: number }) => (Math.abs(own.value) * own.rows) / sizes;
  return {
    extremes: found
      .slice(0, MOST_EXTREMES)
      .map(
        (own): Extreme => ({ ...own, share: digits(shareOf(own), 6), hasOpposite: known.has(-own.value) }),
      ),
    extremeRows: found.reduce((sum, own) => sum + own.rows, 0),
    extremeShare: digits(
      found.reduce((sum, own) => sum + shareOf(own), 0),
      6,
    ),
  };
}

const NO_EXTREMES = { extremes: [], extremeRows: 0, extremeShare: 0 };

/** As far out again as a hundred times all that lies within the fences, which are four interquartile ranges apart. */
function extremeBounds({ lower, upper }: NonNullable<FigureProfile['fences']>): {
  least: number;
  most: number;
} {
  const range = upper - lower;
  return { least: digits(lower - 100 * range), most: digits(upper + 100 * range) };
}

function equalSteps(
  values: Float64Array,
  rows: Float64Array,
  quantile: (percent: number) => number,
): FigureProfile['steps'] {
  const [from, lower, upper, to] = [quantile(0), quantile(25), quantile(75), quantile(100)];
  if (!(to > from) || to - from > MOST_SPREAD * (upper - lower)) return null;
  return stepsOf(values, rows, { from, to, steps: STEPS });
}

function sumOf(rows: Float64Array): number {
  return rows.reduce((sum, count) => sum + count, 0);
}

function numberOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}
