import { createRandom } from '../../numeric/random/random.ts';
import type { ColumnBatch } from '../contracts/batches.ts';
import { endOfDay, shopMonths } from './calendar.ts';
import { type ExportedLine, exportLine, FAULTS, type Fault } from './faults.ts';
import { GROUP_NAMES } from './groups.ts';
import { openMonth } from './orders.ts';
import type { ShopPlan } from './plan.ts';
import { createPopulation, customerNumber, drift, type Population } from './population.ts';
import { createRowBuffer } from './rows.ts';

export type TransactionBatch = ColumnBatch;

/** What was planted: to be known by tests, never by a pipeline. */
export interface ShopTruth {
  /** Rows of the export, copies and returns among them. */
  rows: number;
  returns: number;
  /** Lines with each fault. `duplicate` counts the copies; `late` lines are good ones. */
  faults: Record<Fault, number>;
  /** Rows that a contract should accept. */
  accepted: number;
  groupNames: readonly string[];
  /** Number of each customer, as in the export. */
  customerNumbers: Int32Array;
  /** Index in `groupNames`, per customer, at the beginning and on the last day. */
  firstGroups: Uint8Array;
  lastGroups: Uint8Array;
}

/** Rows wait for this many others to be mixed with; one customer's month and the copies may come on top. */
const BATCH_ROWS = 16_384;
const BATCH_SPARE_ROWS = 4_096;

/**
 * The transactions of a made-up shop, month after month, mixed within a batch.
 *
 * About 12 rows a customer over 18 months; the columns are those of `TransactionBatch.columns`. No row is
 * ordered or loaded after `until`. Memory: some 10 bytes a customer and one batch. O(customers * months +
 * rows), a million rows in about a second.
 */
export function generateTransactions(plan: ShopPlan): Iterable<TransactionBatch> {
  return { [Symbol.iterator]: () => simulate(plan, createTally()) };
}

/** The truth behind {@link generateTransactions} of the same plan, found by running it. */
export function describeTruth(plan: ShopPlan): ShopTruth {
  const tally = createTally();
  const firstGroups = createPopulation(plan, shopMonths(plan)).group;
  let rows = 0;
  for (const batch of simulate(plan, tally)) rows += batch.rows;
  const { faults, returns } = tally;
  const refused = FAULTS.filter((fault) => fault !== 'late').reduce((sum, fault) => sum + faults[fault], 0);
  return {
    rows,
    returns,
    faults,
    accepted: rows - returns - refused,
    groupNames: GROUP_NAMES,
    customerNumbers: Int32Array.from({ length: plan.customers }, (_, customer) => customerNumber(customer)),
    firstGroups,
    lastGroups: tally.population!.group,
  };
}

interface Tally {
  returns: number;
  faults: Record<Fault, number>;
  population?: Population;
}

function createTally(): Tally {
  return {
    returns: 0,
    faults: Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>,
  };
}

function* simulate(plan: ShopPlan, tally: Tally): Generator<TransactionBatch> {
  const months = shopMonths(plan);
  const until = endOfDay(plan.until);
  const population = createPopulation(plan, months);
  tally.population = population;
  const buffer = createRowBuffer(BATCH_ROWS + BATCH_SPARE_ROWS);
  const root = createRandom(plan.seed);
  const mixing = root.fork('mixing');
  // Copies wait for the next batch: a row loaded twice is seldom beside itself.
  let copies: ExportedLine[] = [];
  let lineId = 0;
  let orders = 0;
  for (const month of months) {
    // Faults have chance of their own, so that sales stay what they are when a fault is added.
    const faulty = root.fork(`faults ${month.label}`);
    drift(population, month, root.fork(`drift ${month.label}`));
    const random = root.fork(`orders ${month.label}`);
    const linesOf = openMonth(month, { population, random, until, nextOrder: () => ++orders });
    for (let customer = 0; customer < plan.customers; customer++) {
      const isFirstMonth = population.arrival[customer] === month.index;
      for (const [i, sale] of linesOf(customer).entries()) {
        const isKept = isFirstMonth && i === 0;
        const { line, copy, fault } = exportLine(sale, { lineId: ++lineId, isKept, until, random: faulty });
        if (fault) tally.faults[fault]++;
        if (sale.pieces < 0) tally.returns++;
        if (copy) copies.push(copy);
        buffer.add(line);
      }
      if (buffer.rows < BATCH_ROWS) continue;
      yield buffer.take(mixing);
      for (const copy of copies) buffer.add(copy);
      copies = [];
    }
  }
  for (const copy of copies) buffer.add(copy);
  if (buffer.rows > 0) yield buffer.take(mixing);
}
