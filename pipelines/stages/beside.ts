import type { Matrix } from '../../numeric/matrix.ts';
import { noiseBand } from '../../numeric/movement/noise-band.ts';
import type { Definition } from '../contracts/definition.ts';
import type { Columns } from './features.ts';
import type { CustomerJoin } from './match.ts';
import type { Model } from './model.ts';
import { type Borders, type MovementInput, traceMovements } from './movements.ts';
import type { StabilityInput } from './stability.ts';

// A run and the publication it is compared with, and what movements and stability ask of the two.

/** Where a model sees the customers of one run, shapes (rows,). */
export interface Seen {
  /** Cluster of each. */
  labels: Uint8Array;
  /** To the nearest centre. */
  distance: Float32Array;
  margin: Float32Array;
}

/** A run beside the publication it is compared with, customer by customer. */
export interface Beside {
  join: CustomerJoin;
  before: Pick<Seen, 'labels' | 'distance'>;
  now: Pick<Seen, 'labels'>;
  /** What this run's model says where some are held back in another segment. */
  modelLabels?: Uint8Array | undefined;
  /** What the published model says of this run's customers; null when it cannot read their features. */
  last: Pick<Seen, 'labels'> | null;
  /** The published model; null as above. */
  model: Model | null;
  /** Segment id of each cluster. */
  previousIds: string[];
  currentIds: string[];
  borders: MovementInput['borders'];
}

/** A model that was never refitted on resamples has borders whose width is not known. */
export function bordersOf({ margin }: Pick<Seen, 'margin'>, model: Model | null): Borders | null {
  return model?.confidence ? { margins: margin, noiseBand: noiseBand(model.confidence) } : null;
}

/** The part of a comparison that says who moved; money apart, which only the sums need. */
export function movementsOf(beside: Beside) {
  const { join, before, now, modelLabels, last, previousIds, currentIds, borders } = beside;
  return {
    ...{ join, previousIds, currentIds, borders },
    previousLabels: before.labels,
    labels: now.labels,
    modelLabels,
    relabelled: last?.labels ?? null,
  };
}

/**
 * What a run's stability is judged by.
 *
 * @param values features of the publication's customers, and `matrix` this run's on the scale of the published model;
 *   null when that model cannot read today's features
 */
export function comparisonOf(
  beside: Beside,
  figures: {
    definition: Pick<Definition, 'naming' | 'features'>;
    columns: Columns;
    values: Columns | null;
    matrix: Matrix | null;
  },
): NonNullable<StabilityInput['previous']> {
  const { join, before, last, model, previousIds } = beside;
  const { definition, columns, values, matrix } = figures;
  return {
    ...{ join, values, labels: before.labels, segmentIds: previousIds },
    movements: traceMovements({
      ...movementsOf(beside),
      spendCents: spendCents(definition, columns),
      previousSpendCents: values && spendCents(definition, values),
    }),
    references: model?.references ?? [],
    frozen: model && matrix && { model, matrix, distance: before.distance },
    relabelled: last?.labels ?? null,
    modelLabels: beside.modelLabels,
  };
}

const CENTS_PER_UNIT = 100;

/**
 * Spend per customer in whole cents, shape (rows,); null where the definition names no spend. Whole, since
 * sums of them are exact in any order.
 */
export function spendCents(
  { naming, features }: Pick<Definition, 'naming' | 'features'>,
  columns: Columns,
): Float64Array | null {
  const values = naming.spend === undefined ? undefined : columns[naming.spend];
  if (!values) return null;
  const { unit } = [...features.aggregate, ...features.derive].find(({ name }) => name === naming.spend)!;
  const factor = unit === 'cents' ? 1 : CENTS_PER_UNIT;
  return values.map((amount) => Math.round(amount * factor));
}
