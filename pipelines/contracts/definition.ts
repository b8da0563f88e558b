import { z } from 'zod';
import { alertFaults, alertSettings } from './alert-settings.ts';
import { channel } from './channels.ts';
import type { Contract } from './contract.ts';
import { PipelineError } from './errors.ts';
import { featureName } from './feature-name.ts';
import { inboxSettings } from './inbox-settings.ts';
import { naming, namingFaults } from './naming-settings.ts';
import { readContract } from './parse-contract.ts';
import { readYaml } from './read-yaml.ts';
import { refitSettings } from './refit-settings.ts';
import { BEFORE_PUBLISHED } from './run.ts';
import { type Scale, scaleSettings } from './scale-settings.ts';
import { type Schedule, scheduleFaults, scheduleSettings } from './schedule-settings.ts';
import { PIPELINE_NAME, PIPELINE_NAME_NEEDS } from './sent-text.ts';
import { sourceSchema } from './source.ts';
import { isClosed, refusedSql } from './sql-refused.ts';

// One schema for both files of a definition. What an extract must satisfy stands in contract.yaml, all
// else in pipeline.yaml; they are frozen together as one artifact, so that a run is read with one digest.

const identifier = z.string().regex(PIPELINE_NAME, PIPELINE_NAME_NEEDS);
const share = z.number().min(0).max(1);
const sql = z.string().trim().min(1);

const TRANSFORMS = ['log1p', 'winsorise', 'yeo-johnson', 'standard', 'robust'] as const;
export type TransformName = (typeof TRANSFORMS)[number];

const feature = {
  name: featureName,
  /** days, cents, orders, share, … */
  unit: z.string().min(1),
  /** Why the figure matters to the business: one sentence for the dictionary. */
  why: z.string().min(1),
  /** Who answers for it; absent: nobody was named. */
  owner: z.string().min(1).optional(),
  /** Goes up when its meaning changes; absent: 1. */
  version: z.int().min(1).optional(),
  /** What stands for a customer without a value; absent: 0. */
  whenMissing: z.number().optional(),
};

const aggregate = z.strictObject({
  ...feature,
  sql,
  /** What the aggregate sees a row of: a line of the extract (the default), or an order with its sums and the gap before it. */
  over: z.enum(['lines', 'orders']).optional(),
  /** The days before the as-of date that it looks at, for the dictionary; absent: all there are. */
  windowDays: z.int().min(1).optional(),
});

const features = z.strictObject({
  /** SQL aggregates over a customer's accepted rows; `as_of` is a TIMESTAMP, `amount` the money of a line. */
  aggregate: z.array(aggregate).min(1),
  /** Arquero expressions over customer columns, `d.spendCents / d.orders`. */
  derive: z.array(z.strictObject({ ...feature, expression: z.string().min(1) })).default([]),
  /** Words of customers (`arg_max(country, ordered_at)`), for algorithms that take categories. */
  categories: z
    .array(z.strictObject({ name: featureName, why: z.string().min(1), sql, over: aggregate.shape.over }))
    .optional(),
  /** What is clustered, in this order, each through its transforms. */
  cluster: z
    .array(
      z.strictObject({
        feature: featureName,
        transforms: z.array(z.enum(TRANSFORMS)).default(['log1p', 'standard']),
      }),
    )
    .min(1)
    .max(64),
});

const clustering = z
  .strictObject({
    k: z
      .strictObject({ min: z.int().min(2).max(64).default(3), max: z.int().min(2).max(64).default(8) })
      .refine((k) => k.min <= k.max, { error: 'needs min <= max' })
      .prefault({}),
    smallestShare: share.default(0.02),
    starts: z.int().min(1).max(100).default(10),
    bootstraps: z.int().min(2).max(1000).default(100),
    /** Data sets without groups that scores are compared with; with fewer than 19 nothing could be called natural. */
    nullDraws: z.int().min(19).max(1000).default(20),
    /** All scores are of so many customers at most; the segments are of all. */
    sampleRows: z.int().min(500).max(50_000).default(6_000),
    /**
     * With more customers than this, centres are fitted on a weighted sample of so many, and the run says what that
     * costs; everybody is assigned all the same. Absent: the fit is on all customers.
     */
    coresetRows: z.int().min(1_000).max(1_000_000).optional(),
    /**
     * Among clusterings as good as each other, take the one that goes on from the published centres; absent: false.
     * With it a run depends on what was published before.
     */
    warmStart: z.boolean().optional(),
    /**
     * Days after the as-of date whose spend may judge the segments; absent: none. With them a run as of a past date is
     * another one once the source knows those days.
     */
    laterPeriodDays: z.int().min(1).max(730).optional(),
  })
  .refine(({ coresetRows, sampleRows }) => coresetRows === undefined || coresetRows >= sampleRows, {
    path: ['coresetRows'],
    error: 'needs to be at least sampleRows: segments would be fitted on fewer customers than scored',
  })
  .prefault({});

