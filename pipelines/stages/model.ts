import { z } from 'zod';
import { moments } from '../../numeric/statistics/moments.ts';
import { countsBetween } from '../../numeric/statistics/psi.ts';
import { quantiles } from '../../numeric/statistics/quantile.ts';
import type { Definition } from '../contracts/definition.ts';
import { PipelineError } from '../contracts/errors.ts';
import type { Columns } from './features.ts';
import { type AssignedMembers, learnReaches } from './novelty.ts';
import type { FittedTransforms } from './transform.ts';

// All that is needed to assign a customer, and to tell later how far the customers have moved from those it
// was fitted on. Plain JSON, only finite numbers: equal models have equal canonical bytes.

const finite = z.number();
const share = finite.min(0).max(1);

const step = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('log1p') }),
  z.strictObject({ kind: z.literal('winsorise'), lower: finite, upper: finite }),
  z.strictObject({ kind: z.literal('standard'), center: finite, scale: finite }),
  z.strictObject({ kind: z.literal('robust'), center: finite, scale: finite }),
  z.strictObject({ kind: z.literal('yeo-johnson'), lambda: finite }),
]);

const reference = z.strictObject({
  feature: z.string(),
  /** Inner limits of the deciles of the customers the model was fitted on; those that coincide once. */
  edges: z.array(finite),
  /** Customers up to and including each limit, and above the last. */
  counts: z.array(z.int().min(0)),
  mean: finite,
  /** Population standard deviation (ddof 0). */
  deviation: finite,
});

const confidence = z
  .strictObject({
    /** Ascending. */
    margins: z.array(share).min(1),
    /** Never falling. */
    shares: z.array(share).min(1),
  })
  .refine(({ margins, shares }) => margins.length === shares.length, { error: 'needs a share per margin' })
  .refine(({ margins }) => margins.every((margin, i) => i === 0 || margin > margins[i - 1]!), {
    error: 'needs margins in ascending order',
  })
  .refine(({ shares }) => shares.every((value, i) => i === 0 || value >= shares[i - 1]!), {
    error: 'needs shares that never fall',
  });

const assignment = z.strictObject({
  /** A customer with a smaller margin gets no cluster; 0 = everyone gets one. */
  abstainBelowMargin: share.default(0),
  /** The same by confidence; without effect on a model without a table of it. */
  abstainBelowConfidence: share.default(0),
  /** Share of a cluster's own customers that its reach takes in; 1 = nobody is ever called novel. */
  noveltyQuantile: share.default(0.999),
});

/** What stands for a customer without a finite value; absent: 0, as in all models of before there was a rule. */
const whenMissing = finite.optional();

const model = z.strictObject({
  /** Version of this form; 1 has none of the last three fields. */
  model: z.union([z.literal(1), z.literal(2)]),
  pipeline: z.string(),
  definitionVersion: z.int(),
  seed: z.int(),
  features: z.strictObject({
    aggregate: z.array(
      z.strictObject({
        name: z.string(),
        sql: z.string(),
        /** Absent: lines. */
        over: z.literal('orders').optional(),
        whenMissing,
      }),
    ),
    derive: z.array(z.strictObject({ name: z.string(), expression: z.string(), whenMissing })),
  }),
  transforms: z.array(z.strictObject({ feature: z.string(), steps: z.array(step) })),
  /** Shape (k, d), in the order of the labels. */
  centers: z.array(z.array(finite)),
  /** Customers per cluster when fitted. */
  sizes: z.array(z.int().min(1)),
  references: z.array(reference),
  /** Per cluster: a customer farther from its centre than this is unlike any segment. Null: not learnt. */
  reaches: z.array(finite.min(0)).nullable().default(null),
  /**
   * Share of bootstrap refits that gave a customer of such a margin the same cluster: straight lines between
   * these points. Null: not measured.
   */
  confidence: confidence.nullable().default(null),
  assignment: assignment.prefault({}),
});

const checkedModel = model
  .refine(({ centers, transforms }) => centers.every((center) => center.length === transforms.length), {
    error: 'needs a value per transformed feature',
    path: ['centers'],
  })
  .refine(({ centers, sizes }) => centers.length === sizes.length, {
    error: 'needs a size per centre',
    path: ['sizes'],
  })
  .refine(({ centers, reaches }) => reaches === null || reaches.length === centers.length, {
    error: 'needs a reach per centre',
    path: ['reaches'],
  });

