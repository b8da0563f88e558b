import type { MeasuredMovement, MeasuredSegment, RunMeasurement } from '../../contracts/alerts.ts';

// What the rules read out of a measurement.

/** A measurement with a publication to compare with. */
export interface Compared extends RunMeasurement {
  previousSegments: MeasuredSegment[];
}

/** Where the customers of a segment are: segment id, or LOST, to their number; those who stayed are at their own id. */
export type Row = ReadonlyMap<string, number>;

export const LOST = '';

export function isCompared(run: RunMeasurement): run is Compared {
  return run.previousSegments !== null;
}

export function totalOf(segments: readonly MeasuredSegment[]): number {
  return segments.reduce((sum, { customers }) => sum + customers, 0);
}

export function customersOf(movements: readonly MeasuredMovement[]): number {
  return movements.reduce((sum, { customers }) => sum + customers, 0);
}

/** Null where nobody moved, and where the money of some is not known: it would be told beside the number of all. */
export function spendOf(movements: readonly MeasuredMovement[]): number | null {
  const known = movements.flatMap(({ spendCents }) => (spendCents === null ? [] : [spendCents]));
  if (known.length === 0 || known.length < movements.length) return null;
  return known.reduce((sum, cents) => sum + cents, 0);
}

/** The money of so many of those who moved, at the mean of them all; null as above, and where fewer did. */
export function spendOfSome(movements: readonly MeasuredMovement[], customers: number): number | null {
  const all = spendOf(movements);
  const moved = customersOf(movements);
  return all === null || moved === 0 || moved < customers ? null : Math.round((all / moved) * customers);
}

/** The name of a segment as people know it; one that is gone by the name it had. */
export function nameIn({ segments, previousSegments }: RunMeasurement, segmentId: string): string {
  const found = [...segments, ...(previousSegments ?? [])].find((one) => one.segmentId === segmentId);
  return found ? `“${found.name}”` : segmentId;
}

/**
 * One row for each segment of the last publication. A segment with more moves than customers is left out: its
 * movements and its size are not of the same run.
 */
export function rowsOf({ previousSegments, movements }: Compared): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const { segmentId, customers } of previousSegments) {
    const row = new Map<string, number>();
    let left = 0;
    for (const { from, to, customers: moved } of movements) {
      if (from !== segmentId) continue;
      left += moved;
      row.set(to ?? LOST, (row.get(to ?? LOST) ?? 0) + moved);
    }
    if (left > customers || customers === 0) continue;
    rows.set(segmentId, row.set(segmentId, customers - left));
  }
  return rows;
}

/** Each row as those who are gone and those who are not, and all customers together under ''. */
export function lostRowsOf(run: Compared): Map<string, Row> {
  const rows = new Map<string, Row>();
  let allLost = 0;
  let allKept = 0;
  for (const [segmentId, row] of rowsOf(run)) {
    const lost = row.get(LOST) ?? 0;
    const kept = [...row.values()].reduce((sum, count) => sum + count, 0) - lost;
    rows.set(
      segmentId,
      new Map([
        [LOST, lost],
        [KEPT, kept],
      ]),
    );
    allLost += lost;
    allKept += kept;
  }
  return allLost + allKept > 0
    ? rows.set(
        '',
        new Map([
          [LOST, allLost],
          [KEPT, allKept],
        ]),
      )
    : rows;
}

const KEPT = 'kept';

const DAY_MS = 86_400_000;

/** Days since the publication it was compared with; null where a date is not known, or they are not in order. */
export function gapDays({ asOf, previousAsOf }: RunMeasurement): number | null {
  if (asOf === null || previousAsOf === null) return null;
  const days = (Date.parse(asOf) - Date.parse(previousAsOf)) / DAY_MS;
  return days > 0 ? days : null;
}

const LONGEST_OVER_SHORTEST = 1.5;

/** The newest past runs that looked back about as far as this one: a month moves more customers than a day. */
export function comparablePast(
  run: RunMeasurement,
  past: readonly RunMeasurement[],
  most: number,
): Compared[] {
  const own = gapDays(run);
  return past
    .filter(isCompared)
    .filter((earlier) => {
      const gap = gapDays(earlier);
      if (own === null || gap === null) return own === gap;
      return Math.max(own, gap) <= LONGEST_OVER_SHORTEST * Math.min(own, gap);
    })
    .slice(-most);
}
