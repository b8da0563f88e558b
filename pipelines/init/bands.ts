// Numbers a person would have chosen, near those that were seen. They are written into the definition once: a name
// must not change because other customers came or went.

const DAYS = [
  1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 150, 180, 240, 365, 450, 540, 730, 1095, 1460, 1825, 2555,
  3650,
] as const;
/** A border closer to the one before it than this would not tell two stages apart. */
const APART = 1.4;
/** Nobody is lapsing who is silent for less than so many usual gaps. */
const LAPSING_GAPS = 1.5;
/** Gaps between orders of fewer people are no rhythm. */
const LEAST_GAPS = 30;

/** The number of days on everybody's calendar that is nearest, in proportion. */
export function humaneDays(days: number): number {
  const wanted = Math.log(Math.max(days, DAYS[0]));
  return DAYS.reduce<number>(
    (best, day) => (Math.abs(Math.log(day) - wanted) < Math.abs(Math.log(best) - wanted) ? day : best),
    DAYS[0],
  );
}

/** The nearest of 1, 2 and 5 times a power of ten, in proportion. */
export function humaneAmount(amount: number): number {
  if (!(amount > 0)) return 1;
  const power = Math.floor(Math.log10(amount));
  const steps = [power - 1, power, power + 1].flatMap((p) => [1, 2, 5].map((step) => scaled(step, p)));
  return steps.reduce((best, step) =>
    Math.abs(Math.log(step / amount)) < Math.abs(Math.log(best / amount)) ? step : best,
  );
}

/** The largest of 1, 2 and 5 times a power of ten that is not above it; the smallest that is not below. */
export function humaneBelow(amount: number): number {
  const near = humaneAmount(amount);
  return near <= amount ? near : humaneAmount(near / 2.3);
}

export function humaneAbove(amount: number): number {
  const near = humaneAmount(amount);
  return near >= amount ? near : humaneAmount(near * 2.3);
}

/** 5 * 10 ** -2 is 0.05 to the last digit this way, and not by multiplying. */
function scaled(step: number, power: number): number {
  return Number(`${step}e${power}`);
}

export interface Rhythm {
  /** Gaps between the days on which a customer ordered, in days; of all customers together. */
  gaps: { count: number; median: number; upper: number; long: number };
  /** Days since the last order; of all customers. */
  recency: { quarter: number; half: number; threeQuarters: number };
}

/**
 * Days that part Active, Cooling, Lapsing and Lapsed: at half, 80 % and 95 % of the gaps between two orders, lapsing
 * not before one and a half usual gaps; where nearly nobody came twice, at the quarters of the recency.
 */
export function stageBorders({ gaps, recency }: Rhythm): [number, number, number] {
  const seen =
    gaps.count >= LEAST_GAPS
      ? [gaps.median, Math.max(gaps.upper, LAPSING_GAPS * gaps.median), gaps.long]
      : [recency.quarter, recency.half, recency.threeQuarters];
  const borders: number[] = [];
  for (const days of seen) {
    const least = borders.length === 0 ? 0 : borders.at(-1)! * APART;
    const humane = humaneDays(Math.max(days, least));
    borders.push(
      humane >= least && humane > (borders.at(-1) ?? 0) ? humane : DAYS.find((day) => day > humane)!,
    );
  }
  return borders as [number, number, number];
}

/** Amounts that part modest, middle and high value: at half and at four fifths of the customers. */
export function valueBorders(spend: { half: number; fourFifths: number }): [number, number] {
  const low = humaneAmount(spend.half);
  const high = humaneAmount(spend.fourFifths);
  return [low, high > low ? high : humaneAbove(low * 2)];
}
