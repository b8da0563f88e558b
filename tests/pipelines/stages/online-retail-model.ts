import { fitKMeans } from '../../../numeric/cluster/k-means.ts';
import { createKernelPool } from '../../../numeric/kernels/pool.ts';
import type { Columns } from '../../../pipelines/stages/features.ts';
import { createModel, type Model } from '../../../pipelines/stages/model.ts';
import { applyTransforms, fitTransforms } from '../../../pipelines/stages/transform.ts';
import { buildKernels } from '../../../scripts/build-kernels.mjs';
import { onlineRetailRfm } from '../../numeric/helpers/real-data.ts';

/** Recency, orders and spend of the Online Retail customers, and four clusters of them. */
export async function fitOnlineRetail(): Promise<{ columns: Columns; model: Model }> {
  await buildKernels();
  const [recencyDays, orders, spend] = (await onlineRetailRfm()) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const columns = { recencyDays, orders, spend };
  const about = { unit: 'x', why: 'y' };
  const definition = {
    pipeline: 'online-retail',
    version: 1,
    features: {
      aggregate: Object.keys(columns).map((name) => ({ name, sql: name, ...about })),
      derive: [],
      cluster: Object.keys(columns).map((feature) => ({
        feature,
        transforms: ['log1p' as const, 'standard' as const],
      })),
    },
  };
  const transforms = fitTransforms(columns, definition.features.cluster);
  const pool = createKernelPool({ threads: 2 });
  try {
    const fit = await fitKMeans(pool, applyTransforms(columns, transforms), { nClusters: 4, seed: 1 });
    const { centers, sizes } = fit;
    const model = createModel({
      definition,
      seed: 1,
      transforms,
      centers,
      sizes,
      columns,
      members: fit,
      confidence: { margins: [0, 0.2, 0.6], shares: [0.5, 0.9, 1] },
    });
    return { columns, model };
  } finally {
    await pool.close();
  }
}
