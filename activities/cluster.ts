import { chooseK, type KChoice } from '../numeric/cluster/choice/choose-k.ts';
import { NoClusteringError } from '../numeric/cluster/choice/no-clustering-error.ts';
import { fitKMeans, type KMeansFit } from '../numeric/cluster/k-means.ts';
import { createKernelPool, type KernelPool } from '../numeric/kernels/pool.ts';
import type { Matrix } from '../numeric/matrix.ts';
import type { ArtifactKind } from '../pipelines/contracts/artifacts.ts';
import type { Definition } from '../pipelines/contracts/definition.ts';
import type { Run } from '../pipelines/contracts/run.ts';
import type { Clustering, Features, NoClustering, Stages } from '../pipelines/contracts/stages.ts';
import {
  type Agreement,
  agreementWith,
  candidatesToTry,
  clusteringRecord,
  describeClustering,
  isLargeEnough,
} from '../pipelines/stages/cluster.ts';
import { createModel } from '../pipelines/stages/model.ts';
import type { FittedTransforms } from '../pipelines/stages/transform.ts';
import { encodeColumns } from '../store/artifacts/columns-file.ts';
import { decodeJson, encodeJson } from '../store/artifacts/json.ts';
import { readMatrix, readValues } from './columns.ts';
import { type ActivityContext, frozenDefinition } from './context.ts';
import { withKernelCodes } from './kernel-errors.ts';
import { runStage, type Work } from './stage.ts';

/** Features (n customers x d, transformed) -> a k chosen by several criteria, a model, a cluster for each customer. */
export function createClusterActivities(context: ActivityContext): Pick<Stages, 'fitClusters'> {
  const { artifacts } = context;
  return {
    async fitClusters({ run, features }) {
      const inputs = [features.matrix, features.values, features.transforms];
      return runStage<Clustering | NoClustering>(context, { stage: 'cluster', run, inputs }, async (work) => {
        const definition = await frozenDefinition(artifacts, run.definition);
        const matrix = await readMatrix(artifacts, features.matrix);
        const pool = createKernelPool({ threads: context.threads });
        try {
          const search = { pool, matrix, definition, seed: run.seed, work };
          const found = await withKernelCodes(matrix, () => findClusters(search));
          if ('none' in found) return { verdict: 'none', reasons: [found.none] };
          return await keep(context, { run, features, definition, ...found });
        } finally {
          await pool.close();
        }
      });
    },
  };
}

export interface Search {
  pool: KernelPool;
  matrix: Matrix;
  definition: Pick<Definition, 'clustering'>;
  seed: number;
  work: Work;
}

interface Found {
  choice: KChoice;
  fit: KMeansFit;
  agreement: Agreement;
}

/** Progress is told in thousandths: most of the time goes into the choice, the rest into the fit on all rows. */
const STEPS = { all: 1_000, choice: 800 };

/** The scored clusters, carried to all customers; or why there are none. */
export async function findClusters({
  pool,
  matrix,
  definition,
  seed,
  work,
}: Search): Promise<Found | { none: string }> {
  const { k, smallestShare, starts, bootstraps, sampleRows } = definition.clustering;
  const { signal } = work;
  const choice = await chosenK(() =>
    chooseK(pool, matrix, {
      seed,
      kMin: k.min,
      kMax: k.max,
      minShare: smallestShare,
      sampleRows,
      bootstraps,
      starts,
      signal,
      onProgress: (done, of) => work.onProgress(Math.floor((done / of) * STEPS.choice), STEPS.all),
    }),
  );
  if ('none' in choice) return choice;
  work.onProgress(STEPS.choice, STEPS.all);
  for (const candidate of candidatesToTry(choice)) {
    const { k: clusters, centers: initialCenters } = candidate;
    const fit = await fitKMeans(pool, matrix, { k: clusters, seed, initialCenters, signal });
    if (!isLargeEnough(fit.sizes, smallestShare)) continue;
    const agreement = agreementWith(candidate, { scoredRows: choice.scoredRows, labels: fit.labels });
    return { choice, fit, agreement };
  }
  return {
    none: `at every k from ${k.min} to ${k.max} some cluster holds less than ${smallestShare * 100} % of the customers`,
  };
}

/** That there is no clustering is a verdict about the data; whatever else goes wrong is a fault. */
async function chosenK(choose: () => Promise<KChoice>): Promise<KChoice | { none: string }> {
  try {
    return await choose();
  } catch (error) {
    if (error instanceof NoClusteringError) return { none: error.message };
    throw error;
  }
}

async function keep(
  { artifacts }: ActivityContext,
  {
    run,
    features,
    definition,
    choice,
    fit,
    agreement,
  }: Found & { run: Run; features: Features; definition: Definition },
): Promise<Omit<Clustering, 'ms'>> {
  const transforms = decodeJson(await artifacts.read(features.transforms)) as FittedTransforms;
  const columns = await readValues(artifacts, features.values);
  const model = createModel({
    definition,
    seed: run.seed,
    transforms,
    centers: fit.centers,
    sizes: fit.sizes,
    columns,
  });
  const write = (kind: ArtifactKind, bytes: Buffer, about: { ending: string; rows: number }) =>
    artifacts.write(kind, bytes, { runId: run.runId, ...about });
  const { labels, distance, margin } = fit;
  const fitted = { sizes: fit.sizes, agreement };
  const { smallestShare } = definition.clustering;
  const clustering = describeClustering({ choice, fitted, smallestShare });
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
