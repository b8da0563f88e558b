import type { CustomerJoin } from './match.ts';

/**
 * Why customers are in another segment than before (the three-way decomposition, with m0 the last model, m1
 * the new one, x0 and x1 the old and new figures):
 * `behaviour` the last model too would have moved them, m0(x0) != m0(x1); `model` it would not have, so the
 * new model did. A customer moved by both counts as behaviour in a movement, and in both totals.
 */
export type MovementCause = 'behaviour' | 'model';

/** Customers going one way for one cause. */
export interface Movement {
  /** Segment id; null = not a customer in the last publication. */
  from: string | null;
  /** Segment id; null = no customer any more. */
  to: string | null;
  cause: MovementCause;
  customers: number;
  /** Their spend in this run; that of the last publication for the lost. */
  spendCents: number;
}

interface Tally {
  customers: number;
  spendCents: number;
}

export interface MovementReport {
  /** Rising by from, to and cause; without those who stayed. */
  movements: Movement[];
  stayed: Tally;
  new: Tally;
  lost: Tally;
  /** Common customers for whom m0(x0) != m0(x1); null when the last model cannot read the new figures. */
  behaviour: Tally | null;
  /** Common customers for whom m0(x1) != m1(x1), after matching; null as above. */
  model: Tally | null;
}

export interface MovementInput {
  join: CustomerJoin;
  /** Segment id of each cluster, in the order of the labels. */
  previousIds: readonly string[];
  currentIds: readonly string[];
  /** m0(x0), shape (previous rows,); m1(x1), shape (rows,). */
  previousLabels: Uint8Array;
  labels: Uint8Array;
  /** m0(x1), shape (rows,): the last model on the new figures; null when the features have changed. */
  relabelled: Uint8Array | null;
  /** Spend per customer in cents, shapes (rows,) and (previous rows,); null where there is none. */
  spendCents: Float64Array | null;
  previousSpendCents: Float64Array | null;
}

/** Who moved between two publications, and why. O(rows). */
export function traceMovements(input: MovementInput): MovementReport {
  const { join, previousLabels, labels, relabelled, previousIds, currentIds } = input;
  const report: Omit<MovementReport, 'movements'> = {
    stayed: tally(),
    new: tally(),
    lost: tally(),
    behaviour: relabelled && tally(),
    model: relabelled && tally(),
  };
  // By number, not by text: at a million customers the key is made for every one that moves.
  const moves = new Map<number, Movement>();
  const move = (before: number, after: number, by: { cause: MovementCause; cents: number }) => {
    const way = (before + 1) * (currentIds.length + 1) + after + 1;
    const key = way * 2 + (by.cause === 'model' ? 1 : 0);
    let known = moves.get(key);
    if (!known) {
      const from = previousIds[before] ?? null;
      known = { from, to: currentIds[after] ?? null, cause: by.cause, customers: 0, spendCents: 0 };
      moves.set(key, known);
    }
    add(known, by.cents);
  };
  for (let row = 0; row < labels.length; row++) {
    const cents = input.spendCents?.[row] ?? 0;
    const after = labels[row]!;
    const previousRow = join.previousRow[row]!;
    if (previousRow < 0) {
      add(report.new, cents);
      move(-1, after, { cause: 'behaviour', cents });
      continue;
    }
    const before = previousLabels[previousRow]!;
    const behaved = relabelled !== null && relabelled[row] !== before;
    if (report.behaviour && behaved) add(report.behaviour, cents);
    if (report.model && previousIds[relabelled![row]!] !== currentIds[after]) add(report.model, cents);
    if (previousIds[before] === currentIds[after]) add(report.stayed, cents);
    else move(before, after, { cause: behaved ? 'behaviour' : 'model', cents });
  }
  for (const previousRow of join.lost) {
    const cents = input.previousSpendCents?.[previousRow] ?? 0;
    add(report.lost, cents);
    move(previousLabels[previousRow]!, -1, { cause: 'behaviour', cents });
  }
  return { movements: [...moves.values()].sort(byWay), ...report };
}

function tally(): Tally {
  return { customers: 0, spendCents: 0 };
}

function add(to: Tally, cents: number): void {
  to.customers++;
  to.spendCents += cents;
}

function byWay(left: Movement, right: Movement): number {
  const key = ({ from, to, cause }: Movement) => `${from ?? ''}\n${to ?? ''}\n${cause}`;
  return key(left) < key(right) ? -1 : 1;
}
