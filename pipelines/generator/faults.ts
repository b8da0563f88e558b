import type { Random } from '../../numeric/random/random.ts';
import { MISSING } from '../contracts/batches.ts';
import { DAY_MINUTES } from './calendar.ts';
import { type Draw, weighted } from './chance.ts';
import type { SaleLine } from './orders.ts';
import { customerNumber } from './population.ts';

// What goes wrong between a till and a warehouse. A line has at most one fault, so that the number planted of
// each kind is the number that a contract has to find, in whatever order its rules stand.

/** A line as the warehouse exports it. */
export interface ExportedLine extends Omit<SaleLine, 'customer' | 'pieces'> {
  lineId: number;
  /** Number of the customer, or MISSING. */
  customer: number;
  loadedAt: number;
  /** Index in {@link QUANTITIES}. */
  quantity: number;
}

export const FAULTS = [
  'without-customer',
  'duplicate',
  'no-pieces',
  'without-price',
  'future-date',
  'unreadable-quantity',
  'late',
] as const;
export type Fault = (typeof FAULTS)[number];

const CHANCES: Record<Fault | 'none', number> = {
  'without-customer': 0.015,
  duplicate: 0.008,
  'no-pieces': 0.002,
  'without-price': 0.003,
  'future-date': 0.001,
  'unreadable-quantity': 0.002,
  late: 0.01,
  none: 0.959,
};

const MOST_PIECES = 60;
const UNREADABLE = ['n/a', 'one', '1 pc', '?', '-'] as const;
/** Tills send quantities as text: -60 to 60, then what some of them send in place of a number. */
export const QUANTITIES: readonly string[] = [
  ...Array.from({ length: 2 * MOST_PIECES + 1 }, (_, i) => String(i - MOST_PIECES)),
  ...UNREADABLE,
];

/** Loads run five minutes past each hour; a repair load follows in the last half hour of the day. */
const LOAD_MINUTE = 5;
const REPAIR_LOAD = DAY_MINUTES - 30;
/** A late line is more than a week behind, whatever the time of day. */
const LATE_DAYS = { least: 8, spread: 30 };
const FUTURE_DAYS = { least: 1, spread: 45 };

const NAMES = [...FAULTS, 'none'] as const;
const drawFault: Draw = weighted(NAMES.map((name) => CHANCES[name]));

export interface Exported {
  line: ExportedLine;
  /** The same line as loaded a second time. */
  copy?: ExportedLine;
  fault?: Fault;
}

/**
 * The line as it reaches the warehouse.
 *
 * @param sale.isKept a line that has to come through unharmed
 * @param sale.until the midnight that ends the books: nothing is ordered or loaded after it
 */
export function exportLine(
  line: SaleLine,
  { lineId, isKept, until, random }: { lineId: number; isKept: boolean; until: number; random: Random },
): Exported {
  const pieces = Math.max(-MOST_PIECES, Math.min(MOST_PIECES, line.pieces));
  const sound: ExportedLine = {
    lineId,
    customer: customerNumber(line.customer),
    order: line.order,
    orderedAt: line.orderedAt,
    loadedAt: Math.floor(line.orderedAt / 60) * 60 + 60 + LOAD_MINUTE,
    quantity: pieces + MOST_PIECES,
    priceCents: line.priceCents,
    category: line.category,
    channel: line.channel,
    country: line.country,
  };
  // Returns are refused for what they are; a second fault would hide that.
  if (isKept || line.pieces < 0) return { line: sound };
  const drawn = NAMES[drawFault(random)]!;
  return drawn === 'none'
    ? { line: sound }
    : (spoil(sound, { fault: drawn, until, random }) ?? { line: sound });
}

/** Undefined where the books end before the fault could show. */
function spoil(
  line: ExportedLine,
  { fault, until, random }: { fault: Fault; until: number; random: Random },
): Exported | undefined {
  const daysLater = ({ least, spread }: typeof LATE_DAYS) => (least + random.int(spread)) * DAY_MINUTES;
  const repairedAt = (minutes: number) => Math.floor(minutes / DAY_MINUTES) * DAY_MINUTES + REPAIR_LOAD;
  switch (fault) {
    case 'without-customer':
      return { fault, line: { ...line, customer: MISSING } };
    case 'duplicate':
      return { fault, line, copy: { ...line, loadedAt: repairedAt(line.orderedAt) } };
    case 'no-pieces':
      return { fault, line: { ...line, quantity: MOST_PIECES } };
    case 'without-price':
      return { fault, line: { ...line, priceCents: random.int(3) === 0 ? -line.priceCents : 0 } };
    case 'unreadable-quantity':
      return {
        fault,
        line: { ...line, quantity: QUANTITIES.length - UNREADABLE.length + random.int(UNREADABLE.length) },
      };
    case 'future-date': {
      const orderedAt = line.orderedAt + daysLater(FUTURE_DAYS);
      return orderedAt < until ? { fault, line: { ...line, orderedAt } } : undefined;
    }
    case 'late': {
      const loadedAt = repairedAt(line.orderedAt + daysLater(LATE_DAYS));
      return loadedAt < until ? { fault, line: { ...line, loadedAt } } : undefined;
    }
  }
}
