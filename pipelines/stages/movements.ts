import type { CustomerJoin } from './match.ts';
import { type MigrationReport, reportMigration } from './migration-report.ts';
import { CAUSES, decomposeMoves, type MoveCauses, type MoveTally, type SeenTally } from './move-causes.ts';

/**
 * Why customers are in another segment than before (the three-way decomposition, with m0 the last model, m1
 * the new one, x0 and x1 the old and new figures):
 * `behaviour` the last model too would have moved them, m0(x0) != m0(x1); `model` it would not have, so the
 * new model did; `border` they stand so near to a border that either might have been chance. Each movement has
 * one cause; a customer moved by both counts as behaviour. Those who are new or lost count as behaviour.
 */
export type MovementCause = 'behaviour' | 'model' | 'border';

/** Customers going one way for one cause. */
export interface Movement {
  /** Segment id; null = not a customer in the last publication. */
  from: string | null;
  /** Segment id; null = no customer any more. */
  to: string | null;
  cause: MovementCause;
  customers: number;
  /** Their spend in this run; that of the last publication for the lost. Null where it is not known. */
  spendCents: number | null;
}

/** Customers, and their spend as a movement has it. */
export interface Tally {
  customers: number;
  spendCents: number | null;
}

/** Those of them at a border: null in reports of before. */
type Seen = Tally & { border: Tally | null };

export interface MovementReport {
  /** Rising by from, to and cause; without those who stayed. */
  movements: Movement[];
  stayed: Tally;
  new: Tally;
  lost: Tally;
  /** Common customers who moved, each once; null in reports of before there was a border. */
  moved: { behaviour: Tally; model: Tally; border: Tally } | null;
  /**
   * Common customers for whom m0(x0) != m0(x1), whatever came of it; null when the last model cannot read the
   * new figures.
   */
  behaviour: Seen | null;
  /** Common customers for whom m0(x1) != m1(x1), after matching; null as above. */
  model: Seen | null;
  /** Margin below which a customer is at a border, by model; null where it was not measured: nobody is. */
  noiseBands: { last: number | null; new: number | null } | null;
  /** Null in reports of before it was kept. */
  migration: MigrationReport | null;
}

/** Where a model has its borders. */
export interface Borders {
  /** (d2 - d1) / d2 of each customer of this run, shape (rows,). */
  margins: ArrayLike<number>;
  /** Margin below which a segment is a matter of chance, in [0, 1]. */
  noiseBand: number;
}

export interface MovementInput {
  join: CustomerJoin;
  /** Segment id of each cluster, in the order of the labels. */
  previousIds: readonly string[];
  currentIds: readonly string[];
  /** m0(x0), shape (previous rows,); m1(x1), shape (rows,). */
  previousLabels: Uint8Array;
  labels: Uint8Array;
  /** m1(x1) where `labels` has customers who are held back, shape (rows,). */
  modelLabels?: Uint8Array | undefined;
  /** m0(x1), shape (rows,): the last model on the new figures; null when the features have changed. */
  relabelled: Uint8Array | null;
  /** Of both models on this run's figures; null where not known: then nobody is at a border of that model. */
  borders: { last: Borders | null; new: Borders | null };
  /** Spend per customer in cents, shapes (rows,) and (previous rows,); null where there is none. */
  spendCents: Float64Array | null;
  previousSpendCents: Float64Array | null;
}

/** Who moved between two publications, and why. O(rows). */
export function traceMovements(input: MovementInput): MovementReport {
  const { causes, ids } = decompose(input);
  const arrivals = arrivalsOf(input);
  const departures = departuresOf(input);
  const { moved, seen, stayed } = causes;
  const now = <T extends MoveTally>(found: T) => withKnown(found, input.spendCents);
  const before = <T extends MoveTally>(found: T) => withKnown(found, input.previousSpendCents);
  const ofHalf = (half: SeenTally) => ({ ...now(half), border: now(half.border) });
  return {
    movements: [...[...betweenSegments(causes, ids), ...arrivals].map(now), ...departures.map(before)].sort(
      byWay,
    ),
    stayed: now(stayed),
    new: now(sumOf(arrivals)),
    lost: before(sumOf(departures)),
    moved: { behaviour: now(moved.behaviour), model: now(moved.model), border: now(moved.border) },
    behaviour: seen && ofHalf(seen.behaviour),
    model: seen && ofHalf(seen.model),
    noiseBands: {
      last: input.borders.last?.noiseBand ?? null,
      new: input.borders.new?.noiseBand ?? null,
    },
    migration: reportMigration(input),
  };
}

/** Codes of {@link causesOfCustomers}; null: the customer has stayed. */
export const CAUSE_WORDS = [null, 'behaviour', 'model', 'border'] as const satisfies (MovementCause | null)[];
const [STAYED, BEHAVIOUR, , BORDER] = [0, 1, 2, 3] as const;

/**
 * Why each customer of this run is in another segment than in the last publication, as an index of CAUSE_WORDS,
 * shape (rows,). The counts of {@link traceMovements} customer by customer, but for the lost. O(rows).
 */
export function causesOfCustomers(
  input: Omit<MovementInput, 'spendCents' | 'previousSpendCents'>,
): Uint8Array {
  const { causes, rows } = decompose({ ...input, spendCents: null });
  const { previousRow } = input.join;
  const codes = new Uint8Array(previousRow.length);
  for (let row = 0; row < codes.length; row++) if (previousRow[row]! < 0) codes[row] = BEHAVIOUR;
  const codeOf = CAUSES.map((word) => (word === 'stayed' ? STAYED : CAUSE_WORDS.indexOf(word)));
  for (let i = 0; i < rows.length; i++)
    codes[rows[i]!] = causes.isBorder[i] ? BORDER : codeOf[causes.causes[i]!]!;
  return codes;
}

