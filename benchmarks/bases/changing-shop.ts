import type { Random } from '../../numeric/random/random.ts';

// A shop's customers over months, in groups that split, merge, are born, end and drift by plan. Figures are normal
// around a group's place in four dimensions, one deviation wide, and read as logarithms of what a shop counts.

export const DIMENSIONS = 4;
/** Standard deviation of a group's customers in every dimension. */
export const SPREAD = 0.3;
/** What of it stays with a customer from month to month, and what does not. */
const [OWN, MONTHLY] = [0.26, 0.15];
/** Places lie at least so many deviations apart. */
const APART = 8;
const [LOWEST, HIGHEST] = [2.2, 8];
/** Share of customers who leave, who are replaced, and who change over to another group, every month. */
const [LEAVE, CHANGE_OVER] = [0.03, 0.02];
/** Share who stand between two groups and belong to neither. */
const BETWEEN = 0.03;
const FEWEST = 130;
/** The first two groups are one crowd, cut in two by convention: this far apart, with so many of all between them. */
const CROWD = { apart: 7, members: 0.1, between: 0.14 };
const [FEWEST_GROUPS, MOST_GROUPS] = [4, 9];
const [DRIFT_MONTHS, DRIFT_STEP] = [3, 1];

export type Point = readonly number[];

export interface Customer {
  id: string;
  /** Number of their group; of the first of both for those between two. */
  group: number;
  /** Stands between their group and another, this far on the way. */
  between: { other: number; at: number } | null;
  own: Point;
}

/** What was planted in a month. Groups go by the number that the rules of identity say they have afterwards. */
export type PlantedEvent =
  | {
      kind: 'split';
      parent: number;
      children: [number, number];
      hasHeir: boolean;
      how: 'apart' | 'off' | 'away';
    }
  | { kind: 'merge'; into: number; gone: number; how: 'join' | 'meet' }
  | { kind: 'birth'; group: number; how: 'newcomers' | 'gathered' }
  | { kind: 'retirement'; group: number; how: 'left' | 'scattered' }
  | { kind: 'drift'; group: number; last: boolean; first: boolean };

export interface Month {
  month: number;
  places: ReadonlyMap<number, Point>;
  /** Rising by id. */
  customers: readonly Customer[];
  events: readonly PlantedEvent[];
  /** A column of figures for each dimension; with copies, so many other people for each customer. */
  figures(random: Random, options?: { copies?: number }): Float64Array[];
}

interface Shop {
  random: Random;
  places: Map<number, Point>;
  drifts: Map<number, { step: Point; left: number }>;
  customers: Customer[];
  nextGroup: number;
  nextId: number;
}

/** The shop month by month. */
export function* changingShop(
  random: Random,
  { months, size }: { months: number; size: number },
): Generator<Month> {
  const shop: Shop = { random, places: new Map(), drifts: new Map(), customers: [], nextGroup: 0, nextId: 0 };
  plantCrowd(shop, size);
  const rest = size - shop.customers.length;
  for (let i = 0; i < 5; i++) {
    const group = newGroup(shop, freePlace(shop)!);
    join(shop, group, Math.round((rest / 5) * (0.6 + 0.8 * random.float())));
  }
  yield monthOf(shop, 0, []);
  for (let month = 1; month < months; month++) {
    comeAndGo(shop);
    yield monthOf(shop, month, plant(shop));
  }
}

function drawFigures(
  { places, customers }: Pick<Month, 'places' | 'customers'>,
  random: Random,
  copies: number,
): Float64Array[] {
  const rows = customers.length * Math.max(1, copies);
  const columns = Array.from({ length: DIMENSIONS }, () => new Float64Array(rows));
  for (let row = 0; row < rows; row++) {
    const { group, between, own } = customers[row % customers.length]!;
    const place = between
      ? along(
          places.get(group)!,
          places.get(between.other)!,
          copies > 0 ? betweenAt(random, group) : between.at,
        )
      : places.get(group)!;
    // Copies are other people of the same groups, in the same numbers.
    const stays = copies > 0 ? ownOf(random) : own;
    for (let j = 0; j < DIMENSIONS; j++)
      columns[j]![row] = Math.expm1(Math.max(0, place[j]! + stays[j]! + MONTHLY * random.normal()));
  }
  return columns;
}