export type Model = z.infer<typeof model>;
export type ConfidenceTable = z.infer<typeof confidence>;
export type AssignmentSettings = z.infer<typeof assignment>;
export type FeatureReference = z.infer<typeof reference>;

/**
 * The model of a fit.
 *
 * @param centers row-major, k * d values, d = transforms.length
 * @param columns the untransformed features it was fitted on, finite
 * @param members the customers of the fit; without them no reach is learnt, and nobody is called novel
 */
export function createModel(fit: {
  definition: Pick<Definition, 'pipeline' | 'version' | 'features'> & {
    assignment?: Partial<AssignmentSettings>;
  };
  seed: number;
  transforms: FittedTransforms;
  centers: Float64Array;
  sizes: ArrayLike<number>;
  columns: Columns;
  members?: AssignedMembers;
  confidence?: { readonly margins: readonly number[]; readonly shares: readonly number[] } | null;
}): Model {
  const { definition, transforms } = fit;
  const d = transforms.length;
  const settings = assignment.parse(definition.assignment ?? {});
  const reaches =
    fit.members && learnReaches(fit.members, { k: fit.sizes.length, share: settings.noveltyQuantile });
  return parseModel({
    model: 2,
    pipeline: definition.pipeline,
    definitionVersion: definition.version,
    seed: fit.seed,
    features: {
      aggregate: definition.features.aggregate.map(({ name, sql, over, whenMissing }) => ({
        name,
        sql,
        ...(over === 'orders' && { over }),
        ...(whenMissing !== undefined && { whenMissing }),
      })),
      derive: definition.features.derive.map(({ name, expression, whenMissing }) => ({
        name,
        expression,
        ...(whenMissing !== undefined && { whenMissing }),
      })),
    },
    transforms,
    centers: Array.from(fit.sizes, (_, cluster) => [...fit.centers.subarray(cluster * d, (cluster + 1) * d)]),
    sizes: Array.from(fit.sizes),
    references: [...new Set(transforms.map(({ feature }) => feature))].map((feature) =>
      referenceOf(feature, fit.columns[feature]!),
    ),
    reaches: reaches ? Array.from(reaches) : null,
    confidence: fit.confidence ?? null,
    assignment: settings,
  });
}

/**
 * A model read back from an artifact.
 *
 * @throws PipelineError ARTIFACT_CORRUPT when it is not of this form
 */
export function parseModel(value: unknown): Model {
  const result = checkedModel.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new PipelineError(
    'ARTIFACT_CORRUPT',
    `model: ${path.map(String).join('.') || '(whole)'}: ${message}`,
  );
}

/** The centres as the kernels take them: row-major, k * d values. */
export function centersOf({ centers }: Pick<Model, 'centers'>): Float64Array {
  return Float64Array.from(centers.flat());
}

/** Whether the model can label customers whose features a definition makes: each one it knows is made the same. */
export function canRead(
  { features, pipeline }: Pick<Model, 'features' | 'pipeline'>,
  definition: { pipeline: string; features: { aggregate: readonly Aggregate[]; derive: readonly Derived[] } },
): boolean {
  const { aggregate, derive } = definition.features;
  return (
    pipeline === definition.pipeline &&
    features.aggregate.every((known) =>
      aggregate.some((f) => isMadeAlike(f, known) && f.sql === known.sql && isOver(f) === isOver(known)),
    ) &&
    features.derive.every((known) =>
      derive.some((f) => isMadeAlike(f, known) && f.expression === known.expression),
    )
  );
}

interface Made {
  name: string;
  whenMissing?: number | undefined;
}

type Aggregate = Made & { sql: string; over?: 'lines' | 'orders' | undefined };
type Derived = Made & { expression: string };

function isMadeAlike(one: Made, other: Made): boolean {
  return one.name === other.name && (one.whenMissing ?? 0) === (other.whenMissing ?? 0);
}

function isOver({ over }: { over?: 'lines' | 'orders' | undefined }): boolean {
  return over === 'orders';
}

const DECILES = Array.from({ length: 9 }, (_, i) => (i + 1) / 10);

function referenceOf(feature: string, values: Float64Array): FeatureReference {
  const edges = [...new Set(quantiles(values, DECILES))];
  const { mean, deviation } = moments(values);
  return { feature, edges, counts: [...countsBetween(values, edges)], mean, deviation };
}
