// Why common customers are in another segment than before: the three-way decomposition, with m0 the last model,
// m1 the new one, x0 and x1 the old and new figures. A move is the customer's doing when m0 sees it too, the
// model's when m1 alone does; either is a border move when the customer stands so near to a border that a refit
// on a resample might have decided otherwise.

/** What one model says of the common customers on this run's figures. */
export interface ModelView {
  /** Segment number of each customer, shape (n,). */
  labels: ArrayLike<number>;
  /** (d2 - d1) / d2 of each, in [0, 1], shape (n,). */
  margins: ArrayLike<number>;
  /** Margin below which a segment's customers are there by chance, shape (segments,), in [0, 1]. */
  noiseBands: ArrayLike<number>;
}

export interface MoveCauseInput {
  /** Segments of both runs, those that go on under one number. */
  segments: number;
  /** m0(x0), shape (n,). */
  previousLabels: ArrayLike<number>;
  /** m0(x1); null when the last model cannot read the new figures: then all moves are laid to the new one. */
  lastModel: ModelView | null;
  /** m1(x1), matched; with hysteresis the segments that customers are in, those held back where they were. */
  newModel: ModelView;
  /** m1(x1) itself where it is not the same, shape (n,): nobody is held back by the model's doing. */
  modelLabels?: ArrayLike<number> | undefined;
  /** Of this run, shape (n,); null where there is none. */
  spendCents: ArrayLike<number> | null;
}

export interface MoveTally {
  customers: number;
  spendCents: number;
}

/** Whose doing a move is, at a border or not. */
export type PlainCause = 'behaviour' | 'model';

/** Customers going one way for one cause, those at a border apart from the others. */
export interface CauseMove extends MoveTally {
  from: number;
  to: number;
  cause: PlainCause;
  isBorder: boolean;
}

export interface MoveCauses {
  /** Rising by from, to, cause, and those at no border first; each customer who moved is in one. */
  moves: CauseMove[];
  common: MoveTally;
  stayed: MoveTally;
  /** The moved, each once: with the stayed they are all common customers. */
  moved: { behaviour: MoveTally; model: MoveTally; border: MoveTally };
  /**
   * Each half by itself, whatever came of it: m0(x0) != m0(x1), and m0(x1) != m1(x1); customers may be in both,
   * as those are whom the new model holds back. Null when the last model cannot read the new figures.
   */
  seen: { behaviour: SeenTally; model: SeenTally } | null;
  /** Per customer: an index of CAUSES, and 1 = moved at a border. */
  causes: Uint8Array;
  isBorder: Uint8Array;
}

export interface SeenTally extends MoveTally {
  /** Those of them at a border. */
  border: MoveTally;
}

export const CAUSES = ['stayed', 'behaviour', 'model'] as const;
const [, BEHAVIOUR, MODEL] = [0, 1, 2] as const;

/**
 * Splits the moves of the common customers by cause.
 *
 * - `behaviour`: m0(x0) != m0(x1); `model`: otherwise
 * - border: the margin under the last model or the new one is below the noise band of the segment that this model
 *   puts the customer into. Customers whom a model gives no segment are a segment with a noise band above 1.
 *
 * @throws RangeError when lengths differ or a label is not a number below `segments`
 *
 * O(n).
 */
export function decomposeMoves(input: MoveCauseInput): MoveCauses {
  checkShapes(input);
  const { previousLabels, lastModel, newModel, modelLabels = newModel.labels, spendCents, segments } = input;
  const rows = previousLabels.length;
  const result: Omit<MoveCauses, 'moves'> = {
    common: tally(),
    stayed: tally(),
    moved: { behaviour: tally(), model: tally(), border: tally() },
    seen: lastModel && { behaviour: seenTally(), model: seenTally() },
    causes: new Uint8Array(rows),
    isBorder: new Uint8Array(rows),
  };
  const moves = new Map<number, CauseMove>();
  for (let row = 0; row < rows; row++) {
    const cents = spendCents?.[row] ?? 0;
    const from = previousLabels[row]!;
    const to = newModel.labels[row]!;
    const between = lastModel ? lastModel.labels[row]! : from;
    const isBorder = isNear(newModel, row) || (lastModel !== null && isNear(lastModel, row));
    add(result.common, cents);
    if (result.seen && from !== between) addSeen(result.seen.behaviour, { cents, isBorder });
    if (result.seen && between !== modelLabels[row]) addSeen(result.seen.model, { cents, isBorder });
    if (from === to) {
      add(result.stayed, cents);
      continue;
    }
    const cause: PlainCause = from === between ? 'model' : 'behaviour';
    result.causes[row] = cause === 'model' ? MODEL : BEHAVIOUR;
    result.isBorder[row] = isBorder ? 1 : 0;
    add(isBorder ? result.moved.border : result.moved[cause], cents);
    const key = ((from * segments + to) * 2 + (cause === 'model' ? 1 : 0)) * 2 + (isBorder ? 1 : 0);
    let known = moves.get(key);
    if (!known) {
      known = { from, to, cause, isBorder, ...tally() };
      moves.set(key, known);
    }
    add(known, cents);
  }
  const rising = [...moves].sort(([left], [right]) => left - right).map(([, move]) => move);
  return { moves: rising, ...result };
}

function isNear({ labels, margins, noiseBands }: ModelView, row: number): boolean {
  return margins[row]! < noiseBands[labels[row]!]!;
}

function tally(): MoveTally {
  return { customers: 0, spendCents: 0 };
}

function seenTally(): SeenTally {
  return { ...tally(), border: tally() };
}

function add(to: MoveTally, cents: number): void {
  to.customers++;
  to.spendCents += cents;
}

function addSeen(to: SeenTally, { cents, isBorder }: { cents: number; isBorder: boolean }): void {
  add(to, cents);
  if (isBorder) add(to.border, cents);
}

function checkShapes({ previousLabels, lastModel, newModel, spendCents, segments }: MoveCauseInput): void {
  const rows = previousLabels.length;
  checkLabels(previousLabels, segments);
  if (spendCents && spendCents.length !== rows)
    throw new RangeError(`moves of ${rows} customers need as many amounts, found ${spendCents.length}`);
  for (const view of lastModel ? [lastModel, newModel] : [newModel]) checkView(view, { rows, segments });
}

/** @throws RangeError when a view is not one of so many customers and segments */
export function checkView(
  { labels, margins, noiseBands }: ModelView,
  { rows, segments }: { rows: number; segments: number },
): void {
  if (labels.length !== rows || margins.length !== rows || noiseBands.length !== segments)
    throw new RangeError(
      `a model's view needs ${rows} labels and margins and ${segments} noise bands, ` +
        `found ${labels.length}, ${margins.length} and ${noiseBands.length}`,
    );
  checkLabels(labels, segments);
}

function checkLabels(labels: ArrayLike<number>, segments: number): void {
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    if (!(Number.isInteger(label) && label >= 0 && label < segments))
      throw new RangeError(`a segment needs to be a number from 0 to ${segments - 1}, found ${label}`);
  }
}
