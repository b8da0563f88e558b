import { nextTurn } from '../../../numeric/kernels/turn.ts';
import { columnOf } from '../../../numeric/matrix.ts';
import { effectiveDimensions, varianceInflation } from '../../../numeric/statistics/collinearity.ts';
import { hopkins } from '../../../numeric/statistics/hopkins.ts';
import { correlation, deviation } from '../../../numeric/statistics/moments.ts';
import type { Definition } from '../../contracts/definition.ts';
import { PipelineError } from '../../contracts/errors.ts';
import { type Columns, deriveColumnsInTurns, whenMissingOf } from '../features.ts';
import { featuresSql } from '../features-sql.ts';
import { applyTransformsInTurns, fitAndApplyInTurns } from '../transform.ts';
import { adviseFeature, type FeatureReadiness } from './advice.ts';
import { rankCorrelations } from './correlations.ts';

import type { Reader, Relation } from './relation.ts';
import { digits } from './report.ts';
import type { Drawn } from './samples.ts';

/** Whether the definition's features are fit to tell customers apart by distances, before anything is clustered. */
export interface Readiness {
  /** Why there is none of it; all lists are then empty. */
  missing: string | null;
  /** Customers with an accepted row that were looked at; of all ids of the extract, or of those whose hash is drawn. */
  customers: { sampled: number; of: number; isSample: boolean };
  features: FeatureReadiness[];
  /** Spearman's between the features. */
  correlations: { columns: string[]; values: (number | null)[][] };
  /** Pairs whose correlation is at least .9 either way. */
  redundant: { first: string; second: string; correlation: number }[];
  /** Of the clustered features after their transforms; null: a combination of those before it. */
  inflation: { feature: string; factor: number | null }[];
  clusterability: Clusterability | null;
}

export interface Clusterability {
  /** In [0, 1]: about .5 for customers strewn evenly. High values do not mean groups. */
  hopkins: number;
  clustered: number;
  /** In how many directions they really vary. */
  effectiveDimensions: number;
}

export type ReadinessSettings = Pick<Definition, 'features'>;

export const REDUNDANT = 0.9;
const LEAST_CUSTOMERS = 20;
const MOST_PAIRS = 30;
/** The statistic's draws; any fixed number would do. */
const SEED = 1;

/** @param customers different ids in the extract, of refused rows too */
export async function measureReadiness(
  reader: Reader,
  relation: Relation,
  { settings, customers, drawn }: { settings: ReadinessSettings; customers: number; drawn: Drawn },
): Promise<Readiness> {
  const none = (missing: string, sampled = 0): Readiness => ({
    missing,
    customers: { sampled, of: customers, isSample: drawn.every > 1 },
    ...{ features: [], correlations: { columns: [], values: [] }, redundant: [], inflation: [] },
    clusterability: null,
  });
  try {
    const columns = await sampledFeatures(reader, relation, { settings, drawn });
    const sampled = Object.values(columns)[0]?.length ?? 0;
    if (sampled < LEAST_CUSTOMERS) {
      return none(
        `needs ${LEAST_CUSTOMERS} customers with an accepted row among those looked at, found ${sampled}`,
        sampled,
      );
    }
    return {
      missing: null,
      customers: { sampled, of: customers, isSample: drawn.every > 1 },
      ...(await readinessOf(columns, settings)),
    };
  } catch (error) {
    // The features stage will say so for the run; the rest of the profile is worth having.
    if (error instanceof PipelineError && error.code === 'FEATURE_INVALID') return none(error.message);
    throw error;
  }
}

async function sampledFeatures(
  reader: Reader,
  relation: Relation,
  { settings, drawn }: { settings: ReadinessSettings; drawn: Drawn },
): Promise<Columns> {
  const { aggregate, derive } = settings.features;
  const { contract, asOf } = relation;
  const from = relation.withCustomers?.(drawn.from) ?? drawn.from;
  const { attributes } = relation;
  const aggregates = await reader.numbers(featuresSql({ from, contract, aggregate, asOf, attributes }));
  if ((Object.values(aggregates)[0]?.length ?? 0) === 0) return {};
  return (await deriveColumnsInTurns(aggregates, derive, { whenMissing: whenMissingOf(aggregate) })).columns;
}

async function readinessOf(
  columns: Columns,
  settings: ReadinessSettings,
): Promise<Omit<Readiness, 'missing' | 'customers'>> {
  const { aggregate, derive, cluster } = settings.features;
  const units = new Map([...aggregate, ...derive].map(({ name, unit }) => [name, unit]));
  const features: FeatureReadiness[] = [];
  for (const [feature, values] of Object.entries(columns)) {
    const transforms = cluster.find((own) => own.feature === feature)?.transforms ?? null;
    features.push(adviseFeature(values, { feature, unit: units.get(feature) ?? '', transforms }));
    await nextTurn();
  }
  const names = Object.keys(columns);
  const values = await rankCorrelations(columns);
  return {
    // What is clustered first, as it is clustered; then the others.
    features: features.toSorted((a, b) => Number(b.now !== null) - Number(a.now !== null)),
    correlations: { columns: names, values },
    redundant: redundantPairs(names, values),
    ...(await clusteredOf(columns, cluster)),
  };
}

function redundantPairs(
  names: readonly string[],
  values: readonly (readonly (number | null)[])[],
): Readiness['redundant'] {
  return names
    .flatMap((first, i) =>
      names.slice(i + 1).map((second, j) => ({ first, second, correlation: values[i]![i + 1 + j] ?? 0 })),
    )
    .filter((pair) => Math.abs(pair.correlation) >= REDUNDANT)
    .sort((a, b) => Math.abs(b.correlation) - Math.abs(a.correlation))
    .slice(0, MOST_PAIRS);
}

/** On the matrix that would be clustered, but for features that do not vary. */
async function clusteredOf(
  columns: Columns,
  cluster: Definition['features']['cluster'],
): Promise<Pick<Readiness, 'inflation' | 'clusterability'>> {
  const { transforms, matrix: all } = await fitAndApplyInTurns(columns, cluster);
  const varying = transforms.filter((_, j) => deviation(columnOf(all, j)) > 0);
  if (varying.length === 0) return { inflation: [], clusterability: null };
  await nextTurn();
  const matrix = await applyTransformsInTurns(columns, varying);
  const d = varying.length;
  const pairs = Float64Array.from({ length: d * d }, (_, at) => {
    const [i, j] = [Math.floor(at / d), at % d];
    return i === j ? 1 : correlation(columnOf(matrix, i), columnOf(matrix, j));
  });
  const factors = varianceInflation(pairs, d);
  return {
    inflation: varying.map(({ feature }, j) => ({
      feature,
      factor: Number.isFinite(factors[j]) ? digits(factors[j]!, 4) : null,
    })),
    clusterability: {
      hopkins: digits(await hopkins(matrix, { seed: SEED }), 4),
      clustered: d,
      effectiveDimensions: digits(effectiveDimensions(pairs, d), 4),
    },
  };
}
