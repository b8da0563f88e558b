import type { CustomerJoin } from '../match.ts';
import type { Movement, MovementCause } from '../movements.ts';

// Who went where between two publications, counted customer by customer so that nothing is lost on the way: what
// leaves a segment and what arrives add up to its sizes before and after, in customers and in cents.

export interface Flow {
  /** Segment id; null: no customers then. */
  from: string | null;
  /** Segment id; null: no customers any more. */
  to: string | null;
  customers: number;
  /** Their spend in the publication before, 0 of those who are new; null where the pipeline has none. */
  centsBefore: number | null;
  /** Their spend in the publication after, 0 of those who are lost; null as above. */
  centsAfter: number | null;
  /** Sum of the squares of their spend, after or of the lost before: what the interval of a share of money needs. */
  squaredCents: number | null;
  /** How many went for which cause; null for those who stayed, and where it was not measured. */
  causes: Record<MovementCause, number> | null;
}

export interface FlowInput {
  join: CustomerJoin;
  /** Segment id of each cluster, in the order of the labels. */
  previousIds: readonly string[];
  currentIds: readonly string[];
  previousLabels: ArrayLike<number>;
  labels: ArrayLike<number>;
  /** Whole cents per customer, shapes (previous rows,) and (rows,); null where there is no spend. */
  previousCents: ArrayLike<number> | null;
  cents: ArrayLike<number> | null;
}

/** Every way that somebody went, in the order of the segments before, then after; new and lost last. O(rows). */
export function countFlows(input: FlowInput): Flow[] {
  const { join, previousIds, currentIds, previousLabels, labels, previousCents, cents } = input;
  const columns = currentIds.length + 1;
  const cells = new Map<number, Flow>();
  const hasMoney = cents !== null && previousCents !== null;
  const count = (row: number, column: number, money: { before: number; after: number; own: number }) => {
    const key = row * columns + column;
    let flow = cells.get(key);
    if (!flow) {
      const zero = hasMoney ? 0 : null;
      flow = {
        from: previousIds[row] ?? null,
        to: currentIds[column] ?? null,
        customers: 0,
        ...{ centsBefore: zero, centsAfter: zero, squaredCents: zero, causes: null },
      };
      cells.set(key, flow);
    }
    flow.customers++;
    if (!hasMoney) return;
    flow.centsBefore! += money.before;
    flow.centsAfter! += money.after;
    flow.squaredCents! += money.own ** 2;
  };
  for (let row = 0; row < labels.length; row++) {
    const previousRow = join.previousRow[row]!;
    const isNew = previousRow < 0;
    const after = cents?.[row] ?? 0;
    const before = isNew ? 0 : (previousCents?.[previousRow] ?? 0);
    const from = isNew ? previousIds.length : previousLabels[previousRow]!;
    count(from, labels[row]!, { before, after, own: after });
  }
  for (const previousRow of join.lost) {
    const before = previousCents?.[previousRow] ?? 0;
    count(previousLabels[previousRow]!, currentIds.length, { before, after: 0, own: before });
  }
  return [...cells].sort(([left], [right]) => left - right).map(([, flow]) => flow);
}

/** The same ways with what is known of their causes. */
export function withCauses(
  flows: readonly Flow[],
  movements: readonly Pick<Movement, 'from' | 'to' | 'cause' | 'customers'>[],
): Flow[] {
  return flows.map((flow) => {
    const own = movements.filter(({ from, to }) => from === flow.from && to === flow.to);
    if (own.length === 0) return flow;
    const causes = { behaviour: 0, model: 0, border: 0 };
    for (const { cause, customers } of own) causes[cause] += customers;
    return { ...flow, causes };
  });
}

export interface Tally {
  customers: number;
  cents: number | null;
}

export interface FlowTotals {
  /** In both publications. */
  common: number;
  stayed: number;
  /** In another segment than before. */
  moved: number;
  /** The moved by cause; null where no cause is known. */
  causes: Record<MovementCause, number> | null;
  new: Tally;
  lost: Tally;
  /** What the common customers have spent more since, or less; null without money. */
  growthCents: number | null;
}

export function totalsOf(flows: readonly Flow[]): FlowTotals {
  const common = flows.filter(({ from, to }) => from !== null && to !== null);
  const moved = common.filter(({ from, to }) => from !== to);
  const arrived = flows.filter(({ from }) => from === null);
  const left = flows.filter(({ to }) => to === null);
  const hasMoney = flows.every(({ centsAfter }) => centsAfter !== null);
  const sum = (of: readonly Flow[], value: (flow: Flow) => number) =>
    of.reduce((total, flow) => total + value(flow), 0);
  const customers = (of: readonly Flow[]) => sum(of, (flow) => flow.customers);
  const causeOf = (cause: MovementCause) => sum(moved, ({ causes }) => causes?.[cause] ?? 0);
  return {
    common: customers(common),
    stayed: customers(common) - customers(moved),
    moved: customers(moved),
    causes:
      moved.length > 0 && moved.every(({ causes }) => causes === null)
        ? null
        : { behaviour: causeOf('behaviour'), model: causeOf('model'), border: causeOf('border') },
    new: { customers: customers(arrived), cents: hasMoney ? sum(arrived, (flow) => flow.centsAfter!) : null },
    lost: { customers: customers(left), cents: hasMoney ? sum(left, (flow) => flow.centsBefore!) : null },
    growthCents: hasMoney ? sum(common, (flow) => flow.centsAfter! - flow.centsBefore!) : null,
  };
}

/** 97.5 % quantile of the normal distribution. */
const Z = 1.959964;

/**
 * The share of a row's money that went one way, and where it lies with a probability of 95 %, as another draw of such
 * customers would give it: a ratio of sums, its variance linearised. Rough where a few customers hold most of the money.
 *
 * @returns null without money, or where the row's money is not above 0
 */
export function moneyShare(
  cell: Pick<Flow, 'squaredCents'> & { cents: number | null },
  row: { cents: number | null; squaredCents: number | null },
): { share: number; low: number; high: number } | null {
  if (cell.cents === null || row.cents === null || !(row.cents > 0)) return null;
  const share = cell.cents / row.cents;
  const own = cell.squaredCents ?? 0;
  const others = Math.max(0, (row.squaredCents ?? 0) - own);
  const deviation = Math.sqrt((1 - share) ** 2 * own + share ** 2 * others) / row.cents;
  return {
    share,
    low: Math.max(0, share - Z * deviation),
    high: Math.min(1, share + Z * deviation),
  };
}
