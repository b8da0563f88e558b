import type { MeasuredMovement, RunMeasurement } from '../../contracts/alerts.ts';
import { type Compared, comparablePast, customersOf, isCompared } from './flows.ts';
import { LEAST_PAST_RUNS } from './row-test.ts';

// What a run is held against. As a rule past runs that looked back as far; after a missed day, or for a refit of a date
// that was published already, there are none, and the runs before it have to do.

const DAY_MS = 86_400_000;
/** A day says little of a month: a run that looked back farther than this, by so many times, is held against nothing. */
const MOST_TIMES = 7;

/** Past publications, oldest first. */
export interface Past {
  runs: Compared[];
  /**
   * The same as if each had looked back as far as this run; null where they did. How moves add up over days is not
   * known (some customers come back), so that what a run tells has to be told beside both.
   */
  scaled: Compared[] | null;
  /** What people are told of it; null as above. */
  says: string | null;
}

/** @param past measurements of earlier publications, oldest first */
export function pastOf(run: RunMeasurement, past: readonly RunMeasurement[], most: number): Past {
  const runs = comparablePast(run, past, most);
  const own = daysBack(run);
  const as = { runs, scaled: null, says: null };
  if (runs.length >= LEAST_PAST_RUNS || own === null) return as;
  const gaps = past.filter(isCompared).map(daysBack);
  const near = gaps.filter(
    (gap) => gap !== null && gap > 0 && own <= MOST_TIMES * gap && gap <= MOST_TIMES * (own || gap),
  );
  const newest = near.at(-1);
  if (newest === undefined || newest === null) return as;
  const alike = { ...run, asOf: dayAt(newest), previousAsOf: dayAt(0) };
  const others = comparablePast(alike, past, most);
  if (others.length < LEAST_PAST_RUNS) return as;
  return {
    runs: others,
    scaled: others.map((other) => scaledTo(other, own / newest)),
    says: `held against runs that looked back about ${daysOf(newest)}, this one ${daysOf(own)}: told since neither as many moves nor as many by the day explain it`,
  };
}

/** 0 for the same date as the publication it was compared with; null where a date is not known, or they are not in order. */
function daysBack({ asOf, previousAsOf }: RunMeasurement): number | null {
  if (asOf === null || previousAsOf === null) return null;
  const days = (Date.parse(asOf) - Date.parse(previousAsOf)) / DAY_MS;
  return days >= 0 ? days : null;
}

function dayAt(days: number): string {
  return new Date(days * DAY_MS).toISOString().slice(0, 'YYYY-MM-DD'.length);
}

/** As many times the moves, at most all customers of a segment; what follows from them changes as much. */
function scaledTo(run: Compared, times: number): Compared {
  const timesOf = new Map(
    run.previousSegments.map(({ segmentId, customers }): [string, number] => {
      const left = customersOf(run.movements.filter(({ from }) => from === segmentId));
      // A little less than all: rounding must not make more moves than customers.
      return [segmentId, left === 0 ? times : Math.min(times, (customers / left) * (1 - 1e-9))];
    }),
  );
  const movements = run.movements.map((move): MeasuredMovement => {
    const customers = move.customers * (move.from === null ? times : (timesOf.get(move.from) ?? times));
    return { ...move, customers };
  });
  const before = new Map(run.previousSegments.map((segment) => [segment.segmentId, segment]));
  const segments = run.segments.map((segment) => {
    const { segmentId } = segment;
    const was = before.get(segmentId);
    if (!was) return segment;
    const arrived = customersOf(movements.filter(({ to }) => to === segmentId));
    const left = customersOf(movements.filter(({ from }) => from === segmentId));
    const share = was.spendShare;
    const spendShare =
      share === null || segment.spendShare === null ? null : share + times * (segment.spendShare - share);
    return { ...segment, customers: was.customers + arrived - left, spendShare };
  });
  return { ...run, movements, segments };
}

function daysOf(days: number): string {
  return days === 1 ? '1 day' : `${days} days`;
}
