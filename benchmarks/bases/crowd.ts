import type { Random } from '../../numeric/random/random.ts';
import { type Customer, DIMENSIONS, type Month } from './changing-shop.ts';

// A shop without groups: one long crowd from those who hardly come to those who always do, cut into equal parts by
// convention. Nobody changes but by chance, and where the cuts lie is chance as well.

const PARTS = 4;
const LOADINGS = [-1, 0.9, 1, 0.8];
const MIDDLE = [5, 4, 5, 5];
/** What a customer's standing keeps from month to month, and the deviations beside it. */
const KEEPS = 0.99;
const [OWN, MONTHLY] = [0.4, 0.2];
const LEAVE = 0.03;

/** The crowd month by month; a customer's group is the quarter of the crowd that they stand in. */
export function* crowd(random: Random, { months, size }: { months: number; size: number }): Generator<Month> {
  let nextId = 0;
  const join = (): Customer => {
    const own = [random.normal(), ...Array.from({ length: DIMENSIONS }, () => OWN * random.normal())];
    return { id: `c${String(nextId++).padStart(7, '0')}`, group: partOf(own[0]!), between: null, own };
  };
  let customers = Array.from({ length: size }, join);
  for (let month = 0; month < months; month++) {
    yield monthOf(month, customers);
    const stayed = customers
      .filter(() => random.float() >= LEAVE)
      .map((customer) => {
        const [standing, ...rest] = customer.own as [number, ...number[]];
        const now = KEEPS * standing + Math.sqrt(1 - KEEPS ** 2) * random.normal();
        return { ...customer, own: [now, ...rest], group: partOf(now) };
      });
    customers = [...stayed, ...Array.from({ length: size - stayed.length }, join)];
  }
}

function monthOf(month: number, customers: readonly Customer[]): Month {
  return {
    ...{ month, customers, events: [] },
    places: new Map(Array.from({ length: PARTS }, (_, part) => [part, MIDDLE])),
    figures: (random, { copies = 0 } = {}) => drawFigures(customers, random, copies),
  };
}

function drawFigures(customers: readonly Customer[], random: Random, copies: number): Float64Array[] {
  const rows = customers.length * Math.max(1, copies);
  const columns = Array.from({ length: DIMENSIONS }, () => new Float64Array(rows));
  for (let row = 0; row < rows; row++) {
    const { group, own } = customers[row % customers.length]!;
    const standing = copies > 0 ? standingIn(random, group) : own[0]!;
    for (let j = 0; j < DIMENSIONS; j++) {
      const beside = (copies > 0 ? OWN * random.normal() : own[j + 1]!) + MONTHLY * random.normal();
      columns[j]![row] = Math.expm1(Math.max(0, MIDDLE[j]! + LOADINGS[j]! * standing + beside));
    }
  }
  return columns;
}

/** Quarters of a normal distribution. */
function partOf(standing: number): number {
  return [-0.6745, 0, 0.6745].filter((limit) => standing >= limit).length;
}

function standingIn(random: Random, part: number): number {
  for (;;) {
    const standing = random.normal();
    if (partOf(standing) === part) return standing;
  }
}
