import { createHash } from 'node:crypto';
import { findClusters } from '../activities/cluster.ts';
import { assignNearest } from '../numeric/cluster/assign.ts';
import type { KernelPool } from '../numeric/kernels/pool.ts';
import { atOnce } from '../numeric/kernels/turn.ts';
import { rmsRadii } from '../numeric/movement/centroid-drift.ts';
import { noiseBand } from '../numeric/movement/noise-band.ts';
import { type CustomerIds, toCustomerIds } from '../pipelines/contracts/customers.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import type { Columns } from '../pipelines/stages/features.ts';
import { type Identities, matchIdentities } from '../pipelines/stages/identity.ts';
import { joinCustomers, withinReach } from '../pipelines/stages/match.ts';
import { centersOf, createModel, type Model } from '../pipelines/stages/model.ts';
import { type MovementReport, traceMovements } from '../pipelines/stages/movements.ts';
import { nameSegments, type PreviousName, type SegmentName } from '../pipelines/stages/name.ts';
import { createResample } from '../pipelines/stages/name-bootstrap.ts';
import { profileSegments } from '../pipelines/stages/segment-profile.ts';
import { applyTransforms, fitTransforms } from '../pipelines/stages/transform.ts';
import { formsOf } from '../pipelines/stages/transitions.ts';

// A run's stages from features to movements, without Temporal, PostgreSQL or files between them.

const about = { unit: 'x', why: 'simulated' };
export const FEATURES = ['recencyDays', 'orders', 'spend', 'items'] as const;

export const SIMULATED = {
  pipeline: 'simulated',
  version: 1,
  features: {
    aggregate: FEATURES.map((name) => ({ name, sql: name, ...about })),
    derive: [],
    cluster: FEATURES.map((feature) => ({
      feature,
      transforms: ['log1p', 'standard'] as ('log1p' | 'standard')[],
    })),
  },
  naming: {
    stage: {
      feature: 'recencyDays',
      bands: [
        { word: 'Active', below: 90 },
        { word: 'Cooling', atLeast: 90, below: 400 },
        { word: 'Lapsed', atLeast: 400 },
      ],
    },
    value: {
      feature: 'spend',
      bands: [
        { word: 'modest-value', below: 60 },
        { word: 'mid-value', atLeast: 60, below: 500 },
        { word: 'high-value', atLeast: 500 },
      ],
    },
    traits: [
      { feature: 'orders', high: 'frequent buyers', low: 'occasional buyers' },
      { feature: 'items', high: 'bulk buyers', low: 'light buyers' },
    ],
    spend: 'spend',
  },
} satisfies Pick<Definition, 'pipeline' | 'version' | 'features' | 'naming'>;

export interface RunSettings {
  pool: KernelPool;
  seed: number;
  /** Resamples that say how wide the borders are. */
  bootstraps: number;
}

/** What a run leaves for the next one. */
export interface SimulatedRun {
  customers: CustomerIds;
  columns: Columns;
  labels: Uint8Array;
  distance: Float32Array;
  model: Model;
  identities: Identities;
  segmentIds: string[];
  names: SegmentName[];
  movements: MovementReport | null;
}

/** @param k as many segments, or null: as many as the evidence says; @returns null when there are none */
export async function runStages(
  shop: { ids: readonly string[]; columns: Columns; k: number | null },
  previous: SimulatedRun | null,
  { pool, seed, bootstraps }: RunSettings,
): Promise<SimulatedRun | null> {
  const { columns, k } = shop;
  const transforms = fitTransforms(columns, SIMULATED.features.cluster);
  const matrix = applyTransforms(columns, transforms);
  const clustering = {
    k: k === null ? { min: 2, max: 10 } : { min: k, max: k },
    ...{ smallestShare: 0.02, starts: 10, nullDraws: k === null ? 20 : 1, sampleRows: 6_000, bootstraps },
  };
  const work = { signal: new AbortController().signal, onProgress: () => {} };
  const found = await findClusters({
    ...{ pool, matrix, seed, work, definition: { clustering } },
    ...(k !== null && { fixedK: k }),
  });
  if ('none' in found) return null;
  const { fit, choice } = found;
  const { labels, distance, margin } = fit;
  const sizes = Array.from(fit.sizes);
  const confidence = choice.confidences.get(sizes.length) ?? null;
  const model = createModel({
    ...{ definition: SIMULATED, seed, transforms, columns, confidence, sizes },
    ...{ centers: fit.centers, members: fit },
  });
  const customers = toCustomerIds(shop.ids);
  const compared = previous && (await compare({ customers, columns, labels, sizes, model }, previous, pool));
  const identities = matchIdentities({
    pipeline: SIMULATED.pipeline,
    modelDigest: digest(JSON.stringify(model)),
    ...{ labels, sizes, previous: compared?.previous ?? null, digest },
    relabelled: compared?.relabelled ?? null,
    previousRelabelled: compared?.previousRelabelled ?? null,
    forms: compared?.forms ?? null,
  });
  const segmentIds = identities.segments.map(({ segmentId }) => segmentId);
  const profiles = profileSegments({ columns, labels, k: sizes.length, spend: SIMULATED.naming.spend });
  const names = nameSegments({
    ...{ naming: SIMULATED.naming, profiles, segments: identities.segments },
    resample: createResample({ columns, labels, profiles }),
    previousNames: previous ? namesOf(previous) : {},
  });
  const bordersOf = (of: Model, margins: Float32Array) =>
    of.confidence && { margins, noiseBand: noiseBand(of.confidence) };
  const movements =
    compared &&
    traceMovements({
      join: compared.previous.join,
      previousIds: previous.segmentIds,
      currentIds: segmentIds,
      previousLabels: previous.labels,
      ...{ labels, spendCents: null, previousSpendCents: null },
      relabelled: compared.byLast.labels,
      borders: { last: bordersOf(previous.model, compared.byLast.margin), new: bordersOf(model, margin) },
    });
  return { customers, columns, labels, distance, model, identities, segmentIds, names, movements };
}

/** As the match stage compares a run with the publication before it. */
async function compare(
  run: Pick<SimulatedRun, 'customers' | 'columns' | 'labels' | 'model'> & { sizes: number[] },
  previous: SimulatedRun,
  pool: KernelPool,
) {
  const last = previous.model;
  const matrix = applyTransforms(run.columns, last.transforms);
  const byLast = await assignNearest(pool, matrix, centersOf(last));
  const backwards = applyTransforms(previous.columns, run.model.transforms);
  const byNew = await assignNearest(pool, backwards, centersOf(run.model));
  return {
    byLast,
    previous: {
      segmentIds: previous.segmentIds,
      usedIds: previous.identities.usedIds,
      labels: previous.labels,
      join: joinCustomers(previous.customers, run.customers),
    },
    relabelled: withinReach(byLast, last.reaches),
    previousRelabelled: withinReach(byNew, run.model.reaches),
    forms: {
      before: { centers: centersOf(last), radii: rmsRadii(previous, last.centers.length) },
      after: atOnce(formsOf(matrix, run.labels, run.sizes.length)),
    },
  };
}

function namesOf({ names }: SimulatedRun): Record<string, PreviousName> {
  return Object.fromEntries(
    names.map(({ segmentId, name, author, condition, status }) => [
      segmentId,
      { name, author, condition, status },
    ]),
  );
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