/** How customers are assigned under the fitted model. */
const assignment = z
  .strictObject({
    /** A customer with a smaller margin between the two nearest segments is given none; 0: everyone is given one. */
    abstainBelowMargin: share.default(0),
    /** The same by confidence, the share of bootstrap refits that agree. */
    abstainBelowConfidence: share.default(0),
    /** Share of a segment's own customers within its reach; who is beyond is novel. 1: nobody is. */
    noveltyQuantile: share.default(0.999),
  })
  .prefault({});

const stability = z
  .strictObject({
    minimumAdjustedRand: z.number().min(-1).max(1).default(0.3),
    maximumMovedShare: share.default(0.5),
    majorPsi: z.number().min(0).default(0.25),
    /**
     * Customers at a border change segments only when they are clearly in the other, or seen there in two runs
     * running. Absent: false, every run puts everybody where its model says.
     */
    hysteresis: z.boolean().optional(),
  })
  .prefault({});

const review = z
  .strictObject({
    policy: z.enum(['never', 'when-unstable', 'always']).default('when-unstable'),
    timeoutHours: z
      .number()
      .positive()
      .max(24 * 60)
      .default(72),
    /** What counts when no one came in time; also for a run older than what is published. */
    onTimeout: z.enum(['publish', 'reject']).default('reject'),
    /** What becomes of a run as of an earlier date than what is published. */
    beforePublished: z.enum(BEFORE_PUBLISHED).default('hold'),
  })
  .prefault({});

const pipeline = z
  .strictObject({
    pipeline: identifier,
    version: z.int().min(1),
    title: z.string().min(1),
    description: z.string().min(1),
    currency: z.string().regex(/^[A-Z]{3}$/, 'needs an ISO 4217 code such as GBP'),
    seed: z.int().min(0).default(1),
    source: sourceSchema,
    features,
    clustering,
    assignment,
    naming,
    stability,
    review,
    refit: refitSettings,
    notify: z.array(channel).default([{ kind: 'log' }]),
    /** Absent: the rules that come with Strata. */
    alerts: alertSettings.optional(),
    /** Absent: runs start by hand, or by other pipelines. */
    schedule: scheduleSettings.optional(),
    /** Absent: every stage is done as a whole. */
    scale: scaleSettings,
    /** Absent: every message to the pipeline's inbox is enough for a run. */
    inbox: inboxSettings.optional(),
  })
  .superRefine((definition, context) => {
    const faults = [
      ...nameFaults(definition.features),
      ...useFaults(definition),
      ...sqlFaults(definition.features),
      ...namingFaults(definition.naming),
      ...alertFaults(definition),
      ...scheduleFaults(definition),
    ];
    for (const fault of faults) context.addIssue({ code: 'custom', ...fault });
  });

interface Fault {
  path: (string | number)[];
  /** What was needed; `check` adds what stands there. */
  message: string;
}

/** Features whose name another one has: of two columns of one name the later would take the earlier's place. */
function nameFaults({ aggregate, derive, categories = [] }: z.infer<typeof features>): Fault[] {
  const owners = new Map<string, string>();
  const named = [
    ...aggregate.map(({ name }, i) => ({ name, path: ['features', 'aggregate', i, 'name'] })),
    ...derive.map(({ name }, i) => ({ name, path: ['features', 'derive', i, 'name'] })),
    ...categories.map(({ name }, i) => ({ name, path: ['features', 'categories', i, 'name'] })),
  ];
  return named.flatMap(({ name, path }) => {
    // DuckDB's columns are the same whatever their case.
    const key = name.toLowerCase();
    const owner = owners.get(key);
    if (owner) return [{ path, message: `needs a name of its own, ${owner} has it (case does not count)` }];
    owners.set(key, path.join('.'));
    return [];
  });
}