interface Decomposed {
  causes: MoveCauses;
  /** Segment id of each number. */
  ids: string[];
  /** Rows of the common customers, rising. */
  rows: Int32Array;
}

/** Segments that go on have one number on both sides, so that going nowhere is no move. */
function decompose(input: Omit<MovementInput, 'previousSpendCents'>): Decomposed {
  const { join, previousIds, currentIds, previousLabels, labels, modelLabels, relabelled } = input;
  const { borders, spendCents } = input;
  const ids = [...new Set([...previousIds, ...currentIds])];
  const numberOf = (id: string) => ids.indexOf(id);
  const before = previousIds.map(numberOf);
  const now = currentIds.map(numberOf);
  const rows = commonRows(join);
  const viewOf = (ofModel: { labels: Uint8Array; numbers: number[]; borders: Borders | null }) => ({
    labels: numbersAt(rows, ofModel),
    margins: valuesAt(rows, ofModel.borders?.margins),
    noiseBands: new Float64Array(ids.length).fill(ofModel.borders?.noiseBand ?? 0),
  });
  const previousRows = valuesAt(rows, join.previousRow);
  const causes = decomposeMoves({
    segments: ids.length,
    previousLabels: numbersAt(previousRows, { labels: previousLabels, numbers: before }),
    lastModel: relabelled && viewOf({ labels: relabelled, numbers: before, borders: borders.last }),
    newModel: viewOf({ labels, numbers: now, borders: borders.new }),
    modelLabels: modelLabels && numbersAt(rows, { labels: modelLabels, numbers: now }),
    spendCents: spendCents && valuesAt(rows, spendCents),
  });
  return { causes, ids, rows };
}

function commonRows({ previousRow, common }: CustomerJoin): Int32Array {
  const rows = new Int32Array(common);
  let next = 0;
  for (let row = 0; row < previousRow.length; row++) if (previousRow[row]! >= 0) rows[next++] = row;
  return rows;
}

/** The number of the segment of each row. In loops: a million rows through callbacks would hold the event loop up. */
function numbersAt(
  rows: ArrayLike<number>,
  { labels, numbers }: { labels: Uint8Array; numbers: readonly number[] },
): Uint8Array {
  const found = new Uint8Array(rows.length);
  for (let i = 0; i < found.length; i++) found[i] = numbers[labels[rows[i]!]!]!;
  return found;
}

/** The values of some rows; 0 where there are none. */
function valuesAt(rows: Int32Array, values: ArrayLike<number> | undefined): Float64Array {
  const found = new Float64Array(rows.length);
  if (values) for (let i = 0; i < found.length; i++) found[i] = values[rows[i]!]!;
  return found;
}

type Counted = Omit<Movement, 'spendCents'> & MoveTally;

/** At a border it is one movement, whatever else would have been its cause. */
function betweenSegments({ moves }: MoveCauses, ids: readonly string[]): Counted[] {
  const found = new Map<string, Counted>();
  for (const { from, to, cause: plain, isBorder, customers, spendCents } of moves) {
    const cause = isBorder ? 'border' : plain;
    const key = `${from} ${to} ${cause}`;
    const known = found.get(key);
    if (known) {
      known.customers += customers;
      known.spendCents += spendCents;
    } else found.set(key, { from: ids[from]!, to: ids[to]!, cause, customers, spendCents });
  }
  return [...found.values()];
}

function arrivalsOf({ join, labels, currentIds, spendCents }: MovementInput): Counted[] {
  const found = currentIds.map((to) => ({ from: null, to, cause: 'behaviour' as const, ...tally() }));
  for (let row = 0; row < labels.length; row++)
    if (join.previousRow[row]! < 0) add(found[labels[row]!]!, spendCents?.[row] ?? 0);
  return found.filter(({ customers }) => customers > 0);
}

function departuresOf({ join, previousLabels, previousIds, previousSpendCents }: MovementInput): Counted[] {
  const found = previousIds.map((from) => ({ from, to: null, cause: 'behaviour' as const, ...tally() }));
  for (const previousRow of join.lost)
    add(found[previousLabels[previousRow]!]!, previousSpendCents?.[previousRow] ?? 0);
  return found.filter(({ customers }) => customers > 0);
}

function tally(): MoveTally {
  return { customers: 0, spendCents: 0 };
}

/** Nobody's spend is no spend of 0: where it is not known it stays so, up to what people are told. */
function withKnown<T extends MoveTally>(
  found: T,
  cents: Float64Array | null,
): T | (T & { spendCents: null }) {
  return cents === null ? { ...found, spendCents: null } : found;
}

function add(to: MoveTally, cents: number): void {
  to.customers++;
  to.spendCents += cents;
}

function sumOf(movements: readonly MoveTally[]): MoveTally {
  const total = tally();
  for (const { customers, spendCents } of movements) {
    total.customers += customers;
    total.spendCents += spendCents;
  }
  return total;
}

function byWay(left: Movement, right: Movement): number {
  const key = ({ from, to, cause }: Movement) => `${from ?? ''}\n${to ?? ''}\n${cause}`;
  return key(left) < key(right) ? -1 : 1;
}
