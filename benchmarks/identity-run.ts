import { createHash } from 'node:crypto';
import { findClusters } from '../activities/cluster.ts';
import { assignNearest } from '../numeric/cluster/assign.ts';
import type { KernelPool } from '../numeric/kernels/pool.ts';
import { atOnce } from '../numeric/kernels/turn.ts';
import { rmsRadii } from '../numeric/movement/centroid-drift.ts';
import { type CustomerIds, toCustomerIds } from '../pipelines/contracts/customers.ts';
import type { SegmentSummary } from '../pipelines/contracts/run.ts';
import { type Beside, bordersOf, comparisonOf, type Seen } from '../pipelines/stages/beside.ts';
import { summariseSegments } from '../pipelines/stages/describe.ts';
import type { Columns } from '../pipelines/stages/features.ts';
import { namingFormat } from '../pipelines/stages/figures.ts';
import { type Identities, matchIdentities } from '../pipelines/stages/identity.ts';
import { joinCustomers, withinReach } from '../pipelines/stages/match.ts';
import { centersOf, createModel, type Model } from '../pipelines/stages/model.ts';
import type { MovementReport } from '../pipelines/stages/movements.ts';
import { nameSegments, type PreviousName, type SegmentName } from '../pipelines/stages/name.ts';
import { createResample } from '../pipelines/stages/name-bootstrap.ts';
import { profileSegments } from '../pipelines/stages/segment-profile.ts';
import { judgeStability } from '../pipelines/stages/stability.ts';
import type { StabilityReport } from '../pipelines/stages/stability-report.ts';
import { applyTransforms, fitTransforms } from '../pipelines/stages/transform.ts';
import { formsOf } from '../pipelines/stages/transitions.ts';
import { SIMULATED } from './simulated-definition.ts';

// A run's stages from features to stability, without Temporal, PostgreSQL or files between them.

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
  segments: SegmentSummary[];
  stability: StabilityReport;
  movements: MovementReport | null;
}

/** @param k as many segments, or null: as many as the evidence says; @returns null when there are none */
export async function runStages(
  shop: { ids: readonly string[]; columns: Columns; k: number | null },
  previous: SimulatedRun | null,
  settings: RunSettings,
): Promise<SimulatedRun | null> {
  const { columns } = shop;
  const fitted = await fit(shop, settings);
  if (!fitted) return null;
  const { seen, model } = fitted;
  const { labels, distance } = seen;
  const customers = toCustomerIds(shop.ids);
  const compared =
    previous && (await compare({ customers, columns, labels, model }, previous, settings.pool));
  const identities = matchIdentities({
    pipeline: SIMULATED.pipeline,
    modelDigest: digest(JSON.stringify(model)),
    ...{ labels, sizes: model.sizes, previous: compared?.previous ?? null, digest },
    relabelled: compared?.relabelled ?? null,
    previousRelabelled: compared?.previousRelabelled ?? null,
    forms: compared?.forms ?? null,
  });
  const segmentIds = identities.segments.map(({ segmentId }) => segmentId);
  const { names, segments } = name({ columns, labels, identities }, previous);
  const stability = judgeStability({
    ...{ settings: SIMULATED.stability, columns, labels, segmentIds },
    nameStatuses: segments.map(({ nameStatus }) => nameStatus),
    previous:
      compared &&
      comparisonOf(besideOf(fitted, { compared, previous, segmentIds }), {
        ...{ definition: SIMULATED, columns, values: previous.columns, matrix: compared.matrix },
      }),
  });
  return {
    ...{ customers, columns, labels, distance, model, identities, segmentIds, names, segments, stability },
    movements: stability.movements,
  };
}

interface Fitted {
  seen: Seen;
  model: Model;
}

/** As the feature stage and the cluster stage fit a run. */
async function fit(
  { columns, k }: { columns: Columns; k: number | null },
  { pool, seed, bootstraps }: RunSettings,
): Promise<Fitted | null> {
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
  const { fit: seen, choice } = found;
  const sizes = Array.from(seen.sizes);
  const confidence = choice.confidences.get(sizes.length) ?? null;
  const model = createModel({
    ...{ definition: SIMULATED, seed, transforms, columns, confidence, sizes },
    ...{ centers: seen.centers, members: seen },
  });
  return { seen, model };
}

/** As the match stage compares a run with the publication before it. */
async function compare(
  run: Pick<SimulatedRun, 'customers' | 'columns' | 'labels' | 'model'>,
  previous: SimulatedRun,
  pool: KernelPool,
) {
  const last = previous.model;
  const matrix = applyTransforms(run.columns, last.transforms);
  const byLast = await assignNearest(pool, matrix, centersOf(last));
  const backwards = applyTransforms(previous.columns, run.model.transforms);
  const byNew = await assignNearest(pool, backwards, centersOf(run.model));
  return {
    ...{ matrix, byLast },
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
      after: atOnce(formsOf(matrix, run.labels, run.model.sizes.length)),
    },
  };
}

function besideOf(
  { seen, model }: Fitted,
  {
    compared,
    previous,
    segmentIds,
  }: { compared: Awaited<ReturnType<typeof compare>>; previous: SimulatedRun; segmentIds: string[] },
): Beside {
  const { byLast } = compared;
  return {
    ...{ join: compared.previous.join, before: previous, now: seen, last: byLast, model: previous.model },
    ...{ previousIds: previous.segmentIds, currentIds: segmentIds },
    borders: { last: bordersOf(byLast, previous.model), new: bordersOf(seen, model) },
  };
}

/** As the name stage names a run's segments, those that go on as they are called. */
function name(
  { columns, labels, identities }: Pick<SimulatedRun, 'columns' | 'labels' | 'identities'>,
  previous: SimulatedRun | null,
): Pick<SimulatedRun, 'names' | 'segments'> {
  const { naming } = SIMULATED;
  const profiles = profileSegments({ columns, labels, k: identities.segments.length, spend: naming.spend });
  const names = nameSegments({
    ...{ naming, profiles, segments: identities.segments },
    resample: createResample({ columns, labels, profiles }),
    previousNames: previous ? namesOf(previous) : {},
  });
  const telling = { profiles, naming, format: namingFormat(SIMULATED) };
  return { names, segments: summariseSegments(names, { ...telling, identities: identities.segments }) };
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