export function monthOf(
  { places, customers }: Pick<Month, 'places' | 'customers'>,
  month: number,
  events: PlantedEvent[],
): Month {
  const sorted = customers.map((customer) => ({ ...customer })).sort((a, b) => (a.id < b.id ? -1 : 1));
  const kept = { month, places: new Map(places), customers: sorted, events };
  return { ...kept, figures: (random, { copies = 0 } = {}) => drawFigures(kept, random, copies) };
}

function comeAndGo(shop: Shop): void {
  const { random, places } = shop;
  const before = shop.customers.length;
  shop.customers = shop.customers.filter(() => random.float() >= LEAVE);
  for (const customer of shop.customers)
    if (!customer.between && random.float() < CHANGE_OVER)
      moveTo(shop, customer, pick(random, [...places.keys()]));
  const stayed = shop.customers.length;
  while (shop.customers.length < before) {
    const { group, between } = shop.customers[random.int(stayed)]!;
    join(shop, group, 1);
    if (group <= 1 && between) shop.customers.at(-1)!.between = { ...between, at: random.float() };
  }
  for (const [group, drift] of shop.drifts)
    places.set(
      group,
      places.get(group)!.map((x, j) => x + drift.step[j]!),
    );
}

type Kind = PlantedEvent['kind'];
const KINDS: readonly Kind[] = ['split', 'split', 'split', 'merge', 'birth', 'retirement', 'drift'];

/** Up to two events, of groups that have nothing to do with each other; drifts that go on are told, too. */
function plant(shop: Shop): PlantedEvent[] {
  const { random, drifts } = shop;
  const events: PlantedEvent[] = [];
  const busy = new Set<number>();
  for (const [group, drift] of drifts) {
    busy.add(group);
    drift.left--;
    events.push({ kind: 'drift', group, first: drift.left === DRIFT_MONTHS - 1, last: drift.left === 0 });
    if (drift.left === 0) drifts.delete(group);
  }
  const wanted = [0, 1, 1, 1, 2, 2][random.int(6)]!;
  for (let tries = 0, planted = 0; planted < wanted && tries < 20; tries++) {
    const event = PLANTERS[pick(random, KINDS)](shop, busy);
    if (event === null) continue;
    if (event !== 'later') events.push(event);
    planted++;
  }
  settle(shop);
  return events;
}

type Planter = (shop: Shop, busy: Set<number>) => PlantedEvent | 'later' | null;

