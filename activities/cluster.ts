import type { KCandidate, KChoice } from '../numeric/cluster/choice/choice.ts';
import { chooseK } from '../numeric/cluster/choice/choose-k.ts';
import { NoClusteringError } from '../numeric/cluster/choice/no-clustering-error.ts';
import { fitKMeans, type KMeansFit } from '../numeric/cluster/k-means.ts';
import { type DrawnCoreset, drawCoreset } from '../numeric/cluster/scale/drawn-coreset.ts';
import { fitOnCoreset } from '../numeric/cluster/scale/fit-on-coreset.ts';
import { createKernelPool, type KernelPool } from '../numeric/kernels/pool.ts';
import type { Matrix } from '../numeric/matrix.ts';
import type { ArtifactKind, ArtifactRef } from '../pipelines/contracts/artifacts.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import type { CoresetQuality, Run } from '../pipelines/contracts/run.ts';
import type { Clustering, Features, NoClustering, Stages } from '../pipelines/contracts/stages.ts';
import {
  type Agreement,
  agreementWith,
  candidatesToTry,
  choiceRecord,
  clusteringRecord,
  describeClustering,
  isLargeEnough,
  offerOfGrid,
} from '../pipelines/stages/cluster.ts';
import { type ConfidenceTable, createModel } from '../pipelines/stages/model.ts';
import type { FittedTransforms } from '../pipelines/stages/transform.ts';
import { encodeColumns } from '../store/artifacts/columns-file.ts';
import { decodeJson, encodeJson } from '../store/artifacts/json.ts';
import { readMatrix, readValues } from './columns.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { withKernelCodes } from './kernel-errors.ts';
import { baseOf } from './publication-base.ts';
import { runStage, type Work } from './stage.ts';
import { publishedCenters } from './warm-start.ts';

/** Features (n customers x d, transformed) -> a k chosen by evidence, a model, a cluster for each customer. */
export function createClusterActivities(context: ActivityContext): Pick<Stages, 'fitClusters'> {
  const { artifacts } = context;
  return {
    async fitClusters({ run, features }) {
      const { matrix, values, transforms, later } = features;
      const definition = await frozenDefinition(artifacts, run);
      const { warmStart } = definition.clustering;
      const base = warmStart ? await baseOf(context, run) : null;
      const inputs = [
        ...[matrix, values, transforms, ...(later ? [later] : []), ...(run.k ? [run.k] : [])],
        ...(base ? [base.publicationId] : []),
      ];
      return runStage<Clustering | NoClustering>(context, { stage: 'cluster', run, inputs }, async (work) => {
        const fitted = decodeJson(await artifacts.read(transforms)) as FittedTransforms;
        const search: Search = {
          pool: createKernelPool({ threads: context.threads }),
          matrix: await readMatrix(artifacts, matrix),
          outcome: later ? (await readValues(artifacts, later)).spendCents : undefined,
          definition,
          fixedK: run.k ?? undefined,
          seed: run.seed,
          work,
        };
        try {
          search.earlierCenters = base
            ? await publishedCenters(context, base, { ...search, definition, values })
            : undefined;
          const found = await withKernelCodes(search.matrix, () => findClusters(search));
          const kept = { run, features, definition, transforms: fitted };
          if ('none' in found) return await refuse(context, { ...kept, search, ...found });
          return await keep(context, { ...kept, ...found });
        } finally {
          await search.pool.close();
        }
      });
    },
  };
}

function confidenceOf({ confidences }: KChoice, k: number): ConfidenceTable | null {
  const found = confidences.get(k);
  return found ? { margins: [...found.margins], shares: [...found.shares] } : null;
}

export interface Search {
  pool: KernelPool;
  matrix: Matrix;
  /** Centres of the published model among this run's customers, for a start from them. */
  earlierCenters?: Float64Array | undefined;
  /** Spend of each customer in the period after, where the extract has one. */
  outcome?: Float64Array | undefined;
  definition: Pick<Definition, 'clustering'>;
  /** A person's decision. */
  fixedK?: number | undefined;
  seed: number;
  work: Work;
}

interface Found {
  choice: KChoice;
  fit: KMeansFit;
  agreement: Agreement;
  /** Where the centres were fitted on a weighted sample. */
  coreset?: CoresetQuality | undefined;
}

interface NotFound {
  none: string[];
  /** Null when there was too little to try any k on. */
  choice: KChoice | null;
}

/** Progress is told in thousandths: most of the time goes into the choice, the rest into the fit on all rows. */
const STEPS = { all: 1_000, choice: 800 };

/** The scored clusters, carried to all customers; or why there are none. */
export async function findClusters(search: Search): Promise<Found | NotFound> {
  const { pool, matrix, definition, work } = search;
  const { k: range, smallestShare, sampleRows } = definition.clustering;
  // What the fit on all rows needs is refused before the choice is worked out, not after.
  if (matrix.rows > sampleRows && !isFittedOnCoreset(search))
    pool.reserve({ ...matrix, k: Math.max(range.max, search.fixedK ?? 0) });
  const choice = await evidenceFor(search);
  if (choice instanceof NoClusteringError) return { none: [choice.message], choice: null };
  work.onProgress(STEPS.choice, STEPS.all);
  if (choice.k === null) return { none: [...choice.reasons], choice };
  const candidates = candidatesToTry(choice);
  const coreset = await coresetFor(search, Math.max(...candidates.map(({ k }) => k)));
  for (const candidate of candidates) {
    const found = await carry(search, candidate, coreset);
    if (choice.decidedBy === 'evidence' && !isLargeEnough(found.fit.sizes, smallestShare)) continue;
    const agreement = agreementWith(candidate, { scoredRows: choice.scoredRows, labels: found.fit.labels });
    return { choice, agreement, ...found };
  }
  const ks = `at every k from ${range.min} to ${range.max}`;
  return { none: [`${ks} some cluster holds less than ${smallestShare * 100} % of the customers`], choice };
}