/** SQL of features whose value would be another one in a repeat of the run, or that is not of the extract alone. */
function sqlFaults({ aggregate, categories = [] }: z.infer<typeof features>): Fault[] {
  return Object.entries({ aggregate, categories }).flatMap(([list, made]) =>
    made.flatMap(({ sql }, i) => {
      const path = ['features', list, i, 'sql'];
      const refused = refusedSql(sql);
      if (refused !== null) return [{ path, message: `needs SQL without ${refused}` }];
      return isClosed(sql)
        ? []
        : [{ path, message: 'needs brackets, texts and comments that open and close' }];
    }),
  );
}

/** Features that are used and not there, or clustered a second time. */
function useFaults({ features: { aggregate, derive, cluster }, naming }: FeatureUse): Fault[] {
  const names = [...aggregate, ...derive].map(({ name }) => name);
  const used = [
    ...cluster.map(({ feature }, i) => ({ feature, path: ['features', 'cluster', i, 'feature'] })),
    { feature: naming.stage.feature, path: ['naming', 'stage', 'feature'] },
    { feature: naming.value.feature, path: ['naming', 'value', 'feature'] },
    ...naming.traits.map(({ feature }, i) => ({ feature, path: ['naming', 'traits', i, 'feature'] })),
    ...(naming.spend === undefined ? [] : [{ feature: naming.spend, path: ['naming', 'spend'] }]),
    ...Object.keys(naming.labels ?? {}).map((feature) => ({ feature, path: ['naming', 'labels', feature] })),
  ];
  const unknown = used
    .filter(({ feature }) => !names.includes(feature))
    .map(({ path }) => ({ path, message: `needs a feature of this definition (${names.join(', ')})` }));
  const twice = cluster.flatMap(({ feature }, i) => {
    const first = cluster.findIndex((other) => other.feature === feature);
    const message = `needs a feature that is clustered once, features.cluster.${first} has it`;
    return first < i ? [{ path: ['features', 'cluster', i, 'feature'], message }] : [];
  });
  return [...unknown, ...twice];
}

interface FeatureUse {
  features: z.infer<typeof features>;
  naming: z.infer<typeof naming>;
}

/** Without its schedules and its scale: when runs start and on how many machines is no part of what they are, and changes no digest. */
export type Definition = Omit<z.infer<typeof pipeline>, 'schedule' | 'scale'> & { contract: Contract };
export type FeatureSettings = Definition['features'];
export type { Channel } from './channels.ts';
export type { LocaleName, NamingSettings } from './naming-settings.ts';

interface DefinitionFiles {
  pipeline: string;
  contract: string;
}

/** As `parseFiles`, the definition alone. @throws as parseFiles */
export function parseDefinition(name: string, files: DefinitionFiles): Definition {
  return parseFiles(name, files).definition;
}

/**
 * Both files of a definition, checked.
 *
 * @param name the folder's name, which the definition has to carry too
 * @throws PipelineError DEFINITION_INVALID: every fault with its file, path, what was expected and found
 */
export function parseFiles(
  name: string,
  files: DefinitionFiles,
): { definition: Definition; schedules: Schedule[]; scale: Scale } {
  const faults: string[] = [];
  const parsed = readYaml(pipeline, files.pipeline, { file: 'pipeline.yaml', faults })?.data;
  const contract = readContract(files.contract, { file: 'contract.yaml', faults, source: parsed?.source });
  if (parsed && parsed.pipeline !== name) {
    faults.push(`pipeline.yaml: pipeline: needs the name of its folder, ${name}, found ${parsed.pipeline}`);
  }
  if (faults.length > 0 || !parsed || !contract) {
    throw new PipelineError('DEFINITION_INVALID', `definition ${name}: ${faults.join('; ')}`, {
      faults: faults.length,
    });
  }
  const { schedule, scale, ...definition } = parsed;
  return { definition: { ...definition, contract }, schedules: schedule ?? [], scale };
}

/**
 * A definition that an earlier version froze, with the defaults of what has been added since.
 *
 * @throws PipelineError DEFINITION_INVALID when it is none any more
 */
export function completeDefinition({ contract, ...frozen }: Definition): Definition {
  const result = pipeline.safeParse(frozen);
  if (result.success) {
    const { schedule: _, scale: __, ...definition } = result.data;
    return { ...definition, contract };
  }
  const { path, message } = result.error.issues[0]!;
  throw new PipelineError(
    'DEFINITION_INVALID',
    `the definition that ${frozen.pipeline} was segmented by cannot be read any more: ${path.join('.')}: ${message}; ` +
      `start a refit, which takes the present one (npm start -- --pipeline ${frozen.pipeline})`,
  );
}