const PLANTERS: Record<Kind, Planter> = {
  split(shop, busy) {
    const { random, places } = shop;
    if (places.size >= MOST_GROUPS) return null;
    // Not near the 70 % that decide: there, chance does.
    const hasHeir = random.float() < 0.5;
    const share = hasHeir ? 0.76 + 0.06 * random.float() : 0.5 + 0.12 * random.float();
    const parent = idle(shop, busy, (members) => (1 - share) * members.length >= FEWEST);
    if (parent === null) return null;
    const from = places.get(parent)!;
    const how = (['apart', 'apart', 'off', 'away'] as const)[Math.floor(4 * random.float())]!;
    const way = scaled(direction(random), (8.5 + 3 * random.float()) * SPREAD);
    // Both move, or the smaller leaves, or the larger.
    const ends = { apart: [share - 1, share], off: [0, 1], away: [1, 0] }[how].map((part) =>
      from.map((x, j) => x + part * way[j]!),
    );
    if (!ends.every((end) => isFree(shop, end, [parent]))) return null;
    const members = membersOf(shop, parent);
    const second = newGroup(shop, ends[1]!);
    const first = hasHeir ? parent : newGroup(shop, ends[0]!);
    places.set(first, ends[0]!);
    random.shuffle(members);
    members.forEach((customer, i) => {
      customer.group = i < share * members.length ? first : second;
    });
    if (!hasHeir) places.delete(parent);
    for (const group of [parent, first, second]) busy.add(group);
    return { kind: 'split', parent, children: [first, second], hasHeir, how };
  },

  merge(shop, busy) {
    const { random, places } = shop;
    if (places.size <= FEWEST_GROUPS) return null;
    const into = idle(shop, busy);
    const gone = into === null ? null : idle(shop, new Set([...busy, into]));
    if (into === null || gone === null) return null;
    const [larger, smaller] = [membersOf(shop, into), membersOf(shop, gone)];
    const [from, to] = [places.get(gone)!, places.get(into)!];
    const meeting = along(to, from, 0.2 + 0.2 * random.float());
    const isClear = larger.length > 1.3 * smaller.length && isFree(shop, meeting, [into, gone]);
    const how = isClear && distance(from, to) < 20 * SPREAD && random.float() < 0.6 ? 'meet' : 'join';
    if (how === 'meet') places.set(into, meeting);
    for (const customer of smaller) customer.group = into;
    places.delete(gone);
    busy.add(into).add(gone);
    return { kind: 'merge', into, gone, how };
  },

  birth(shop, busy) {
    const { random, places } = shop;
    if (places.size >= MOST_GROUPS) return null;
    const place = freePlace(shop);
    if (!place) return null;
    const how = random.float() < 0.7 ? 'newcomers' : 'gathered';
    const others = [...places.keys()].filter(
      (group) => group > 1 && !busy.has(group) && membersOf(shop, group).length > 2 * FEWEST,
    );
    if (how === 'gathered' && others.length < 3) return null;
    const group = newGroup(shop, place);
    if (how === 'newcomers') join(shop, group, FEWEST + 50 + random.int(250));
    else
      for (const other of others)
        for (const customer of membersOf(shop, other).slice(0, Math.ceil((1.5 * FEWEST) / others.length)))
          moveTo(shop, customer, group);
    busy.add(group);
    return { kind: 'birth', group, how };
  },

  retirement(shop, busy) {
    const { random, places } = shop;
    if (places.size <= FEWEST_GROUPS) return null;
    const group = idle(shop, busy);
    if (group === null) return null;
    const how = random.float() < 0.6 ? 'left' : 'scattered';
    const others = [...places.keys()].filter((other) => other !== group);
    const leaving = how === 'left' ? 0.97 : 0.3;
    const gone = new Set<Customer>();
    membersOf(shop, group).forEach((customer, i) => {
      if (random.float() < leaving) gone.add(customer);
      else moveTo(shop, customer, others[i % others.length]!);
    });
    shop.customers = shop.customers.filter((customer) => !gone.has(customer));
    places.delete(group);
    busy.add(group);
    return { kind: 'retirement', group, how };
  },

  drift(shop, busy) {
    const { random, places, drifts } = shop;
    const group = idle(shop, busy);
    if (group === null) return null;
    const step = scaled(direction(random), DRIFT_STEP * SPREAD);
    const way = Array.from({ length: DRIFT_MONTHS }, (_, i) =>
      places.get(group)!.map((x, j) => x + (i + 1) * step[j]!),
    );
    if (!way.every((place) => isFree(shop, place, [group]))) return null;
    drifts.set(group, { step, left: DRIFT_MONTHS });
    busy.add(group);
    return 'later';
  },
};

/** Two groups that nothing is planted for but what happens at a border that is nowhere in particular. */
function plantCrowd(shop: Shop, size: number): void {
  const { random } = shop;
  const [one, other] = [0, 1];
  const place = freePlace(shop)!;
  const way = scaled(direction(random), CROWD.apart * SPREAD);
  newGroup(shop, place);
  newGroup(
    shop,
    place.map((x, j) => (x + way[j]! > HIGHEST || x + way[j]! < LOWEST ? x - way[j]! : x + way[j]!)),
  );
  join(shop, one, Math.round(CROWD.members * size));
  join(shop, other, Math.round(CROWD.members * size));
  const from = shop.customers.length;
  join(shop, one, Math.round(CROWD.between * size));
  for (const customer of shop.customers.slice(from)) customer.between = { other, at: random.float() };
}