function isFittedOnCoreset({ matrix, definition }: Search): boolean {
  return matrix.rows > (definition.clustering.coresetRows ?? Infinity);
}

/** One for all candidates of a run; null where they are fitted on all customers. */
async function coresetFor(search: Search, clusters: number): Promise<DrawnCoreset | null> {
  const { matrix, definition, seed, work } = search;
  const { coresetRows: size } = definition.clustering;
  if (size === undefined || !isFittedOnCoreset(search)) return null;
  return drawCoreset(matrix, { size, clusters, seed, signal: work.signal });
}

/** A scored clustering, fitted on from its centres and carried to all customers. */
async function carry(
  { pool, matrix, seed, work: { signal } }: Search,
  { k: nClusters, centers: initialCenters }: KCandidate,
  coreset: DrawnCoreset | null,
): Promise<Pick<Found, 'fit' | 'coreset'>> {
  const options = { nClusters, seed, initialCenters, signal };
  if (coreset === null) return { fit: await fitKMeans(pool, matrix, options) };
  const { error, ...fit } = await fitOnCoreset(pool, matrix, { ...options, coreset });
  return { fit, coreset: { rows: coreset.points.rows, of: matrix.rows, ...error } };
}

/** That there is nothing to try is a finding about the data; whatever else goes wrong is a fault. */
async function evidenceFor({
  pool,
  matrix,
  outcome,
  earlierCenters,
  definition,
  fixedK,
  seed,
  work,
}: Search): Promise<KChoice | NoClusteringError> {
  const { k, smallestShare: minShare, starts, bootstraps, nullDraws, sampleRows } = definition.clustering;
  try {
    return await chooseK(pool, matrix, {
      ...{
        seed,
        kMin: k.min,
        kMax: k.max,
        fixedK,
        minShare,
        sampleRows,
        bootstraps,
        nullDraws,
        starts,
        outcome,
        earlierCenters,
      },
      signal: work.signal,
      onProgress: (done, of) => work.onProgress(Math.floor((done / of) * STEPS.choice), STEPS.all),
    });
  } catch (error) {
    if (error instanceof NoClusteringError) return error;
    throw error;
  }
}

interface Kept {
  run: Run;
  features: Features;
  definition: Definition;
  transforms: FittedTransforms;
}

/** Why there are no segments, with the scores of what was tried, and what the fixed grid would make. */
async function refuse(
  { artifacts }: ActivityContext,
  { run, definition, transforms, search, none, choice }: Kept & NotFound & { search: Search },
): Promise<Omit<NoClustering, 'ms'>> {
  const { pool, matrix, seed } = search;
  const offer = await offerOfGrid(matrix, { definition, transforms, context: { pool, seed } });
  let candidates: ArtifactRef | null = null;
  if (choice !== null) {
    const about = { runId: run.runId, ending: 'json', rows: choice.candidates.length };
    candidates = await artifacts.write('clustering', encodeJson(choiceRecord(choice)), about);
  }
  return { verdict: 'none', reasons: [...none, ...offer], candidates };
}

async function keep(
  { artifacts }: ActivityContext,
  { run, features, definition, transforms, choice, fit, agreement, coreset }: Kept & Found,
): Promise<Omit<Clustering, 'ms'>> {
  const model = createModel({
    definition,
    seed: run.seed,
    transforms,
    centers: fit.centers,
    sizes: fit.sizes,
    columns: await readValues(artifacts, features.values),
    members: fit,
    // Of clusters that were not scored nothing is known of how sure they are.
    confidence: agreement.passed ? confidenceOf(choice, fit.sizes.length) : null,
  });
  const write = (kind: ArtifactKind, bytes: Buffer, about: { ending: string; rows: number }) =>
    artifacts.write(kind, bytes, { runId: run.runId, ...about });
  const { labels, distance, margin } = fit;
  const fitted = { sizes: fit.sizes, agreement, coreset };
  const { smallestShare } = definition.clustering;
  const laterDays = features.laterPeriod?.days ?? null;
  const clustering = describeClustering({ choice, fitted, smallestShare, laterDays });
  const record = clusteringRecord({ choice, fitted, verdict: clustering.verdict });
  return {
    ...clustering,
    candidates: await write('clustering', encodeJson(record), {
      ending: 'json',
      rows: choice.candidates.length,
    }),
    labels: await write('labels', encodeColumns({ labels, distance, margin }), {
      ending: 'columns',
      rows: labels.length,
    }),
    model: await write('model', encodeJson(model), { ending: 'json', rows: fit.sizes.length }),
  };
}
