import type { Random } from '../../numeric/random/random.ts';
import {
  type Customer,
  DIMENSIONS,
  direction,
  distance,
  type Month,
  monthOf,
  nearestGroup,
  ownOf,
  type Point,
  pick,
  SPREAD,
  scaled,
} from './changing-shop.ts';
import { poisson, weighted } from './draws.ts';

// A shop to which nothing happens: its groups stay where they are and as large as they are, while customers come, go,
// change over to another group and order now more, now less, in months of better and worse weather. What happens to
// it is planted in one month, beside the month in which nothing did.

const WEIGHTS = [0.34, 0.26, 0.18, 0.13, 0.09];
/** Shares that leave a month; as many come. */
const LEAVE = [0.03, 0.08, 0.02, 0.03, 0.04];
/** Share that changes over to a group, by its weight: as many go as come. */
const CHANGE_OVER = 0.04;
/** Share who stand between two groups and belong to neither. */
const BETWEEN = 0.03;
/** Standard deviation of the logarithm of a month's weather: of these shares, and of what all customers order. */
const [WEATHER, MOOD] = [0.15, 0.03];
const [LOWEST, HIGHEST] = [2.2, 8];

interface Shop {
  random: Random;
  size: number;
  places: Map<number, Point>;
  nextId: number;
}

/** @param apart deviations between a group and its nearest neighbour */
export function* steadyShop(
  random: Random,
  { months, size, apart }: { months: number; size: number; apart: number },
): Generator<Month> {
  const shop: Shop = { random, size, places: placesApart(random, apart), nextId: 0 };
  let customers = WEIGHTS.flatMap((weight, group) => join(shop, group, Math.round(weight * size)));
  for (let month = 0; month < months; month++) {
    if (month > 0) customers = liveOn(shop, customers);
    const mood = Array.from({ length: DIMENSIONS }, () => MOOD * random.normal());
    const places = new Map([...shop.places].map(([group, place]) => [group, plus(place, mood)]));
    yield monthOf({ places, customers }, month, []);
  }
}

function liveOn(shop: Shop, customers: readonly Customer[]): Customer[] {
  const { random, size } = shop;
  const weather = () => Math.exp(WEATHER * random.normal() - WEATHER ** 2 / 2);
  const leaving = LEAVE.map((share) => share * weather());
  const changing = CHANGE_OVER * weather();
  const joining = weather();
  const stayed = customers
    .filter(({ group }) => random.float() >= leaving[group]!)
    .map((customer) =>
      random.float() < changing ? settled(shop, customer.id, weighted(random, WEIGHTS)) : customer,
    );
  const arrived = WEIGHTS.flatMap((weight, group) =>
    join(shop, group, poisson(random, weight * size * LEAVE[group]! * joining)),
  );
  return [...stayed, ...arrived];
}

/** The same month, had these customers gone, or taken on the ways of a group. */
export function hadHappened(
  { month, places, customers }: Month,
  { random, hit, to }: { random: Random; hit: ReadonlySet<string>; to: number | 'away' },
): Month {
  const others = customers.filter(({ id }) => !hit.has(id));
  if (to === 'away') return monthOf({ places, customers: others }, month, []);
  const moved = [...hit].map((id): Customer => ({ id, group: to, between: null, own: ownOf(random) }));
  return monthOf({ places, customers: [...others, ...moved] }, month, []);
}

function join(shop: Shop, group: number, count: number): Customer[] {
  return Array.from({ length: count }, () =>
    settled(shop, `c${String(shop.nextId++).padStart(7, '0')}`, group),
  );
}

function settled({ random, places }: Shop, id: string, group: number): Customer {
  const between =
    random.float() < BETWEEN ? { other: nearestGroup(places, group), at: 0.35 + 0.3 * random.float() } : null;
  return { id, group, between, own: ownOf(random) };
}

/** Each place as far from a neighbour as is asked, and from no other one less. */
function placesApart(random: Random, apart: number): Map<number, Point> {
  for (;;) {
    const middle = (LOWEST + HIGHEST) / 2;
    const places: Point[] = [Array.from({ length: DIMENSIONS }, () => middle + 2 * random.float() - 1)];
    for (let tries = 0; places.length < WEIGHTS.length && tries < 200; tries++) {
      const place = plus(pick(random, places), scaled(direction(random), apart * SPREAD));
      const isInside = place.every((x) => x >= LOWEST && x <= HIGHEST);
      if (isInside && places.every((other) => distance(place, other) >= 0.999 * apart * SPREAD))
        places.push(place);
    }
    if (places.length === WEIGHTS.length) return new Map(places.entries());
  }
}

function plus(place: Point, way: Point): Point {
  return place.map((x, j) => x + way[j]!);
}
