import { type RowTest, testFlows } from '../../../numeric/movement/flow-test.ts';
import { dispersionOf } from '../../../numeric/statistics/dispersion.ts';
import type { Row } from './flows.ts';

type Rows = ReadonlyMap<string, Row>;

/** Fewer past runs than this say nothing of what is usual. */
export const LEAST_PAST_RUNS = 3;
/** Cells that would hold fewer than this by chance are counted together: a G-test of such cells cries wolf. */
const LEAST_EXPECTED = 5;

/** Where the customers of a row usually are, as shares. */
export interface RowFound extends RowTest {
  usual: ReadonlyMap<string, number>;
}

/**
 * Whether the customers of each row are elsewhere than in past runs, all rows judged together, with what past runs
 * differ among each other taken off.
 *
 * @param past of each past run; a row needs to be in LEAST_PAST_RUNS of them to be tested
 * @returns of the rows that could be tested, by their subject
 */
export function testRows(now: Rows, past: readonly Rows[], alpha: number): Map<string, RowFound> {
  const subjects = [...now.keys()].filter(
    (subject) => past.filter((rows) => rows.has(subject)).length >= LEAST_PAST_RUNS,
  );
  if (subjects.length === 0) return new Map();
  const dispersion = pastDispersion(past, subjects);
  const usual = sumOfRows(past);
  const tests = test(subjects, { now, usual, alpha, dispersion });
  return new Map(
    subjects.map((subject, i) => [subject, { ...tests[i]!, usual: sharesOf(usual.get(subject)!) }]),
  );
}

/** Each past run against all others: by how much they differ more than chance has it. */
function pastDispersion(past: readonly Rows[], subjects: readonly string[]): number {
  const tests = past.flatMap((now, i) => {
    const usual = sumOfRows(past.filter((_, other) => other !== i));
    const known = subjects.filter((subject) => now.has(subject) && usual.has(subject));
    return known.length === 0 ? [] : test(known, { now, usual, alpha: 0.5, dispersion: 1 });
  });
  return dispersionOf(
    tests.map(({ statistic, degrees }) => statistic / degrees),
    tests.map(({ degrees }) => degrees),
  );
}

function test(
  subjects: readonly string[],
  { now, usual, alpha, dispersion }: { now: Rows; usual: Rows; alpha: number; dispersion: number },
): RowTest[] {
  const places = [
    ...new Set(subjects.flatMap((one) => [...now.get(one)!.keys(), ...usual.get(one)!.keys()])),
  ].sort();
  // The last column is for the cells of each row that are too small to stand alone.
  const columns = places.length + 1;
  const customers = new Float64Array(subjects.length * columns);
  const before = new Float64Array(subjects.length * columns);
  subjects.forEach((subject, i) => {
    const own = now.get(subject)!;
    const then = usual.get(subject)!;
    const least = Math.min(sumOf(own), sumOf(then));
    const both = sumOf(own) + sumOf(then);
    places.forEach((place, j) => {
      const counts = [own.get(place) ?? 0, then.get(place) ?? 0] as const;
      const isSmall = (least * (counts[0] + counts[1])) / both < LEAST_EXPECTED;
      const at = i * columns + (isSmall ? columns - 1 : j);
      customers[at]! += counts[0];
      before[at]! += counts[1];
    });
  });
  return testFlows(
    { rows: subjects.length, columns, customers },
    { customers: before },
    { alpha, dispersion },
  );
}

function sumOfRows(runs: readonly Rows[]): Map<string, Map<string, number>> {
  const sums = new Map<string, Map<string, number>>();
  for (const rows of runs)
    for (const [subject, row] of rows) {
      const sum = sums.get(subject) ?? new Map<string, number>();
      for (const [place, count] of row) sum.set(place, (sum.get(place) ?? 0) + count);
      sums.set(subject, sum);
    }
  return sums;
}

function sharesOf(row: Row): Map<string, number> {
  const total = sumOf(row);
  return new Map([...row].map(([place, count]) => [place, total > 0 ? count / total : 0]));
}

export function sumOf(row: Row): number {
  return [...row.values()].reduce((sum, count) => sum + count, 0);
}
