import { z } from 'zod';
import type { JensenShannon } from '../../numeric/statistics/jensen-shannon.ts';
import type { KolmogorovSmirnov } from '../../numeric/statistics/kolmogorov-smirnov.ts';
import type { PopulationStability } from '../../numeric/statistics/psi.ts';
import type { WassersteinDistance } from '../../numeric/statistics/wasserstein.ts';
import { PipelineError } from '../contracts/errors.ts';
import type { Stability } from '../contracts/stages.ts';
import type { MovementReport } from './movements.ts';

// What is kept of the comparison with the last publication. Reports are read again for years, so that what was
// added later is null in those of before.

export interface StabilityMetric {
  metric: string;
  /** A feature or a segment id; empty for the run as a whole. */
  subject: string;
  /** Null where it cannot be computed. */
  value: number | null;
  threshold: number | null;
  verdict: 'within' | 'beyond' | 'told';
}

export interface DriftReport {
  /** A feature; empty for the mix of segments. */
  subject: string;
  /** With its bins, so that it can be checked by hand. */
  psi: PopulationStability;
  /** Second opinions on a feature, from the values themselves; null where those were not compared. */
  wasserstein: (Omit<WassersteinDistance, 'standardised'> & { standardised: number | null }) | null;
  kolmogorovSmirnov: KolmogorovSmirnov | null;
  /** A second opinion on the mix. */
  jensenShannon: JensenShannon | null;
}

/** How far the centre of a segment that goes on has gone, measured by the last model's own scale. */
export interface CentroidReport {
  segmentId: string;
  /** In units of that scale. */
  distance: number;
  /** The same in radii of the segment as it was; null where that is 0. */
  delta: number | null;
  /** New less old centre by column of the last model, in units of its scale. */
  differences: { feature: string; difference: number }[];
}

export interface StabilityReport
  extends Pick<Stability, 'verdict' | 'reasons' | 'adjustedRand' | 'movedShare'> {
  metrics: StabilityMetric[];
  movements: MovementReport | null;
  drift: DriftReport[];
  /** Null when the last model cannot read the new figures. */
  centroids: CentroidReport[] | null;
}

const tally = z.looseObject({ customers: z.number(), spendCents: z.number().nullable() });
const seen = tally.extend({ border: tally.nullable().default(null) });

const movements = z.looseObject({
  movements: z.array(
    tally.extend({ from: z.string().nullable(), to: z.string().nullable(), cause: z.string() }),
  ),
  ...{ stayed: tally, new: tally, lost: tally },
  moved: z.looseObject({ behaviour: tally, model: tally, border: tally }).nullable().default(null),
  behaviour: seen.nullable(),
  model: seen.nullable(),
  noiseBands: z.looseObject({}).nullable().default(null),
  migration: z
    .looseObject({ rows: z.array(z.looseObject({})) })
    .nullable()
    .default(null),
});

const opinion = z.looseObject({}).nullable().default(null);

const report = z.looseObject({
  verdict: z.string(),
  reasons: z.array(z.string()),
  adjustedRand: z.number().nullable(),
  movedShare: z.number().nullable(),
  metrics: z.array(
    z.looseObject({
      ...{ metric: z.string(), subject: z.string(), verdict: z.string() },
      ...{ value: z.number().nullable(), threshold: z.number().nullable() },
    }),
  ),
  movements: movements.nullable(),
  drift: z.array(
    z.looseObject({
      subject: z.string(),
      psi: z.looseObject({ psi: z.number() }),
      ...{ wasserstein: opinion, kolmogorovSmirnov: opinion, jensenShannon: opinion },
    }),
  ),
  centroids: z
    .array(z.looseObject({ segmentId: z.string() }))
    .nullable()
    .default(null),
});

/**
 * A report read back from an artifact, also one of an earlier version.
 *
 * @throws PipelineError ARTIFACT_CORRUPT when it is not of this form
 */
export function parseStabilityReport(value: unknown): StabilityReport {
  const result = report.safeParse(value);
  if (result.success) return result.data as unknown as StabilityReport;
  const { path, message } = result.error.issues[0]!;
  throw new PipelineError(
    'ARTIFACT_CORRUPT',
    `stability report: ${path.map(String).join('.') || '(whole)'}: ${message}`,
  );
}
