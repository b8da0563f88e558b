import { createRandom, type Random } from '../../numeric/random/random.ts';
import type { ShopMonth } from './calendar.ts';
import { CATEGORIES, COUNTRIES, SHOP_SEASON } from './catalogue.ts';
import { type Draw, logNormal, weighted } from './chance.ts';
import { GROUP_NAMES, GROUPS } from './groups.ts';
import type { ShopPlan } from './plan.ts';

/** What is known of each customer; index = customer. */
export interface Population {
  /** The planted group now; it changes as months go by. */
  group: Uint8Array;
  /** Index of the month with the first order. */
  arrival: Uint8Array;
  /** Personal factor on the group's orders. */
  activity: Float32Array;
  country: Uint8Array;
  favourite: Uint8Array;
}

/** Share of the customers who knew the shop before its books begin; most order again soon. */
const FOUNDERS = 0.35;
const FOUNDER_RETURN = 0.6;
const MONTHLY_GROWTH = 0.02;
const ACTIVITY_SIGMA = 0.35;

export function createPopulation({ customers, seed }: ShopPlan, months: readonly ShopMonth[]): Population {
  const random = createRandom(seed).fork('population');
  const founderArrival = weighted(months.map((_, index) => FOUNDER_RETURN * (1 - FOUNDER_RETURN) ** index));
  const laterArrival = weighted(months.map(arrivals));
  const founderGroup = weighted(GROUPS.map(({ startShare }) => startShare));
  const laterGroup = weighted(GROUPS.map(({ arrivalShare }) => arrivalShare));
  const country = weighted(COUNTRIES.map(({ share }) => share));
  const population: Population = {
    group: new Uint8Array(customers),
    arrival: new Uint8Array(customers),
    activity: new Float32Array(customers),
    country: new Uint8Array(customers),
    favourite: new Uint8Array(customers),
  };
  for (let customer = 0; customer < customers; customer++) {
    const isFounder = random.float() < FOUNDERS;
    population.group[customer] = (isFounder ? founderGroup : laterGroup)(random);
    population.arrival[customer] = (isFounder ? founderArrival : laterArrival)(random);
    population.activity[customer] = logNormal(random, ACTIVITY_SIGMA);
    population.country[customer] = country(random);
    population.favourite[customer] = random.int(CATEGORIES.length);
  }
  return population;
}

function arrivals({ index, calendarMonth, days }: ShopMonth): number {
  return (1 + MONTHLY_GROWTH * index) * SHOP_SEASON[calendarMonth]! * days;
}

const NEXT_GROUP: readonly Draw[] = GROUPS.map(({ becomes }, own) => {
  const leaving = GROUP_NAMES.map((name) => becomes[name] ?? 0);
  leaving[own] = 1 - leaving.reduce((sum, chance) => sum + chance, 0);
  return weighted(leaving);
});

/** Regulars lapse, newcomers settle, a few of the lapsed come back: one month of change, in place. */
export function drift({ group, arrival }: Population, month: ShopMonth, random: Random): void {
  for (let customer = 0; customer < group.length; customer++) {
    if (arrival[customer]! < month.index) group[customer] = NEXT_GROUP[group[customer]!]!(random);
  }
}

/** Eight digits, all different, in no order; a bijection of [0, 9e7), so no table is needed. */
export function customerNumber(customer: number): number {
  return 10_000_000 + ((customer * 38_196_601 + 4_711) % 90_000_000);
}