/** Those between two groups of which one is no more stay with the other; others take their place. */
function settle(shop: Shop): void {
  const { random, places, customers } = shop;
  for (const customer of customers) {
    if (!customer.between) continue;
    const { other } = customer.between;
    if (places.has(customer.group) && places.has(other)) continue;
    if (!places.has(customer.group))
      customer.group = places.has(other) ? other : pick(random, [...places.keys()]);
    customer.between = null;
  }
  const wanted =
    Math.round(BETWEEN * customers.length) -
    customers.filter(({ group, between }) => group > 1 && between).length;
  for (let i = 0; i < wanted; i++) {
    const customer = customers[random.int(customers.length)]!;
    if (customer.between || customer.group <= 1) continue;
    const other = nearestGroup(places, customer.group);
    customer.between = { other, at: betweenAt(random, customer.group) };
  }
}

export function nearestGroup(places: ReadonlyMap<number, Point>, group: number): number {
  const from = places.get(group)!;
  return [...places]
    .filter(([other]) => other !== group)
    .reduce(
      (best, [other, place]) => (distance(place, from) < distance(places.get(best)!, from) ? other : best),
      [...places.keys()].find((other) => other !== group)!,
    );
}

/** A group that nothing happens to yet, by chance; null when none fits. */
function idle(shop: Shop, busy: ReadonlySet<number>, fits: (members: Customer[]) => boolean = () => true) {
  const free = [...shop.places.keys()].filter(
    (group) => group > 1 && !busy.has(group) && !shop.drifts.has(group) && fits(membersOf(shop, group)),
  );
  return free.length > 0 ? pick(shop.random, free) : null;
}

function membersOf({ customers }: Shop, group: number): Customer[] {
  return customers.filter((customer) => customer.group === group && !customer.between);
}

function moveTo({ random }: Shop, customer: Customer, group: number): void {
  customer.group = group;
  customer.between = null;
  customer.own = ownOf(random);
}

function join(shop: Shop, group: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const id = `c${String(shop.nextId++).padStart(7, '0')}`;
    shop.customers.push({ id, group, between: null, own: ownOf(shop.random) });
  }
}

function newGroup(shop: Shop, place: Point): number {
  const group = shop.nextGroup++;
  shop.places.set(group, place);
  return group;
}

function freePlace(shop: Shop): Point | null {
  for (let tries = 0; tries < 200; tries++) {
    const place = Array.from({ length: DIMENSIONS }, () => LOWEST + (HIGHEST - LOWEST) * shop.random.float());
    if (isFree(shop, place, [])) return place;
  }
  return null;
}

/** Also of the places that drifting groups are on their way to. */
function isFree({ places, drifts }: Shop, place: Point, except: readonly number[]): boolean {
  return (
    [...places].every(([group, other]) => {
      if (except.includes(group)) return true;
      const drift = drifts.get(group);
      const ahead = drift ? other.map((x, j) => x + drift.left * drift.step[j]!) : other;
      return Math.min(distance(place, other), distance(place, ahead)) >= APART * SPREAD;
    }) && place.every((x) => x >= 1.5 && x <= 9)
  );
}

export function ownOf(random: Random): Point {
  return Array.from({ length: DIMENSIONS }, () => OWN * random.normal());
}

function betweenAt(random: Random, group: number): number {
  return group <= 1 ? random.float() : 0.35 + 0.3 * random.float();
}

export function along(from: Point, to: Point, at: number): Point {
  return from.map((x, j) => x + at * (to[j]! - x));
}

export function direction(random: Random): Point {
  const way = Array.from({ length: DIMENSIONS }, () => random.normal());
  return scaled(way, 1 / Math.hypot(...way));
}

export function scaled(way: Point, factor: number): Point {
  return way.map((x) => factor * x);
}

export function distance(one: Point, other: Point): number {
  return Math.hypot(...one.map((x, j) => x - other[j]!));
}

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.int(items.length)]!;
}
